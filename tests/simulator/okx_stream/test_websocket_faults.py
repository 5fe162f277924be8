"""Streams that mislead: pushes doubled, swapped, withheld, late; connections cut."""

import time
from collections.abc import Callable

from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator.okx_stream.socket import OkxSocket
from tests.simulator.words import RESTING
from tests.simulator_process import SimulatorProcess

# -- streams that mislead


def pushed_orders(connection: OkxSocket) -> list[tuple[str, str]]:
    rows = [row for message in connection.seen for row in message.get("data", []) if "ordId" in row]
    return [(row["clOrdId"], row["state"]) for row in rows]


def test_a_push_can_come_twice(sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"channel": "orders"}, "kind": "stream_double", "count": 1})
    okx.order(BTC, "buy", "long", "1", clOrdId="twice", **RESTING)
    okx.order(BTC, "buy", "long", "1", clOrdId="barrier", **RESTING)
    connection.push("orders", clOrdId="barrier")
    assert pushed_orders(connection) == [("twice", "live"), ("twice", "live"), ("barrier", "live")]


def test_pushes_can_change_places(sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"channel": "orders"}, "kind": "stream_reorder", "count": 1})
    okx.order(BTC, "buy", "long", "1", clOrdId="first", **RESTING)
    okx.order(BTC, "buy", "long", "1", clOrdId="second", **RESTING)
    connection.push("orders", clOrdId="first")
    assert pushed_orders(connection) == [("second", "live"), ("first", "live")]


def test_a_push_can_be_withheld(sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"channel": "orders"}, "kind": "push_withheld", "count": 1})
    okx.order(BTC, "buy", "long", "1", clOrdId="silent", **RESTING)
    okx.order(BTC, "buy", "long", "1", clOrdId="barrier", **RESTING)
    connection.push("orders", clOrdId="barrier")
    assert pushed_orders(connection) == [("barrier", "live")]
    assert sim.fault_hits() == [1]


def test_a_push_can_be_late(sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"channel": "orders"}, "kind": "stream_delay", "seconds": 0.5, "count": 1})
    began = time.monotonic()
    okx.order(BTC, "buy", "long", "1", clOrdId="late", **RESTING)
    connection.push("orders", clOrdId="late")
    assert time.monotonic() - began >= 0.45


def test_a_stream_can_be_cut_and_opened_again(
    sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"channel": "orders"}, "kind": "stream_cut", "count": 1})
    okx.order(BTC, "buy", "long", "1", **RESTING)
    connection.closed()
    again = socket("private")
    again.subscribe("orders", instType="SWAP")
    okx.order(BTC, "buy", "long", "1", clOrdId="heard", **RESTING)
    assert again.push("orders")["clOrdId"] == "heard"


def test_a_planned_cut_is_announced(sim: SimulatorProcess, okx: OkxClient, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    sim.faults({"match": {"channel": "orders"}, "kind": "stream_cut", "notice": True, "count": 1})
    okx.order(BTC, "buy", "long", "1", **RESTING)
    connection.closed()
    notices = [message for message in connection.seen if message.get("event") == "notice"]
    assert [notice["code"] for notice in notices] == ["64008"]
