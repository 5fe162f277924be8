"""Storms on the whole stack, seed by seed; a failing one prints itself and its story, `SEED=n` replays it.

`SEEDS=n` with `-m soak` runs a tenth of n of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.faults.conftest import RunStorm
from tests.faults.weather import FAULTS, Report

ONE = os.environ.get("SEED")
A_FEW = 300
STRUCK: Counter[str] = Counter()  #: over all storms of this file, which one process runs
SOAK = int(os.environ.get("SEEDS", "20000")) // 10  #: one of these storms costs as much as a hundred pure ones


def chunks(seeds: int, into: int = 10) -> list[range]:
    """The seeds in equal parts, so that several cores share them."""
    return [range(seeds * n // into, seeds * (n + 1) // into) for n in range(into)]


@pytest.mark.parametrize("seeds", [range(int(ONE), int(ONE) + 1)] if ONE else chunks(A_FEW), ids=str)
def test_storms(run_storm: RunStorm, seeds: range) -> None:
    """Never more than asked for, nothing bare, doubled or left behind once calm, money to the cent."""
    for report in play(run_storm, seeds):
        STRUCK.update(report.struck)


@pytest.mark.skipif(bool(ONE), reason="one seed cannot meet them all")
def test_every_fault_has_struck() -> None:
    missing = {fault["kind"] for fault in FAULTS} - set(+STRUCK)
    assert not missing, f"never struck: {sorted(missing)}"


@pytest.mark.soak
@pytest.mark.parametrize("seeds", chunks(SOAK), ids=str)
def test_many_storms(run_storm: RunStorm, seeds: range) -> None:
    play(run_storm, seeds)


def play(run_storm: RunStorm, seeds: Iterable[int]) -> list[Report]:
    reports = [run_storm(seed) for seed in seeds]
    struck = sum((report.struck for report in reports), Counter[str]())
    print(
        f"{len(reports)} storms, {sum(r.looks for r in reports)} looks, {sum(r.deaths for r in reports)} deaths, "
        f"{sum(r.bare_seconds for r in reports):.1f} s bare in all, "
        f"{sum(r.ledger_compared for r in reports)} ledgers compared, {sum(r.shot_over for r in reports)} closed more "
        f"than a part, struck {dict(struck)}"
    )
    return reports
