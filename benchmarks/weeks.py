"""How fast simulated time passes with the whole bot in it: twenty days of a busy account, checked to the cent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from benchmarks.harness.frame import Line, Section, timed
from benchmarks.harness.world import World
from tests.scenario.book import BALANCE
from tests.scenario.days import A_DAY, INSTRUMENTS, Weather
from tests.scenario.path import Path
from tests.scenario.run import Told, run
from tests.simulator_process import SimulatorProcess

SEED, DAYS, WIDTH = 1, 20, Decimal("2.6")
GOAL_DAYS_PER_MINUTE = 20


def measure(world: World) -> Section:
    with _quiet():
        told = run(world.store, SEED, DAYS, WIDTH, Weather())
    alone = timed(lambda: _alone(told.report.events))
    speed, floor = DAYS * 60 / told.seconds, DAYS * 60 / alone
    struck = sum(told.report.struck.values())
    return Section(
        "Twenty simulated days",
        f"{told.parts} parts on three instruments, long and short, most sharing a position, recovering and opening "
        "again; hands, restarts, deaths in the middle of an action and faults on the wire from a seed; at every "
        "midnight and at the end our book is held against the exchange's. The clock goes from event to event. Floor: "
        "the exchange alone, led along the same prices in as many steps.",
        (
            Line(
                "simulated days in a minute",
                f"{speed:,.0f} ({told.seconds:,.0f} s; {_what_happened(told, struck)})",
                f"{floor:,.0f}",
                f">= {GOAL_DAYS_PER_MINUTE}",
                speed >= GOAL_DAYS_PER_MINUTE,
            ),
            Line("cycles in a minute", f"{len(told.cycles) * 60 / told.seconds:,.0f}", "", "", None),
            Line("a look, with all that it did", f"{told.seconds / told.report.looks * 1000:,.1f} ms", "", "", None),
        ),
    )


def _what_happened(told: Told, struck: int) -> str:
    report = told.report
    return (
        f"{len(told.cycles)} cycles, {told.recoveries} recoveries, {told.funding_payments} funding payments, "
        f"{report.restarts + report.deaths} restarts, {struck} faults, {report.looks} looks"
    )


def _alone(steps: int) -> None:
    """The same market without anybody in it."""
    with SimulatorProcess(balance=BALANCE, seed=SEED) as exchange:
        exchange.market("hold")
        prices = exchange.state()["prices"]
        tick = Decimal("0.1")  # of all three the coarsest, so that each takes it
        paths = {
            name: Path.drawn(SEED, symbol, Decimal(prices[name]["last"]), tick, DAYS * A_DAY)
            for symbol, name in INSTRUMENTS.items()
        }
        before = 0
        for number in range(1, steps + 1):
            minute = DAYS * A_DAY * number // steps
            exchange.clock((minute - before) * 60)
            for name, path in paths.items():
                exchange.price(name, path.price(minute))
            before = minute


@contextmanager
def _quiet() -> Iterator[None]:
    """Lost answers are the point here, and there are many."""
    log = logging.getLogger("perpdeck")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
