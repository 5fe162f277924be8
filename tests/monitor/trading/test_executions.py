"""Executions piece by piece over the wire, on every exchange: what is held is guarded at each step of the way.

The fault suite has the same under storms and deaths; these are the calm days, and the restarts.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.errors import Misconfigured
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle, ExitReason, RecoveryChoice
from core.domain.money import NONE_HELD, Price
from core.domain.order import Purpose
from core.domain.snapshot import ExecutionSnapshot
from core.services.trading.requests import Draft
from tests.monitor.invariants import nothing_left
from tests.stack import Stack

TWAP = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(seconds=60), slices=4, at_end=AtEnd.MARKET)
ICEBERG = ExecutionStyle(ExecutionKind.ICEBERG, visible=Decimal("0.25"), refresh=timedelta(seconds=10))


def guarded(stack: Stack, part: str) -> None:
    """The exchange itself holds a stop for exactly what it holds of the part."""
    stack.until(lambda: stack.at_rest(part), seconds=8, each=0.25)
    stops = [row for row in stack.resting() if row["slTriggerPx"]]
    assert sum(Decimal(row["sz"]) for row in stops) == stack.held()


def run_of(stack: Stack, part: str) -> ExecutionSnapshot:
    """The part's execution as the pages show it."""
    found = stack.store.snapshots.latest(stack.name)
    seen = found.part(part) if found else None
    assert seen is not None
    (run,) = seen.executions
    return run


def test_an_entry_by_twap_grows_slice_by_slice_and_outlives_a_death(either: Stack) -> None:
    stack = either
    part = stack.open(stack.draft(2000, entry=TWAP))
    sizes = []
    for _ in range(4):
        stack.until(lambda: stack.held() > (sizes[-1] if sizes else 0), seconds=20)
        sizes.append(stack.held())
        guarded(stack, part)
        if len(sizes) < 4:
            stack.guard.publish()
            told = run_of(stack, part)
            assert (told.run, told.kind, told.until is not None) == ("1E", "twap", True)
            assert told.filled == stack.part(part).size
        stack.crash()
        stack.look()
    whole = stack.part(part)
    assert whole.size == whole.intent.contracts
    assert len([one for one in whole.entries if one.filled]) == 4
    stack.settle(8)
    assert stack.part(part).size == whole.size
    stack.price(Decimal(whole.take_profit_price() or 0) + 50)
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    nothing_left(stack)


def test_an_entry_by_iceberg_shows_a_quarter_at_a_time(either: Stack) -> None:
    stack = either
    stack.price(99_000)
    part = stack.open(stack.draft(2000, entry=ICEBERG))
    stack.until(lambda: stack.working(), seconds=5)
    shown = {Decimal(row["sz"]) for row in stack.working()}
    stack.until(lambda: stack.part(part).intent.contracts, seconds=5)
    whole = stack.part(part)
    quarter = whole.instrument.round_quantity((whole.intent.contracts or NONE_HELD) / 4)
    assert shown == {quarter}
    for _ in range(12):
        (resting,) = stack.working() or [None]
        if resting is None:
            break
        stack.price(Decimal(resting["px"]) - 5)
        stack.settle(2)
        if stack.held():
            guarded(stack, part)
        assert len(stack.working()) <= 1
    stack.until(lambda: stack.part(part).size == stack.part(part).intent.contracts, seconds=60)
    guarded(stack, part)


def test_the_rest_of_a_twap_is_taken_back_and_what_is_held_is_the_whole(either: Stack) -> None:
    stack = either
    part = stack.open(stack.draft(2000, entry=TWAP, tp=50, sl=-100))
    stack.until(lambda: stack.held() > 0)
    guarded(stack, part)
    with pytest.raises(Misconfigured, match=r"execution '9E' of \w+ is not under way; under way: 1E"):
        stack.positions.tell(part, "9E", stack.token(), "trader", finish=False)
    stack.positions.tell(part, "1E", stack.token(), "trader", finish=False)
    guarded(stack, part)
    held = stack.part(part)
    assert held.intent.contracts == held.size
    stop = held.stop_price()
    assert stop is not None
    lost = held.instrument.pnl(held.side, held.size, held.average_entry or stop, stop)
    assert abs(lost + 100) < 1, "the stop lies where what was entered loses what was asked for"
    stack.settle(70)
    assert stack.held() == held.size


def test_finish_now_enters_the_rest_at_market(either: Stack) -> None:
    stack = either
    part = stack.open(stack.draft(2000, entry=TWAP))
    stack.until(lambda: stack.held() > 0)
    guarded(stack, part)
    stack.guard.publish()
    stack.positions.tell(part, "1E", stack.token(), "trader", finish=True)
    stack.until(lambda: stack.part(part).size == stack.part(part).intent.contracts, seconds=8)
    guarded(stack, part)


def test_a_recovery_step_by_twap_is_one_step(either: Stack) -> None:
    stack = either
    stack.store.settings.set_all({"recovery_enabled": True, "recovery_trigger_pnl": "-10"}, "test")
    base = stack.draft(1000, sl=-300)
    choice = RecoveryChoice(True, add_notional=Decimal(800), sl_usdt=Decimal(90), max_steps=1, style=TWAP)
    part = stack.opened(_with(base, recovery=choice))
    before = stack.held()
    stack.price(98_500)
    for _ in range(4):
        held = stack.held()
        stack.until(lambda held=held: stack.held() > held, seconds=25)  # type: ignore[misc]
        guarded(stack, part)
        stack.crash()
    stack.until(lambda: stack.part(part).intent.adding is None, seconds=70)
    grown = stack.part(part)
    assert (len(grown.steps), grown.size) == (1, stack.held())
    assert stack.held() > before
    with stack.store.one_statement() as connection:
        assert connection.exec_driver_sql("SELECT recovery_count FROM positions").scalar_one() == 1
    guarded(stack, part)


@pytest.mark.parametrize("style", [TWAP, ICEBERG], ids=["twap", "iceberg"])
def test_a_close_is_worked_in_pieces_with_the_stop_behind_it(either: Stack, style: ExecutionStyle) -> None:
    stack = either
    part = stack.opened(stack.draft(2000))
    whole = stack.held()
    stack.positions.close(part, stack.token(), "trader", style=style)
    seen = set()
    for _ in range(40):
        stack.settle(3)
        for row in stack.working():
            stack.price(Decimal(row["px"]) + 5)
        stack.look()
        seen.add(stack.held())
        if not stack.held():
            break
        assert sum(Decimal(row["sz"]) for row in stack.resting() if row["slTriggerPx"]) >= stack.held()
    ended = stack.ended(part)
    assert ended.reason is ExitReason.CLOSED_BY_US
    assert len(seen - {whole}) >= 2, "in pieces"
    assert round(ended.realised_pnl, 8) == round(stack.money()["pnl"], 8)
    nothing_left(stack)


def test_a_close_that_is_taken_back_leaves_the_rest_guarded(either: Stack) -> None:
    stack = either
    part = stack.opened(stack.draft(2000))
    stack.positions.close(part, stack.token(), "trader", style=ICEBERG)
    stack.until(lambda: stack.working(), seconds=5)
    stack.guard.publish()
    stack.positions.tell(part, run_of(stack, part).run, stack.token(), "trader", finish=False)
    stack.until(lambda: not stack.working(), seconds=5)
    guarded(stack, part)
    orders = [one for one in stack.part(part).orders if one.purpose is Purpose.CLOSE]
    assert [one.working for one in orders] == [False]


def test_a_stop_that_is_set_off_ends_a_close_at_a_limit_too(either: Stack) -> None:
    stack = either
    part = stack.opened(stack.draft(2000))
    stop = stack.part(part).stop_price()
    assert stop is not None
    stack.positions.close(part, stack.token(), "trader", style=ICEBERG)
    stack.until(lambda: stack.working(), seconds=5)
    stack.price(stop - 20)
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    nothing_left(stack)


def test_a_repriced_limit_follows_and_then_goes_at_market(either: Stack) -> None:
    stack = either
    style = ExecutionStyle(
        ExecutionKind.LIMIT,
        Price(Decimal(99_900)),
        timedelta(seconds=20),
        AtEnd.MARKET,
        reprice=timedelta(seconds=5),
    )
    part = stack.open(stack.draft(2000, entry=style))
    stack.until(lambda: stack.working(), seconds=5)
    assert {Decimal(row["px"]) for row in stack.working()} == {Decimal(99_900)}
    stack.price(100_200)
    stack.until(lambda: any(Decimal(row["px"]) > 100_000 for row in stack.working()), seconds=10)
    stack.price(100_900)
    stack.until(lambda: stack.part(part).size == stack.part(part).intent.contracts, seconds=30)
    guarded(stack, part)
    assert not stack.working()


def _with(draft: Draft, **changes: Any) -> Draft:
    values = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    return Draft(**{**values, **changes})
