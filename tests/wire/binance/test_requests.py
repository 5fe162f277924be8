"""What goes out on the wire: paths, parameters, signature, window of time, and how many requests a write costs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.account import Environment
from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import Misconfigured, OutcomeUnknown, Refused
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.order import OrderKind, Purpose
from core.exchange.binance.addresses import addresses
from core.exchange.binance.client import BinanceClient, BinanceTestnetClient
from core.exchange.binance.parse import parse_algo, parse_order
from core.exchange.port import Credentials
from tests.wire.binance.conftest import KEY, SECRET
from tests.wire.binance.stub import Stub, payload, refused
from tests.wire.binance.words import BTC, close, entry, stop, target
from tests.wire.conftest import Time
from tests.wire.words import net


def with_config(stub: Stub, **changes: Any) -> None:
    stub.answer("GET v1/accountConfig", {**payload("account_config"), **changes})


# -- signature, window, clock


def test_reads_are_signed_in_the_query_and_writes_in_a_form(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/positionRisk", [])
    stub.answer("POST v1/algoOrder", "placed_algo")
    binance.positions()
    binance.place_oco(stop())
    read, written = stub.only("GET v3/positionRisk"), stub.only("POST v1/algoOrder")
    for request in (read, written):
        assert request.headers["X-MBX-APIKEY"] == KEY
        assert request.stamp["timestamp"] == "1781956800000"
        assert request.stamp["recvWindow"] == "5000"
        assert len(request.stamp["signature"]) == 64
    assert read.parameters == {}
    assert written.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_ids_with_signs_in_them_are_signed_as_they_are_sent(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/order", refused(-2013, "Order does not exist."))
    assert binance.find("web:a/b c&d", BTC, OrderKind.LIMIT) is None
    assert stub.only("GET v1/order").parameters == {"origClientOrderId": "web:a/b c&d", "symbol": "BTCUSDT"}


def test_the_stamp_follows_binances_clock(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    clock.passed = -90.0
    stub.answer("POST v1/algoOrder", "placed_algo")
    binance.place_oco(stop())
    assert stub.only("POST v1/algoOrder").stamp["timestamp"] == "1781956800000"
    assert len(stub.to("GET v1/time")) == 1


def test_a_deadline_shortens_the_window(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    stub.answer("POST v1/order", "placed")
    binance.place(entry(), clock.now() + timedelta(seconds=1.5))
    assert stub.only("POST v1/order").stamp["recvWindow"] == "1500"
    binance.place(entry(), clock.now() + timedelta(minutes=1))
    assert stub.to("POST v1/order")[1].stamp["recvWindow"] == "5000"


def test_after_its_deadline_nothing_is_sent(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    with pytest.raises(Refused) as caught:
        binance.place(entry(), clock.now() - timedelta(milliseconds=1))
    assert caught.value.transient
    assert not stub.to("POST v1/order")


def test_making_a_client_sends_nothing(make_client: Callable[..., BinanceClient], stub: Stub) -> None:
    make_client()
    assert stub.asked == []


def test_addresses() -> None:
    assert addresses(Environment.LIVE) == ("https://fapi.binance.com", "wss://fstream.binance.com")
    assert addresses(Environment.DEMO)[0] == "https://demo-fapi.binance.com"
    for environment, region in ((Environment.PAPER, "global"), (Environment.LIVE, "moon")):
        with pytest.raises(Misconfigured):
            addresses(environment, region)
    live, demo = (made(Credentials(KEY, SECRET, "")) for made in (BinanceClient, BinanceTestnetClient))
    assert repr(live._session) == "BinanceSession(fapi.binance.com)"
    assert repr(demo._session) == "BinanceSession(demo-fapi.binance.com)"


def test_threads_do_not_wait_for_each_other(binance: BinanceClient, stub: Stub) -> None:
    """A slow read holds nobody up: each request has a connection of its own."""
    slow, quick = threading.Event(), threading.Event()

    def wait(_: Any) -> Any:
        slow.set()
        assert quick.wait(5)
        return {"serverTime": 1781956800000}

    stub.answer("GET v1/time", wait)
    stub.answer("GET v1/openOrders", [])
    reader = threading.Thread(target=binance.server_time)
    reader.start()
    assert slow.wait(5)
    stub.answer("GET v3/positionRisk", [])
    assert binance.positions() == []
    quick.set()
    reader.join(5)
    assert not reader.is_alive()


# -- orders


def test_a_market_entry(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/order", "placed")
    assert binance.place(entry()) == "8886774"
    assert stub.only("POST v1/order").parameters == {
        "symbol": "BTCUSDT", "side": "BUY", "positionSide": "LONG", "type": "MARKET", "quantity": "0.01",
        "newClientOrderId": "op00a7k203E01", "newOrderRespType": "RESULT",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "word"), [
    (OrderKind.LIMIT, "GTC"), (OrderKind.POST_ONLY, "GTX"), (OrderKind.IOC, "IOC"), (OrderKind.FOK, "FOK"),
])  # fmt: skip
def test_orders_with_a_price(binance: BinanceClient, stub: Stub, kind: Any, word: Any) -> None:
    stub.answer("POST v1/order", "placed")
    binance.place(entry(kind=kind, price=D("65100.50"), quantity=D("1E+1")))
    sent = stub.only("POST v1/order").parameters
    assert (sent["type"], sent["timeInForce"], sent["price"], sent["quantity"]) == ("LIMIT", word, "65100.5", "10")


def test_a_close_names_its_position_in_hedge_mode_and_never_says_reduce_only(
    binance: BinanceClient, stub: Stub
) -> None:
    stub.answer("POST v1/order", "placed")
    binance.place(close())
    sent = stub.only("POST v1/order").parameters
    assert (sent["side"], sent["positionSide"], "reduceOnly" in sent) == ("SELL", "LONG", False)


def test_and_says_reduce_only_in_one_way_mode(one_way: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/order", "placed")
    stub.answer("POST v1/algoOrder", "placed_algo")
    one_way.place(close())
    one_way.place(entry())
    one_way.place_oco(stop())
    closing, opening = (request.parameters for request in stub.to("POST v1/order"))
    resting = stub.only("POST v1/algoOrder").parameters
    assert (closing["reduceOnly"], "positionSide" in closing) == ("true", False)
    assert ("reduceOnly" in opening, "positionSide" in opening) == (False, False)
    assert (resting["reduceOnly"], "positionSide" in resting) == ("true", False)


def test_the_short_side(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/order", "placed")
    binance.place(entry(position_side=Side.SHORT, side=OrderSide.SELL))
    sent = stub.only("POST v1/order").parameters
    assert (sent["side"], sent["positionSide"]) == ("SELL", "SHORT")


def test_a_stop_and_a_target_are_conditional_orders_of_their_own(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/algoOrder", "placed_algo")
    assert binance.place_oco(stop()) == "3000001400283750"
    binance.place_oco(target(trigger_by=TriggerBy.LAST))
    one, other = (request.parameters for request in stub.to("POST v1/algoOrder"))
    assert one == {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "positionSide": "LONG", "type": "STOP_MARKET",
        "quantity": "0.01", "triggerPrice": "63000", "workingType": "MARK_PRICE", "clientAlgoId": "op00a7k203S01",
    }  # fmt: skip
    assert other == one | {
        "type": "TAKE_PROFIT_MARKET", "triggerPrice": "70000", "workingType": "CONTRACT_PRICE",
        "clientAlgoId": "op00a7k203T01",
    }  # fmt: skip
    assert not stub.to("POST v1/order")
    binance.place_oco(stop(price_protect=True))
    assert stub.to("POST v1/algoOrder")[-1].parameters == one | {"priceProtect": "TRUE"}


@pytest.mark.parametrize("request_of", [
    lambda c: c.place_oco(stop(tp_trigger=D(70000))),
    lambda c: c.place_oco(stop(sl_trigger=None)),
    lambda c: c.place_oco(stop(trigger_by=TriggerBy.INDEX)),
    lambda c: c.place(entry(attached=net())),
    lambda c: c.place(entry(kind=OrderKind.LIMIT)),
    lambda c: c.place(entry(kind=OrderKind.OCO, price=D(1))),
    lambda c: c.amend(AmendOrder("00a7k2", parse_algo(payload("open_algos")[0]), sl_trigger=D(1))),
])  # fmt: skip
def test_what_binance_does_not_have_is_not_sent(binance: BinanceClient, stub: Stub, request_of: Any) -> None:
    with pytest.raises(Misconfigured):
        request_of(binance)
    assert not [request for request in stub.asked if request.endpoint.startswith(("POST", "PUT"))]


# -- before the first entry


def test_margin_and_collateral_are_made_sure_of_once(binance: BinanceClient, stub: Stub) -> None:
    with_config(stub, multiAssetsMargin=True)
    stub.answer("POST v1/multiAssetsMargin", {"code": 200, "msg": "success"})
    stub.answer("POST v1/marginType", {"code": 200, "msg": "success"})
    stub.answer("POST v1/order", "placed")
    binance.place(entry(symbol="ETH-USDT-PERP"))
    binance.place(entry(symbol="ETH-USDT-PERP"))
    assert stub.only("POST v1/multiAssetsMargin").parameters == {"multiAssetsMargin": "false"}
    assert stub.only("POST v1/marginType").parameters == {"symbol": "ETHUSDT", "marginType": "CROSSED"}
    assert len(stub.to("POST v1/order")) == 2


def test_so_already_is_done(binance: BinanceClient, stub: Stub) -> None:
    with_config(stub, multiAssetsMargin=True)
    stub.answer("POST v1/multiAssetsMargin", refused(-4171, "No need to change Multi-Assets mode."))
    stub.answer("POST v1/marginType", refused(-4046, "No need to change margin type."))
    stub.answer("POST v1/order", "placed")
    binance.place(entry(symbol="ETH-USDT-PERP"))
    assert len(stub.to("POST v1/order")) == 1


def test_an_entry_is_not_sent_with_isolated_margin(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/marginType", refused(-4048, "Margin type cannot be changed if there exists position."))
    with pytest.raises(Refused) as caught:
        binance.place(entry(symbol="ETH-USDT-PERP"))
    assert caught.value.exchange_code == "-4048"
    assert not stub.to("POST v1/order")


def test_silence_about_a_setting_is_a_passing_refusal_of_the_order(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/marginType", refused(-1007, "Timeout waiting for response from backend server.", 408))
    with pytest.raises(Refused) as caught:
        binance.place(entry(symbol="ETH-USDT-PERP"))
    assert caught.value.transient
    assert not stub.to("POST v1/order")


def test_what_closes_or_protects_asks_about_no_setting(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/order", "placed")
    stub.answer("POST v1/algoOrder", "placed_algo")
    binance.place(close(symbol="ETH-USDT-PERP"))
    binance.place_oco(stop(symbol="ETH-USDT-PERP"))
    assert not stub.to("GET v1/symbolConfig")


# -- settings


def test_hedge_mode(one_way: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/positionSide/dual", {"code": 200, "msg": "success"})
    one_way.set_hedge_mode()
    assert stub.only("POST v1/positionSide/dual").parameters == {"dualSidePosition": "true"}


def test_hedge_mode_that_is_there_already(binance: BinanceClient, stub: Stub) -> None:
    binance.set_hedge_mode()
    assert not stub.to("POST v1/positionSide/dual")


@pytest.mark.parametrize(("code", "ends"), [(-4059, None), (-4067, Refused), (-4068, Refused), (-4531, Refused)])
def test_hedge_mode_by_its_answers(one_way: BinanceClient, stub: Stub, code: Any, ends: Any) -> None:
    stub.answer("POST v1/positionSide/dual", refused(code))
    if ends is None:
        one_way.set_hedge_mode()
        return
    with pytest.raises(ends) as caught:
        one_way.set_hedge_mode()
    assert caught.value.transient == (code == -4531)


def leverage(symbol: str, value: Any) -> Any:
    return [{"symbol": symbol, "marginType": "CROSSED", "leverage": value, "maxNotionalValue": "1"}]


def test_leverage_is_set_where_it_differs_and_read_back(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/symbolConfig", leverage("BTCUSDT", 10), leverage("BTCUSDT", 7))
    stub.answer("POST v1/leverage", {"leverage": 7, "maxNotionalValue": "1", "symbol": "BTCUSDT"})
    binance.set_leverage(BTC, D("7"))
    assert stub.only("POST v1/leverage").parameters == {"symbol": "BTCUSDT", "leverage": "7"}
    binance.set_leverage(BTC, D("7.0"))
    assert len(stub.to("POST v1/leverage")) == 1


@pytest.mark.parametrize(("story", "reply", "config", "asked", "ends"), [
    ("it did not take", {"leverage": 7}, [leverage("BTCUSDT", 10)], "7", Refused),
    ("half a number", {}, [leverage("BTCUSDT", 10)], "2.5", Refused),
    ("too much", refused(-4028), [leverage("BTCUSDT", 10)], "200", Refused),
    ("so already", refused(-4028), [leverage("BTCUSDT", 10), leverage("BTCUSDT", 7)], "7", None),
    ("no read back", {"leverage": 7}, [leverage("BTCUSDT", 10), refused(-1003, status=429)], "7", OutcomeUnknown),
])  # fmt: skip
def test_leverage_by_its_answers(
    binance: BinanceClient, stub: Stub, story: str, reply: Any, config: Any, asked: Any, ends: Any
) -> None:
    stub.answer("GET v1/symbolConfig", *config)
    stub.answer("POST v1/leverage", reply)
    if ends is None:
        binance.set_leverage(BTC, D(asked))
        return
    with pytest.raises(ends):
        binance.set_leverage(BTC, D(asked))


def test_leverage_of_a_position_is_remembered_until_somebody_changes_it(binance: BinanceClient, stub: Stub) -> None:
    rows = [row for row in payload("position_risk") if row["symbol"] == "BTCUSDT"]
    stub.answer("GET v3/positionRisk", rows)
    stub.answer("GET v1/userTrades", "user_trades")
    assert [binance.positions()[0].leverage for _ in range(3)] == [10, 10, 10]
    assert len(stub.to("GET v1/symbolConfig")) == 1
    stub.answer("GET v1/symbolConfig", leverage("BTCUSDT", 3))
    binance.forget_settings(BTC)
    assert binance.positions()[0].leverage == 3


# -- changes and cancels


def test_a_change_says_size_and_price_whatever_changes(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("PUT v1/order", "placed")
    order = parse_order(payload("open_orders")[0])
    binance.amend(AmendOrder("00a7k2", order, price=D("63999.90")))
    binance.amend(AmendOrder("00a7k2", order.but(exchange_order_id=""), quantity=D("0.015")))
    one, other = (request.parameters for request in stub.to("PUT v1/order"))
    assert one == {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "63999.9", "orderId": "8886780"}
    assert (other["quantity"], other["price"]) == ("0.015", "64000")
    assert (other["origClientOrderId"], "orderId" in other) == ("op00a7k203E02", False)


def test_nothing_to_change_is_done(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("PUT v1/order", refused(-5027, "No need to modify the order."))
    binance.amend(AmendOrder("00a7k2", parse_order(payload("open_orders")[0]), price=D(64000)))


def test_a_change_of_what_has_ended_is_refused(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("PUT v1/order", refused(-2013, "Order does not exist."))
    with pytest.raises(Refused):
        binance.amend(AmendOrder("00a7k2", parse_order(payload("open_orders")[0]), price=D(64000)))


def test_an_ordinary_cancel(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("DELETE v1/order", "placed")
    order = parse_order(payload("open_orders")[0])
    binance.cancel(CancelOrder("00a7k2", order))
    binance.cancel(CancelOrder("00a7k2", order.but(exchange_order_id="")))
    assert [request.parameters for request in stub.to("DELETE v1/order")] == [
        {"symbol": "BTCUSDT", "orderId": "8886780"},
        {"symbol": "BTCUSDT", "origClientOrderId": "op00a7k203E02"},
    ]


def test_a_conditional_cancel_goes_by_our_name(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("DELETE v1/algoOrder", "canceled_algo")
    order = parse_algo(payload("open_algos")[0])
    binance.cancel(CancelOrder("00a7k2", order))
    binance.cancel(CancelOrder("00a7k2", order.but(client_order_id="")))
    assert [request.parameters for request in stub.to("DELETE v1/algoOrder")] == [
        {"clientAlgoId": "op00a7k203S01"},
        {"algoId": "3000001400283750"},
    ]
    assert not stub.to("DELETE v1/order")


def test_one_that_was_set_off_is_cancelled_through_its_child(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("DELETE v1/order", "placed")
    order = parse_algo(payload("open_algos")[0]).but(child_order_ids=("8886999",))
    binance.cancel(CancelOrder("00a7k2", order))
    assert stub.only("DELETE v1/order").parameters == {"symbol": "BTCUSDT", "orderId": "8886999"}
    assert not stub.to("DELETE v1/algoOrder")


def test_and_so_is_one_of_which_we_had_not_heard_yet(binance: BinanceClient, stub: Stub) -> None:
    set_off = {**payload("open_algos")[0], "algoStatus": "TRIGGERED", "actualOrderId": "8886999"}
    child = {**payload("order"), "orderId": 8886999, "status": "NEW", "executedQty": "0", "side": "SELL"}
    stub.answer("DELETE v1/algoOrder", refused(-2011, "Unknown order sent."))
    stub.answer("GET v1/algoOrder", set_off)
    stub.answer("GET v1/order", child)
    stub.answer("DELETE v1/order", "placed")
    binance.cancel(CancelOrder("00a7k2", parse_algo(payload("open_algos")[0])))
    assert stub.only("DELETE v1/order").parameters == {"symbol": "BTCUSDT", "orderId": "8886999"}


def test_a_cancel_of_what_nobody_knows_is_done(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("DELETE v1/order", refused(-2011, "Unknown order sent."))
    stub.answer("DELETE v1/algoOrder", refused(-2011, "Unknown order sent."))
    stub.answer("GET v1/algoOrder", refused(-2013, "Order does not exist."))
    stub.answer("GET v1/openAlgoOrders", [])
    binance.cancel(CancelOrder("00a7k2", parse_order(payload("open_orders")[0])))
    binance.cancel(CancelOrder("00a7k2", parse_algo(payload("open_algos")[0])))


# -- the stream's key, and when we last wrote


def test_the_key_of_the_stream(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("POST v1/listenKey", {"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"})
    stub.answer("PUT v1/listenKey", {}, refused(-1125, "This listenKey does not exist."))
    key = binance.make_listen_key()
    binance.renew_listen_key(key)
    made, renewed = stub.only("POST v1/listenKey"), stub.only("PUT v1/listenKey")
    assert made.headers["X-MBX-APIKEY"] == KEY
    assert (made.stamp, renewed.stamp, renewed.parameters) == ({}, {}, {"listenKey": key})
    with pytest.raises(Exception, match="does not exist") as caught:
        binance.renew_listen_key(key)
    assert caught.value.exchange_code == "-1125"
    assert key not in str(caught.value)


def test_the_time_of_the_newest_write_is_from_before_it_was_sent(
    binance: BinanceClient, stub: Stub, clock: Time
) -> None:
    assert binance.last_write is None
    stub.answer("POST v1/order", refused(-2019, "Margin is insufficient."), "placed")
    with pytest.raises(Refused):
        binance.place(entry())
    assert binance.last_write is None
    clock.passed = 60
    began = clock.now()
    binance.place(entry(purpose=Purpose.ENTRY))
    assert binance.last_write == began
