"""Orders that rest: listed while they work, found by our id for as long as the exchange knows them, changed, ended."""

from typing import Any

import pytest

from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.instrument import Side
from core.domain.order import OrderKind, OrderStatus, Purpose
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Bench
from tests.contract.orders import ENTRY, PART, D, entry, found, lots, only_position, price, working

ENDED_BY_THE_EXCHANGE = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


def resting(port: ExchangePort, at: Any = 99_000) -> Any:
    """The order after an entry that rests below the market."""
    port.place(entry(at=at))
    return found(port, kind=OrderKind.LIMIT)


def test_nothing_rests_is_an_empty_list(port: ExchangePort) -> None:
    assert port.working_orders() == []


def test_an_unknown_id_is_none(port: ExchangePort) -> None:
    assert port.find("op00zzzz01E01", SYMBOL, OrderKind.MARKET) is None


def test_a_limit_order_rests_and_is_listed(port: ExchangePort) -> None:
    order = resting(port)
    (listed,) = port.working_orders()
    assert listed == order
    assert (order.status, order.kind, order.price, order.quantity) == (
        OrderStatus.WORKING, OrderKind.LIMIT, D(99_000), lots(2),
    )  # fmt: skip
    assert (order.filled, order.average_price, order.fee, order.remaining) == (D(0), None, D(0), lots(2))
    assert port.positions() == []


def test_a_resting_order_fills_when_the_price_comes_to_it_and_pays_as_a_maker(bench: Bench, port: ExchangePort) -> None:
    resting(port)
    bench.price(D(98_900))
    order = found(port, kind=OrderKind.LIMIT)
    assert (order.status, order.average_price) == (OrderStatus.FILLED, D(99_000))
    assert order.fee == D("-0.396")  # 2 x 0.01 x 99,000 x 0.02 %
    assert port.working_orders() == []
    assert only_position(port).contracts == lots(2)


def test_a_partly_filled_order_works_on(bench: Bench, port: ExchangePort) -> None:
    bench.fill_partly(D("0.25"), rest_works=True)
    port.place(entry(quantity=4, at=100_500))
    order = found(port, kind=OrderKind.LIMIT)
    assert (order.status, order.filled, order.remaining) == (OrderStatus.WORKING, lots(1), lots(3))
    assert working(port) == {ENTRY}
    assert only_position(port).contracts == lots(1)


def test_a_partly_filled_order_whose_rest_was_cancelled_keeps_what_it_filled(bench: Bench, port: ExchangePort) -> None:
    bench.fill_partly(D("0.25"), rest_works=False)
    port.place(entry(quantity=4))
    order = found(port)
    assert order.status in ENDED_BY_THE_EXCHANGE
    assert (order.filled, order.remaining) == (lots(1), D(0))
    assert order.average_price == D("100000.1")
    assert port.working_orders() == []


@pytest.mark.parametrize(("kind", "at", "status", "filled"), [
    (OrderKind.POST_ONLY, 99_000, OrderStatus.WORKING, 0),
    (OrderKind.IOC, 101_000, OrderStatus.FILLED, 2),
    (OrderKind.FOK, 101_000, OrderStatus.FILLED, 2),
])  # fmt: skip
def test_kinds_of_limit_orders(port: ExchangePort, kind: OrderKind, at: Any, status: OrderStatus, filled: Any) -> None:
    port.place(entry(at=at, kind=kind))
    order = found(port, kind=kind)
    assert (order.kind, order.status, order.filled) == (kind, status, lots(filled))


@pytest.mark.parametrize(("kind", "at"), [
    (OrderKind.POST_ONLY, 101_000), (OrderKind.IOC, 99_000), (OrderKind.FOK, 99_000),
])  # fmt: skip
def test_an_order_that_cannot_be_what_it_is_to_be_is_refused_or_ends_and_says_why(
    port: ExchangePort, kind: OrderKind, at: Any
) -> None:
    try:
        port.place(entry(at=at, kind=kind))
    except Refused as refusal:
        assert refusal.exchange_words  # noqa: PT017 - either of two endings is right
        assert port.find(ENTRY, SYMBOL, kind) is None
    else:
        order = found(port, kind=kind)
        assert order.status in ENDED_BY_THE_EXCHANGE
        assert (order.kind, order.filled) == (kind, D(0))
        assert order.failure
    assert port.positions() == []


# -- cancel ----------------------------------------------------------------------------------------------------------


def test_cancel(port: ExchangePort) -> None:
    port.cancel(CancelOrder(PART, resting(port)))
    order = found(port, kind=OrderKind.LIMIT)
    assert (order.status, order.filled, order.failure) == (OrderStatus.CANCELED, D(0), "")
    assert port.working_orders() == []


def test_cancel_by_our_own_id_alone(port: ExchangePort) -> None:
    port.cancel(CancelOrder(PART, resting(port).but(exchange_order_id="")))
    assert port.working_orders() == []


def test_a_cancel_of_what_has_ended_already_is_no_error(bench: Bench, port: ExchangePort) -> None:
    order = resting(port)
    port.cancel(CancelOrder(PART, order))
    port.cancel(CancelOrder(PART, order))
    port.place(entry(client_order_id="op00a7k203E02"))
    port.cancel(CancelOrder(PART, found(port, "op00a7k203E02")))
    assert found(port, "op00a7k203E02").status is OrderStatus.FILLED


def test_a_cancel_of_what_never_was_is_no_error(port: ExchangePort) -> None:
    order = resting(port).but(exchange_order_id="", client_order_id="op00zzzz01E01")
    port.cancel(CancelOrder(PART, order))
    assert working(port) == {ENTRY}


def test_an_order_cancelled_by_hand_is_told_as_cancelled(bench: Bench, port: ExchangePort) -> None:
    resting(port)
    bench.cancel_by_hand(ENTRY)
    assert found(port, kind=OrderKind.LIMIT).status is OrderStatus.CANCELED


# -- amend -----------------------------------------------------------------------------------------------------------


def test_amend_price(port: ExchangePort) -> None:
    port.amend(AmendOrder(PART, resting(port), price=price(98_000)))
    order = found(port, kind=OrderKind.LIMIT)
    assert (order.price, order.quantity, order.status) == (D(98_000), lots(2), OrderStatus.WORKING)


def test_amend_quantity(port: ExchangePort) -> None:
    port.amend(AmendOrder(PART, resting(port), quantity=lots(5)))
    order = found(port, kind=OrderKind.LIMIT)
    assert (order.price, order.quantity) == (D(99_000), lots(5))


def test_an_amended_quantity_is_the_total_with_what_was_filled(bench: Bench, port: ExchangePort) -> None:
    bench.fill_partly(D("0.25"), rest_works=True)
    port.place(entry(quantity=4, at=100_500))
    port.amend(AmendOrder(PART, found(port, kind=OrderKind.LIMIT), quantity=lots(2)))
    order = found(port, kind=OrderKind.LIMIT)
    assert (order.quantity, order.filled, order.remaining) == (lots(2), lots(1), lots(1))


def test_an_amend_of_what_has_ended_is_refused(port: ExchangePort) -> None:
    order = resting(port)
    port.cancel(CancelOrder(PART, order))
    with pytest.raises(Refused) as refusal:
        port.amend(AmendOrder(PART, order, price=price(98_000)))
    assert refusal.value.exchange_code


# -- ids -------------------------------------------------------------------------------------------------------------


def test_an_id_that_stands_already_is_a_reason_to_look(bench: Bench, port: ExchangePort) -> None:
    resting(port)
    with pytest.raises(OutcomeUnknown):
        port.place(entry(at=98_000))
    assert bench.orders_placed(ENTRY) == 1
    assert found(port, kind=OrderKind.LIMIT).price == D(99_000)


def test_foreign_orders_are_listed_as_foreign(bench: Bench, port: ExchangePort) -> None:
    bench.place_by_hand(Side.LONG, lots(1), price(90_000))
    (order,) = port.working_orders()
    assert (order.part, order.cycle, order.purpose) == (None, None, Purpose.FOREIGN)
    assert (order.position_side, order.price, order.quantity) == (Side.LONG, D(90_000), lots(1))
    assert order.exchange_order_id


def test_a_foreign_order_is_cancelled_by_the_exchanges_id(bench: Bench, port: ExchangePort) -> None:
    bench.place_by_hand(Side.LONG, lots(1), price(90_000))
    port.cancel(CancelOrder("", port.working_orders()[0]))
    assert port.working_orders() == []


def test_more_orders_than_fit_a_page_are_all_listed(port: ExchangePort) -> None:
    ids = {f"op00a7k203E{number:02}" for number in range(1, 131)}
    for name in sorted(ids):
        port.place(entry(quantity="0.1", at=90_000, client_order_id=name))
    assert working(port) == ids
