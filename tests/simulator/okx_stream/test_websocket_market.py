"""Market data on the streams: prices, books, candles, funding, status."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator.okx_stream.socket import WAIT_SECONDS, OkxSocket
from tests.simulator_process import SimulatorProcess

# -- market data


@pytest.mark.parametrize(
    ("kind", "channel", "arguments", "field"),
    [
        ("public", "tickers", {"instId": BTC}, "last"),
        ("public", "mark-price", {"instId": BTC}, "markPx"),
        ("public", "index-tickers", {"instId": "BTC-USDT"}, "idxPx"),
        ("public", "trades", {"instId": BTC}, "px"),
    ],
)
def test_a_price_reaches_the_stream(
    sim: SimulatorProcess,
    socket: Callable[..., OkxSocket],
    kind: str,
    channel: str,
    arguments: dict[str, Any],
    field: str,
) -> None:
    connection = socket(kind)
    connection.subscribe(channel, **arguments)
    sim.price(BTC, "101000")
    assert connection.push(channel, seconds=WAIT_SECONDS, **{field: "101000"})["ts"]


@pytest.mark.parametrize(("channel", "depth"), [("books", 20), ("books5", 5), ("bbo-tbt", 1)])
def test_books_come_whole_first(
    sim: SimulatorProcess, socket: Callable[..., OkxSocket], channel: str, depth: int
) -> None:
    connection = socket("public")
    connection.subscribe(channel, instId=BTC)
    first = connection.until(lambda message: "data" in message)
    assert len(first["data"][0]["asks"]) >= depth
    assert len(first["data"][0]["bids"]) >= depth
    assert channel != "books" or first["action"] == "snapshot"
    sim.price(BTC, "101000")
    later = connection.until(lambda message: "data" in message)
    assert channel != "books" or later["action"] == "update"
    if channel == "books":
        assert later["data"][0]["prevSeqId"] == first["data"][0]["seqId"]


def test_book_updates_add_up_to_the_book(
    sim: SimulatorProcess, public: OkxClient, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("public")
    connection.subscribe("books", instId=BTC)
    sides: dict[str, dict[str, str]] = {"asks": {}, "bids": {}}

    def apply(message: dict[str, Any]) -> None:
        for side, levels in sides.items():
            for price, size, *_ in message["data"][0][side]:
                if Decimal(size) == 0:
                    levels.pop(price, None)
                else:
                    levels[price] = size

    apply(connection.until(lambda message: "data" in message))
    sim.price(BTC, "101000")
    wanted = public.get("market/books", instId=BTC, sz="5").row
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        apply(connection.until(lambda message: "data" in message))
        best = [sorted(sides["asks"], key=Decimal)[:5], sorted(sides["bids"], key=Decimal, reverse=True)[:5]]
        if best == [[level[0] for level in wanted["asks"]], [level[0] for level in wanted["bids"]]]:
            return
    raise AssertionError((best, wanted))


def test_candles_are_arrays_on_business_and_need_no_login(
    sim: SimulatorProcess, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("business", login=False)
    connection.subscribe("candle1m", instId=BTC)
    sim.price(BTC, "101000")
    message = connection.until(lambda m: "data" in m and Decimal(m["data"][0][4]) == 101000)
    assert (message["data"][0][0], len(message["data"][0]), message["data"][0][8]) == ("1767225600000", 9, "0")


@pytest.mark.parametrize(
    ("channel", "arguments"),
    [
        ("instruments", {"instType": "SWAP"}),
        ("funding-rate", {"instId": BTC}),
        ("price-limit", {"instId": BTC}),
    ],
)
def test_slow_channels_say_something_at_once(
    socket: Callable[..., OkxSocket], channel: str, arguments: dict[str, Any]
) -> None:
    connection = socket("public")
    connection.subscribe(channel, **arguments)
    assert connection.push(channel)["instId"]


def test_maintenance_is_announced_on_the_status_channel(
    sim: SimulatorProcess, socket: Callable[..., OkxSocket]
) -> None:
    connection = socket("public")
    assert connection.subscribe("status")["event"] == "subscribe"
    sim.switches(maintenance={"begin": "2026-01-01T01:00:00Z", "end": "2026-01-01T02:00:00Z"})
    assert connection.push("status")["state"] == "scheduled"
