"""What follows from having no OCO: two orders that know nothing of each other, of the position, or of our ids."""

from typing import Any

import pytest

from core.domain.action import CancelOrder
from core.domain.errors import Misconfigured, OutcomeUnknown, Refused
from core.domain.instrument import Side
from core.domain.order import Leg, OrderKind, OrderStatus
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Act, Bench, Trouble
from tests.contract.orders import (
    PART,
    STOP,
    TARGET,
    D,
    close,
    entry,
    found,
    found_protection,
    leg,
    lots,
    oco,
    only_position,
    only_where,
    protect,
    working,
)


@pytest.fixture(autouse=True)
def _only_where_there_is_no_oco(port: ExchangePort) -> None:
    only_where(port, native_oco=False)


@pytest.fixture
def pair(port: ExchangePort) -> Any:
    """A position with its stop and its target."""
    port.place(entry())
    return protect(port)


def test_the_pair_is_two_orders_with_ids_of_their_own(port: ExchangePort, pair: Any) -> None:
    stop, target = pair
    assert (stop.client_order_id, stop.sl_trigger, stop.tp_trigger) == (STOP, D(95_000), None)
    assert (target.client_order_id, target.sl_trigger, target.tp_trigger) == (TARGET, None, D(105_000))
    assert stop.exchange_order_id != target.exchange_order_id
    assert working(port) == {STOP, TARGET}


def test_both_in_one_request_is_a_mistake_of_ours(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    with pytest.raises(Misconfigured):
        port.place_oco(oco())
    assert bench.requests()[Act.PLACE_OCO] == 0


def test_the_sibling_of_a_leg_that_fired_stays(bench: Bench, port: ExchangePort, pair: Any) -> None:
    bench.price(D(105_100))
    assert found_protection(port, TARGET).status is OrderStatus.FILLED
    assert working(port) == {STOP}
    port.cancel(CancelOrder(PART, found_protection(port, STOP)))
    assert working(port) == set()


@pytest.mark.parametrize("by_hand", [True, False])
def test_both_outlive_the_position(bench: Bench, port: ExchangePort, pair: Any, by_hand: bool) -> None:
    if by_hand:
        bench.close_by_hand(Side.LONG)
    else:
        port.place(close())
    assert port.positions() == []
    assert working(port) == {STOP, TARGET}
    assert {order.filled for order in port.working_orders()} == {D(0)}


def test_an_orphan_that_fires_on_nothing_is_refused_and_says_so(bench: Bench, port: ExchangePort, pair: Any) -> None:
    bench.close_by_hand(Side.LONG)
    bench.price(D(94_900))
    order = found_protection(port, STOP)
    assert (order.status, order.filled, order.triggered_leg) == (OrderStatus.REFUSED, D(0), Leg.STOP_LOSS)
    assert order.failure
    assert port.positions() == []
    assert working(port) == {TARGET}


def test_an_orphan_fires_into_the_next_position(bench: Bench, port: ExchangePort, pair: Any) -> None:
    """The most dangerous habit of such exchanges; why nothing is entered while an orphan rests."""
    port.place(close())
    bench.advance(60)
    port.place(entry(quantity=5, client_order_id="op00a7k204E01"))
    bench.price(D(94_900))
    assert only_position(port).contracts == lots(3)
    assert found_protection(port, STOP).filled == lots(2)


def test_a_leg_can_rest_before_there_is_a_position(bench: Bench, port: ExchangePort) -> None:
    port.place_oco(leg(Leg.STOP_LOSS, at=95_000))
    assert working(port) == {STOP}


def test_the_order_that_a_leg_sets_off_is_not_listed_as_one_of_its_own(
    bench: Bench, port: ExchangePort, pair: Any
) -> None:
    bench.fill_in_slices(2)
    bench.price(D(94_900))
    listed = {order.client_order_id: order for order in port.working_orders()}
    assert set(listed) == {STOP, TARGET}
    stop = listed[STOP]
    assert (stop.kind, stop.triggered_leg) == (OrderKind.CONDITIONAL, Leg.STOP_LOSS)
    assert (stop.filled, stop.remaining, len(stop.child_order_ids)) == (lots(1), lots(1), 1)
    assert stop == found_protection(port, STOP)


def test_a_cancel_of_a_leg_whose_order_works_cancels_that(bench: Bench, port: ExchangePort, pair: Any) -> None:
    bench.fill_in_slices(2)
    bench.price(D(94_900))
    port.cancel(CancelOrder(PART, found_protection(port, STOP)))
    stop = found_protection(port, STOP)
    assert (stop.status.ended, stop.filled) == (True, lots(1))
    assert only_position(port).contracts == lots(1)


def test_fills_of_that_order_bear_our_id(bench: Bench, port: ExchangePort, pair: Any) -> None:
    bench.price(D(94_900))
    (fill,) = [fill for fill in port.fills(bench.now().replace(hour=0)) if fill.closing]
    assert (fill.client_order_id, fill.quantity, fill.position_side) == (STOP, lots(2), Side.LONG)
    assert fill.exchange_order_id in found_protection(port, STOP).child_order_ids


def test_a_leg_that_was_accepted_may_not_be_found_at_once(bench: Bench, port: ExchangePort) -> None:
    """Why "not found" is believed late: `conditional_settle` after it was sent."""
    port.place(entry())
    bench.hide(30)
    port.place_oco(leg(Leg.STOP_LOSS, at=95_000))
    assert port.find(STOP, SYMBOL, OrderKind.CONDITIONAL) is None
    assert working(port) == set()
    bench.advance(31)
    assert port.facts.conditional_settle.total_seconds() > 31
    assert found_protection(port, STOP).status is OrderStatus.WORKING
    assert working(port) == {STOP}


@pytest.mark.parametrize(("trouble", "stands"), [
    (Trouble.ANSWER_LOST, True), (Trouble.LOST_ON_THE_WAY, False), (Trouble.BUSY, False),
    (Trouble.BUSY_BUT_DONE, True), (Trouble.TIMED_OUT, False), (Trouble.TIMED_OUT_BUT_DONE, True),
])  # fmt: skip
def test_a_leg_without_an_answer_is_unknown_and_find_tells(
    bench: Bench, port: ExchangePort, trouble: Trouble, stands: bool
) -> None:
    port.place(entry())
    bench.trouble(Act.PLACE_OCO, trouble)
    with pytest.raises(OutcomeUnknown):
        port.place_oco(leg(Leg.STOP_LOSS, at=95_000))
    assert (port.find(STOP, SYMBOL, OrderKind.CONDITIONAL) is not None) is stands
    assert working(port) == ({STOP} if stands else set())
    assert bench.requests()[Act.PLACE_OCO] == 1


def test_an_id_is_free_again_once_its_order_has_ended(bench: Bench, port: ExchangePort) -> None:
    """An id is no protection against sending twice: whoever has no answer must look first."""
    port.place(entry())
    port.place(entry())
    assert bench.orders_placed("op00a7k203E01") == 2
    assert only_position(port).contracts == lots(4)


def test_a_leg_of_an_id_that_was_cancelled_can_rest_again_and_is_the_one_that_is_found(
    bench: Bench, port: ExchangePort, pair: Any
) -> None:
    port.cancel(CancelOrder(PART, pair[0]))
    bench.advance(1)
    port.place_oco(leg(Leg.STOP_LOSS, at=94_000))
    order = found(port, STOP, OrderKind.CONDITIONAL)
    assert (order.status, order.sl_trigger) == (OrderStatus.WORKING, D(94_000))


def test_only_so_many_conditional_orders_rest_in_an_account(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    for number in range(1, port.facts.max_conditional + 1):
        port.place_oco(leg(Leg.STOP_LOSS, quantity="0.1", at=95_000, client_order_id=f"op00a7k203S{number:02}"))
    with pytest.raises(Refused) as refusal:
        port.place_oco(leg(Leg.TAKE_PROFIT, at=105_000))
    assert refusal.value.exchange_words
    assert not refusal.value.transient
    assert len(port.working_orders()) == port.facts.max_conditional
