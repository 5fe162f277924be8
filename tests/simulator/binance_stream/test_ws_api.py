"""Binance's trading API over a websocket: the calls of REST in its envelopes, its signatures and its limits."""

import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from tests.simulator.binance.algo import listed
from tests.simulator.binance.client import BinanceClient
from tests.simulator.binance_stream.socket import BinanceSocket
from tests.simulator_process import SimulatorProcess

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "positionSide": "LONG", "type": "LIMIT", "timeInForce": "GTC",
         "quantity": "0.010", "price": "99000"}  # fmt: skip


@pytest.fixture
def api(sim: SimulatorProcess) -> Iterator[BinanceSocket]:
    with BinanceSocket(sim.ws_url, "ws-fapi/v1") as socket:
        yield socket


def test_public_calls_need_no_key(api: BinanceSocket) -> None:
    reply = api.request("depth", symbol="BTCUSDT", limit=5)
    assert (reply["status"], len(reply["result"]["bids"])) == (200, 5)
    assert {row["rateLimitType"] for row in reply["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS"}
    assert api.request("ticker.book", symbol="BTCUSDT")["result"]["symbol"] == "BTCUSDT"


def test_an_order_is_placed_changed_found_and_cancelled(
    sim: SimulatorProcess, binance: BinanceClient, api: BinanceSocket
) -> None:
    placed = api.request("order.place", sim.binance, **LIMIT, newClientOrderId="w-1")
    assert (placed["status"], placed["result"]["status"]) == (200, "NEW")
    assert "avgPrice" not in placed["result"]
    which = {"symbol": "BTCUSDT", "origClientOrderId": "w-1"}
    changed = api.request("order.modify", sim.binance, **which, side="BUY", quantity="0.020", price="99000")
    assert changed["result"]["origQty"] == "0.020"
    assert api.request("order.status", sim.binance, **which)["result"]["avgPrice"] == "0.00000"
    assert api.request("order.cancel", sim.binance, **which)["result"]["status"] == "CANCELED"
    refused = api.request("order.cancel", sim.binance, **which)
    assert (refused["status"], refused["error"]["code"]) == (400, -2011)


def test_conditional_orders_have_methods_of_their_own(
    sim: SimulatorProcess, binance: BinanceClient, api: BinanceSocket
) -> None:
    asked = {"symbol": "BTCUSDT", "side": "SELL", "positionSide": "LONG", "type": "STOP_MARKET", "quantity": "0.010"}
    assert api.request("order.place", sim.binance, **asked)["error"]["code"] == -4120
    placed = api.request(
        "algoOrder.place", sim.binance, **asked, algoType="CONDITIONAL", triggerPrice="99000", clientAlgoId="s-1"
    )
    assert placed["result"]["algoStatus"] == "NEW"
    assert listed(binance) == ["s-1"]
    gone = api.request("algoOrder.cancel", sim.binance, algoId=placed["result"]["algoId"])
    assert gone["result"]["code"] == "200"


def test_the_account_is_answered(sim: SimulatorProcess, binance: BinanceClient, api: BinanceSocket) -> None:
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    positions = api.request("v2/account.position", sim.binance)["result"]
    assert {row["positionSide"]: row["positionAmt"] for row in positions}["LONG"] == "0.010"
    assert {row["asset"] for row in api.request("v2/account.balance", sim.binance)["result"]} == {"USDT", "BNB"}
    assert "totalWalletBalance" in api.request("account.status", sim.binance)["result"]


def test_the_listen_key_is_the_one_of_rest(sim: SimulatorProcess, binance: BinanceClient, api: BinanceSocket) -> None:
    made = api.request("userDataStream.start", apiKey=sim.binance["api_key"])["result"]["listenKey"]
    assert binance.send("POST", "v1/listenKey").ok["listenKey"] == made
    assert api.request("userDataStream.ping", apiKey=sim.binance["api_key"])["result"] == {"listenKey": made}
    assert api.request("userDataStream.stop", apiKey=sim.binance["api_key"])["result"] == {}


def test_who_is_let_in(sim: SimulatorProcess, api: BinanceSocket) -> None:
    keys = sim.binance
    assert api.request("order.place", keys, secret="wrong", **LIMIT)["error"]["code"] == -1022
    stranger = {"api_key": "x" * 64, "secret": "y"}
    unknown = api.request("order.place", stranger, **LIMIT)
    assert (unknown["status"], unknown["error"]["code"]) == (401, -2015)
    assert api.request("order.place", None, **LIMIT)["error"]["code"] == -2014
    assert api.request("order.place", keys, **LIMIT, timestamp=str(int(time.time() * 1000)))["error"]["code"] == -1102
    late = int(time.time() * 1000) - 20_000
    assert api.request("order.place", keys, **LIMIT, timestamp=late)["error"]["code"] == -1021
    assert api.request("session.logon", keys)["error"]["code"] == -1022
    assert api.request("session.status")["result"]["apiKey"] is None


@pytest.mark.parametrize("asked", ["{", "[]", {"id": 1}, {"id": 1, "method": "depth", "params": []}])
def test_what_makes_no_sense_is_answered_without_an_id(api: BinanceSocket, asked: object) -> None:
    api.send(asked)
    reply = api.receive()
    assert (reply["id"], reply["status"]) == (None, 400)


def test_there_are_no_other_methods(api: BinanceSocket) -> None:
    assert api.request("order.dream")["error"]["code"] == -1000


def test_weight_and_orders_are_those_of_rest(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(rate_limits=True, binance_orders_10s=2)
    before = int(binance.get("v1/openOrders", symbol="BTCUSDT").headers["X-MBX-USED-WEIGHT-1M"])
    with BinanceSocket(sim.ws_url, "ws-fapi/v1") as api:
        reply = api.request("order.place", sim.binance, **LIMIT)
        counts = {(row["rateLimitType"], row["interval"]): row["count"] for row in reply["rateLimits"]}
        assert counts["REQUEST_WEIGHT", "MINUTE"] == before + 5 + 1
        assert counts["ORDERS", "SECOND"] == 1
        api.request("order.place", sim.binance, **LIMIT)
        refused = api.request("order.place", sim.binance, **LIMIT)
        assert (refused["status"], refused["error"]["code"]) == (429, -1015)
    sim.switches(binance_weight_limit=before)
    with pytest.raises(InvalidStatus):
        BinanceSocket(sim.ws_url, "ws-fapi/v1")


def test_an_unknown_outcome_and_a_lost_answer(
    sim: SimulatorProcess, binance: BinanceClient, api: BinanceSocket
) -> None:
    unknown = {"kind": "code", "code": "-1007", "http": 503, "executed": True}
    sim.faults(unknown | {"match": {"op": "order.place"}, "count": 1})
    reply = api.request("order.place", sim.binance, **LIMIT, newClientOrderId="u-1")
    assert (reply["status"], reply["error"]["code"]) == (503, -1007)
    assert binance.find("BTCUSDT", origClientOrderId="u-1")["status"] == "NEW"
    sim.faults({"kind": "lost_after", "match": {"clOrdId": "u-2"}, "count": 1})
    api.send({"id": "r-2", "method": "depth", "params": {"symbol": "BTCUSDT"}})
    api.receive()
    with pytest.raises(Exception, match=r"1001|closed"):
        api.request("order.place", sim.binance, **LIMIT, newClientOrderId="u-2")
    assert binance.find("BTCUSDT", origClientOrderId="u-2")["status"] == "NEW"
