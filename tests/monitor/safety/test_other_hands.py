"""What a person, or the exchange itself, does to a guarded position without asking the bot."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.domain.difference import Choice, DifferenceKind
from core.domain.intent import ExitReason
from core.services.trading.differences import Differences
from tests.monitor.invariants import agrees, limit, nothing_left, same
from tests.stack import Stack

HELD = Decimal("0.99")
BTC = {"instId": "BTC-USDT-SWAP", "posSide": "long"}


def test_closed_by_hand_at_the_exchange(either: Stack) -> None:
    part = either.opened()
    either.price("101000")
    either.by_hand("close", **BTC)
    cycle = either.ended(part)
    assert (cycle.reason, str(cycle.words)) == (ExitReason.CLOSED_BY_HAND, "closed by hand at the exchange")
    agrees(either, part)
    nothing_left(either)


def test_a_stop_that_a_late_list_still_shows_as_resting_is_no_hand(
    either: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flat, its stop listed as before, and a fill of an order that only the stop itself names."""
    part = either.opened()
    with monkeypatch.context() as late:
        late.setattr(either.client, "working_orders", lambda listed=either.client.working_orders(): listed)
        either.price("88000")
        either.settle(4)
        assert not either.held()
    assert either.ended(part).reason is ExitReason.STOP_LOSS
    assert not either.store.parts.intent(part).external_exits
    agrees(either, part)


def test_reduced_by_hand_the_protection_follows(either: Stack) -> None:
    part = either.opened()
    some = Decimal("0.004") * either.whole
    left = either.part(part).size - some
    either.by_hand("close", **BTC, sz=str(some))
    either.until(lambda: either.at_rest(part) and {Decimal(row["sz"]) for row in either.resting()} == {left})
    assert either.part(part).size == left
    (exit_,) = either.store.parts.intent(part).external_exits
    assert (exit_.quantity, exit_.reason) == (some, ExitReason.CLOSED_BY_HAND)
    either.price("88000")
    assert either.ended(part).reason is ExitReason.STOP_LOSS
    agrees(either, part)
    nothing_left(either)


def test_reduced_by_hand_on_a_shared_position_the_newest_part_gives(stack: Stack) -> None:
    stack.store.settings.set_all({"division": "newest"}, "test")
    first = stack.opened()
    stack.step(60)
    second = stack.opened()
    stack.simulator.intervene("close", **BTC, sz="1.2")
    stack.until(lambda: stack.store.history.cycles(part=second) and stack.at_rest(first))
    assert stack.part(first).size == Decimal("0.78")
    assert [(row["sz"], row["algoClOrdId"][2:8]) for row in stack.resting()] == [("0.78", first)]
    stack.price("89000")
    stack.ended(first)
    ours = sum((cycle.net for cycle in stack.store.history.cycles()), Decimal(0))
    assert same(ours, stack.money()["all"])
    nothing_left(stack)


def test_reduced_by_hand_on_a_shared_position_all_give_by_their_size(stack: Stack) -> None:
    small = stack.opened()
    large = stack.opened(stack.draft(value=2000))
    assert (stack.part(small).size, stack.part(large).size) == (Decimal("0.99"), Decimal("1.99"))
    stack.simulator.intervene("close", **BTC, sz="1.5")
    stack.until(lambda: stack.part(small).size < HELD and stack.at_rest(small) and stack.at_rest(large))
    assert (stack.part(small).size, stack.part(large).size) == (Decimal("0.49"), Decimal("0.99"))
    assert "divided over the parts by their size" in stack.story()
    stack.price("89000")
    stack.ended(small)
    stack.ended(large)
    ours = sum((cycle.net for cycle in stack.store.history.cycles()), Decimal(0))
    assert same(ours, stack.money()["all"])
    nothing_left(stack)


def test_reduced_by_hand_on_a_shared_position_the_trader_is_asked(stack: Stack) -> None:
    stack.store.settings.set_all({"division": "ask"}, "test")
    first, second = stack.opened(), stack.opened()
    stack.simulator.intervene("close", **BTC, sz="0.5")
    answers = Differences(stack.store, stack.clock)
    stack.until(lambda: answers.list(stack.name), seconds=20)
    (row,) = answers.list(stack.name)
    assert (row.kind, row.quantity) == (DifferenceKind.REDUCED, Decimal("0.5"))
    assert stack.alarms() == [f"reduced/{row.key}"]
    assert {stack.part(first).size, stack.part(second).size} == {HELD}
    answers.divide(stack.name, row.id, row.mark, Choice.OLDEST, stack.token(), "trader")
    stack.until(lambda: stack.part(first).size < HELD and stack.at_rest(first) and stack.at_rest(second), seconds=20)
    assert (stack.part(first).size, stack.part(second).size) == (Decimal("0.49"), HELD)
    assert (answers.list(stack.name), stack.alarms()) == ((), [])


def test_protection_cancelled_by_hand_is_put_back(stack: Stack) -> None:
    part = stack.opened()
    (before,) = stack.resting()
    stack.step(10)
    stack.look()
    stack.step(1)
    stack.simulator.intervene("cancel", algoId=before["algoId"])
    stack.look()
    stack.until(lambda: stack.at_rest(part), seconds=5)
    (after,) = stack.resting()
    assert (after["slTriggerPx"], after["tpTriggerPx"], after["sz"]) == ("89899.1", "105050.7", "0.99")
    assert after["algoClOrdId"] != before["algoClOrdId"]
    assert 0 < stack.guard.bare_seconds[part] <= 2


def test_protection_changed_by_hand_is_put_right(stack: Stack) -> None:
    part = stack.opened()
    (before,) = stack.resting()
    stack.simulator.intervene(
        "amend_algo", instId=BTC["instId"], algoId=before["algoId"], newSlTriggerPx="70000", newSlOrdPx="-1"
    )
    stack.until(lambda: stack.resting()[0]["slTriggerPx"] == "89899.1" and stack.at_rest(part))
    assert stack.resting()[0]["algoId"] == before["algoId"]


def test_contracts_added_by_hand_are_reported_and_left_alone(stack: Stack) -> None:
    part = stack.opened()
    stack.simulator.intervene("place", **BTC, side="buy", ordType="market", sz="3")
    stack.until(stack.alarms)
    assert stack.alarms() == [f"residual/{stack.account.id}/BTC-USDT-PERP/long"]
    stack.settle(4)
    assert stack.held() == Decimal("3.99")
    assert [row["sz"] for row in stack.resting()] == ["0.99"]
    stack.price("106000")
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    assert stack.held() == Decimal(3)
    stack.settle(3)
    assert stack.held() == Decimal(3)
    stack.simulator.intervene("close", **BTC)
    stack.until(lambda: not stack.alarms())


def test_foreign_orders_are_left_alone(stack: Stack) -> None:
    theirs = stack.simulator.intervene("place", **BTC, side="buy", ordType="limit", px="90000", sz="1")
    part = stack.opened(stack.draft(leverage=3))
    stack.simulator.intervene(
        "place_algo", **BTC, side="sell", ordType="conditional", sz="1", slTriggerPx="80000", slOrdPx="-1",
        reduceOnly=True,
    )  # fmt: skip
    stack.settle(5)
    assert stack.at_rest(part)
    assert [row["ordId"] for row in stack.working()] == [theirs["ordId"]]
    assert len(stack.resting()) == 2
    stack.price("106000")
    stack.ended(part)
    assert [row["ordId"] for row in stack.working()] == [theirs["ordId"]]


def test_a_foreign_order_where_nothing_of_ours_is_stands_in_the_snapshot(stack: Stack) -> None:
    stack.simulator.intervene(
        "place", instId="SOL-USDT-SWAP", posSide="short", side="sell", ordType="limit", px="400", sz="1"
    )
    stack.look()
    snapshot = stack.store.snapshots.latest(stack.account.id)
    assert snapshot is not None
    (order,) = snapshot.orders
    assert (order.symbol, order.position_side, order.foreign) == ("SOL-USDT-PERP", "short", True)
    assert stack.acts() == []


def test_a_foreign_order_that_pins_the_leverage_is_the_reason_told(stack: Stack) -> None:
    stack.simulator.intervene("place", **BTC, side="buy", ordType="limit", px="90000", sz="1")
    part = stack.open(stack.draft(leverage=10))
    cycle = stack.ended(part)
    assert cycle.reason is ExitReason.NOT_ENTERED
    assert "leverage" in str(cycle.words).lower()
    assert stack.held() == 0


def test_a_limit_entry_cancelled_by_hand_is_not_placed_again(stack: Stack) -> None:
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(2)
    stack.simulator.intervene("cancel", ordId=stack.working()[0]["ordId"])
    assert stack.ended(part).reason is ExitReason.NOT_ENTERED
    nothing_left(stack)


def test_liquidated(either: Stack) -> None:
    part = either.opened()
    either.by_hand("liquidate", **BTC)
    cycle = either.ended(part)
    assert (cycle.reason, str(cycle.words)) == (ExitReason.LIQUIDATED, "liquidated by the exchange")
    ledger = either.money()
    assert same(cycle.realised_pnl, ledger["pnl"])
    nothing_left(either)


def test_deleveraged_in_part(either: Stack) -> None:
    part = either.opened()
    some = Decimal("0.005") * either.whole
    left = either.part(part).size - some
    either.by_hand("adl", **BTC, sz=str(some))
    either.until(lambda: either.at_rest(part) and {Decimal(row["sz"]) for row in either.resting()} == {left})
    (exit_,) = either.store.parts.intent(part).external_exits
    assert (exit_.quantity, exit_.reason) == (some, ExitReason.DELEVERAGED)
    either.price("106000")
    assert either.ended(part).reason is ExitReason.TAKE_PROFIT
    nothing_left(either)


def test_closed_by_hand_while_nobody_looked_for_a_day(either: Stack) -> None:
    part = either.opened()
    either.by_hand("close", **BTC)
    either.step(86_400)
    either.crash()
    assert either.ended(part).reason is ExitReason.CLOSED_BY_HAND
    agrees(either, part)
    nothing_left(either)
