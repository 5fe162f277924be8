"""Storms on the whole stack, seed by seed; a failing one prints itself and its story, `SEED=n` replays it.

`SEEDS=n` with `-m soak` runs a tenth of n of them.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from core.domain.account import Exchange
from tests.decision.stress.table import Row
from tests.faults.conftest import RunStorm
from tests.faults.harness.fault_catalogue import FAULTS
from tests.faults.harness.invariants import Report

ONE = os.environ.get("SEED")


def chunks(seeds: int, into: int = 10) -> list[range]:
    """The seeds in equal parts, so that several cores share them."""
    return [range(seeds * n // into, seeds * (n + 1) // into) for n in range(into)]


STRUCK: dict[Exchange, Counter[str]] = defaultdict(Counter)  #: over all storms of this file, which one process runs
WHERE = {
    "okx": (Exchange.OKX, True),
    "binance": (Exchange.BINANCE, True),
    "binance one-way": (Exchange.BINANCE, False),
}
A_FEW = {"okx": 55, "binance": 44, "binance one-way": 11}
SOME = [(where, seeds) for where, few in A_FEW.items() for seeds in chunks(few, max(few // 22, 1))]
#: few storms come to meet these; the fault table always does
RARE = {"trigger_reject", "trigger_stuck", "algo_vanish", "accept_delay"}
SOAK = int(os.environ.get("SEEDS", "20000")) // 10  #: one of these storms costs as much as a hundred pure ones


@pytest.mark.parametrize(
    ("where", "seeds"), [(where, range(int(ONE), int(ONE) + 1)) for where in WHERE] if ONE else SOME, ids=str
)
def test_storms(run_storm: RunStorm, where: str, seeds: range) -> None:
    """Never more than asked for, nothing bare, doubled or left behind once calm, money to the cent."""
    for report in play(run_storm, where, seeds):
        STRUCK[WHERE[where][0]].update(report.struck)


@pytest.mark.skipif(bool(ONE), reason="one seed cannot meet them all")
@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_every_fault_has_struck(exchange: Exchange) -> None:
    missing = {fault["kind"] for fault in FAULTS[exchange]} - set(+STRUCK[exchange]) - RARE
    assert not missing, f"never struck: {sorted(missing)}"


@pytest.mark.soak
@pytest.mark.parametrize("seeds", chunks(SOAK), ids=str)
@pytest.mark.parametrize("where", WHERE)
def test_many_storms(run_storm: RunStorm, where: str, seeds: range) -> None:
    play(run_storm, where, seeds)


def play(run_storm: RunStorm, where: str, seeds: Iterable[int]) -> list[Report]:
    exchange, hedge = WHERE[where]
    reports = [run_storm(seed, exchange, hedge=hedge) for seed in seeds]
    row_of(where, reports).keep()
    struck = sum((report.struck for report in reports), Counter[str]())
    answers = sum((report.answers for report in reports), Counter[str]())
    worked = sum((report.worked for report in reports), Counter[str]())
    print(
        f"{len(reports)} storms, {sum(r.looks for r in reports)} looks, {sum(r.deaths for r in reports)} deaths, "
        f"{sum(r.bare_seconds for r in reports):.1f} s bare in all, "
        f"{sum(r.ledger_compared for r in reports)} ledgers compared, {sum(r.shot_over for r in reports)} closed more "
        f"than a part, struck {dict(struck)}, answered {dict(answers)}, "
        f"worked {dict(worked)}"
    )
    return reports


def row_of(where: str, reports: list[Report]) -> Row:
    """What these storms came to, for the property table."""
    return Row(
        f"whole stack, {where}",
        "1-3",
        seeds=len(reports),
        turns=sum(report.looks for report in reports),
        both_filled=sum(report.both_filled for report in reports),
        overshoots=sum(report.shot_over for report in reports),
        bare=max((report.bare_seconds for report in reports), default=0.0),  # all of one storm together
        windows=[seconds for report in reports for seconds in report.windows],
    )
