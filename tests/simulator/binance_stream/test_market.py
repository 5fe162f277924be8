"""Market streams of the Binance side: addresses, subscriptions, what each stream says, and the book's continuity."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.simulator.binance.client import BinanceClient
from tests.simulator.binance_stream.socket import BinanceSocket
from tests.simulator.okx.client import BTC, ETH
from tests.simulator_process import SimulatorProcess

Opening = Callable[[str], BinanceSocket]


@pytest.fixture
def opening(sim: SimulatorProcess) -> Iterator[Opening]:
    """Opens sockets at a path."""
    opened: list[BinanceSocket] = []

    def at(path: str) -> BinanceSocket:
        opened.append(BinanceSocket(sim.ws_url, path))
        return opened[-1]

    yield at
    for socket in opened:
        socket.close()


# -- addresses and requests


@pytest.mark.parametrize(
    ("path", "asked", "name", "delivers"),
    [
        ("public/ws/btcusdt@bookTicker", "", "bookTicker", True),
        ("public/ws/0", "btcusdt@bookTicker", "bookTicker", True),
        ("public/stream?streams=btcusdt@bookTicker", "", "bookTicker", True),
        ("market/stream", "btcusdt@aggTrade", "aggTrade", True),
        ("market/stream?streams=btcusdt@markPrice@1s/btcusdt@aggTrade", "", "markPriceUpdate", True),
        ("market/ws/0", "btcusdt@markPrice", "markPriceUpdate", True),
        ("stream?streams=btcusdt@markPrice", "", "markPriceUpdate", True),
        ("ws", "btcusdt@kline_1m", "kline", True),
        ("ws/btcusdt@bookTicker", "", "bookTicker", True),
        ("public/ws", "btcusdt@markPrice", "markPriceUpdate", False),
        ("market/ws", "btcusdt@bookTicker", "bookTicker", False),
        ("private/ws", "btcusdt@bookTicker", "bookTicker", False),
    ],
)
def test_where_streams_may_stand(
    sim: SimulatorProcess, opening: Opening, path: str, asked: str, name: str, delivers: bool
) -> None:
    socket = opening(path)
    if asked:
        assert socket.ask("SUBSCRIBE", asked) == {"result": None, "id": 1}
    sim.price(BTC, "100100")
    if delivers:
        assert socket.event(name)["s"] == "BTCUSDT"
        assert ("stream" in socket.seen[-1]) == ("stream" in path.split("?")[0])
    else:
        assert socket.silent()


def test_the_old_address_gives_only_public_data_by_switch(sim: SimulatorProcess, opening: Opening) -> None:
    sim.switches(binance_legacy_streams="public_only")
    socket = opening("stream?streams=btcusdt@markPrice/btcusdt@bookTicker")
    sim.price(BTC, "100100")
    assert socket.receive()["stream"] == "btcusdt@bookTicker"
    sim.price(BTC, "100200")
    assert {message["stream"] for message in (socket.receive(), socket.receive())} == {"btcusdt@bookTicker"}


def test_subscriptions_are_listed_and_ended(sim: SimulatorProcess, opening: Opening) -> None:
    socket = opening("public/ws")
    socket.ask("SUBSCRIBE", "btcusdt@bookTicker", "ethusdt@bookTicker", identity="a")
    assert socket.ask("LIST_SUBSCRIPTIONS")["result"] == ["btcusdt@bookTicker", "ethusdt@bookTicker"]
    assert socket.ask("UNSUBSCRIBE", "btcusdt@bookTicker", identity=7) == {"result": None, "id": 7}
    sim.price(BTC, "100100")
    sim.price(ETH, "3501")
    assert socket.event("bookTicker", b="3500.99")["s"] == "ETHUSDT"
    assert socket.ask("GET_PROPERTY", "combined")["result"] is False
    assert socket.ask("SET_PROPERTY", "combined", True)["result"] is None
    sim.price(ETH, "3502")
    assert socket.until(lambda message: message.get("stream") == "ethusdt@bookTicker")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("{", 3), ("[]", 2), ({"method": "LISTEN", "params": ["a@b"], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": "btcusdt@bookTicker", "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": [], "id": 1}, 2), ({"method": "SUBSCRIBE", "params": ["a"], "id": [1]}, 2),
        ({"method": "SUBSCRIBE", "params": [f"x{n}@depth" for n in range(1025)], "id": 1}, 2),
    ],
)  # fmt: skip
def test_senseless_requests_are_answered(opening: Opening, asked: Any, code: int) -> None:
    socket = opening("market/ws")
    socket.send(asked)
    assert socket.receive()["error"]["code"] == code


def test_more_than_ten_messages_a_second_end_the_connection(sim: SimulatorProcess, opening: Opening) -> None:
    sim.switches(rate_limits=True)
    socket = opening("market/ws")
    for number in range(12):
        socket.send({"method": "LIST_SUBSCRIPTIONS", "id": number})
    assert socket.closed() == 1008


def test_a_ping_is_answered(opening: Opening) -> None:
    socket = opening("market/ws")
    assert socket.connection.ping().wait(5)


# -- what they say


def test_the_fields_of_each_stream(sim: SimulatorProcess, opening: Opening) -> None:
    names = ["aggTrade", "markPrice@1s", "kline_1m", "ticker", "miniTicker"]
    market = opening("market/stream?streams=" + "/".join(f"btcusdt@{name}" for name in names))
    public = opening("public/stream?streams=btcusdt@bookTicker/btcusdt@depth5@100ms")
    sim.price(BTC, "100100", mark="100090", index="100080")
    trade = market.event("aggTrade")
    assert (trade["p"], trade["m"], trade["f"] <= trade["l"]) == ("100100.00", False, True)
    mark = market.event("markPriceUpdate", p="100090.00000000")
    assert (mark["i"], mark["st"]) == ("100080.00000000", 1)
    assert Decimal(mark["r"]) != 0
    candle = market.event("kline")["k"]
    assert (candle["c"], candle["i"], candle["x"], candle["T"] - candle["t"]) == ("100100.00", "1m", False, 59_999)
    assert market.event("24hrTicker")["c"] == market.event("24hrMiniTicker")["c"] == "100100.00"
    best = public.event("bookTicker", b="100099.90")
    assert (best["a"], Decimal(best["B"]) > 0) == ("100100.10", True)
    partial = public.event("depthUpdate")
    assert (len(partial["b"]), len(partial["a"])) == (5, 5)


def test_one_trade_has_one_number_for_everybody(sim: SimulatorProcess, opening: Opening) -> None:
    one, other = opening("market/ws/btcusdt@aggTrade"), opening("market/ws/btcusdt@aggTrade")
    for price in ("100100", "100050"):
        sim.price(BTC, price)
    first, second = one.event("aggTrade"), one.event("aggTrade")
    assert (second["a"] - first["a"], first["m"], second["m"]) == (1, False, True)
    assert [other.event("aggTrade"), other.event("aggTrade")] == [first, second]


def test_all_market_forms_are_lists(opening: Opening) -> None:
    market = opening("market/ws/!markPrice@arr@1s/!ticker@arr/!miniTicker@arr")
    seen: dict[str, set[str]] = {}
    while len(seen) < 3:
        message = market.receive()
        seen[message[0]["e"]] = {row["s"] for row in message}
    assert set(seen) == {"markPriceUpdate", "24hrTicker", "24hrMiniTicker"}
    assert all(symbols >= {"BTCUSDT", "ETHUSDT", "SOLUSDT"} for symbols in seen.values())


def test_the_best_prices_of_all_come_one_by_one(sim: SimulatorProcess, opening: Opening) -> None:
    public = opening("public/ws/!bookTicker")
    sim.price(BTC, "100100")
    sim.price(ETH, "3501")
    assert [public.receive()["s"], public.receive()["s"]] == ["BTCUSDT", "ETHUSDT"]


def test_prices_are_said_again_by_the_clock(opening: Opening) -> None:
    market = opening("market/ws/btcusdt@markPrice@1s")
    assert [market.receive()["e"], market.receive()["e"]] == ["markPriceUpdate"] * 2


def test_a_candle_is_told_once_more_when_it_has_ended(sim: SimulatorProcess, opening: Opening) -> None:
    market = opening("market/ws/btcusdt@kline_1m")
    market.event("kline")
    sim.clock(60)
    sim.price(BTC, "100100")
    told = market.until(lambda message: message["k"]["x"])["k"]
    assert market.event("kline")["k"]["t"] == told["t"] + 60_000


def test_a_liquidation_is_told_to_the_market(sim: SimulatorProcess, binance: BinanceClient, opening: Opening) -> None:
    one, everybody = opening("market/ws/btcusdt@forceOrder"), opening("market/ws/!forceOrder@arr")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    sim.intervene("liquidate", account="binance", instId=BTC, posSide="long")
    for socket in (one, everybody):
        assert socket.event("forceOrder", S="SELL")["o"]["q"] == "0.010"


# -- the book


def applied(book: dict[str, dict[str, str]], event: Any) -> None:
    for side in ("b", "a"):
        for price, quantity in event[side]:
            if Decimal(quantity):
                book[side][price] = quantity
            else:
                book[side].pop(price, None)


def moved_on(last: int, message: dict[str, Any]) -> bool:
    """Whether the message tells of a later state of the book than that number."""
    return bool(message["u"] != last)


def test_the_book_follows_its_differences(sim: SimulatorProcess, binance: BinanceClient, opening: Opening) -> None:
    public = opening("public/ws/btcusdt@depth@100ms")
    last = public.event("depthUpdate")["u"]
    snapshot = binance.public("v1/depth", symbol="BTCUSDT", limit=1000)
    book = {"b": dict(map(tuple, snapshot["bids"])), "a": dict(map(tuple, snapshot["asks"]))}
    joined = False
    for price in ("100000.5", "99990", "100080", "100300"):
        sim.price(BTC, price)
        event = public.until(partial(moved_on, last))
        assert event["pu"] == last
        if event["u"] >= snapshot["lastUpdateId"]:
            joined = joined or event["U"] <= snapshot["lastUpdateId"] <= event["u"]
            applied(book, event)
        last = event["u"]
    assert joined
    now = binance.public("v1/depth", symbol="BTCUSDT", limit=50)
    assert now["lastUpdateId"] == last
    best = (max(book["b"], key=Decimal), min(book["a"], key=Decimal))
    assert best == (now["bids"][0][0], now["asks"][0][0])


def test_events_of_the_market_are_withheld_by_a_fault(sim: SimulatorProcess, opening: Opening) -> None:
    socket = opening("public/ws/btcusdt@bookTicker")
    socket.receive()
    sim.faults({"kind": "push_withheld", "match": {"channel": "bookTicker", "instId": BTC}})
    sim.price(BTC, "100100")
    assert socket.silent()
