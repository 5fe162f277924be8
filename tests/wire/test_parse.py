"""Orders, algos, positions and prices of OKX in our words: one story per recorded row, expected values by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.observation import Position
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.exchange.okx.fields import is_ours, milliseconds, to_inst_id, to_symbol
from core.exchange.okx.parse import fold, parent_of, parse_algo, parse_mark, parse_order, parse_position, parse_ticker
from tests.wire.stub import row, rows


def at(milliseconds_: int) -> datetime:
    return datetime.fromtimestamp(milliseconds_ / 1000, UTC)


ENTRY = Order(
    client_order_id="op00a7k203E01", exchange_order_id="2711430091826454528", symbol="BTC-USDT-PERP",
    position_side=Side.LONG, part="00a7k2", cycle=3, purpose=Purpose.ENTRY, side=OrderSide.BUY, kind=OrderKind.MARKET,
    quantity=D(20), status=OrderStatus.FILLED, filled=D(20), average_price=D("65372.54"), fee=D("-6.537254"),
    created_at=at(1781956300998), updated_at=at(1781956301004),
)  # fmt: skip
PROTECTION = Order(
    client_order_id="op00a7k203P01", exchange_order_id="2711430091826459001", symbol="BTC-USDT-PERP",
    position_side=Side.LONG, part="00a7k2", cycle=3, purpose=Purpose.PROTECT, side=OrderSide.SELL, kind=OrderKind.OCO,
    quantity=D(20), status=OrderStatus.WORKING, tp_trigger=D("65872.6"), sl_trigger=D("64872.5"),
    trigger_by=TriggerBy.MARK, reduce_only=True, dies_with_position=True, created_at=at(1781956302500),
    updated_at=at(1781956302500),
)  # fmt: skip


# -- ordinary orders


def test_a_filled_entry_of_ours() -> None:
    assert parse_order(row("order_filled")) == ENTRY


def test_a_partly_filled_limit_is_working() -> None:
    order = parse_order(rows("orders_pending")[0])
    assert (order.purpose, order.kind, order.price) == (Purpose.RECOVERY, OrderKind.LIMIT, D(65100))
    assert (order.status, order.filled, order.average_price) == (OrderStatus.WORKING, D("3.2"), D(65100))
    assert order.remaining == D("4.8")


def test_a_persons_order_is_foreign_and_its_empty_words_are_no_numbers() -> None:
    order = parse_order(rows("orders_pending")[1])
    assert (order.part, order.cycle, order.purpose, order.client_order_id) == (None, None, Purpose.FOREIGN, "")
    assert (order.kind, order.position_side, order.side) == (OrderKind.POST_ONLY, Side.SHORT, OrderSide.SELL)
    assert (order.average_price, order.filled, order.fee) == (None, D(0), D(0))


def test_what_a_push_calls_an_average_of_zero_is_no_price() -> None:
    order = parse_order(row("order_push"))
    assert (order.client_order_id, order.average_price, order.price) == ("op00a7k203E03", None, D("64000.5"))


def test_only_children_of_our_algos_have_a_parent() -> None:
    parents = [parent_of(one) for one in rows("orders_pending")]
    assert parents == ["", "", "op00a7k203P01", "", ""]


@pytest.mark.parametrize(
    ("name", "filled", "failure"),
    [
        ("order_canceled_by_exchange", "7.25", "Order canceled: The order price is outside the price limit"),
        ("order_canceled_by_user", "0", ""),
        ("child_canceled", "12", "canceled by the exchange, source 27"),
    ],
)
def test_a_canceled_order_keeps_what_it_filled_and_says_who_canceled_it(name: str, filled: Any, failure: Any) -> None:
    order = parse_order(row(name))
    assert (order.status, order.filled, order.failure) == (OrderStatus.CANCELED, D(filled), failure)


@pytest.mark.parametrize(
    ("story", "changes", "side"),
    [
        ("a reduce-only buy closes a short", {}, Side.SHORT),
        ("any other buy opens a long", {"reduceOnly": "false"}, Side.LONG),
        ("a sell opens a short", {"reduceOnly": "false", "side": "sell"}, Side.SHORT),
        ("our own close tells by its name", {"clOrdId": "op00a7k203C01", "reduceOnly": "false"}, Side.SHORT),
        ("our own entry too", {"clOrdId": "op00a7k203E01", "side": "sell"}, Side.SHORT),
    ],
)
def test_in_net_mode_the_position_is_told_by_what_the_order_is_for(story: str, changes: Any, side: Side) -> None:
    assert parse_order({**row("order_net_closing"), **changes}).position_side is side, story


# -- algos


def test_our_oco() -> None:
    assert parse_algo(rows("algos_pending")[0]) == PROTECTION


def test_the_net_of_an_entry_does_not_die_with_the_position() -> None:
    safety_net = parse_algo(rows("algos_pending")[1])
    assert (safety_net.purpose, safety_net.dies_with_position) == (Purpose.SAFETY_NET, False)


def test_what_the_exchange_says_about_dying_wins() -> None:
    assert parse_algo(row("algo_canceled")).dies_with_position is False
    assert parse_algo({**row("algo_canceled"), "cxlOnClosePos": "true"}).dies_with_position is True


def test_a_foreign_stop_that_closes_everything_has_no_size_of_its_own() -> None:
    stop = parse_algo(rows("algos_pending")[2])
    assert (stop.kind, stop.tp_trigger, stop.sl_trigger) == (OrderKind.CONDITIONAL, None, D("64872.5"))
    assert (stop.quantity, stop.position_side, stop.trigger_by) == (D(0), Side.SHORT, TriggerBy.LAST)


@pytest.mark.parametrize(
    ("name", "kind", "price"),
    [
        ("algos_trigger", OrderKind.TRIGGER, "60000"),
        ("algos_trailing", OrderKind.TRAILING, "64668.5"),
    ],
)
def test_other_conditional_orders_show_the_price_they_wait_for(name: str, kind: Any, price: Any) -> None:
    order = parse_algo(row(name))
    assert (order.kind, order.price, order.tp_trigger, order.sl_trigger) == (kind, D(price), None, None)


def test_set_off_it_works_on_until_its_children_are_known() -> None:
    algo = parse_algo(row("algo_effective"))
    assert (algo.status, algo.triggered_leg) == (OrderStatus.WORKING, Leg.STOP_LOSS)
    assert (algo.child_order_ids, algo.failure, algo.filled) == (("2711430091826460001",), "", D(0))
    assert fold(algo, []) == algo


def test_refused_when_set_off() -> None:
    algo = parse_algo(row("algo_failed"))
    assert (algo.status, algo.failure, algo.triggered_leg) == (OrderStatus.REFUSED, "51169", Leg.STOP_LOSS)


@pytest.mark.parametrize(
    ("child", "status", "filled", "average", "fee", "failure"),
    [
        ("child_working", OrderStatus.WORKING, "12", "64870", "-3.8922", ""),
        ("child_filled", OrderStatus.FILLED, "20", "64869.25", "-6.486925", ""),
        ("child_canceled", OrderStatus.CANCELED, "12", "64870", "-3.8922", "canceled by the exchange, source 27"),
    ],
)
def test_an_oco_that_was_set_off_carries_what_its_child_did(
    child: Any, status: Any, filled: Any, average: Any, fee: Any, failure: Any
) -> None:
    algo = fold(parse_algo(row("algo_effective")), [parse_order(row(child))])
    assert (algo.client_order_id, algo.status, algo.triggered_leg) == ("op00a7k203P01", status, Leg.STOP_LOSS)
    assert (algo.filled, algo.average_price, algo.fee, algo.failure) == (D(filled), D(average), D(fee), failure)
    assert algo.updated_at > at(1781956900001)


def test_two_children_weigh_by_what_they_filled() -> None:
    first, second = parse_order(row("child_canceled")), parse_order(row("child_filled"))
    second = replace(second, filled=D(8), average_price=D(64860), fee=D("-2.5944"))
    algo = fold(parse_algo(row("algo_effective")), [first, second])
    assert (algo.filled, algo.average_price, algo.fee) == (D(20), D(64866), D("-6.4866"))
    assert algo.status is OrderStatus.CANCELED


def test_a_live_algo_is_left_alone_by_fold() -> None:
    assert fold(PROTECTION.but(status=OrderStatus.CANCELED), [ENTRY]).filled == 0


# -- positions and prices


def test_a_long_position() -> None:
    assert parse_position(row("positions")) == Position(
        symbol="BTC-USDT-PERP", side=Side.LONG, contracts=D(20), average_price=D("65372.54"), mark_price=D("65321.8"),
        last_price=D("65321.7"), liquidation_price=D("16480.2"), leverage=D(2), margin=D("653.218"),
        unrealised_pnl=D("-10.148"), realised_pnl=D("-7.190979"), funding=D("-0.653725"),
        position_id="2711430125834215424", opened_at=at(1781956301004), updated_at=at(1781956302115),
    )  # fmt: skip


def test_a_short_position_far_from_liquidation() -> None:
    short = parse_position(rows("positions")[1])
    assert (short.side, short.contracts, short.liquidation_price) == (Side.SHORT, D("1.5"), None)
    assert short.life == "2711430125834215431@1781956388000"


def test_zero_contracts_are_no_position() -> None:
    assert parse_position(rows("positions")[2]) is None


def test_in_net_mode_the_sign_is_the_side() -> None:
    net = parse_position(row("positions_net"))
    assert (net.side, net.contracts, net.symbol) == (Side.SHORT, D(4), "ETH-USDT-PERP")


def test_ticker_and_mark_price_come_apart() -> None:
    symbol, mark = parse_mark(row("mark_price"))
    ticker = parse_ticker(row("ticker"), mark)
    assert (symbol, ticker.symbol, ticker.mark) == ("BTC-USDT-PERP", "BTC-USDT-PERP", D("65320.9"))
    assert (ticker.last, ticker.bid, ticker.ask) == (D("65321.7"), D("65321.7"), D("65321.8"))
    assert ticker.at == at(1781956799882)


# -- what cannot be read is said, never guessed


@pytest.mark.parametrize(
    ("parse", "name", "field", "value", "words"),
    [
        (parse_order, "order_filled", "state", "resting", "state 'resting', a word we do not know"),
        (parse_order, "order_filled", "ordType", "magic", "ordType 'magic', a word we do not know"),
        (parse_order, "order_filled", "side", "hold", "side 'hold', a word we do not know"),
        (parse_order, "order_filled", "sz", "many", "sz 'many', which is not a number"),
        (parse_order, "order_filled", "sz", "NaN", "sz 'NaN', which is not a number"),
        (parse_order, "order_filled", "cTime", "", "cTime '', which is not a time in milliseconds"),
        (parse_order, "order_filled", "clOrdId", None, "no clOrdId"),
        (parse_algo, "algo_failed", "state", "thinking", "state 'thinking', a word we do not know"),
        (parse_algo, "algo_failed", "ordType", "chase", "ordType 'chase', a word we do not know"),
        (parse_algo, "algo_failed", "actualSide", "both", "actualSide 'both', a word we do not know"),
        (parse_algo, "algo_failed", "slTriggerPxType", "book", "slTriggerPxType 'book', a word we do not know"),
        (parse_position, "positions", "posSide", "both", "posSide 'both', a word we do not know"),
        (parse_position, "positions", "pos", "", "pos '', which is not a number"),
        (parse_position, "positions", "instId", "BTC-USD-SWAP", "instId 'BTC-USD-SWAP'"),
    ],
)
def test_the_error_names_the_field(parse: Any, name: str, field: Any, value: Any, words: str) -> None:
    with pytest.raises(Unavailable, match=words):
        parse({**row(name), field: value})


def test_symbols_and_times() -> None:
    assert to_symbol("BTC-USDT-SWAP") == "BTC-USDT-PERP"
    assert to_inst_id("1000PEPE-USDT-PERP") == "1000PEPE-USDT-SWAP"
    assert is_ours("BTC-USDT-SWAP")
    assert not any(is_ours(name) for name in ("BTC-USD-SWAP", "BTC-USDT", "BTC-USDT-260626", None))
    assert milliseconds(at(1781956301004)) == "1781956301004"
