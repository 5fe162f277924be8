"""One part from the click to the end of its cycle, on the real stack; money compared with the exchange's own ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.instrument import Side, TriggerBy
from core.domain.intent import EntryKind, EntryStyle, ExitReason, Target
from core.domain.money import Price
from tests.stack import Stack

ETH = "ETH-USDT-PERP"


def agrees(stack: Stack, name: str) -> None:
    """The cycle's PnL, fees and funding are what the exchange has booked, and so is their sum."""
    cycle, ledger = stack.store.cycles(part=name)[0], stack.money()
    for ours, theirs in (
        (cycle.realised_pnl, ledger["pnl"]),
        (cycle.fees, ledger["fees"]),
        (cycle.funding, ledger["funding"]),
        (cycle.net, ledger["all"]),
    ):
        assert same(ours, theirs), (cycle, ledger)


def same(ours: Decimal, theirs: Decimal) -> bool:
    """Equal to far below the cent; an average of several fills has no last digit."""
    return abs(ours - theirs) < Decimal("0.000001")


def nothing_left(stack: Stack) -> None:
    exchange = stack.exchange()
    assert (exchange["positions"], stack.resting(), stack.working()) == ([], [], [])
    stack.settle(3)
    assert stack.acts() == []
    assert stack.alarms() == []


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


@pytest.mark.parametrize(("side", "stop", "asked"), [(Side.LONG, "89000", "-100"), (Side.SHORT, "111000", "-100")])
def test_the_stop_loss_closes_it(stack: Stack, side: Side, stop: str, asked: str) -> None:
    part = stack.opened(stack.draft(side=side, sl=asked))
    stack.price(stop)
    cycle = stack.ended(part)
    assert cycle.reason is ExitReason.STOP_LOSS
    assert abs(cycle.realised_pnl - Decimal(asked)) < 1
    agrees(stack, part)
    nothing_left(stack)


def test_two_clicks_of_one_button_are_one_position(stack: Stack) -> None:
    draft = stack.draft()
    stack.hear()
    first = stack.positions.open(draft, "one-click", "trader")
    second = stack.positions.open(draft, "one-click", "trader")
    assert (second.part, second.new) == (first.part, False)
    stack.until(lambda: stack.at_rest(first.part))
    assert stack.held() == Decimal("0.99")


def test_closed_as_asked(stack: Stack) -> None:
    part = stack.opened()
    stack.price("101000")
    stack.positions.close(part, stack.token(), "trader")
    cycle = stack.ended(part)
    assert (cycle.reason, cycle.words) == (ExitReason.CLOSED_BY_US, "closed as asked")
    agrees(stack, part)
    nothing_left(stack)


def test_closed_in_part_and_then_by_the_stop(stack: Stack) -> None:
    part = stack.opened()
    stack.hear()
    stack.positions.close(part, stack.token(), "trader", Decimal("0.40"))
    stack.until(lambda: stack.held() == Decimal("0.59") and stack.at_rest(part))
    (oco,) = stack.resting()
    assert (oco["sz"], oco["slTriggerPx"]) == ("0.59", "89899.1")
    assert stack.store.intent(part).reduce_to is None

    stack.price("89000")
    cycle = stack.ended(part)
    assert (cycle.reason, cycle.contracts) == (ExitReason.STOP_LOSS, Decimal("0.99"))
    agrees(stack, part)
    nothing_left(stack)


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
    stop = stack.store.intent(part).stop_loss

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


# -- limit entries -----------------------------------------------------------------------------------------------


def limit(price: str, minutes: int = 5) -> EntryStyle:
    return EntryStyle(EntryKind.LIMIT, Price(Decimal(price)), timedelta(minutes=minutes))


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
    assert cycle.words == "Operation failed."
    assert stack.held() == 0
    nothing_left(stack)


# -- money -------------------------------------------------------------------------------------------------------


def test_funding_is_booked_with_the_cycle(stack: Stack) -> None:
    part = stack.opened()
    stack.step(17 * 3600)
    stack.price("89000")
    cycle = stack.ended(part)
    assert cycle.funding != 0
    agrees(stack, part)
    assert len(stack.store.funding_rows(stack.account.id)) == 2


def test_every_fill_lies_in_the_ledger_once_with_its_part(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    ours = stack.store.fills(stack.account.id, part=part)
    theirs = stack.exchange()["fills"]
    assert [(fill.exchange_fill_id, fill.price, fill.fee) for fill in reversed(ours)] == [
        (row["billId"], Decimal(row["fillPx"]), Decimal(row["fee"])) for row in theirs
    ]


# -- several parts -----------------------------------------------------------------------------------------------


def test_two_parts_on_one_position_have_a_protection_each(stack: Stack) -> None:
    near, far = stack.opened(stack.draft(tp=20)), stack.opened(stack.draft(value=2000, tp=200))
    assert stack.held() == Decimal("0.99") + Decimal("1.99")
    assert sorted(row["sz"] for row in stack.resting()) == ["0.99", "1.99"]
    stack.price("102100")
    cycle = stack.ended(near)
    assert cycle.reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(far))
    assert stack.held() == Decimal("1.99")
    assert [(row["sz"], row["algoClOrdId"][2:8]) for row in stack.resting()] == [("1.99", far)]
    stack.price("80000")
    assert stack.ended(far).reason is ExitReason.STOP_LOSS
    stack.settle(2)
    ended = stack.store.cycles(stack.account.id)
    ledger = stack.money()
    assert same(sum((one.net for one in ended), Decimal(0)), ledger["all"])
    nothing_left(stack)


def test_long_and_short_of_one_contract_live_side_by_side(stack: Stack) -> None:
    long, short = stack.opened(), stack.opened(stack.draft(side=Side.SHORT))
    assert (stack.held("long"), stack.held("short")) == (Decimal("0.99"), Decimal("1"))
    stack.price("105200")
    assert stack.ended(long).reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(short))
    stack.price("111000")
    assert stack.ended(short).reason is ExitReason.STOP_LOSS
    ended = stack.store.cycles(stack.account.id)
    assert same(sum((one.net for one in ended), Decimal(0)), stack.money()["all"])
    nothing_left(stack)


def test_parts_on_different_contracts(stack: Stack) -> None:
    btc, eth = stack.opened(), stack.opened(stack.draft(symbol=ETH))
    stack.price("3700", symbol="ETH-USDT-SWAP")
    assert stack.ended(eth).reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(btc))


def test_funding_of_a_shared_position_is_shared_by_size(stack: Stack) -> None:
    first = stack.opened()
    stack.step(9 * 3600)
    second = stack.opened(stack.draft(value=3000))
    stack.step(8 * 3600)
    stack.settle(2)
    stack.price("89000")
    stack.ended(first)
    stack.ended(second)
    ended = {cycle.part: cycle for cycle in stack.store.cycles()}
    assert same(ended[first].funding + ended[second].funding, stack.money()["funding"])
    early, late = sorted((Decimal(row["balChg"]) for row in funding_bills(stack)), key=abs)
    assert same(ended[first].funding, early + late * Decimal("0.99") / Decimal("3.98"))


def test_funding_of_long_and_short_goes_to_the_one_that_paid_it(stack: Stack) -> None:
    long, short = stack.opened(), stack.opened(stack.draft(side=Side.SHORT, value=3000))
    stack.step(9 * 3600)
    stack.settle(2)
    for part in (long, short):
        stack.positions.close(part, stack.token(), "trader")
    ended = {part: stack.ended(part) for part in (long, short)}
    paid = {row["sz"]: Decimal(row["balChg"]) for row in funding_bills(stack)}
    assert same(ended[long].funding, paid["0.99"])
    assert same(ended[short].funding, paid["3"])


def funding_bills(stack: Stack) -> list[dict[str, str]]:
    return [row for row in stack.exchange()["ledger"] if row["type"] == "8"]
