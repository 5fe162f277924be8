"""How a part is entered: at a limit or at market, whole, in part, or not at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.domain.intent import ExitReason, Target
from core.domain.money import Price
from core.exchange.port import Push
from tests.monitor.invariants import agrees, limit, nothing_left
from tests.stack import BTC, Stack


def test_a_limit_entry_that_is_reached(stack: Stack) -> None:
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(5)
    assert [row["px"] for row in stack.working()] == ["99000"]
    assert stack.held() == 0
    stack.price("98990")
    stack.until(lambda: stack.at_rest(part))
    assert stack.part(part).average_entry == Decimal(99000)
    stack.price("104100")
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    agrees(stack, part)
    nothing_left(stack)


def test_a_book_that_was_heard_before_the_price_moved_sizes_no_entry(either: Stack) -> None:
    """The mark price comes by a stream of its own, and goes on where the book's has fallen silent."""
    part = either.open()
    either.price(104_000)
    old = either.client.ticker(BTC)
    book = {"bid": Price(Decimal("99999.9")), "ask": Price(Decimal(100_000))}
    either.guard.on_push(Push("prices", BTC, ticker=replace(old, **book)))
    either.until(lambda: either.at_rest(part))
    rules = either.part(part).instrument
    assert either.held() == rules.contracts_for(Decimal(1000), old.ask)


def test_a_limit_entry_that_times_out_unfilled(stack: Stack) -> None:
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(3)
    stack.step(290)
    stack.look()
    assert stack.working()
    stack.step(10)
    assert stack.ended(part).reason is ExitReason.NOT_ENTERED
    assert stack.money()["all"] == 0
    nothing_left(stack)


def test_a_limit_entry_that_is_filled_in_part_keeps_what_it_got_and_guards_it(stack: Stack) -> None:
    stack.simulator.switches(fill_steps=3)
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(2)
    stack.price("98999.9")
    stack.price("99500")
    got = stack.held()
    assert got == Decimal("0.33")
    stack.until(lambda: stack.part(part).protected)
    assert [row["sz"] for row in stack.resting()] == ["0.33"]
    assert [row["accFillSz"] for row in stack.working()] == ["0.33"]
    stack.step(300)
    stack.until(lambda: not stack.working() and stack.at_rest(part))
    assert stack.held() == got
    assert [Decimal(row["sz"]) for row in stack.resting()] == [got]
    stack.price("60000")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)
    nothing_left(stack)


def test_targets_edited_while_the_entry_rests_hold_once_it_is_filled(stack: Stack) -> None:
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(2)
    stack.positions.edit_targets(
        part, Target(price=Price(Decimal(101000))), Target(price=Price(Decimal(97000))), stack.token(), "trader"
    )
    stack.settle(2)
    stack.price("98990")
    stack.until(lambda: stack.at_rest(part))
    assert [(row["tpTriggerPx"], row["slTriggerPx"]) for row in stack.resting()] == [("101000", "97000")]


def test_a_resting_entry_is_withdrawn_by_a_close(stack: Stack) -> None:
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(2)
    stack.positions.close(part, stack.token(), "trader")
    assert stack.ended(part).reason is ExitReason.NOT_ENTERED
    stack.price("98000")
    nothing_left(stack)


def test_closed_just_as_the_take_profit_does_it(stack: Stack) -> None:
    part = stack.opened()
    stack.positions.close(part, stack.token(), "trader")
    stack.price("106000")
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    agrees(stack, part)
    nothing_left(stack)


def test_another_leverage_on_a_contract_that_is_held_is_refused_with_the_exchanges_words(stack: Stack) -> None:
    part = stack.opened()
    other = stack.open(stack.draft(leverage=5))
    cycle = stack.ended(other)
    assert (cycle.reason, cycle.life) == (ExitReason.NOT_ENTERED, "")
    assert str(cycle.words).startswith("leverage 5 cannot be set: Cancel pending cross-margin TP/SL")
    stack.until(lambda: stack.at_rest(part))
    assert stack.held() == Decimal("0.99")


def test_a_market_entry_that_is_cut_short_is_completed(stack: Stack) -> None:
    stack.simulator.faults({"kind": "partial_fill", "fraction": "0.5", "rest": "cancel", "count": 1})
    part = stack.opened()
    stack.until(lambda: stack.held() == Decimal("0.99") and stack.at_rest(part))
    assert [row["sz"] for row in stack.resting()] == ["0.99"]


def test_an_entry_that_the_exchange_refuses_is_over_and_says_why(stack: Stack) -> None:
    stack.simulator.faults({"kind": "reject", "code": "51008", "match": {"path": "trade/order"}, "count": 1})
    part = stack.open()
    cycle = stack.ended(part)
    assert cycle.reason is ExitReason.NOT_ENTERED
    assert str(cycle.words) == "Operation failed."
    assert stack.held() == 0
    nothing_left(stack)
