"""How long the recovery ladder takes to be there: everything that New Trade asks for when a number is typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from benchmarks.harness.frame import ROUNDS, Line, Section, median, ms, timed
from benchmarks.harness.world import World, populate
from core.clock import SteppedClock
from core.domain.intent import RecoveryChoice
from core.services.reporting.snapshot_reader import newest_snapshot
from core.services.trading.positions import PositionManager
from core.services.trading.preview import MOST_STEPS
from core.services.trading.requests import Draft
from core.ui.presenters import ladder, order_preview
from tests.stack import ACCOUNT, BTC

PARTS = 100
TIMES = 20
GOAL_SECONDS = 0.050
#: small steps from a small position, so that the ladder goes on to the most that is drawn
LONGEST = RecoveryChoice(enabled=True, add_notional=Decimal(20), trigger_pnl=Decimal(-5), sl_usdt=Decimal(500))


def measure() -> Section:
    with World() as world, world.stack() as stack:
        populate(stack, PARTS)
        as_of = newest_snapshot(stack.store, ACCOUNT).as_of
        positions = PositionManager(stack.store, SteppedClock(as_of + timedelta(seconds=1)))
        draft = stack.draft()
        floor = median([_each(lambda: stack.store.parts.rules()) for _ in range(ROUNDS)])
        lines = [
            _line("as Settings have it", positions, replace(draft, recovery=RecoveryChoice(enabled=True)), floor),
            _line("the longest that is drawn", positions, replace(draft, recovery=LONGEST), floor),
        ]
    return Section(
        "Recovery ladder",
        "The whole preview as New Trade asks for it at each number typed: rules and picture of an account with "
        f"{PARTS} parts read from the database, size, levels and worst case, every step with its liquidation price, "
        "headline, table and drawing made of them. Floor: one reading of the rules from the same database.",
        tuple(lines),
    )


def _line(words: str, positions: PositionManager, draft: Draft, floor: float) -> Line:
    steps = positions.ladder(draft).steps
    assert 0 < steps <= MOST_STEPS, f"{words}: {steps} steps"
    took = median([_each(lambda: _as_the_page(positions, draft)) for _ in range(ROUNDS)])
    return Line(f"{words}: {steps} steps", ms(took), ms(floor), f"<= {ms(GOAL_SECONDS)}", took <= GOAL_SECONDS)


def _as_the_page(positions: PositionManager, draft: Draft) -> None:
    """What New Trade does for the figures beside the form and for the ladder below it."""
    tick = newest_snapshot(positions.store, ACCOUNT).instruments[BTC].price_tick
    shown = positions.preview(draft)
    assert not shown.problems, shown.problems
    order_preview.open_figures(draft, shown, tick, positions.clock.now())
    found, rule = positions.ladder(draft), draft.recovery.over(positions.everybody()[0])
    ladder.headline(found)
    ladder.notes(found, rule)
    ladder.chart(found, tick)
    ladder.table(found, tick)


def _each(work: object) -> float:
    def often() -> None:
        for _ in range(TIMES):
            work()  # type: ignore[operator]

    return timed(often) / TIMES
