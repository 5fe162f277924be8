"""ccxt and ccxt.pro, unmodified, pointed here by their addresses alone: one perpetual from load_markets to closed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import ccxt
import ccxt.pro
import pytest

from tests.simulator_process import SimulatorProcess

T = TypeVar("T")

SYMBOL = "BTC/USDT:USDT"
LONG = {"posSide": "long", "tdMode": "cross"}
BOUND_SECONDS = 15


def settings(sim: SimulatorProcess) -> dict[str, Any]:
    key, secret, passphrase = (sim.okx[name] for name in ("api_key", "secret", "passphrase"))
    return {"apiKey": key, "secret": secret, "password": passphrase, "enableRateLimit": False}


def point(exchange: ccxt.okx, sim: SimulatorProcess) -> Any:
    exchange.urls["api"] = {"rest": sim.base_url, "ws": f"{sim.ws_url}/ws/v5"}
    return exchange


@pytest.fixture
def exchange(sim: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[ccxt.okx]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    exchange = point(ccxt.okx(settings(sim)), sim)
    yield exchange
    exchange.session.close()


def test_one_perpetual_from_load_markets_to_closed(sim: SimulatorProcess, exchange: ccxt.okx) -> None:
    market = exchange.load_markets()[SYMBOL]
    assert (market["swap"], market["linear"]) == (True, True)
    assert (market["contractSize"], market["precision"]["price"]) == (0.01, 0.1)
    assert exchange.fetch_balance()["USDT"]["total"] == 10000
    exchange.set_leverage(5, SYMBOL, {"mgnMode": "cross"})
    assert exchange.fetch_leverage(SYMBOL, {"mgnMode": "cross"})["longLeverage"] == 5
    assert exchange.fetch_ticker(SYMBOL)["last"] == 100000

    entry = exchange.create_order(SYMBOL, "market", "buy", 2, None, LONG)
    assert exchange.fetch_order(entry["id"], SYMBOL)["status"] == "closed"
    position = exchange.fetch_positions([SYMBOL])[0]
    assert (position["side"], position["contracts"], position["leverage"], position["hedged"]) == ("long", 2, 5, True)

    resting = exchange.create_order(SYMBOL, "limit", "sell", 1, 101000, LONG)
    assert [order["id"] for order in exchange.fetch_open_orders(SYMBOL)] == [resting["id"]]
    exchange.edit_order(resting["id"], SYMBOL, "limit", "sell", 1, 102000)
    assert exchange.fetch_order(resting["id"], SYMBOL)["price"] == 102000
    exchange.cancel_order(resting["id"], SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []

    exchange.create_order(SYMBOL, "market", "sell", 2, None, LONG)
    assert exchange.fetch_positions([SYMBOL]) == [] or exchange.fetch_positions([SYMBOL])[0]["contracts"] == 0
    assert len(exchange.fetch_my_trades(SYMBOL)) == 2
    assert exchange.fetch_positions_history([SYMBOL])[0]["info"]["type"] == "2"
    assert {order["status"] for order in exchange.fetch_closed_orders(SYMBOL)} == {"closed"}
    assert len(exchange.fetch_ledger("USDT", params={"type": "swap"})) >= 2


def test_stops_and_targets_are_placed_listed_amended_and_cancelled(sim: SimulatorProcess, exchange: ccxt.okx) -> None:
    exchange.create_order(SYMBOL, "market", "buy", 2, None, LONG)
    stop = exchange.create_order(SYMBOL, "market", "sell", 2, None, LONG | {"stopLossPrice": 95000, "reduceOnly": True})
    both = {"stopLossPrice": 94000, "takeProfitPrice": 106000, "reduceOnly": True}
    pair = exchange.create_order(SYMBOL, "oco", "sell", 2, None, LONG | both)
    trigger = exchange.create_order(SYMBOL, "market", "sell", 2, None, LONG | {"triggerPrice": 93000})
    for kind, placed in (("conditional", stop), ("oco", pair), ("trigger", trigger)):
        listed = exchange.fetch_open_orders(SYMBOL, params={"ordType": kind, "trigger": True})
        assert [order["id"] for order in listed] == [placed["id"]], kind
    change = {"stopLossPrice": 96000, "newSlOrdPx": -1}
    exchange.edit_order(stop["id"], SYMBOL, "conditional", "sell", 2, None, change)
    assert exchange.fetch_order(stop["id"], SYMBOL, {"trigger": True})["stopLossPrice"] == 96000
    exchange.cancel_order(pair["id"], SYMBOL, {"trigger": True})
    exchange.cancel_order(trigger["id"], SYMBOL, {"trigger": True})
    sim.price("BTC-USDT-SWAP", "95900")
    assert exchange.fetch_order(stop["id"], SYMBOL, {"trigger": True})["info"]["state"] == "effective"
    assert [p for p in exchange.fetch_positions([SYMBOL]) if p["contracts"]] == []


def test_attached_stop_and_target_in_one_call(exchange: ccxt.okx) -> None:
    stop, target = ({"triggerPrice": price, "type": "market"} for price in (95000, 105000))
    legs = {"stopLoss": stop, "takeProfit": target}
    exchange.create_order(SYMBOL, "market", "buy", 2, None, LONG | legs)
    listed = exchange.fetch_open_orders(SYMBOL, params={"ordType": "oco", "trigger": True})
    assert [(order["stopLossPrice"], order["takeProfitPrice"]) for order in listed] == [(95000, 105000)]
    exchange.close_position(SYMBOL, "buy", {"marginMode": "cross", "posSide": "long"})
    assert [p for p in exchange.fetch_positions([SYMBOL]) if p["contracts"]] == []


def test_refusals_become_its_own_exceptions(exchange: ccxt.okx) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SYMBOL, "market", "buy", 500, None, LONG)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("1", SYMBOL)
    with pytest.raises(ccxt.BaseError):
        exchange.cancel_order("1", SYMBOL)
    exchange.password = "not this one"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()


@pytest.mark.parametrize("method", [
    "fetch_time", "fetch_status", "fetch_currencies", "fetch_accounts", "fetch_position_mode", "fetch_tickers",
    "fetch_funding_rate", "fetch_funding_rate_history", "fetch_funding_history", "fetch_order_book", "fetch_ohlcv",
    "fetch_mark_price", "fetch_open_interest", "fetch_trades", "fetch_trading_fee", "fetch_leverage",
    "fetch_market_leverage_tiers", "fetch_canceled_orders",
])  # fmt: skip
def test_its_reading_calls(exchange: ccxt.okx, method: str) -> None:
    without = {"fetch_time", "fetch_status", "fetch_currencies", "fetch_accounts", "fetch_position_mode"}
    parameters = {"mgnMode": "cross"} if method == "fetch_leverage" else {}
    if method == "fetch_tickers":
        assert SYMBOL in exchange.fetch_tickers(None, {"instType": "SWAP"})
    else:
        assert getattr(exchange, method)(*([] if method in without else [SYMBOL]), params=parameters) is not None


def test_hedge_mode_is_left_and_entered(exchange: ccxt.okx) -> None:
    exchange.set_position_mode(False)
    assert exchange.fetch_position_mode()["hedged"] is False
    exchange.create_order(SYMBOL, "market", "buy", 2, None, {"tdMode": "cross"})
    exchange.create_order(SYMBOL, "market", "sell", 2, None, {"tdMode": "cross", "reduceOnly": True})
    exchange.set_position_mode(True)
    assert exchange.fetch_position_mode()["hedged"] is True


def test_pro_watches_ticker_orders_positions_and_balance(
    sim: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    async def story() -> None:
        exchange = point(ccxt.pro.okx(settings(sim)), sim)
        try:
            await exchange.load_markets()
            assert (await within(exchange.watch_ticker(SYMBOL)))["last"] == 100000
            assert (await within(exchange.watch_order_book(SYMBOL)))["asks"]
            assert (await within(exchange.watch_balance()))["USDT"]["total"] == 10000
            orders = asyncio.ensure_future(until(exchange.watch_orders, lambda rows: rows[-1]["status"] == "closed"))
            positions = asyncio.ensure_future(
                until(
                    lambda: exchange.watch_positions([SYMBOL]), lambda rows: any(row["contracts"] == 2 for row in rows)
                )
            )
            await subscribed(exchange, "orders", "positions")
            placed = await exchange.create_order(SYMBOL, "market", "buy", 2, None, LONG)
            assert (await within(orders))[-1]["id"] == placed["id"]
            assert (await within(positions))[-1]["side"] == "long"
            gone = asyncio.ensure_future(
                until(
                    lambda: exchange.watch_positions([SYMBOL]), lambda rows: any(not row["contracts"] for row in rows)
                )
            )
            await exchange.create_order(SYMBOL, "market", "sell", 2, None, LONG)
            await within(gone)
        finally:
            await exchange.close()

    asyncio.run(story())


async def within(waited: Awaitable[T]) -> T:
    return await asyncio.wait_for(waited, BOUND_SECONDS)


async def until(watch: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> Any:
    while True:
        rows = await watch()
        if wanted(rows):
            return rows


async def subscribed(exchange: ccxt.okx, *channels: str) -> None:
    """Returns once each private channel has been acknowledged, so that no push is missed for coming too early."""
    for _ in range(BOUND_SECONDS * 100):
        text = str([list(client.subscriptions) for client in exchange.clients.values()])
        if all(channel in text for channel in channels):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not subscribed: {channels}")
