"""The streams' front door: who may log in, what may be subscribed, what is answered."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.okx.client import BTC
from tests.simulator.okx_stream.socket import OkxSocket
from tests.simulator_process import SimulatorProcess

# -- login and subscriptions


@pytest.mark.parametrize("timestamp", ["text", "number"])
def test_login_takes_seconds_as_text_or_number(
    sim: SimulatorProcess, socket: Callable[..., OkxSocket], timestamp: str
) -> None:
    seconds = int(time.time())
    answer = socket("private", login=False).login(sim.okx, str(seconds) if timestamp == "text" else seconds)
    assert (answer["event"], answer["code"]) == ("login", "0")
    assert answer["connId"]


@pytest.mark.parametrize(
    ("story", "wrong", "codes"),
    [
        ("another secret", {"secret": "00000000000000000000000000000000"}, {"60007", "60009"}),
        ("another passphrase", {"passphrase": "not this one"}, {"60024", "60009"}),
        ("no such key", {"api_key": "00000000-0000-4000-8000-000000000000"}, {"60005", "60032", "60009"}),
    ],
)
def test_a_login_with_wrong_keys_is_refused(
    sim: SimulatorProcess, socket: Callable[..., OkxSocket], story: str, wrong: dict[str, Any], codes: set[str]
) -> None:
    answer = socket("private", login=False).login(sim.okx | wrong)
    assert (answer["event"], answer["code"] in codes) == ("error", True), answer


@pytest.mark.parametrize(("late_seconds", "codes"), [(300, {"60006", "60009"}), (None, {"60004", "60009"})])
def test_a_login_at_a_wrong_time_is_refused(
    sim: SimulatorProcess, socket: Callable[..., OkxSocket], late_seconds: int | None, codes: set[str]
) -> None:
    timestamp = "noon" if late_seconds is None else str(int(time.time()) - late_seconds)
    answer = socket("private", login=False).login(sim.okx, timestamp)
    assert (answer["event"], answer["code"] in codes) == ("error", True), answer


def test_a_second_login_is_refused(sim: SimulatorProcess, socket: Callable[..., OkxSocket]) -> None:
    assert socket("private").login(sim.okx)["code"] == "60031"


def test_private_channels_need_a_login(socket: Callable[..., OkxSocket]) -> None:
    assert socket("private", login=False).subscribe("orders", instType="SWAP")["code"] == "60011"
    assert socket("business", login=False).subscribe("orders-algo", instType="SWAP")["code"] == "60011"


@pytest.mark.parametrize(
    ("kind", "channel", "arguments", "codes"),
    [
        ("private", "orders-algo", {"instType": "SWAP"}, {"64001", "60018"}),
        ("business", "orders", {"instType": "SWAP"}, {"64002", "60018"}),
        ("public", "candle1m", {"instId": BTC}, {"64001", "60018"}),
        ("public", "no-such-channel", {"instId": BTC}, {"60018"}),
        ("public", "tickers", {"instId": "NOPE-USDT-SWAP"}, {"60018"}),
        ("public", "tickers", {}, {"60018", "60012"}),
    ],
)
def test_a_channel_asked_for_where_it_is_not(
    socket: Callable[..., OkxSocket], kind: str, channel: str, arguments: dict[str, Any], codes: set[str]
) -> None:
    answer = socket(kind).subscribe(channel, **arguments)
    assert (answer["event"], answer["code"] in codes) == ("error", True), answer


@pytest.mark.parametrize("message", [
    "not json", {"op": "dance", "args": []}, {"op": "subscribe"}, {"op": "subscribe", "args": "x"},
])  # fmt: skip
def test_a_request_that_makes_no_sense(socket: Callable[..., OkxSocket], message: dict[str, Any] | str) -> None:
    connection = socket("public")
    connection.send(message)
    assert connection.until(lambda answer: answer != "pong")["code"] in ("60012", "60013")
    assert connection.subscribe("tickers", instId=BTC)["event"] == "subscribe"


def test_a_subscription_is_acknowledged_with_its_id_and_argument(socket: Callable[..., OkxSocket]) -> None:
    answer = socket("public").subscribe("tickers", instId=BTC)
    assert answer["arg"] == {"channel": "tickers", "instId": BTC}
    assert (answer["event"], answer["id"], answer["connId"] != "") == ("subscribe", "1", True)


def test_private_channels_tell_the_number_of_connections(socket: Callable[..., OkxSocket]) -> None:
    connection = socket("private")
    connection.subscribe("orders", instType="SWAP")
    counted = connection.until(lambda message: message.get("event") == "channel-conn-count")
    assert (counted["channel"], int(counted["connCount"]) >= 1) == ("orders", True)


def test_after_unsubscribing_nothing_comes_any_more(sim: SimulatorProcess, socket: Callable[..., OkxSocket]) -> None:
    connection = socket("public")
    connection.subscribe("tickers", instId=BTC)
    connection.subscribe("mark-price", instId=BTC)
    connection.send({"op": "unsubscribe", "args": [{"channel": "tickers", "instId": BTC}]})
    connection.until(lambda message: message.get("event") == "unsubscribe")
    connection.seen.clear()
    sim.price(BTC, "101000")
    connection.push("mark-price", markPx="101000")
    sim.price(BTC, "102000")
    connection.push("mark-price", markPx="102000")
    assert not [message for message in connection.seen if message.get("arg", {}).get("channel") == "tickers"]


def test_the_text_ping_is_answered_by_the_text_pong(socket: Callable[..., OkxSocket]) -> None:
    for kind in ("public", "private", "business"):
        connection = socket(kind, login=False)
        connection.send("ping")
        assert connection.receive() == "pong"


def test_a_query_after_the_path_is_let_through(socket: Callable[..., OkxSocket]) -> None:
    assert socket("public", query="?brokerId=9999").subscribe("tickers", instId=BTC)["event"] == "subscribe"


def test_a_silent_connection_is_closed(sim: SimulatorProcess, socket: Callable[..., OkxSocket]) -> None:
    sim.switches(ws_idle_close_seconds=1)
    assert socket("public").closed() == 4004
