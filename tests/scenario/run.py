"""One run from the first wish to the last cent: simulated days, a check at each midnight, everything closed, and told.

Raises AssertionError with the seed where a promise is broken. Used by the tests and by the benchmark.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from core.domain.account import Exchange
from core.domain.intent import Wanted
from db.records import CycleRecord
from db.store import Store
from tests.scenario.book import BALANCE, drafts
from tests.scenario.days import Days, Report, Weather
from tests.scenario.ledger import check_at_rest, check_at_the_end, funding_payments
from tests.simulator_process import SimulatorProcess


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a run. `seconds` by the clock on the wall, from the first wish to the last check."""

    exchange: Exchange
    seed: int
    days: int
    seconds: float
    parts: int
    cycles: list[CycleRecord]
    funding_payments: int
    report: Report

    @property
    def recoveries(self) -> int:
        return sum(cycle.recoveries for cycle in self.cycles)

    def __str__(self) -> str:
        report, reasons = self.report, Counter(str(cycle.reason) for cycle in self.cycles).most_common()
        ended = ", ".join(f"{reason} {number}" for reason, number in reasons)
        struck = ", ".join(f"{kind} {hits}" for kind, hits in sorted((+report.struck).items())) or "none"
        return (
            f"{self.exchange}, seed {self.seed}: {self.days} days in {self.seconds:.0f} s; {self.parts} parts, "
            f"{len(self.cycles)} cycles ({ended}), {self.recoveries} recoveries, "
            f"{self.funding_payments} funding payments; {report.events} events, {report.looks} looks, "
            f"{report.restarts} restarts, {report.deaths} deaths in the middle of an action, {report.hands} hands, "
            f"{report.storms} storms with {sum(report.struck.values())} faults ({struck}), "
            f"{report.bare_seconds:.1f} s bare"
        )


def run(store: Store, seed: int, days: int, width: Decimal, weather: Weather, wire: Exchange = Exchange.OKX) -> Told:
    """So many simulated days; `width` multiplies how far take-profit and stop-loss lie (1: one to three percent)."""
    with SimulatorProcess(balance=BALANCE, seed=seed) as exchange:
        exchange.market("hold")
        lived = Days(store, exchange, seed, days, weather, wire)
        try:
            return _run(lived, seed, days, width)
        except AssertionError as broken:
            raise AssertionError(f"{wire} SEED={seed}, day {lived.day}: {broken}") from broken
        finally:
            lived.client.close()


def _run(lived: Days, seed: int, days: int, width: Decimal) -> Told:
    began = time.monotonic()
    parts = lived.begin(drafts(lived.name, width))
    for _ in lived.live():
        check_at_rest(lived, parts)
    for part in parts:
        lived.store.parts.change(part, lived.token(), "trader", "gone home", wanted=Wanted.CLOSED)
    lived.rest()
    cycles = check_at_the_end(lived, parts)
    seconds = time.monotonic() - began
    return Told(lived.wire, seed, days, seconds, len(parts), cycles, funding_payments(lived), lived.report)
