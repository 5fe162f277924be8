"""ccxt.pro and python-binance's sockets, unmodified, pointed here by their addresses alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import ccxt.pro
import pytest
from binance import AsyncClient, BinanceSocketManager

from tests.simulator.binance.client import BTCUSDT
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

T = TypeVar("T")

SYMBOL = "BTC/USDT:USDT"
LONG = {"positionSide": "LONG"}
BOUND_SECONDS = 15
STOP = {"algoType": "CONDITIONAL", "symbol": BTCUSDT, "side": "SELL", "positionSide": "LONG", "type": "STOP_MARKET",
        "quantity": "0.01", "clientAlgoId": "s-1"}  # fmt: skip


@asynccontextmanager
async def pro(sim: SimulatorProcess) -> AsyncIterator[ccxt.pro.binanceusdm]:
    keys = {"apiKey": sim.binance["api_key"], "secret": sim.binance["secret"], "enableRateLimit": False}
    exchange = ccxt.pro.binanceusdm(keys)
    for name, address in exchange.urls["api"].items():
        if name.startswith(("fapi", "sapi")):
            exchange.urls["api"][name] = sim.base_url + urlsplit(address).path
    exchange.urls["api"]["ws"] = {"future": f"{sim.ws_url}/ws", "linear": f"{sim.ws_url}/ws"}
    exchange.urls["api"]["ws"]["ws-api"] = {"future": f"{sim.ws_url}/ws-fapi/v1", "linear": f"{sim.ws_url}/ws-fapi/v1"}
    try:
        yield exchange
    finally:
        await exchange.close()


async def within(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, BOUND_SECONDS)


async def seen(watch: Callable, wanted: Callable) -> Any:
    """The first of what is watched that is wanted."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            for one in await watch():
                if wanted(one):
                    return one


def is_closed(order: Any) -> bool:
    return (order["side"], order["status"]) == ("sell", "closed")


def is_flat(position: Any) -> bool:
    return (position["side"], position["contracts"]) == ("long", 0)


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_ccxt_pro_watches_the_market(sim: SimulatorProcess) -> None:
    async def story() -> None:
        async with pro(sim) as exchange:
            await exchange.load_markets()
            ticker = await within(exchange.watch_ticker(SYMBOL))
            book = await within(exchange.watch_order_book(SYMBOL))
            mark = await within(exchange.watch_mark_price(SYMBOL))
            best = await within(exchange.watch_bids_asks([SYMBOL]))
            assert (ticker["last"], mark["markPrice"], best[SYMBOL]["bid"]) == (100_000, 100_000, 99_999.9)
            assert (book["bids"][0][0], book["asks"][0][0]) == (99_999.9, 100_000.1)
            trades = asyncio.create_task(exchange.watch_trades(SYMBOL))
            candles = asyncio.create_task(exchange.watch_ohlcv(SYMBOL, "1m"))
            for price in ("100100", "100200", "100300"):
                await asyncio.to_thread(sim.price, BTC, price)
                await within(exchange.watch_ticker(SYMBOL))
            async with asyncio.timeout(BOUND_SECONDS):
                while (book["bids"][0][0], book["asks"][0][0]) != (100_299.9, 100_300.1):
                    book = await exchange.watch_order_book(SYMBOL)
            assert (await within(trades))[0]["price"] > 100_000
            assert (await within(candles))[0][4] >= 100_000

    asyncio.run(story())


def test_ccxt_pro_watches_its_orders_and_positions(sim: SimulatorProcess) -> None:
    async def story() -> None:
        async with pro(sim) as exchange:
            await exchange.load_markets()
            await exchange.set_position_mode(True)
            long = seen(lambda: exchange.watch_positions([SYMBOL]), lambda one: one["side"] == "long")
            watched = [exchange.watch_orders(SYMBOL), exchange.watch_my_trades(SYMBOL), long]
            orders, trades, position = (asyncio.create_task(one) for one in watched)
            async with asyncio.timeout(BOUND_SECONDS):
                while not any("/private/" in url and client.connection for url, client in exchange.clients.items()):
                    await asyncio.sleep(0.02)
            entry = await exchange.create_order(SYMBOL, "market", "buy", 0.01, None, LONG)
            assert (await within(orders))[0]["id"] == entry["id"]
            assert (await within(trades))[0]["order"] == entry["id"]
            assert (await within(position))["contracts"] == 0.01
            stop = await exchange.create_order(SYMBOL, "market", "sell", 0.01, None, LONG | {"stopLossPrice": 99_000})
            closed = seen(lambda: exchange.watch_orders(SYMBOL), is_closed)
            flat = seen(lambda: exchange.watch_positions([SYMBOL]), is_flat)
            ends = asyncio.gather(closed, flat)
            await asyncio.to_thread(sim.price, BTC, "98900")
            assert (await within(ends))[0]["filled"] == 0.01
            assert stop["id"] not in {row["id"] for row in await exchange.fetch_open_orders(SYMBOL)}

    asyncio.run(story())


@asynccontextmanager
async def manager(sim: SimulatorProcess) -> AsyncIterator[tuple[AsyncClient, BinanceSocketManager]]:
    client = AsyncClient(sim.binance["api_key"], sim.binance["secret"])
    client.FUTURES_URL = f"{sim.base_url}/fapi"
    sockets = BinanceSocketManager(client)
    sockets.FSTREAM_URL = f"{sim.ws_url}/"
    try:
        yield client, sockets
    finally:
        await client.close_connection()


async def event(socket: Any, name: str, state: str = "") -> Any:
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            told = await socket.recv()
            if told["e"] == name and state in ("", told.get("o", {}).get("X")):
                return told


def test_python_binance_hears_its_account(sim: SimulatorProcess) -> None:
    async def story() -> None:
        async with manager(sim) as (client, sockets):
            await client.futures_change_position_mode(dualSidePosition="true")
            async with sockets.futures_user_socket() as socket:
                entry = {"symbol": BTCUSDT, "side": "BUY", "positionSide": "LONG", "type": "MARKET", "quantity": "0.01"}
                placed = await client.futures_create_order(**entry)
                assert (await event(socket, "ACCOUNT_UPDATE"))["a"]["m"] == "ORDER"
                assert (await event(socket, "ORDER_TRADE_UPDATE", "FILLED"))["o"]["i"] == placed["orderId"]
                stop = await client.futures_create_algo_order(**STOP, triggerPrice="99000")
                assert (await event(socket, "ALGO_UPDATE", "NEW"))["o"]["aid"] == stop["algoId"]
                await asyncio.to_thread(sim.price, BTC, "98900")
                finished = (await event(socket, "ALGO_UPDATE", "FINISHED"))["o"]
                assert (finished["caid"], finished["aq"]) == ("s-1", "0.01000")
                deposit = asyncio.to_thread(sim.intervene, "deposit", account="binance", amount="1")
                last = asyncio.create_task(deposit)  # closing, its socket waits up to ten seconds for one more event
            await last

    asyncio.run(story())


def test_python_binance_hears_the_market(sim: SimulatorProcess) -> None:
    async def story() -> None:
        async with manager(sim) as (_, sockets):
            streams = ["btcusdt@markPrice@1s", "btcusdt@aggTrade"]
            async with sockets.futures_multiplex_socket(streams) as socket:
                told = await within(socket.recv())
                assert (told["stream"], told["data"]["s"]) == ("btcusdt@markPrice@1s", BTCUSDT)
            async with sockets.futures_depth_socket(BTCUSDT) as socket:
                assert (await within(socket.recv()))["data"]["e"] == "depthUpdate"

    asyncio.run(story())


def test_python_binance_trades_over_its_websocket(sim: SimulatorProcess) -> None:
    async def story() -> None:
        async with manager(sim) as (client, _):
            client.ws_future._url = f"{sim.ws_url}/ws-fapi/v1"
            await client.futures_change_position_mode(dualSidePosition="true")
            assert (await within(client.ws_futures_get_order_book(symbol=BTCUSDT, limit=5)))["bids"]
            limit = {"symbol": BTCUSDT, "side": "BUY", "positionSide": "LONG", "type": "LIMIT", "quantity": "0.01",
                     "price": "99000", "timeInForce": "GTC"}  # fmt: skip
            placed = await within(client.ws_futures_create_order(**limit))
            cancelled = await within(client.ws_futures_cancel_order(symbol=BTCUSDT, orderId=placed["orderId"]))
            assert cancelled["status"] == "CANCELED"
            stop = await within(client.ws_futures_create_algo_order(**STOP, triggerPrice="99000"))
            assert stop["algoStatus"] == "NEW"
            gone = await within(client.ws_futures_cancel_algo_order(algoId=stop["algoId"]))
            assert gone["code"] == "200"

    asyncio.run(story())
