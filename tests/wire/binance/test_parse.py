"""Every variation of Binance's rows in our words; words that we do not know are loud."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.order import Leg, OrderKind, OrderStatus, Purpose
from core.exchange.binance.fields import is_ours, to_name, to_symbol
from core.exchange.binance.parse import fold, parse_algo, parse_order
from tests.wire.binance.stub import payload
from tests.wire.binance.words import BTC

NOON = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)


def order(**changes: Any) -> Any:
    return {**payload("order"), **changes}


def algo(**changes: Any) -> Any:
    return {**payload("open_algos")[0], **changes}


def without(row: Any, *names: Any) -> Any:
    return {name: value for name, value in row.items() if name not in names}


# -- symbols


def test_symbols() -> None:
    assert (to_symbol("BTCUSDT"), to_name(BTC)) == (BTC, "BTCUSDT")
    assert to_symbol("1000SHIBUSDT") == "1000SHIB-USDT-PERP"
    assert not [name for name in ("BTCUSDC", "BTCUSDT_260925", "BTCUSD_PERP", "USDT", "", None, 7) if is_ours(name)]
    with pytest.raises(Unavailable):
        to_symbol("BTCUSDC")


# -- ordinary orders


def test_an_order_of_ours() -> None:
    made = parse_order(payload("order"))
    assert (made.client_order_id, made.exchange_order_id, made.symbol) == ("op00a7k203E01", "8886774", BTC)
    assert (made.part, made.cycle, made.purpose) == ("00a7k2", 3, Purpose.ENTRY)
    assert (made.side, made.position_side, made.kind) == (OrderSide.BUY, Side.LONG, OrderKind.MARKET)
    assert (made.quantity, made.filled, made.average_price, made.price) == (D("0.010"), D("0.010"), D(65000), None)
    assert (made.status, made.failure, made.fee) == (OrderStatus.FILLED, "", 0)
    assert (made.created_at.microsecond, made.updated_at.microsecond) == (100_000, 123_000)


def test_the_reply_to_a_placement_has_no_average_price() -> None:
    made = parse_order(payload("placed"))
    assert (made.filled, made.average_price) == (D("0.010"), None)
    assert made.created_at == made.updated_at


@pytest.mark.parametrize(("row", "average"), [
    (without(order(), "avgPrice"), D(65000)), (without(order(), "avgPrice", "cumQuote"), None),
    (order(avgPrice="0.00000", cumQuote="0", executedQty="0"), None), (order(avgPrice=""), D(65000)),
    (order(avgPrice=65000.5, executedQty=0.01, origQty=0.01), D("65000.5")),
])  # fmt: skip
def test_average_prices(row: Any, average: Any) -> None:
    assert parse_order(row).average_price == average


@pytest.mark.parametrize(("kind", "in_force", "meant"), [
    ("LIMIT", "GTC", OrderKind.LIMIT), ("LIMIT", "GTX", OrderKind.POST_ONLY), ("LIMIT", "IOC", OrderKind.IOC),
    ("LIMIT", "FOK", OrderKind.FOK), ("LIMIT", "GTD", OrderKind.LIMIT), ("LIMIT", "RPI", OrderKind.POST_ONLY),
    ("MARKET", "GTC", OrderKind.MARKET), ("STOP_MARKET", "GTC", OrderKind.CONDITIONAL),
    ("TRAILING_STOP_MARKET", "GTC", OrderKind.TRAILING), ("LIQUIDATION", "IOC", OrderKind.IOC),
])  # fmt: skip
def test_kinds_of_orders(kind: Any, in_force: Any, meant: Any) -> None:
    assert parse_order(order(type=kind, timeInForce=in_force)).kind is meant


@pytest.mark.parametrize(("status", "more", "meant", "words"), [
    ("NEW", {}, OrderStatus.WORKING, ""), ("PARTIALLY_FILLED", {}, OrderStatus.WORKING, ""),
    ("FILLED", {}, OrderStatus.FILLED, ""), ("CANCELED", {}, OrderStatus.CANCELED, ""),
    ("REJECTED", {}, OrderStatus.REFUSED, "the exchange refused it"),
    ("EXPIRED", {}, OrderStatus.EXPIRED, "the exchange ended it"),
    ("EXPIRED", {"er": "4"}, OrderStatus.EXPIRED, "another reduce-only order took its place"),
    ("EXPIRED", {"er": "99"}, OrderStatus.EXPIRED, "the exchange ended it, reason 99"),
    ("EXPIRED_IN_MATCH", {"er": "1"}, OrderStatus.EXPIRED, "it met an order of the same account"),
    ("FILLED", {"er": "0"}, OrderStatus.FILLED, ""),
])  # fmt: skip
def test_how_orders_stand(status: Any, more: Any, meant: Any, words: str) -> None:
    made = parse_order(order(status=status, **more))
    assert made.status is meant
    assert made.failure.startswith(words)
    assert bool(made.failure) == bool(words)


@pytest.mark.parametrize(("client_id", "side", "more", "held"), [
    ("op00a7k203E01", "BUY", {}, Side.LONG), ("op00a7k203C01", "BUY", {}, Side.SHORT),
    ("op00a7k203S01", "SELL", {}, Side.LONG), ("op00a7k203B01", "SELL", {}, Side.SHORT),
    ("web_1", "BUY", {}, Side.LONG), ("web_1", "BUY", {"reduceOnly": True}, Side.SHORT),
    ("web_1", "SELL", {"reduceOnly": "true"}, Side.LONG), ("web_1", "SELL", {"closePosition": True}, Side.LONG),
])  # fmt: skip
@pytest.mark.parametrize("both", [{"positionSide": "BOTH"}, {"positionSide": ""}, {"positionSide": None}])
def test_in_one_way_mode_an_orders_position_follows_from_what_it_is_for(
    client_id: Any, side: Side, more: Any, held: Any, both: Any
) -> None:
    assert parse_order(order(clientOrderId=client_id, side=side, **more, **both)).position_side is held


@pytest.mark.parametrize(("field", "value"), [
    ("side", "SIDEWAYS"), ("status", "MELTED"), ("type", "MAGIC"), ("positionSide", "UP"), ("origQty", "many"),
    ("orderId", None), ("origQty", "NaN"), ("updateTime", "yesterday"), ("clientOrderId", None), ("symbol", "BTCUSDC"),
])  # fmt: skip
def test_words_that_nobody_knows_are_loud(field: Any, value: Any) -> None:
    with pytest.raises(Unavailable, match="Binance sent"):
        parse_order(order(**{field: value}))
    if field == "type":
        with pytest.raises(Unavailable, match="timeInForce 'WHENEVER'"):
            parse_order(order(type="LIMIT", timeInForce="WHENEVER"))


def test_a_row_of_the_stream_needs_no_times() -> None:
    made = parse_order(without(order(), "time", "updateTime"))
    assert (made.created_at, made.updated_at) == (None, None)


# -- conditional orders


def test_a_resting_stop_and_target() -> None:
    stop, target = map(parse_algo, payload("open_algos"))
    assert (stop.client_order_id, stop.exchange_order_id) == ("op00a7k203S01", "3000001400283750")
    assert (stop.kind, stop.purpose, stop.status) == (OrderKind.CONDITIONAL, Purpose.STOP_LOSS, OrderStatus.WORKING)
    assert (stop.sl_trigger, stop.tp_trigger, stop.trigger_by) == (D(63000), None, TriggerBy.MARK)
    assert (stop.triggered_leg, stop.child_order_ids, stop.price, stop.quantity) == (None, (), None, D("0.010"))
    assert (target.tp_trigger, target.sl_trigger, target.trigger_by) == (D(70000), None, TriggerBy.LAST)
    assert (target.purpose, target.reduce_only, target.dies_with_position) == (Purpose.TAKE_PROFIT, True, False)
    assert target.created_at == datetime(2026, 6, 20, 12, 0, 0, 30_000, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "meant", "price", "stop", "target"), [
    ("STOP_MARKET", OrderKind.CONDITIONAL, None, D(63000), None),
    ("TAKE_PROFIT_MARKET", OrderKind.CONDITIONAL, None, None, D(63000)),
    ("STOP", OrderKind.TRIGGER, D(62900), D(63000), None),
    ("TAKE_PROFIT", OrderKind.TRIGGER, D(62900), None, D(63000)),
    ("TRAILING_STOP_MARKET", OrderKind.TRAILING, D(64000), None, None),
])  # fmt: skip
@pytest.mark.parametrize("name", ["orderType", "type"])
def test_kinds_of_conditional_orders(kind: Any, meant: Any, price: Any, stop: Any, target: Any, name: str) -> None:
    limit = {"price": "62900"} if kind in ("STOP", "TAKE_PROFIT") else {"activatePrice": "64000"}
    made = parse_algo({**without(algo(), "orderType"), name: kind, **limit})
    assert (made.kind, made.price, made.sl_trigger, made.tp_trigger) == (meant, price, stop, target)


@pytest.mark.parametrize(("status", "meant", "leg"), [
    ("NEW", OrderStatus.WORKING, None), ("TRIGGERING", OrderStatus.WORKING, Leg.STOP_LOSS),
    ("TRIGGERED", OrderStatus.WORKING, Leg.STOP_LOSS), ("FINISHED", OrderStatus.WORKING, Leg.STOP_LOSS),
    ("CANCELED", OrderStatus.CANCELED, None), ("EXPIRED", OrderStatus.EXPIRED, None),
    ("REJECTED", OrderStatus.REFUSED, Leg.STOP_LOSS),
])  # fmt: skip
def test_how_conditional_orders_stand(status: Any, meant: Any, leg: Any) -> None:
    made = parse_algo(algo(algoStatus=status))
    assert (made.status, made.triggered_leg) == (meant, leg)


@pytest.mark.parametrize(("status", "words"), [
    ("NEW", ""), ("CANCELED", ""), ("REJECTED", "Reduce Only reject"), ("EXPIRED", "Reduce Only reject"),
])  # fmt: skip
def test_a_reason_counts_only_where_the_exchange_ended_the_order(status: Any, words: str) -> None:
    assert parse_algo(algo(algoStatus=status, rm="Reduce Only reject")).failure == words
    assert bool(parse_algo(algo(algoStatus=status)).failure) == bool(words)


def test_one_that_closes_whatever_is_held() -> None:
    made = parse_algo(algo(closePosition=True, quantity="0", reduceOnly=True, timeInForce="GTE_GTC"))
    assert (made.quantity, made.dies_with_position) == (0, True)


@pytest.mark.parametrize(("field", "value"), [
    ("orderType", "MAGIC"), ("algoStatus", "MELTED"), ("workingType", "INDEX_PRICE"), ("clientAlgoId", None),
])  # fmt: skip
def test_words_of_conditional_orders_that_nobody_knows_are_loud(field: Any, value: Any) -> None:
    with pytest.raises(Unavailable, match="Binance sent"):
        parse_algo(algo(**{field: value}))


@pytest.mark.parametrize("told", ["", None, "0", 0])
def test_no_child_before_the_trigger(told: Any) -> None:
    assert parse_algo(algo(actualOrderId=told)).child_order_ids == ()


# -- parent and child


def test_a_child_is_told_as_its_parent() -> None:
    parent = parse_algo(algo(algoStatus="TRIGGERED", actualOrderId="8886999", updateTime=1781956800500))
    child = parse_order(order(orderId=8886999, side="SELL", clientOrderId="op00a7k203S01", updateTime=1781956800700))
    told = fold(parent, child.but(fee=D("-0.26")))
    assert (told.status, told.filled, told.average_price) == (OrderStatus.FILLED, D("0.010"), D(65000))
    assert (told.fee, told.triggered_leg, told.child_order_ids) == (D("-0.26"), Leg.STOP_LOSS, ("8886999",))
    assert (told.kind, told.exchange_order_id) == (OrderKind.CONDITIONAL, "3000001400283750")
    assert told.updated_at == datetime(2026, 6, 20, 12, 0, 0, 700_000, tzinfo=UTC)


def test_a_child_that_was_heard_of_first_tells_that_its_parent_was_set_off() -> None:
    told = fold(parse_algo(algo()), parse_order(order(orderId=8886999, status="NEW", executedQty="0")))
    assert (told.status, told.triggered_leg, told.child_order_ids) == (
        OrderStatus.WORKING, Leg.STOP_LOSS, ("8886999",),
    )  # fmt: skip


@pytest.mark.parametrize(("child", "meant"), [("CANCELED", OrderStatus.CANCELED), ("EXPIRED", OrderStatus.EXPIRED)])
def test_a_child_that_ended_without_filling_ends_its_parent(child: Any, meant: Any) -> None:
    parent = parse_algo(algo(algoStatus="FINISHED", actualOrderId="8886999"))
    assert fold(parent, parse_order(order(status=child, executedQty="0.004"))).status is meant


def test_what_has_ended_stays_so() -> None:
    ended = parse_algo(algo(algoStatus="CANCELED"))
    assert fold(ended, parse_order(order(status="NEW"))) is ended
