"""Plain Binance orders: placed, answered, found, changed, cancelled, counted down; what ids promise and what not."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.binance.client import BTCUSDT, ETHUSDT, BinanceClient, Reply
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

DAY_SECONDS = 86_400


def rest(client: BinanceClient, quantity: str = "0.01", price: str | None = "99000", **more: Any) -> Any:
    """A resting buy that opens a long; the body of its answer."""
    return client.limit(BTCUSDT, "BUY", "LONG", quantity, price, **more).ok


# -- answers


def test_acknowledged_as_new_or_answered_with_the_result(binance: BinanceClient) -> None:
    acknowledged = binance.market(BTCUSDT, "BUY", "LONG", "0.01", newOrderRespType="ACK").ok
    assert (acknowledged["status"], acknowledged["executedQty"]) == ("NEW", "0.000")
    assert binance.find(BTCUSDT, orderId=acknowledged["orderId"])["status"] == "FILLED"
    result = binance.market(BTCUSDT, "BUY", "LONG", "0.01").ok
    assert (result["status"], result["executedQty"]) == ("FILLED", "0.010")


def test_answers_to_writes_have_no_average_price_unless_switched_to_the_old_form(
    sim: SimulatorProcess, binance: BinanceClient
) -> None:
    placed = binance.market(BTCUSDT, "BUY", "LONG", "0.01").ok
    assert not {"avgPrice", "cumQuote", "time"} & set(placed)
    assert set(placed) == {
        "orderId", "clientOrderId", "symbol", "side", "positionSide", "type", "origType", "status", "timeInForce",
        "price", "origQty", "executedQty", "cumQty", "stopPrice", "reduceOnly", "closePosition", "workingType",
        "priceProtect", "priceMatch", "selfTradePreventionMode", "goodTillDate", "updateTime",
    }  # fmt: skip
    found = binance.find(BTCUSDT, orderId=placed["orderId"])
    assert (found["avgPrice"], found["cumQuote"], found["side"]) == ("100000.10000", "1000.00100", "BUY")
    sim.switches(binance_replies="old")
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01").ok["avgPrice"] == "100000.10000"


@pytest.mark.parametrize(("change", "code"), [
    ({"side": "HOLD"}, -1117), ({"type": "ICEBERG"}, -1116), ({"timeInForce": "GTX2"}, -1115),
    ({"positionSide": "UP"}, -4060), ({"newOrderRespType": "FULL"}, -1136), ({"timeInForce": None}, -1102),
    ({"newClientOrderId": "x" * 37}, -4015), ({"newClientOrderId": "a b"}, -4015),
    ({"selfTradePreventionMode": "MAYBE"}, -5039), ({"priceMatch": "BEST", "price": None}, -5037),
    ({"priceMatch": "QUEUE"}, -1106), ({"timeInForce": "GTD"}, -1102),
    ({"timeInForce": "GTD", "goodTillDate": "1"}, -5040),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(binance: BinanceClient, change: dict[str, Any], code: int) -> None:
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000", **change).code == code


@pytest.mark.parametrize(("name", "code"), [("price", -1106), ("timeInForce", -1114)])
def test_a_market_order_takes_neither_price_nor_time_in_force(binance: BinanceClient, name: str, code: int) -> None:
    value = {"price": "100000", "timeInForce": "GTC"}[name]
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01", **{name: value}).code == code


@pytest.mark.parametrize("kind", ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
def test_conditional_orders_have_no_place_here(binance: BinanceClient, kind: str) -> None:
    base = {"symbol": BTCUSDT, "side": "SELL", "positionSide": "LONG", "type": kind, "quantity": "0.01"}
    refused = binance.post("v1/order", **base, stopPrice="95000")
    assert (refused.http, refused.code) == (400, -4120)
    batch = binance.post("v1/batchOrders", batchOrders=json.dumps([base | {"stopPrice": "95000"}]))
    assert batch.ok[0]["code"] == -4120


# -- filling


def test_a_resting_order_fills_at_its_price_as_maker(sim: SimulatorProcess, binance: BinanceClient) -> None:
    placed = rest(binance)
    sim.price(BTC, "98900")
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "FILLED"
    trade = binance.get("v1/userTrades", symbol=BTCUSDT).ok[0]
    assert (trade["price"], trade["qty"], trade["maker"], trade["buyer"]) == ("99000.00", "0.010", True, True)
    assert (trade["commission"], trade["commissionAsset"]) == ("0.19800000", "USDT")


def test_partial_fills(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.faults({"match": {"path": "v1/order"}, "kind": "partial_fill", "fraction": "0.4", "rest": "work", "count": 1})
    placed = binance.market(BTCUSDT, "BUY", "LONG", "0.01").ok
    assert (placed["status"], placed["executedQty"]) == ("PARTIALLY_FILLED", "0.004")
    sim.clock(2)
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "FILLED"
    assert [row["qty"] for row in binance.get("v1/userTrades", symbol=BTCUSDT).ok] == ["0.004", "0.006"]


def test_immediate_or_cancel_and_fill_or_kill(binance: BinanceClient) -> None:
    ioc = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000", timeInForce="IOC", newOrderRespType="RESULT").ok
    assert (ioc["status"], ioc["executedQty"]) == ("EXPIRED", "0.000")
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000", timeInForce="FOK").code == -5021
    taken = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "100100", timeInForce="FOK", newOrderRespType="RESULT").ok
    assert taken["status"] == "FILLED"


def test_post_only_is_refused_or_expires(sim: SimulatorProcess, binance: BinanceClient) -> None:
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "100100", timeInForce="GTX").code == -5022
    sim.switches(binance_post_only="expire")
    placed = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "100100", timeInForce="GTX").ok
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "EXPIRED"
    assert rest(binance, timeInForce="GTX")["status"] == "NEW"


def test_good_till_a_date(sim: SimulatorProcess, binance: BinanceClient) -> None:
    now = binance.public("v1/time")["serverTime"]
    placed = rest(binance, timeInForce="GTD", goodTillDate=now + 700_500)
    assert placed["goodTillDate"] == (now + 700_500) // 1000 * 1000
    sim.clock(690)
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "NEW"
    sim.clock(20)
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "EXPIRED"


@pytest.mark.parametrize(("match", "price"), [
    ("OPPONENT", "100000.10"), ("QUEUE", "99999.90"), ("QUEUE_5", "99999.50"),
])  # fmt: skip
def test_price_match(binance: BinanceClient, match: str, price: str) -> None:
    placed = rest(binance, price=None, priceMatch=match)
    assert (placed["price"], placed["priceMatch"]) == (price, match)


def test_margin_and_the_cap_of_a_leverage(binance: BinanceClient) -> None:
    assert binance.market(BTCUSDT, "BUY", "LONG", "50").code == -2019
    binance.post("v1/leverage", symbol=BTCUSDT, leverage=125)
    assert binance.market(BTCUSDT, "BUY", "LONG", "1").code == -2027


def test_an_order_that_is_only_tried(binance: BinanceClient) -> None:
    asked = {"symbol": BTCUSDT, "side": "BUY", "positionSide": "LONG", "type": "MARKET", "quantity": "0.01"}
    assert binance.post("v1/order/test", **asked).ok == {}
    assert binance.post("v1/order/test", **asked | {"quantity": "0.00001"}).code == -1111
    assert binance.get("v1/allOrders", symbol=BTCUSDT).ok == []


# -- ids


def test_a_client_id_is_unique_among_open_orders_only(binance: BinanceClient) -> None:
    rest(binance, newClientOrderId="same")
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "98000", newClientOrderId="same").code == -4116
    binance.delete("v1/order", symbol=BTCUSDT, origClientOrderId="same")
    for _ in range(2):
        assert binance.market(BTCUSDT, "BUY", "LONG", "0.01", newClientOrderId="same").ok["status"] == "FILLED"
    assert binance.risk(BTCUSDT, "LONG")["positionAmt"] == "0.020"


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "x" * 36])
def test_client_ids_that_are_taken(binance: BinanceClient, name: Any) -> None:
    assert rest(binance, newClientOrderId=name)["clientOrderId"] == name
    assert binance.find(BTCUSDT, origClientOrderId=name)["clientOrderId"] == name


def test_an_order_without_a_client_id_is_given_one(binance: BinanceClient) -> None:
    name = rest(binance)["clientOrderId"]
    assert binance.find(BTCUSDT, origClientOrderId=name)["clientOrderId"] == name


def test_what_is_not_there(binance: BinanceClient) -> None:
    assert binance.delete("v1/order", symbol=BTCUSDT, orderId=1).code == -2011
    assert binance.get("v1/order", symbol=BTCUSDT, orderId=1).code == -2013
    assert binance.get("v1/openOrder", symbol=BTCUSDT, origClientOrderId="nobody").code == -2013
    assert binance.get("v1/order", symbol=BTCUSDT).code == -1102
    filled = binance.market(BTCUSDT, "BUY", "LONG", "0.01").ok["orderId"]
    assert binance.delete("v1/order", symbol=BTCUSDT, orderId=filled).code == -2011
    assert binance.get("v1/openOrder", symbol=BTCUSDT, orderId=filled).code == -2013
    assert binance.get("v1/order", symbol=ETHUSDT, orderId=filled).code == -2013


def test_an_accepted_order_may_not_be_found_for_a_moment(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_hidden_seconds=5)
    placed = rest(binance, newClientOrderId="soon")
    assert binance.get("v1/order", symbol=BTCUSDT, origClientOrderId="soon").code == -2013
    assert binance.delete("v1/order", symbol=BTCUSDT, origClientOrderId="soon").code == -2011
    assert binance.get("v1/openOrders").ok == []
    sim.clock(6)
    assert binance.find(BTCUSDT, origClientOrderId="soon")["orderId"] == placed["orderId"]
    sim.switches(binance_hidden_seconds=0)
    sim.faults({"match": {"clOrdId": "later"}, "kind": "not_found", "seconds": 3, "count": 1})
    rest(binance, newClientOrderId="later-1")
    assert binance.get("v1/order", symbol=BTCUSDT, origClientOrderId="later-1").code == -2013


def test_unfilled_orders_are_forgotten_after_three_days(sim: SimulatorProcess, binance: BinanceClient) -> None:
    cancelled = rest(binance)["orderId"]
    binance.delete("v1/order", symbol=BTCUSDT, orderId=cancelled)
    filled = binance.market(BTCUSDT, "BUY", "LONG", "0.01").ok["orderId"]
    sim.clock(3 * DAY_SECONDS + 60)
    assert binance.get("v1/order", symbol=BTCUSDT, orderId=cancelled).code == -2013
    assert binance.find(BTCUSDT, orderId=filled)["status"] == "FILLED"
    sim.switches(binance_retention=False)
    assert binance.find(BTCUSDT, orderId=cancelled)["status"] == "CANCELED"


# -- changing


def change(client: BinanceClient, order: Any, quantity: str, price: str, **more: Any) -> Reply:
    which = {"symbol": BTCUSDT, "orderId": order["orderId"], "side": "BUY"}
    return client.put("v1/order", **which, quantity=quantity, price=price, **more)


def test_an_order_is_changed_in_place(binance: BinanceClient) -> None:
    placed = rest(binance)
    changed = change(binance, placed, "0.02", "99500").ok
    assert (changed["orderId"], changed["origQty"], changed["price"]) == (placed["orderId"], "0.020", "99500.00")
    assert change(binance, placed, "0.02", "99500").code == -5027
    assert change(binance, placed, "0.02", "99500.05").code == -4014
    assert change(binance, placed, "0.0201", "99500").code == -1111
    assert change(binance, {"orderId": 1}, "0.02", "99400").code == -2013
    history = binance.get("v1/orderAmendment", symbol=BTCUSDT, orderId=placed["orderId"]).ok
    assert history[0]["amendment"]["origQty"] == {"before": "0.01", "after": "0.02"}


def test_a_change_below_what_is_filled_or_across_the_book_cancels(
    sim: SimulatorProcess, binance: BinanceClient
) -> None:
    sim.faults({"match": {"path": "v1/order"}, "kind": "partial_fill", "fraction": "0.5", "rest": "work", "count": 1})
    sim.switches(order_delay_seconds=0)
    partly = binance.limit(BTCUSDT, "BUY", "LONG", "0.02", "100100").ok
    cancelled = change(binance, partly, "0.01", "100000").ok
    assert (cancelled["status"], cancelled["executedQty"]) == ("CANCELED", "0.010")
    maker = rest(binance, timeInForce="GTX")
    assert change(binance, maker, "0.01", "100100").ok["status"] in ("CANCELED", "EXPIRED")


def test_a_change_across_the_book_fills(binance: BinanceClient) -> None:
    placed = rest(binance)
    assert change(binance, placed, "0.01", "100100").ok["status"] == "FILLED"


def test_cancelling_all_of_a_symbol(binance: BinanceClient) -> None:
    for price in ("99000", "98000"):
        rest(binance, price=price)
    other = binance.limit(ETHUSDT, "BUY", "LONG", "0.01", "3400").ok["orderId"]
    assert binance.delete("v1/allOpenOrders", symbol=BTCUSDT).ok == {
        "code": 200, "msg": "The operation of cancel all open order is done."
    }  # fmt: skip
    assert [row["orderId"] for row in binance.get("v1/openOrders").ok] == [other]


def test_the_dead_mans_switch_of_one_symbol(sim: SimulatorProcess, binance: BinanceClient) -> None:
    rest(binance)
    kept = binance.limit(ETHUSDT, "BUY", "LONG", "0.01", "3400").ok["orderId"]
    for milliseconds in (10_000, 30_000):
        asked = binance.post("v1/countdownCancelAll", symbol=BTCUSDT, countdownTime=milliseconds)
        assert asked.ok == {"symbol": BTCUSDT, "countdownTime": str(milliseconds)}
    sim.clock(20)
    assert len(binance.get("v1/openOrders").ok) == 2
    sim.clock(11)
    assert [row["orderId"] for row in binance.get("v1/openOrders").ok] == [kept]


def test_a_stopped_countdown_does_nothing(sim: SimulatorProcess, binance: BinanceClient) -> None:
    rest(binance)
    binance.post("v1/countdownCancelAll", symbol=BTCUSDT, countdownTime=10_000)
    binance.post("v1/countdownCancelAll", symbol=BTCUSDT, countdownTime=0)
    sim.clock(60)
    assert len(binance.get("v1/openOrders").ok) == 1


# -- several at once


def test_each_order_of_a_batch_has_its_own_fate(binance: BinanceClient) -> None:
    binance.where = "body"
    order = {"symbol": BTCUSDT, "side": "BUY", "positionSide": "LONG", "type": "LIMIT", "timeInForce": "GTC"}
    asked = [order | {"quantity": "0.01", "price": "99000"}, order | {"quantity": "0.0001", "price": "99000"}]
    first, second = binance.post("v1/batchOrders", batchOrders=json.dumps(asked)).ok
    assert (first["status"], second["code"]) == ("NEW", -1111)
    assert binance.post("v1/batchOrders", batchOrders=json.dumps(asked * 3)).code == -4082
    cancelled = binance.delete("v1/batchOrders", symbol=BTCUSDT, orderIdList=json.dumps([first["orderId"], 7])).ok
    assert [row.get("status", row.get("code")) for row in cancelled] == ["CANCELED", -2011]


# -- lists


def test_lists_by_symbol_by_id_and_by_time(sim: SimulatorProcess, binance: BinanceClient) -> None:
    ids = []
    for step in range(5):
        ids.append(rest(binance, price=str(99000 - step))["orderId"])
        sim.clock(3600)
    binance.delete("v1/order", symbol=BTCUSDT, orderId=ids[0])
    assert [row["orderId"] for row in binance.get("v1/openOrders", symbol=BTCUSDT).ok] == ids[1:]
    assert binance.get("v1/openOrders", symbol=ETHUSDT).ok == []
    whole = binance.get("v1/allOrders", symbol=BTCUSDT).ok
    assert [row["orderId"] for row in whole] == ids
    later = binance.get("v1/allOrders", symbol=BTCUSDT, orderId=ids[2], limit=2).ok
    assert [row["orderId"] for row in later] == ids[2:4]
    second = whole[1]["time"]
    window = binance.get("v1/allOrders", symbol=BTCUSDT, startTime=second, endTime=second + 3_600_001).ok
    assert [row["orderId"] for row in window] == ids[1:3]
    assert [row["orderId"] for row in binance.get("v1/allOrders", symbol=BTCUSDT, limit=2).ok] == ids[3:]
    assert binance.get("v1/allOrders", symbol=BTCUSDT, startTime=1, endTime=second).http == 400


def test_trades_by_id_by_order_and_by_time(sim: SimulatorProcess, binance: BinanceClient) -> None:
    for _ in range(4):
        binance.market(BTCUSDT, "BUY", "LONG", "0.01")
        sim.clock(60)
    trades = binance.get("v1/userTrades", symbol=BTCUSDT).ok
    assert len({row["id"] for row in trades}) == 4
    assert binance.get("v1/userTrades", symbol=BTCUSDT, fromId=trades[1]["id"], limit=2).ok == trades[1:3]
    assert binance.get("v1/userTrades", symbol=BTCUSDT, orderId=trades[2]["orderId"]).ok == [trades[2]]
    assert binance.get("v1/userTrades", symbol=BTCUSDT, startTime=trades[3]["time"]).ok == [trades[3]]
    assert binance.get("v1/userTrades", symbol=BTCUSDT, fromId=1, startTime=trades[3]["time"]).code == -1128
    assert sum(Decimal(row["qty"]) for row in trades) == Decimal("0.04")
