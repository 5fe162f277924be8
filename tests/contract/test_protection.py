"""Take-profit and stop-loss on the exchange: they rest, they fire, and `find` tells the whole.

Where the exchange has an OCO the two are one order; where it has none they are two, and what becomes of the second
is for the bot to see to.
"""

from typing import Any

import pytest

from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.instrument import Side, TriggerBy
from core.domain.order import Leg, OrderKind, OrderStatus, Purpose
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Bench
from tests.contract.orders import (
    CYCLE,
    PART,
    D,
    close,
    entry,
    found,
    found_protection,
    guard_of,
    guards,
    leg,
    lots,
    oco,
    only_position,
    only_where,
    price,
    protect,
    protection,
    working,
)

Levels = dict[Side, dict[str, Any]]
LEVELS: Levels = {Side.LONG: {"tp": 105_000, "sl": 95_000}, Side.SHORT: {"tp": 95_000, "sl": 105_000}}
BEYOND: Levels = {Side.LONG: {"tp": 105_100, "sl": 94_900}, Side.SHORT: {"tp": 94_900, "sl": 105_100}}
PASSED = [  # a trigger on the wrong side of the price, and the codes that say so
    (Leg.STOP_LOSS, 101_000, "stop_passed_codes"),
    (Leg.TAKE_PROFIT, 99_000, "target_passed_codes"),
]
PURPOSES = {Leg.STOP_LOSS: Purpose.STOP_LOSS, Leg.TAKE_PROFIT: Purpose.TAKE_PROFIT}


def guarded(port: ExchangePort, side: Side = Side.LONG, **changes: Any) -> Any:
    """A position with its protection."""
    port.place(entry(side))
    return protect(port, side, **{**LEVELS[side], **changes})


def stop_of(port: ExchangePort) -> Any:
    """The order that holds the stop-loss."""
    return found_protection(port, guard_of(port, Leg.STOP_LOSS))


def other(which: Leg) -> Any:
    return Leg.STOP_LOSS if which is Leg.TAKE_PROFIT else Leg.TAKE_PROFIT


# -- they rest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
def test_protection_rests_on_the_position(port: ExchangePort, side: Side) -> None:
    port.place(entry(side))
    requests = protection(port, side, **LEVELS[side])
    names = {request.client_order_id: port.place_oco(request) for request in requests}
    listed = {order.client_order_id: order for order in port.working_orders()}
    assert {name: order.exchange_order_id for name, order in listed.items()} == names
    for request in requests:
        order = listed[request.client_order_id]
        assert (order.purpose, order.part, order.cycle) == (request.purpose, PART, CYCLE)
        assert (order.tp_trigger, order.sl_trigger) == (request.tp_trigger, request.sl_trigger)
        assert (order.side, order.position_side, order.quantity) == (side.closing, side, lots(2))
        assert (order.status, order.trigger_by) == (OrderStatus.WORKING, TriggerBy.MARK)
        assert order.kind is (OrderKind.OCO if port.facts.native_oco else OrderKind.CONDITIONAL)
        assert order.dies_with_position is port.facts.native_oco
        assert order.reduce_only
        assert found_protection(port, request.client_order_id) == order


@pytest.mark.parametrize("which", Leg)
def test_one_leg_alone(bench: Bench, port: ExchangePort, which: Leg) -> None:
    port.place(entry())
    request = leg(which, at=LEVELS[Side.LONG][which.value])
    port.place_oco(request)
    (listed,) = port.working_orders()
    assert (listed.kind, listed.purpose) == (OrderKind.CONDITIONAL, PURPOSES[which])
    assert (listed.tp_trigger is None, listed.sl_trigger is None) == (which is Leg.STOP_LOSS, which is Leg.TAKE_PROFIT)
    bench.price(D(BEYOND[Side.LONG][which.value]))
    assert found(port, request.client_order_id, OrderKind.CONDITIONAL).triggered_leg is which
    assert port.positions() == []


def test_an_unknown_id_is_none(port: ExchangePort) -> None:
    for kind in (OrderKind.OCO, OrderKind.CONDITIONAL):
        assert port.find("op00zzzz01P01", SYMBOL, kind) is None


# -- they fire -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("which", Leg)
def test_one_leg_fires_and_tells_what_it_did(bench: Bench, port: ExchangePort, side: Side, which: Leg) -> None:
    guarded(port, side)
    bench.price(D(BEYOND[side][which.value]))
    assert port.positions() == []
    order = found_protection(port, guard_of(port, which))
    assert (order.status, order.triggered_leg, order.filled) == (OrderStatus.FILLED, which, lots(2))
    (child,) = order.child_order_ids
    (fill,) = [fill for fill in port.fills(bench.now().replace(hour=0)) if fill.closing]
    assert fill.exchange_order_id == child
    assert (order.average_price, order.fee) == (fill.price, fill.fee)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("which", Leg)
def test_after_one_leg_the_other_never_opens_anything(bench: Bench, port: ExchangePort, side: Side, which: Leg) -> None:
    guarded(port, side)
    bench.price(D(BEYOND[side][which.value]))
    bench.price(D(BEYOND[side][other(which).value]))
    assert port.positions() == []
    assert port.working_orders() == []


@pytest.mark.parametrize("which", Leg)
def test_the_sibling_of_a_native_oco_goes_with_it(bench: Bench, port: ExchangePort, which: Leg) -> None:
    only_where(port, native_oco=True)
    guarded(port)
    bench.price(D(BEYOND[Side.LONG][which.value]))
    assert port.working_orders() == []


def test_a_wick_of_the_last_price_does_not_set_off_what_watches_the_mark(bench: Bench, port: ExchangePort) -> None:
    guarded(port)
    bench.price(D(94_000), mark=D(99_000))
    bench.price(D(100_000))
    assert working(port) == guards(port)
    assert only_position(port).contracts == lots(2)


def test_a_wick_of_the_last_price_sets_off_what_watches_the_last(bench: Bench, port: ExchangePort) -> None:
    guarded(port, trigger_by=TriggerBy.LAST)
    bench.price(D(94_000), mark=D(99_000))
    assert stop_of(port).triggered_leg is Leg.STOP_LOSS


def test_a_stop_whose_order_still_works_is_not_over(bench: Bench, port: ExchangePort) -> None:
    guarded(port)
    bench.fill_in_slices(2)
    bench.price(D(94_900))
    order = stop_of(port)
    assert (order.status, order.filled, order.triggered_leg) == (OrderStatus.WORKING, lots(1), Leg.STOP_LOSS)
    assert all(listed.purpose is not Purpose.FOREIGN for listed in port.working_orders())
    bench.advance(2)
    assert (stop_of(port).status, stop_of(port).filled) == (OrderStatus.FILLED, lots(2))


def test_a_stop_that_filled_in_part_and_was_cancelled_says_how_much(bench: Bench, port: ExchangePort) -> None:
    guarded(port)
    bench.fill_in_slices(2)
    bench.price(D(94_900))
    bench.cancel_by_hand(stop_of(port).child_order_ids[0])
    order = stop_of(port)
    assert (order.status, order.filled) == (OrderStatus.CANCELED, lots(1))
    assert only_position(port).contracts == lots(1)


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_native_oco_dies_with_the_position(bench: Bench, port: ExchangePort, by_hand: bool) -> None:
    only_where(port, native_oco=True)
    guarded(port)
    if by_hand:
        bench.close_by_hand(Side.LONG)
    else:
        port.place(close())
    assert port.working_orders() == []
    order = stop_of(port)
    assert (order.status, order.filled, order.triggered_leg) == (OrderStatus.CANCELED, D(0), None)


def test_a_position_closed_in_part_keeps_it(bench: Bench, port: ExchangePort) -> None:
    guarded(port)
    bench.close_by_hand(Side.LONG, lots(1))
    assert working(port) == guards(port)


@pytest.mark.parametrize(("which", "at", "codes"), PASSED)
@pytest.mark.parametrize("by", [TriggerBy.MARK, TriggerBy.LAST])
def test_a_trigger_that_is_passed_already_is_refused_by_a_code_that_says_so(
    port: ExchangePort, which: Leg, at: Any, codes: str, by: TriggerBy
) -> None:
    port.place(entry())
    with pytest.raises(Refused) as refusal:
        port.place_oco(leg(which, at=at, trigger_by=by))
    assert refusal.value.exchange_code in getattr(port.facts, codes)
    assert port.working_orders() == []


@pytest.mark.parametrize(("which", "at", "codes"), PASSED)
@pytest.mark.parametrize("by", [TriggerBy.MARK, TriggerBy.LAST])
def test_a_native_oco_with_one_trigger_passed_is_refused_whole(
    port: ExchangePort, which: Leg, at: Any, codes: str, by: TriggerBy
) -> None:
    only_where(port, native_oco=True)
    port.place(entry())
    with pytest.raises(Refused) as refusal:
        port.place_oco(oco(**{which.value: at}, trigger_by=by))
    assert refusal.value.exchange_code in getattr(port.facts, codes)
    assert port.working_orders() == []


# -- cancel and ids --------------------------------------------------------------------------------------------------


def test_cancel(port: ExchangePort) -> None:
    orders = guarded(port)
    for order in orders:
        port.cancel(CancelOrder(PART, order))
    assert port.working_orders() == []
    assert {found_protection(port, order.client_order_id).status for order in orders} == {OrderStatus.CANCELED}


def test_cancel_by_our_own_id_alone(port: ExchangePort) -> None:
    for order in guarded(port):
        port.cancel(CancelOrder(PART, order.but(exchange_order_id="")))
    assert port.working_orders() == []


def test_a_cancel_of_what_has_ended_is_no_error(bench: Bench, port: ExchangePort) -> None:
    first = guarded(port)
    for order in (*first, *first):
        port.cancel(CancelOrder(PART, order))
    request = leg(Leg.STOP_LOSS, at=95_000, client_order_id="op00a7k203S02")
    port.place_oco(request)
    resting = found_protection(port, "op00a7k203S02")
    bench.price(D(94_900))
    port.cancel(CancelOrder(PART, resting))
    assert found_protection(port, "op00a7k203S02").status is OrderStatus.FILLED


def test_an_id_that_stands_already_is_a_reason_to_look(bench: Bench, port: ExchangePort) -> None:
    guarded(port)
    name = guard_of(port, Leg.STOP_LOSS)
    request = next(one for one in protection(port, sl=90_000) if one.client_order_id == name)
    with pytest.raises(OutcomeUnknown):
        port.place_oco(request)
    assert stop_of(port).sl_trigger == D(95_000)
    assert bench.orders_placed(name) == 1


def test_cancelled_by_hand_is_told_as_cancelled(bench: Bench, port: ExchangePort) -> None:
    guarded(port)
    bench.cancel_by_hand(guard_of(port, Leg.STOP_LOSS))
    assert stop_of(port).status is OrderStatus.CANCELED


# -- amend -----------------------------------------------------------------------------------------------------------


def test_amend_one_leg_leaves_the_other(port: ExchangePort) -> None:
    only_where(port, can_amend_triggers=True)
    port.amend(AmendOrder(PART, *guarded(port), sl_trigger=price(96_000)))
    order = stop_of(port)
    assert (order.tp_trigger, order.sl_trigger, order.quantity) == (D(105_000), D(96_000), lots(2))
    assert (order.status, order.trigger_by) == (OrderStatus.WORKING, TriggerBy.MARK)


def test_amend_both_legs_and_the_quantity(bench: Bench, port: ExchangePort) -> None:
    only_where(port, can_amend_triggers=True)
    (order,) = guarded(port)
    port.amend(AmendOrder(PART, order, quantity=lots(1), tp_trigger=price(103_000), sl_trigger=price(97_000)))
    changed = stop_of(port)
    assert (changed.tp_trigger, changed.sl_trigger, changed.quantity) == (D(103_000), D(97_000), lots(1))
    bench.price(D(103_100))
    assert only_position(port).contracts == lots(1)


def test_amend_to_a_price_that_is_passed_is_refused_and_the_old_stays(port: ExchangePort) -> None:
    only_where(port, can_amend_triggers=True)
    (order,) = guarded(port)
    with pytest.raises(Refused) as refusal:
        port.amend(AmendOrder(PART, order, sl_trigger=price(101_000)))
    assert refusal.value.exchange_code in port.facts.stop_passed_codes
    assert stop_of(port).sl_trigger == D(95_000)


def test_amend_of_what_has_ended_is_refused(port: ExchangePort) -> None:
    only_where(port, can_amend_triggers=True)
    (order,) = guarded(port)
    port.cancel(CancelOrder(PART, order))
    with pytest.raises(Refused):
        port.amend(AmendOrder(PART, order, sl_trigger=price(96_000)))
