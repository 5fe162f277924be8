"""Take-profit and stop-loss on the exchange: they rest, they fire, the sibling is gone, and `find` tells the whole."""

from typing import Any

import pytest

from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.instrument import Side, TriggerBy
from core.domain.order import Leg, OrderKind, OrderStatus, Purpose
from tests.contract.bench import SYMBOL
from tests.contract.orders import (
    CYCLE,
    ENTRY,
    NET,
    OCO,
    PART,
    D,
    attached,
    close,
    contracts,
    entry,
    found,
    found_oco,
    oco,
    only_position,
    price,
    working,
)

Levels = dict[Side, dict[str, Any]]
LEVELS: Levels = {Side.LONG: {"tp": 105_000, "sl": 95_000}, Side.SHORT: {"tp": 95_000, "sl": 105_000}}
BEYOND: Levels = {Side.LONG: {"tp": 105_100, "sl": 94_900}, Side.SHORT: {"tp": 94_900, "sl": 105_100}}


def guarded(port, side=Side.LONG, **changes):
    """A position with its OCO; returns the OCO as the exchange tells it."""
    port.place(entry(side))
    port.place_oco(oco(side, **{**LEVELS[side], **changes}))
    return found_oco(port)


# -- travelling with an entry ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
def test_attached_protection_rests_the_moment_the_entry_fills(port, side):
    port.place(entry(side, attached=attached(**LEVELS[side])))
    (net,) = port.working_orders()
    assert (net.client_order_id, net.purpose, net.part, net.cycle) == (NET, Purpose.SAFETY_NET, PART, CYCLE)
    assert (net.kind, net.status, net.quantity) == (OrderKind.OCO, OrderStatus.WORKING, D(2))
    assert (net.tp_trigger, net.sl_trigger) == (D(LEVELS[side]["tp"]), D(LEVELS[side]["sl"]))
    assert (net.side, net.position_side, net.trigger_by) == (side.closing, side, TriggerBy.MARK)
    assert net.exchange_order_id != found(port).exchange_order_id


def test_attached_protection_waits_for_the_fill(bench, port):
    port.place(entry(at=99_000, attached=attached(105_000, 95_000)))
    assert working(port) == {ENTRY}
    assert port.find(NET, SYMBOL, OrderKind.OCO) is None
    bench.price(D(98_900))
    assert working(port) == {NET}


def test_attached_protection_of_an_entry_that_filled_in_part_has_the_size_of_that_part(bench, port):
    bench.fill_partly(D("0.25"), rest_works=False)
    port.place(entry(quantity=4, attached=attached(105_000, 95_000)))
    assert found_oco(port, NET).quantity == D(1)


def test_attached_stop_alone(port):
    port.place(entry(attached=attached(None, 95_000)))
    (net,) = port.working_orders()
    assert (net.kind, net.tp_trigger, net.sl_trigger) == (OrderKind.CONDITIONAL, None, D(95_000))


@pytest.mark.parametrize(("wrong", "codes"), [
    ({"tp": 105_000, "sl": 101_000}, "stop_passed_codes"),
    ({"tp": 99_000, "sl": 95_000}, "target_passed_codes"),
])  # fmt: skip
def test_attached_protection_on_the_wrong_side_refuses_the_entry_too(bench, port, wrong, codes):
    with pytest.raises(Refused) as refusal:
        port.place(entry(attached=attached(**wrong)))
    assert refusal.value.code in getattr(port.facts, codes)
    assert port.positions() == []


# -- an OCO of its own -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
def test_an_oco_rests_on_the_position(port, side):
    port.place(entry(side))
    exchange_id = port.place_oco(oco(side, **LEVELS[side]))
    (listed,) = port.working_orders()
    assert (listed.client_order_id, listed.exchange_order_id) == (OCO, exchange_id)
    assert (listed.kind, listed.purpose, listed.part, listed.cycle) == (OrderKind.OCO, Purpose.PROTECT, PART, CYCLE)
    assert (listed.tp_trigger, listed.sl_trigger) == (D(LEVELS[side]["tp"]), D(LEVELS[side]["sl"]))
    assert (listed.side, listed.position_side, listed.quantity) == (side.closing, side, D(2))
    assert listed.reduce_only
    assert listed.dies_with_position
    assert found_oco(port) == listed


@pytest.mark.parametrize("leg", Leg)
def test_one_leg_alone(bench, port, leg):
    port.place(entry())
    legs: dict[str, Any] = {"tp": None, "sl": None, leg.value: LEVELS[Side.LONG][leg.value]}
    port.place_oco(oco(**legs))
    (listed,) = port.working_orders()
    assert listed.kind is OrderKind.CONDITIONAL
    assert (listed.tp_trigger is None, listed.sl_trigger is None) == (leg is Leg.STOP_LOSS, leg is Leg.TAKE_PROFIT)
    bench.price(D(BEYOND[Side.LONG][leg.value]))
    assert found(port, OCO, OrderKind.CONDITIONAL).triggered_leg is leg
    assert port.positions() == []


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("leg", Leg)
def test_one_leg_fires_and_its_sibling_is_gone(bench, port, side, leg):
    guarded(port, side)
    bench.price(D(BEYOND[side][leg.value]))
    assert port.positions() == []
    assert port.working_orders() == []
    order = found_oco(port)
    assert (order.status, order.triggered_leg, order.filled) == (OrderStatus.FILLED, leg, D(2))
    (child,) = order.child_order_ids
    (fill,) = [fill for fill in port.fills(bench.now().replace(hour=0)) if fill.closing]
    assert fill.exchange_order_id == child
    assert (order.average_price, order.fee) == (fill.price, fill.fee)
    bench.price(D(BEYOND[side]["tp" if leg is Leg.STOP_LOSS else "sl"]))
    assert port.positions() == []


def test_the_net_of_an_entry_fires_and_tells_the_same(bench, port):
    port.place(entry(attached=attached(105_000, 95_000)))
    bench.price(D(94_900))
    order = found_oco(port, NET)
    assert (order.status, order.triggered_leg, order.filled) == (OrderStatus.FILLED, Leg.STOP_LOSS, D(2))
    assert port.positions() == []


def test_a_wick_of_the_last_price_does_not_set_off_what_watches_the_mark(bench, port):
    guarded(port)
    bench.price(D(94_000), mark=D(99_000))
    bench.price(D(100_000))
    assert working(port) == {OCO}
    assert only_position(port).contracts == D(2)


def test_a_wick_of_the_last_price_sets_off_what_watches_the_last(bench, port):
    guarded(port, trigger_by=TriggerBy.LAST)
    bench.price(D(94_000), mark=D(99_000))
    assert found_oco(port).triggered_leg is Leg.STOP_LOSS


def test_a_stop_whose_order_still_works_is_not_over(bench, port):
    guarded(port)
    bench.fill_in_slices(2)
    bench.price(D(94_900))
    order = found_oco(port)
    assert (order.status, order.filled, order.triggered_leg) == (OrderStatus.WORKING, D(1), Leg.STOP_LOSS)
    assert all(listed.purpose is not Purpose.FOREIGN for listed in port.working_orders())
    bench.advance(2)
    assert (found_oco(port).status, found_oco(port).filled) == (OrderStatus.FILLED, D(2))


def test_a_stop_that_filled_in_part_and_was_cancelled_says_how_much(bench, port):
    guarded(port)
    bench.fill_in_slices(2)
    bench.price(D(94_900))
    bench.cancel_by_hand(found_oco(port).child_order_ids[0])
    order = found_oco(port)
    assert (order.status, order.filled) == (OrderStatus.CANCELED, D(1))
    assert only_position(port).contracts == D(1)


@pytest.mark.parametrize("by_hand", [True, False])
def test_it_dies_with_the_position(bench, port, by_hand):
    guarded(port)
    if by_hand:
        bench.close_by_hand(Side.LONG)
    else:
        port.place(close())
    assert port.working_orders() == []
    order = found_oco(port)
    assert (order.status, order.filled, order.triggered_leg) == (OrderStatus.CANCELED, D(0), None)


def test_a_position_closed_in_part_keeps_it(bench, port):
    guarded(port)
    bench.close_by_hand(Side.LONG, contracts(1))
    assert working(port) == {OCO}


@pytest.mark.parametrize(("wrong", "codes"), [
    ({"sl": 101_000}, "stop_passed_codes"),
    ({"tp": 99_000}, "target_passed_codes"),
    ({"tp": None, "sl": 101_000}, "stop_passed_codes"),
    ({"tp": 99_000, "sl": None}, "target_passed_codes"),
])  # fmt: skip
@pytest.mark.parametrize("by", [TriggerBy.MARK, TriggerBy.LAST])
def test_a_trigger_that_is_passed_already_is_refused_by_a_code_that_says_so(port, wrong, codes, by):
    port.place(entry())
    with pytest.raises(Refused) as refusal:
        port.place_oco(oco(**wrong, trigger_by=by))
    assert refusal.value.code in getattr(port.facts, codes)
    assert port.working_orders() == []


# -- cancel, amend, ids ----------------------------------------------------------------------------------------------


def test_cancel_an_oco(port):
    port.cancel(CancelOrder(PART, guarded(port)))
    assert port.working_orders() == []
    assert found_oco(port).status is OrderStatus.CANCELED


def test_cancel_an_oco_by_our_own_id_alone(port):
    port.cancel(CancelOrder(PART, guarded(port).but(exchange_order_id="")))
    assert port.working_orders() == []


def test_a_cancel_of_an_oco_that_has_ended_is_no_error(bench, port):
    order = guarded(port)
    port.cancel(CancelOrder(PART, order))
    port.cancel(CancelOrder(PART, order))
    port.place_oco(oco(client_order_id="op00a7k203P02"))
    resting = found_oco(port, "op00a7k203P02")
    bench.price(D(94_900))
    port.cancel(CancelOrder(PART, resting))
    assert found_oco(port, "op00a7k203P02").status is OrderStatus.FILLED


def test_amend_one_leg_leaves_the_other(port):
    port.amend(AmendOrder(PART, guarded(port), sl_trigger=price(96_000)))
    order = found_oco(port)
    assert (order.tp_trigger, order.sl_trigger, order.quantity) == (D(105_000), D(96_000), D(2))
    assert (order.status, order.trigger_by) == (OrderStatus.WORKING, TriggerBy.MARK)


def test_amend_both_legs_and_the_quantity(bench, port):
    order = guarded(port)
    port.amend(AmendOrder(PART, order, quantity=contracts(1), tp_trigger=price(103_000), sl_trigger=price(97_000)))
    changed = found_oco(port)
    assert (changed.tp_trigger, changed.sl_trigger, changed.quantity) == (D(103_000), D(97_000), D(1))
    bench.price(D(103_100))
    assert only_position(port).contracts == D(1)


def test_amend_the_net_that_came_with_an_entry(port):
    port.place(entry(attached=attached(105_000, 95_000)))
    port.amend(AmendOrder(PART, found_oco(port, NET), sl_trigger=price(96_000)))
    order = found_oco(port, NET)
    assert (order.tp_trigger, order.sl_trigger) == (D(105_000), D(96_000))


def test_amend_to_a_price_that_is_passed_is_refused_and_the_old_stays(port):
    order = guarded(port)
    with pytest.raises(Refused) as refusal:
        port.amend(AmendOrder(PART, order, sl_trigger=price(101_000)))
    assert refusal.value.code in port.facts.stop_passed_codes
    assert found_oco(port).sl_trigger == D(95_000)


def test_amend_of_an_oco_that_has_ended_is_refused(port):
    order = guarded(port)
    port.cancel(CancelOrder(PART, order))
    with pytest.raises(Refused):
        port.amend(AmendOrder(PART, order, sl_trigger=price(96_000)))


def test_an_oco_id_that_stands_already_is_a_reason_to_look(bench, port):
    guarded(port)
    with pytest.raises(OutcomeUnknown):
        port.place_oco(oco(sl=90_000))
    assert found_oco(port).sl_trigger == D(95_000)
    assert bench.orders_placed(OCO) == 1


def test_an_unknown_oco_id_is_none(port):
    assert port.find("op00zzzz01P01", SYMBOL, OrderKind.OCO) is None


def test_an_oco_cancelled_by_hand_is_told_as_cancelled(bench, port):
    guarded(port)
    bench.cancel_by_hand(OCO)
    assert found_oco(port).status is OrderStatus.CANCELED
