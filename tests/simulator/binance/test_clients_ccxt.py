"""ccxt's binanceusdm, unmodified, pointed here by its addresses alone: one perpetual from load_markets to closed."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import ccxt
import pytest

from tests.simulator_process import SimulatorProcess

SYMBOL = "BTC/USDT:USDT"
LONG = {"positionSide": "LONG"}


@pytest.fixture
def exchange(sim: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[ccxt.binanceusdm]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    keys = {"apiKey": sim.binance["api_key"], "secret": sim.binance["secret"], "enableRateLimit": False}
    exchange = ccxt.binanceusdm(keys)
    for name, address in exchange.urls["api"].items():
        if name.startswith(("fapi", "sapi")):
            exchange.urls["api"][name] = sim.base_url + urlsplit(address).path
    yield exchange
    exchange.session.close()


@pytest.fixture
def hedged(exchange: ccxt.binanceusdm) -> ccxt.binanceusdm:
    exchange.set_position_mode(True)
    return exchange


def held(exchange: ccxt.binanceusdm) -> list[dict[str, Any]]:
    return [row for row in exchange.fetch_positions([SYMBOL]) if row["contracts"]]


def test_one_perpetual_from_load_markets_to_closed(sim: SimulatorProcess, hedged: ccxt.binanceusdm) -> None:
    market = hedged.load_markets()[SYMBOL]
    assert (market["swap"], market["linear"], market["contractSize"]) == (True, True, 1)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["min"]) == (50, 0.001)
    assert hedged.fetch_balance()["USDT"]["total"] == 100_000
    hedged.set_leverage(5, SYMBOL)
    assert hedged.fetch_leverage(SYMBOL)["longLeverage"] == 5
    assert hedged.fetch_ticker(SYMBOL)["last"] == 100_000

    entry = hedged.create_order(SYMBOL, "market", "buy", 0.01, None, LONG)
    assert hedged.fetch_order(entry["id"], SYMBOL)["status"] == "closed"
    position = held(hedged)[0]
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, 100_000.1)

    resting = hedged.create_order(SYMBOL, "limit", "sell", 0.005, 101_000, LONG)
    assert [order["id"] for order in hedged.fetch_open_orders(SYMBOL)] == [resting["id"]]
    hedged.edit_order(resting["id"], SYMBOL, "limit", "sell", 0.005, 102_000, LONG)
    assert hedged.fetch_order(resting["id"], SYMBOL)["price"] == 102_000
    hedged.cancel_order(resting["id"], SYMBOL)
    assert hedged.fetch_open_orders(SYMBOL) == []

    hedged.create_order(SYMBOL, "market", "sell", 0.01, None, LONG)
    assert held(hedged) == []
    assert len(hedged.fetch_my_trades(SYMBOL)) == 2
    assert {order["status"] for order in hedged.fetch_orders(SYMBOL)} == {"closed", "canceled"}
    assert len(hedged.fetch_ledger("USDT")) >= 3


def test_one_way_with_reduce_only(exchange: ccxt.binanceusdm) -> None:
    assert exchange.fetch_position_mode()["hedged"] is False
    exchange.create_order(SYMBOL, "market", "buy", 0.01)
    exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert held(exchange) == []


def test_stops_sent_to_the_plain_address_are_turned_away(hedged: ccxt.binanceusdm) -> None:
    hedged.load_markets()
    with pytest.raises(ccxt.BaseError, match="-4120"):
        hedged.fapiPrivatePostOrder({"symbol": "BTCUSDT", "side": "SELL", "positionSide": "LONG", "type": "STOP_MARKET",
                                     "quantity": "0.01", "stopPrice": "95000"})  # fmt: skip


def test_refusals_become_its_own_exceptions(exchange: ccxt.binanceusdm) -> None:
    for code, ask in (
        ("-2019", lambda: exchange.create_order(SYMBOL, "market", "buy", 60)),
        ("-2013", lambda: exchange.fetch_order("1", SYMBOL)),
        ("-2011", lambda: exchange.cancel_order("1", SYMBOL)),
    ):
        with pytest.raises(ccxt.BaseError, match=code):
            ask()
    exchange.secret = "not this one"
    with pytest.raises(ccxt.BaseError, match="-1022"):
        exchange.fetch_balance()


@pytest.mark.parametrize("method", [
    "fetch_time", "fetch_currencies", "fetch_position_mode", "fetch_tickers", "fetch_bids_asks", "fetch_last_prices",
    "fetch_funding_rate", "fetch_funding_rate_history", "fetch_funding_history", "fetch_order_book", "fetch_ohlcv",
    "fetch_mark_prices", "fetch_trades", "fetch_trading_fee", "fetch_leverage", "fetch_leverage_tiers",
    "fetch_closed_orders", "fetch_canceled_orders", "fetch_open_interest", "fetch_margin_mode",
    "fetch_my_liquidations", "fetch_balance",
])  # fmt: skip
def test_its_reading_calls(exchange: ccxt.binanceusdm, method: str) -> None:
    exchange.load_markets()
    bare = {"fetch_time", "fetch_currencies", "fetch_position_mode", "fetch_balance", "fetch_mark_prices"}
    lists = {"fetch_tickers", "fetch_bids_asks", "fetch_last_prices", "fetch_leverage_tiers"}
    given = [] if method in bare else [[SYMBOL]] if method in lists else [SYMBOL]
    assert getattr(exchange, method)(*given) is not None
