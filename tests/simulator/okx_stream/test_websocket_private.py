"""What the private streams tell: orders, algos, positions, balance."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from tests.simulator.okx.client import BTC, ETH, OkxClient
from tests.simulator.okx_stream.socket import OkxSocket
from tests.simulator.words import RESTING, STOP
from tests.simulator_process import SimulatorProcess

EVENTS_ONLY = '{"updateInterval":"0"}'


# -- orders and algos


def test_orders_have_no_snapshot_and_tell_each_change(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    okx.order(BTC, "buy", "long", "1", clOrdId="before", **RESTING)
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    okx.order(BTC, "buy", "long", "2", clOrdId="after", **RESTING)
    live = connection.push("orders")
    expected = {"clOrdId": "after", "state": "live", "avgPx": "0", "accFillSz": "0", "fillSz": "0", "sz": "2"}
    assert {name: live[name] for name in expected} == expected
    sim.price(BTC, "98900")
    filled = connection.push("orders", clOrdId="after", state="filled")
    assert (filled["accFillSz"], filled["fillSz"], filled["execType"]) == ("2", "2", "M")
    assert Decimal(filled["avgPx"]) == 99000
    assert Decimal(filled["fillFee"]) == Decimal("-0.396")
    extra = "fillPnl fillFeeCcy fillTime tradeId amendResult amendSource reqId code msg notionalUsd lastPx"
    assert set(extra.split()) <= set(filled)


def test_an_amend_and_a_cancel_are_pushed(okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP", instId=BTC)
    order_id = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    okx.post("trade/amend-order", {"instId": BTC, "ordId": order_id, "newPx": "98000", "reqId": "r1"})
    amended = connection.push("orders", reqId="r1")
    assert (amended["amendResult"], amended["px"], amended["state"]) == ("0", "98000", "live")
    okx.post("trade/cancel-order", {"instId": BTC, "ordId": order_id})
    assert connection.push("orders", state="canceled")["cancelSource"] == "1"


def test_orders_of_another_instrument_are_not_pushed_to_a_narrow_subscription(
    okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP", instId=BTC)
    okx.order(ETH, "buy", "long", "1", ordType="limit", px="3450")
    okx.order(BTC, "buy", "long", "1", **RESTING)
    assert connection.push("orders")["instId"] == BTC


def test_a_post_only_order_that_would_take_is_pushed_as_canceled_only(
    okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    okx.order(BTC, "buy", "long", "1", ordType="post_only", px="100500", clOrdId="crosses")
    okx.order(BTC, "buy", "long", "1", clOrdId="barrier", **RESTING)
    connection.push("orders", clOrdId="barrier")
    pushed = [row["state"] for m in connection.seen for row in m.get("data", []) if row["clOrdId"] == "crosses"]
    assert pushed == ["canceled"]


def test_a_push_can_come_before_the_reply(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"method": "POST", "path": "trade/order"}, "kind": "slow", "seconds": 1, "count": 1})
    with ThreadPoolExecutor(1) as threads:
        reply = threads.submit(okx.order, BTC, "buy", "long", "1")
        connection.push("orders", state="filled")
        assert not reply.done()
        assert reply.result().row["sCode"] == "0"


def test_algos_are_pushed_on_business_without_a_snapshot(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    okx.order(BTC, "buy", "long", "2")
    okx.algo(BTC, "sell", "long", "conditional", sz="1", algoClOrdId="before", slTriggerPx="94000", slOrdPx="-1")
    connection = socket("business")
    connection.subscribe("orders-algo", instType="SWAP")
    okx.algo(BTC, "sell", "long", "conditional", sz="1", algoClOrdId="guard1", **STOP)
    assert connection.push("orders-algo")["algoClOrdId"] == "guard1"
    okx.post("trade/amend-algos", {"instId": BTC, "algoClOrdId": "guard1", "newSlTriggerPx": "96000"})
    assert connection.push("orders-algo", algoClOrdId="guard1", slTriggerPx="96000")["state"] == "live"
    sim.price(BTC, "95900")
    fired = connection.push("orders-algo", algoClOrdId="guard1", state="effective")
    assert {"notionalUsd", "amendResult", "reqId", "actualSide"} <= set(fired)
    okx.post("trade/cancel-algos", [{"instId": BTC, "algoClOrdId": "before"}])
    connection.push("orders-algo", algoClOrdId="before", state="canceled")


def test_trailing_stops_are_pushed_on_their_own_channel(okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    okx.order(BTC, "buy", "long", "2")
    connection = socket("business")
    assert connection.subscribe("algo-advance", instType="SWAP")["event"] == "subscribe"
    okx.algo(BTC, "sell", "long", "move_order_stop", sz="1", algoClOrdId="trail", callbackRatio="0.05")
    assert connection.push("algo-advance", algoClOrdId="trail")["state"] == "live"


# -- positions and the account


def test_positions_begin_with_a_snapshot_and_go_on_with_events(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    okx.order(ETH, "buy", "long", "1")
    connection = socket("private")
    connection.subscribe("positions", instType="SWAP", extraParams=EVENTS_ONLY)
    snapshot = connection.until(lambda message: "data" in message)
    assert (snapshot["eventType"], snapshot["curPage"], snapshot["lastPage"]) == ("snapshot", 1, True)
    assert [row["instId"] for row in snapshot["data"]] == [ETH]
    okx.order(BTC, "buy", "long", "2")
    event = connection.until(lambda message: any(row["instId"] == BTC for row in message.get("data", [])))
    assert event["eventType"] == "event_update"


def test_a_close_is_pushed_with_size_zero_and_the_average_left_as_it_was(
    okx: OkxClient, socket: Callable[..., OkxSocket], enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "2", "99000")
    connection = socket("private")
    connection.subscribe("positions", instType="SWAP", extraParams=EVENTS_ONLY)
    connection.push("positions", instId=BTC, pos="2")
    okx.order(BTC, "sell", "long", "2")
    gone = connection.push("positions", instId=BTC, pos="0")
    assert Decimal(gone["avgPx"]) == 99000


def test_the_closing_push_can_be_switched_off(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    sim.switches(flat_push=False)
    okx.order(BTC, "buy", "long", "2")
    connection = socket("private")
    connection.subscribe("positions", instType="SWAP", extraParams=EVENTS_ONLY)
    connection.push("positions", instId=BTC)
    okx.order(BTC, "sell", "long", "2")
    okx.order(ETH, "buy", "long", "1")
    connection.push("positions", instId=ETH, pos="1")
    assert not [row for message in connection.seen for row in message.get("data", []) if row["pos"] == "0"]


def test_periodic_pushes_hold_no_flat_rows(okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    okx.order(BTC, "buy", "long", "2")
    okx.order(BTC, "sell", "long", "2")
    okx.order(ETH, "buy", "long", "1")
    connection = socket("private")
    connection.subscribe("positions", instType="SWAP", extraParams='{"updateInterval":"2000"}')
    for _ in range(2):
        message = connection.until(lambda message: "data" in message)
        assert [(row["instId"], row["pos"]) for row in message["data"]] == [(ETH, "1")]


def test_the_account_is_pushed_after_a_fill(okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("account")
    assert Decimal(connection.push("account")["details"][0]["eq"]) == 10000
    okx.order(BTC, "buy", "long", "2")
    changed = connection.until(lambda m: "data" in m and Decimal(m["data"][0]["details"][0]["cashBal"]) < 10000)
    assert changed["data"][0]["details"][0]["ccy"] == "USDT"


def test_balance_and_position_tell_what_happened(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("private")
    connection.subscribe("balance_and_position")
    assert connection.push("balance_and_position")["eventType"] == "snapshot"
    okx.order(BTC, "buy", "long", "2")
    filled = connection.push("balance_and_position", eventType="filled")
    assert [(row["instId"], row["pos"]) for row in filled["posData"]] == [(BTC, "2")]
    assert filled["balData"][0]["ccy"] == "USDT"
    sim.clock(8 * 3600 + 1)
    connection.push("balance_and_position", eventType="funding_fee")
    sim.intervene("liquidate", instId=BTC, posSide="long")
    connection.push("balance_and_position", eventType="liquidation")
