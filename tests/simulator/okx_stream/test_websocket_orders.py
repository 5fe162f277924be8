"""Orders placed, amended and cancelled over the stream."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, OkxClient, order
from tests.simulator.okx_stream.socket import OkxSocket
from tests.simulator.words import RESTING
from tests.simulator_process import SimulatorProcess

# -- orders over the stream


@pytest.fixture
def codes(public: OkxClient) -> dict[str, Any]:
    return {row["instId"]: row["instIdCode"] for row in public.get("public/instruments", instType="SWAP").rows}


def over_the_wire(codes: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = order(BTC, "buy", "long", "1", **more)
    return {"instIdCode": codes[body.pop("instId")], **body}


def test_an_order_is_placed_amended_and_cancelled_over_the_stream(
    okx: OkxClient, socket: Callable[..., OkxSocket], codes: dict[str, Any]
) -> None:
    connection = socket("private")
    answer = connection.operation("order", over_the_wire(codes, clOrdId="wired", **RESTING))
    assert (answer["id"], answer["code"], answer["data"][0]["sCode"]) == ("7", "0", "0")
    assert {"inTime", "outTime"} <= set(answer)
    change = {"instIdCode": codes[BTC], "clOrdId": "wired", "newSz": "3"}
    assert connection.operation("amend-order", change)["data"][0]["sCode"] == "0"
    assert okx.find(BTC, clOrdId="wired")["sz"] == "3"
    which = {"instIdCode": codes[BTC], "ordId": answer["data"][0]["ordId"]}
    assert connection.operation("cancel-order", which)["data"][0]["sCode"] == "0"
    assert okx.find(BTC, clOrdId="wired")["state"] == "canceled"
    assert connection.operation("cancel-order", which)["data"][0]["sCode"] == "51400"


def test_a_batch_over_the_stream_tells_each_rows_fate(socket: Callable[..., OkxSocket], codes: dict[str, Any]) -> None:
    good, bad = over_the_wire(codes, **RESTING), over_the_wire(codes, **RESTING) | {"sz": "0.001"}
    answer = socket("private").operation("batch-orders", good, bad)
    assert (answer["code"], [row["sCode"] for row in answer["data"]]) == ("2", ["0", "51020"])


def test_orders_over_the_stream_need_the_instruments_code(okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    answer = socket("private").operation("order", order(BTC, "buy", "long", "1"))
    assert answer["code"] != "0"
    assert okx.positions() == []


def test_orders_over_the_stream_need_a_login(
    okx: OkxClient, socket: Callable[..., OkxSocket], codes: dict[str, Any]
) -> None:
    connection = socket("private", login=False)
    connection.send({"id": "7", "op": "order", "args": [over_the_wire(codes)]})
    assert connection.until(lambda message: message != "pong")["code"] == "60011"
    assert okx.positions() == []


def test_a_read_only_key_places_nothing_over_the_stream(
    sim: SimulatorProcess, okx: OkxClient, codes: dict[str, Any]
) -> None:
    with OkxSocket(sim.ws_url, "private") as connection:
        assert connection.login(sim.ready["okx_read_only"])["event"] == "login"
        connection.send({"id": "7", "op": "order", "args": [over_the_wire(codes)]})
        assert connection.until(lambda message: message != "pong")["code"] != "0"
    assert okx.positions() == []
