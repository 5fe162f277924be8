"""From flat to held and back: what a market order does, and what the exchange then says is held."""

from typing import Any

import pytest

from core.domain.errors import Refused
from core.domain.instrument import Side
from core.domain.order import OrderKind, OrderStatus, Purpose
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Bench
from tests.contract.orders import CLOSE, CYCLE, ENTRY, PART, D, close, entry, found, lots, only_position


def test_nothing_held_is_an_empty_list(port: ExchangePort) -> None:
    assert port.positions() == []


@pytest.mark.parametrize("side", Side)
def test_long_or_short_from_zero(port: ExchangePort, side: Side) -> None:
    exchange_id = port.place(entry(side))
    position, order = only_position(port), found(port)
    assert (position.symbol, position.side, position.contracts) == (SYMBOL, side, lots(2))
    assert (order.exchange_order_id, order.status, order.filled) == (exchange_id, OrderStatus.FILLED, lots(2))
    assert order.average_price == position.average_price


def test_a_market_buy_pays_the_ask_and_a_market_sell_gets_the_bid(port: ExchangePort) -> None:
    port.place(entry())
    assert found(port).average_price == D("100000.1")
    port.place(close())
    assert found(port, CLOSE).average_price == D("99999.9")


def test_an_order_says_whose_it_is_and_why(port: ExchangePort) -> None:
    port.place(entry())
    order = found(port)
    assert (order.part, order.cycle, order.purpose) == (PART, CYCLE, Purpose.ENTRY)
    assert (order.side, order.position_side, order.kind) == (Side.LONG.opening, Side.LONG, OrderKind.MARKET)
    assert order.created_at is not None
    assert order.fee == D("-1.000001")  # 2 x 0.01 x 100,000.1 x 0.05 %


@pytest.mark.parametrize("side", Side)
def test_close_from_long_or_short(port: ExchangePort, side: Side) -> None:
    port.place(entry(side))
    port.place(close(side))
    assert port.positions() == []
    order = found(port, CLOSE)
    assert (order.status, order.filled, order.position_side) == (OrderStatus.FILLED, lots(2), side)


def test_part_of_a_long_is_closed(port: ExchangePort) -> None:
    port.place(entry(quantity=3))
    port.place(close(quantity=1))
    assert only_position(port).contracts == lots(2)


def test_more_of_the_same_averages_the_entry(bench: Bench, port: ExchangePort) -> None:
    port.place(entry(client_order_id="op00a7k203E01"))
    bench.price(D(90_000))
    port.place(entry(client_order_id="op00a7k203R01"))
    position = only_position(port)
    assert (position.contracts, position.average_price) == (lots(4), (D("100000.1") + D("90000.1")) / 2)


def test_short_from_long_holds_both_where_the_account_holds_them_apart(bench: Bench, port: ExchangePort) -> None:
    if not bench.hedge:
        pytest.skip("this account nets long and short")
    port.place(entry(Side.LONG, 2))
    port.place(entry(Side.SHORT, 3, client_order_id="op00b1z901E01"))
    assert {(p.side, p.contracts) for p in port.positions()} == {(Side.LONG, lots(2)), (Side.SHORT, lots(3))}


def test_a_reduce_only_order_never_opens_the_other_side(port: ExchangePort) -> None:
    port.place(entry(Side.LONG, 2))
    try:
        port.place(close(Side.LONG, 5))
    except Refused:
        assert only_position(port).contracts == lots(2)
    else:
        assert port.positions() == []


def test_a_close_of_nothing_is_refused_by_a_code_that_says_so(port: ExchangePort) -> None:
    with pytest.raises(Refused) as refusal:
        port.place(close())
    assert refusal.value.exchange_code in port.facts.nothing_held_codes
    assert not refusal.value.transient
    assert port.positions() == []


@pytest.mark.parametrize("side", Side)
def test_a_position_is_told_with_its_money(bench: Bench, port: ExchangePort, side: Side) -> None:
    port.set_leverage(SYMBOL, D(5))
    port.place(entry(side))
    bench.price(D(101_000))
    position = only_position(port)
    profit = side.sign * (D(101_000) - position.average_price) * 2 * D("0.01")
    assert position.unrealised_pnl == profit
    assert (position.mark_price, position.leverage) == (D(101_000), D(5))
    assert position.margin == D(2) * D("0.01") * D(101_000) / 5
    assert position.realised_pnl == found(port).fee
    assert position.opened_at <= position.updated_at <= bench.now()


def test_a_new_life_of_a_position_has_a_key_of_its_own(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    first = only_position(port).life
    port.place(close())
    bench.advance(60)
    port.place(entry(client_order_id="op00a7k204E01"))
    assert only_position(port).life != first


def test_a_close_by_hand_leaves_nothing(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    bench.close_by_hand(Side.LONG)
    assert port.positions() == []


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("story", "changes"), [
    ("below the minimum", {"quantity": "0.001"}),
    ("no whole number of steps", {"quantity": "1.005"}),
    ("more than one order may have", {"quantity": 50_000}),
    ("more than the money", {"quantity": 9_000}),
    ("a contract that does not exist", {"symbol": "NOSUCH-USDT-PERP"}),
])  # fmt: skip
def test_refused_and_nothing_happened(bench: Bench, port: ExchangePort, story: str, changes: Any) -> None:
    with pytest.raises(Refused) as refusal:
        port.place(entry(**changes))
    assert refusal.value.exchange_code
    assert refusal.value.exchange_words
    assert not refusal.value.transient, story
    assert port.positions() == []
    assert port.find(ENTRY, SYMBOL, OrderKind.MARKET) is None
    assert bench.orders_placed(ENTRY) == 0


def test_a_price_off_the_tick_is_refused_or_put_on_it(port: ExchangePort) -> None:
    try:
        port.place(entry(at="99000.03"))
    except Refused as refusal:
        assert refusal.exchange_code  # noqa: PT017 - either of two endings is right
    else:
        assert found(port, kind=OrderKind.LIMIT).price in (D(99_000), D("99000.1"))
