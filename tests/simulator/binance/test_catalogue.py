"""Binance's exchangeInfo, the filters and their codes, and the public market data."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.binance.client import BTCUSDT, ETHUSDT, SOLUSDT, BinanceClient
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

SEVEN = {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MAX_NUM_ORDERS", "MIN_NOTIONAL", "PERCENT_PRICE",
         "POSITION_RISK_CONTROL"}  # fmt: skip


def info(client: BinanceClient, symbol: str) -> dict[str, Any]:
    return next(row for row in client.public("v1/exchangeInfo")["symbols"] if row["symbol"] == symbol)


def filters(client: BinanceClient, symbol: str) -> dict[str, Any]:
    return {row["filterType"]: row for row in info(client, symbol)["filters"]}


def test_the_whole_catalogue_whatever_symbol_is_asked_for(binance: BinanceClient) -> None:
    whole = binance.public("v1/exchangeInfo", symbol=ETHUSDT)
    assert {BTCUSDT, ETHUSDT, SOLUSDT} <= {row["symbol"] for row in whole["symbols"]}
    row = info(binance, BTCUSDT)
    assert (row["contractType"], row["quoteAsset"], row["status"]) == ("PERPETUAL", "USDT", "TRADING")
    assert set(filters(binance, BTCUSDT)) == SEVEN
    limits = {(row["rateLimitType"], row["intervalNum"], row["interval"]): row["limit"] for row in whole["rateLimits"]}
    orders = {("ORDERS", 1, "MINUTE"): 1200, ("ORDERS", 10, "SECOND"): 300}
    assert limits == orders | {("REQUEST_WEIGHT", 1, "MINUTE"): 2400}


def test_precisions_are_not_steps_and_ticks_have_zeros_behind(binance: BinanceClient) -> None:
    assert info(binance, BTCUSDT)["pricePrecision"] == 2
    assert filters(binance, BTCUSDT)["PRICE_FILTER"]["tickSize"] == "0.10"
    assert filters(binance, SOLUSDT)["PRICE_FILTER"]["tickSize"] == "0.0100"
    assert filters(binance, BTCUSDT)["MIN_NOTIONAL"]["notional"] == "50"
    lots = filters(binance, BTCUSDT)
    assert (lots["LOT_SIZE"]["maxQty"], lots["MARKET_LOT_SIZE"]["maxQty"]) == ("1000", "120")


def test_demo_has_other_filters_and_a_stale_clock(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_flavour="demo")
    rows = filters(binance, BTCUSDT)
    assert (rows["LOT_SIZE"]["stepSize"], rows["MAX_NUM_ORDERS"]["limit"]) == ("0.0001", 10000)
    stale, true = binance.public("v1/exchangeInfo")["serverTime"], binance.public("v1/time")["serverTime"]
    assert true - stale > 86_400_000
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.0012").http == 200


def test_filters_are_data_that_moves(sim: SimulatorProcess, binance: BinanceClient) -> None:
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.003", price=None).http == 200
    sim.switches(binance_filters={BTCUSDT: {"notional": "500", "lot": "0.005", "tick_text": "0.50"}})
    assert filters(binance, BTCUSDT)["LOT_SIZE"]["stepSize"] == "0.005"
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.003").code in (-4023, -4004)
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.010", "99000.1").code == -4014
    sim.switches(binance_filters={})
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.003").http == 200
    for senseless in ({"nonsense": "1"}, {"lot": "0"}, {"notional": "-1"}, {"notional": "NaN"}):
        with pytest.raises(AssertionError, match="400"):
            sim.switches(binance_filters={BTCUSDT: senseless})


@pytest.mark.parametrize(("quantity", "price", "code"), [
    ("0.0105", "99000", -1111),  # more places than the asset has
    ("0.01", "99000.123", -1111),
    ("0.01", "99000.15", -4014),  # two places are allowed, the tick is 0.10
    ("0.01", "0", -4001), ("0.01", "5000000", -4002), ("0.01", "500", -4013),
    ("0", "99000", -4003), ("1001", "99000", -4005),
    ("0.01", "105100", -4016),  # a buy too far above the mark
    ("0.01", "abc", -1102), ("", "99000", -1102), ("0.01", "", -1102),
])  # fmt: skip
def test_a_limit_order_against_the_filters(binance: BinanceClient, quantity: str, price: str, code: int) -> None:
    assert binance.limit(BTCUSDT, "BUY", "LONG", quantity, price).code == code


def test_the_other_filters(sim: SimulatorProcess, binance: BinanceClient) -> None:
    assert binance.limit(BTCUSDT, "SELL", "SHORT", "0.01", "94900").code == -4024
    assert binance.limit(BTCUSDT, "SELL", "SHORT", "0.01", "95100").http == 200
    assert binance.market(BTCUSDT, "BUY", "LONG", "121").code == -4005
    assert binance.limit("NOSUCHUSDT", "BUY", "LONG", "1", "1").code == -1121
    sim.switches(binance_filters={ETHUSDT: {"lot": "0.004", "minimum": "0.004"}})
    assert binance.limit(ETHUSDT, "BUY", "LONG", "0.010", "3400").code == -4023
    assert binance.limit(ETHUSDT, "BUY", "LONG", "0.003", "3400").code == -4004
    sim.switches(binance_filters={BTCUSDT: {"max_orders": "1"}})
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "96000").http == 200
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "96000").code == -2025


def test_the_least_notional_and_what_is_exempt_from_it(binance: BinanceClient) -> None:
    tiny = binance.limit(SOLUSDT, "BUY", "LONG", "0.02", "199")
    assert tiny.code == -4164
    assert "no smaller than 5 (unless you choose reduce only)" in tiny.body["msg"]
    binance.market(SOLUSDT, "BUY", "LONG", "1")
    assert binance.market(SOLUSDT, "SELL", "LONG", "0.01").http == 200


def test_a_market_order_while_last_and_mark_are_far_apart(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.price(BTC, "100000", mark="94000")
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01").code == -4131


def test_a_suspended_symbol(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(suspended=[BTC])
    assert info(binance, BTCUSDT)["status"] != "TRADING"
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01").code == -4140


# -- market data


def test_prices_are_those_of_the_one_market(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.price(BTC, "100250.5", mark="100249", index="100248")
    premium = binance.public("v1/premiumIndex", symbol=BTCUSDT)
    assert (premium["markPrice"], premium["indexPrice"]) == ("100249.00000000", "100248.00000000")
    assert binance.public("v2/ticker/price", symbol=BTCUSDT)["price"] == "100250.50"
    book = binance.public("v1/ticker/bookTicker", symbol=BTCUSDT)
    assert Decimal(book["bidPrice"]) < Decimal("100250.5") < Decimal(book["askPrice"])
    assert sim.state()["prices"][BTC]["last"] == "100250.5"


@pytest.mark.parametrize("path", ["v1/premiumIndex", "v1/ticker/price", "v2/ticker/price", "v1/ticker/24hr",
                                  "v1/ticker/bookTicker"])  # fmt: skip
def test_one_symbol_is_an_object_and_none_is_a_list(binance: BinanceClient, path: str) -> None:
    assert binance.public(path, symbol=BTCUSDT)["symbol"] == BTCUSDT
    assert {BTCUSDT, ETHUSDT} <= {row["symbol"] for row in binance.public(path)}


def test_depth_klines_and_funding(sim: SimulatorProcess, binance: BinanceClient) -> None:
    depth = binance.public("v1/depth", symbol=BTCUSDT, limit=5)
    assert [Decimal(price) for price, _ in depth["asks"]] == sorted(Decimal(price) for price, _ in depth["asks"])
    assert Decimal(depth["bids"][0][0]) < Decimal(depth["asks"][0][0])
    assert binance.send("GET", "v1/depth", "symbol=BTCUSDT&limit=7").code == -1130

    bars = binance.public("v1/klines", symbol=BTCUSDT, interval="5m", limit=3)
    assert [len(bars), len(bars[0])] == [3, 12]
    assert all(later[0] - sooner[0] == 300_000 == sooner[6] - sooner[0] + 1 for sooner, later in pairwise(bars))
    assert binance.public("v1/klines", symbol=BTCUSDT, interval="5m", startTime=bars[1][0], limit=1)[0] == bars[1]
    assert binance.send("GET", "v1/klines", "symbol=BTCUSDT&interval=7m").code == -1120

    rates = binance.public("v1/fundingRate", symbol=BTCUSDT, limit=3)
    assert [rate["fundingTime"] % 28_800_000 for rate in rates] == [0, 0, 0]
    assert binance.public("v1/premiumIndex", symbol=BTCUSDT)["nextFundingTime"] - rates[-1]["fundingTime"] == 28_800_000


def test_brackets_are_continuous(binance: BinanceClient) -> None:
    row = binance.get("v1/leverageBracket", symbol=BTCUSDT).ok[0]
    brackets = row["brackets"]
    assert brackets[0]["initialLeverage"] == 125
    for lower, upper in pairwise(brackets):
        edge = Decimal(str(lower["notionalCap"]))
        at_edge = [edge * Decimal(str(b["maintMarginRatio"])) - Decimal(str(b["cum"])) for b in (lower, upper)]
        assert at_edge[0] == at_edge[1]


@pytest.mark.parametrize("path", ["v1/ping", "v1/fundingInfo"])
def test_the_small_public_calls(binance: BinanceClient, path: str) -> None:
    assert binance.public(path) in ({}, [])


def test_instruments_from_a_file_are_listed_here_too(tmp_path: Path) -> None:
    row = {"instId": "DOGE-USDT-SWAP", "ctVal": "1000", "lotSz": "0.01", "minSz": "0.01", "tickSz": "0.00001",
           "price": "0.4"}  # fmt: skip
    file = tmp_path / "more.json"
    file.write_text(json.dumps([row, row | {"instId": "BNB-USDT-SWAP", "price": "600", "tickSz": "0.1"}]))
    options = ["--instruments", str(file)]
    with SimulatorProcess(options=options) as sim, BinanceClient(sim.base_url, sim.binance) as client:
        assert filters(client, "DOGEUSDT")["PRICE_FILTER"]["tickSize"] == "0.00001"
        assert filters(client, "DOGEUSDT")["LOT_SIZE"]["stepSize"] == "10"
        assert filters(client, "BNBUSDT")["PRICE_FILTER"]["tickSize"] == "0.010"
        assert client.market("DOGEUSDT", "BUY", None, "100").ok["status"] == "FILLED"
        assert client.limit("DOGEUSDT", "BUY", None, "100", "0.39001").ok["price"] == "0.39001"
        assert client.market("DOGEUSDT", "BUY", None, "105").code == -4023
