"""A part is folded from its own orders: averages, fees, results, and where its TP and SL belong."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import ExitReason, ExternalExit, Intent, Target, Wanted
from core.domain.order import Leg, Order, OrderKind, OrderStatus
from core.domain.part import Part
from tests.builders import COIN, SHORT, D, after, begun, contracts, entry, intent, net, oco, order, price


def part(*orders: Order, asked: Intent | None = None) -> Part:
    return Part.fold(asked or begun(), COIN, orders)


def exit_(
    identity: str, quantity: object, at: object, *, fee: str = "-0.5", second: float = -5, **changes: object
) -> Order:
    return order(identity, quantity, filled=quantity, at=at, fee=D(fee), updated_at=after(second), **changes)


def outside(quantity: object, at: object, reason: ExitReason, when: datetime | None = None) -> ExternalExit:
    return ExternalExit(contracts(quantity), price(at), D("-0.2"), reason, when or after(-1), "f1/1")


def test_nothing_entered() -> None:
    empty = part()
    assert (empty.size, empty.entered, empty.average_entry, empty.average_exit) == (0, 0, None, None)
    assert (empty.realised_pnl, empty.fees, empty.unrealised_pnl(D(1))) == (0, 0, 0)
    assert empty.stop_price() is None
    assert empty.protected


def test_averages_fees_and_results() -> None:
    held = part(
        entry(6, 6, at=1000, fee=D("-0.3")),
        entry(4, 4, 2, at=1010, fee=D("-0.2")),
        exit_("op00000101C01", 3, 1020),
    )
    assert held.average_entry == 1004
    assert held.average_exit == 1020
    assert held.size == 7
    assert held.realised_pnl == D("4.8")  # 16 USDT a coin on 0.3 coins
    assert held.fees == -1
    assert held.unrealised_pnl(D(1014)) == 7


def test_a_short_earns_when_the_price_falls() -> None:
    sold = entry(side=OrderSide.SELL, position_side=Side.SHORT)
    held = part(sold, asked=begun(key=SHORT))
    assert held.unrealised_pnl(D(990)) == 10
    assert held.stop_price() == 1100
    assert held.take_profit_price() == 950


def test_only_its_own_orders_of_this_cycle_count() -> None:
    held = part(entry(), entry(part="000002"), order("op00000102E01", 5, filled=5), oco(part="000002"))
    assert held.size == 10
    assert held.protection == ()


def test_the_order_of_arrival_does_not_matter() -> None:
    orders = [entry(6, 6), entry(4, 4, 2), oco(), net()]
    assert part(*orders) == part(*reversed(orders))


def test_what_was_filled_counts_whatever_became_of_the_order() -> None:
    held = part(entry(4, status=OrderStatus.CANCELED), oco(10, filled=1, triggered_leg=Leg.STOP_LOSS))
    assert held.size == 3
    assert part(entry(0, status=OrderStatus.REFUSED)).size == 0


def test_what_an_exit_closed_beyond_the_part_is_not_its_own() -> None:
    over = part(entry(), exit_("op00000101C01", 12, 1010))
    assert (over.size, over.realised_pnl) == (0, 10)


@pytest.mark.parametrize(
    ("take_profit", "stop_loss", "tp", "sl"),
    [
        (Target(pnl_usdt=D(50)), Target(pnl_usdt=D(-100)), 1050, 900),
        (Target(percent=D(5)), Target(percent=D(-10)), 1050, 900),
        (Target(price=price("1050.2")), Target(price=price("899.9")), "1050.5", "900"),
        (Target(pnl_usdt=D("50.3")), Target(pnl_usdt=D("-100.3")), "1050.5", "900"),
        (None, None, None, None),
    ],
)
def test_targets(take_profit: Target | None, stop_loss: Target | None, tp: object, sl: object) -> None:
    held = part(entry(), asked=begun(take_profit=take_profit, stop_loss=stop_loss))
    assert held.take_profit_price() == (None if tp is None else D(tp))
    assert held.stop_price() == (None if sl is None else D(sl))


def test_a_target_is_given_in_exactly_one_way() -> None:
    for wrong in ({}, {"pnl_usdt": D(1), "price": price(1)}):
        with pytest.raises(ValueError, match="one of"):
            Target(**wrong)  # type: ignore[arg-type]
    assert Target(percent=D(1)).trigger_by is TriggerBy.MARK


def test_a_partial_close_does_not_move_tp_and_sl() -> None:
    halved = part(entry(), exit_("op00000101C01", 5, 1020))
    assert (halved.take_profit_price(), halved.stop_price()) == (1050, 900)
    outside_half = part(entry(), asked=begun(external_exits=(outside(5, 980, ExitReason.CLOSED_BY_HAND),)))
    assert (outside_half.take_profit_price(), outside_half.stop_price()) == (1050, 900)


def test_while_it_is_entering_targets_are_spread_over_the_whole() -> None:
    assert part(entry(4)).stop_price() == 900
    assert part(entry(4, status=OrderStatus.CANCELED)).stop_price() == 900, "until it is said to be over"
    assert part(entry(4, status=OrderStatus.CANCELED), asked=begun(contracts=contracts(4))).stop_price() == 750


def test_a_level_never_lies_below_the_smallest_price() -> None:
    """One tenth of a contract is worth 10 USDT: it cannot lose 100."""
    assert part(entry("0.1"), asked=begun(contracts=contracts("0.1"))).stop_price() == D("0.5")


def test_averaging_down_moves_tp_and_sl() -> None:
    deeper = part(entry(), order("op00000101R01", 10, filled=10, at=900))
    assert deeper.average_entry == 950
    assert (deeper.take_profit_price(), deeper.stop_price()) == (975, 900)


def test_closed_by_somebody_else() -> None:
    gone = part(entry(), asked=begun(external_exits=(outside(4, 990, ExitReason.CLOSED_BY_HAND),)))
    assert (gone.size, gone.exited, gone.average_exit, gone.fees) == (6, 4, 990, D("-0.2"))
    assert gone.realised_pnl == -4


@pytest.mark.parametrize(
    ("covered", "protective"),
    [
        (10, [oco()]),
        (10, [net()]),
        (7, [oco(7)]),
        (10, [oco(7), oco(7, name="P02")]),
        (0, [oco(sl=None)]),
        (0, [oco(status=OrderStatus.CANCELED)]),
        (0, []),
    ],
)
def test_how_much_has_a_stop(covered: int, protective: list[Order]) -> None:
    held = part(entry(), *protective)
    assert held.stop_covered == covered
    assert held.protected is (covered == 10)


def test_where_no_stop_was_asked_for_nothing_is_bare() -> None:
    assert part(entry(), asked=begun(stop_loss=None)).protected


@pytest.mark.parametrize(
    ("reason", "orders", "exits"),
    [
        (ExitReason.NOT_ENTERED, [], ()),
        (ExitReason.NOT_KNOWN, [entry()], ()),
        (ExitReason.TAKE_PROFIT, [entry(), oco(filled=10, triggered_leg=Leg.TAKE_PROFIT)], ()),
        (ExitReason.STOP_LOSS, [entry(), oco(filled=10, triggered_leg=Leg.STOP_LOSS)], ()),
        (ExitReason.STOP_LOSS, [entry(), exit_("op00000101S01", 10, 899)], ()),
        (ExitReason.TAKE_PROFIT, [entry(), exit_("op00000101T01", 10, 1051)], ()),
        (ExitReason.CLOSED_BY_US, [entry(), exit_("op00000101C01", 10, 1000)], ()),
        (ExitReason.LIQUIDATED, [entry()], (outside(10, 905, ExitReason.LIQUIDATED),)),
        (
            ExitReason.CLOSED_BY_HAND,
            [entry(), exit_("op00000101C01", 5, 1000, second=-9)],
            (outside(5, 990, ExitReason.CLOSED_BY_HAND, after(-3)),),
        ),
        (
            ExitReason.CLOSED_BY_US,
            [entry(), exit_("op00000101C01", 5, 1000, second=-1)],
            (outside(5, 990, ExitReason.CLOSED_BY_HAND, after(-3)),),
        ),
    ],
)
def test_the_last_exit_tells_why_it_ended(
    reason: ExitReason, orders: list[Order], exits: tuple[ExternalExit, ...]
) -> None:
    assert part(*orders, asked=begun(external_exits=exits)).why_it_ended is reason


@pytest.mark.parametrize(
    ("word", "asked", "orders"),
    [
        ("asked", intent(), []),
        ("opening", begun(), [entry(0)]),
        ("open", begun(), [entry()]),
        ("closing", begun(wanted=Wanted.CLOSED), [entry()]),
        ("closed", begun(cycle_ended_at=after(0), exit_reason=ExitReason.TAKE_PROFIT), [entry()]),
        ("refused", begun(cycle_ended_at=after(0), exit_reason=ExitReason.NOT_ENTERED), []),
    ],
)
def test_one_word_for_the_page(word: str, asked: Intent, orders: list[Order]) -> None:
    assert part(*orders, asked=asked).status == word


def test_orders_by_what_they_do() -> None:
    closing = order("op00000101C01", 4, filled=1)
    resting = entry(0, kind=OrderKind.LIMIT, number=2)
    held = part(entry(), resting, oco(), closing)
    assert held.entry_orders_working == (resting,)
    assert held.closes_working == (closing,)
    assert [one.client_order_id for one in held.protection] == ["op00000101P01"]
    assert closing.remaining == 3
    assert entry().remaining == 0
