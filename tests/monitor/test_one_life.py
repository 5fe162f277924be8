"""One part from the click to the end of its cycle, on the real stack; money compared with the exchange's own ledger."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.instrument import Side, TriggerBy
from core.domain.intent import ExitReason, Target
from core.domain.money import Price
from tests.monitor.invariants import agrees, nothing_left
from tests.stack import Stack


def test_a_long_is_opened_protected_and_closed_by_its_take_profit(stack: Stack) -> None:
    part = stack.opened()
    guarded = stack.part(part)
    assert (guarded.size, guarded.average_entry) == (Decimal("0.99"), Decimal("100000.1"))
    (oco,) = stack.resting()
    assert (oco["tpTriggerPx"], oco["slTriggerPx"], oco["sz"]) == ("105050.7", "89899.1", "0.99")
    assert (oco["algoClOrdId"], oco["cxlOnClosePos"], oco["reduceOnly"]) == (f"op{part}01P01", "true", "true")
    assert Decimal(stack.exchange()["positions"][0]["lever"]) == 10

    life = stack.exchange()["positions"][0]
    stack.price("105050.7")
    cycle = stack.ended(part)
    assert cycle.life == f"{life['posId']}@{life['cTime']}"
    assert (cycle.reason, cycle.contracts) == (ExitReason.TAKE_PROFIT, Decimal("0.99"))
    assert 49 < cycle.realised_pnl < 51
    agrees(stack, part)
    nothing_left(stack)


@pytest.mark.parametrize(("side", "stop", "asked"), [(Side.LONG, "88000", "-100"), (Side.SHORT, "112000", "-100")])
def test_the_stop_loss_closes_it(either: Stack, side: Side, stop: str, asked: str) -> None:
    part = either.opened(either.draft(side=side, sl=asked))
    either.price(stop)
    cycle = either.ended(part)
    assert cycle.reason is ExitReason.STOP_LOSS
    assert abs(cycle.realised_pnl - Decimal(asked)) < 1
    agrees(either, part)
    nothing_left(either)


def test_two_clicks_of_one_button_are_one_position(stack: Stack) -> None:
    draft = stack.draft()
    stack.hear()
    first = stack.positions.open(draft, "one-click", "trader")
    second = stack.positions.open(draft, "one-click", "trader")
    assert (second.part, second.new) == (first.part, False)
    stack.until(lambda: stack.at_rest(first.part))
    assert stack.held() == Decimal("0.99")


def test_closed_as_asked(either: Stack) -> None:
    part = either.opened()
    either.price("101000")
    either.positions.close(part, either.token(), "trader")
    cycle = either.ended(part)
    assert (cycle.reason, str(cycle.words)) == (ExitReason.CLOSED_BY_US, "closed as asked")
    agrees(either, part)
    nothing_left(either)


def test_closed_in_part_and_then_by_the_stop(either: Stack) -> None:
    part = either.opened()
    either.hear()
    whole = either.part(part).size
    some, left = Decimal("0.004") * either.whole, whole - Decimal("0.004") * either.whole
    either.positions.close(part, either.token(), "trader", some)
    either.until(lambda: either.at_rest(part) and {Decimal(row["sz"]) for row in either.resting()} == {left})
    assert either.held() == left
    assert either.store.parts.intent(part).reduce_to is None

    either.price("88000")
    cycle = either.ended(part)
    assert (cycle.reason, cycle.contracts) == (ExitReason.STOP_LOSS, whole)
    agrees(either, part)
    nothing_left(either)


def test_edited_targets_are_amended_in_place(stack: Stack) -> None:
    part = stack.opened()
    (before,) = stack.resting()
    stack.positions.edit_targets(
        part, Target(pnl_usdt=Decimal(20)), Target(price=Price(Decimal(95000))), stack.token(), "trader"
    )
    stack.until(lambda: stack.resting()[0]["slTriggerPx"] == "95000" and stack.at_rest(part))
    (after,) = stack.resting()
    assert (after["algoId"], after["tpTriggerPx"]) == (before["algoId"], "102020.4")
    stack.price("94990")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)
    nothing_left(stack)


def test_a_target_taken_away_and_given_back_leaves_the_stop_standing(stack: Stack) -> None:
    part = stack.opened()
    stop = stack.store.parts.intent(part).stop_loss

    def covered() -> bool:
        return any(row["slTriggerPx"] for row in stack.resting())

    for take_profit, kind in ((None, "conditional"), (Target(pnl_usdt=Decimal(50)), "oco")):
        stack.positions.edit_targets(part, take_profit, stop, stack.token(), "trader")
        stack.step(6)
        for _ in range(12):
            stack.look()
            assert covered()
            stack.step(1)
        assert [row["ordType"] for row in stack.resting()] == [kind]
        assert stack.at_rest(part)


def test_a_trigger_by_the_last_price(stack: Stack) -> None:
    stop = Target(price=Price(Decimal(98000)), trigger_by=TriggerBy.LAST)
    part = stack.opened(replace(stack.draft(tp=None), stop_loss=stop))
    (resting,) = stack.resting()
    assert (resting["ordType"], resting["slTriggerPxType"], resting["tpTriggerPx"]) == ("conditional", "last", "")
    stack.price("97990", mark="99500")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)


def test_funding_is_booked_with_the_cycle(either: Stack) -> None:
    part = either.opened()
    either.step(17 * 3600)
    either.price("88000")
    cycle = either.ended(part)
    assert cycle.funding != 0
    agrees(either, part)
    assert len(either.store.fills.funding(either.account.id)) == 2


def test_every_fill_lies_in_the_ledger_once_with_its_part(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    ours = stack.store.fills.find(stack.account.id, part=part)
    theirs = stack.exchange()["fills"]
    assert [(fill.exchange_fill_id, fill.price, fill.fee) for fill in reversed(ours)] == [
        (row["billId"], Decimal(row["fillPx"]), Decimal(row["fee"])) for row in theirs
    ]
