"""python-binance, unmodified, pointed here by its address alone: one perpetual from exchangeInfo to closed."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from binance.client import Client
from binance.exceptions import BinanceAPIException

from tests.simulator.binance.client import BTCUSDT, ETHUSDT
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

LONG = {"symbol": BTCUSDT, "positionSide": "LONG"}


@pytest.fixture
def client(sim: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = Client(sim.binance["api_key"], sim.binance["secret"], ping=False)
    client.FUTURES_URL = f"{sim.base_url}/fapi"
    yield client
    client.session.close()


@pytest.fixture
def hedged(client: Client) -> Client:
    client.futures_change_position_mode(dualSidePosition="true")
    return client


def test_one_perpetual_from_exchange_info_to_closed(sim: SimulatorProcess, hedged: Client) -> None:
    assert hedged.futures_ping() == {}
    assert hedged.futures_time()["serverTime"] > 0
    assert BTCUSDT in {row["symbol"] for row in hedged.futures_exchange_info()["symbols"]}
    assert hedged.futures_change_leverage(symbol=BTCUSDT, leverage=5)["leverage"] == 5
    assert hedged.futures_symbol_config(symbol=BTCUSDT)[0]["leverage"] == 5
    assert hedged.futures_mark_price(symbol=BTCUSDT)["markPrice"] == "100000.00000000"
    assert hedged.futures_symbol_ticker(symbol=BTCUSDT)["price"] == "100000.00"

    entry = hedged.futures_create_order(**LONG, side="BUY", type="MARKET", quantity="0.01", newOrderRespType="RESULT")
    assert entry["status"] == "FILLED"
    assert hedged.futures_get_order(symbol=BTCUSDT, orderId=entry["orderId"])["avgPrice"] == "100000.10000"
    held = next(row for row in hedged.futures_position_information() if row["positionSide"] == "LONG")
    assert (held["positionAmt"], held["entryPrice"]) == ("0.010", "100000.1")
    assert hedged.futures_position_information(version=2)[0]["leverage"] == "5"

    resting = hedged.futures_limit_order(**LONG, side="SELL", quantity="0.005", price="101000", timeInForce="GTC",
                                         newClientOrderId="t-1")  # fmt: skip
    assert [row["clientOrderId"] for row in hedged.futures_get_open_orders()] == ["t-1"]
    changed = hedged.futures_modify_order(symbol=BTCUSDT, side="SELL", orderId=resting["orderId"], quantity="0.005",
                                          price="102000")  # fmt: skip
    assert changed["price"] == "102000.00"
    assert hedged.futures_cancel_order(symbol=BTCUSDT, origClientOrderId="t-1")["status"] == "CANCELED"

    hedged.futures_market_order(**LONG, side="SELL", quantity="0.01")
    assert hedged.futures_position_information() == []
    assert len(hedged.futures_account_trades(symbol=BTCUSDT)) == 2
    assert {row["incomeType"] for row in hedged.futures_income_history()} == {"TRANSFER", "COMMISSION", "REALIZED_PNL"}
    assert [row["status"] for row in hedged.futures_get_all_orders(symbol=BTCUSDT)] == ["FILLED", "CANCELED", "FILLED"]
    assert hedged.futures_account()["totalWalletBalance"] == hedged.futures_account(version=3)["totalWalletBalance"]
    assert hedged.futures_account_balance()[1]["asset"] == "USDT"


def test_settings_already_so_are_its_exceptions(hedged: Client) -> None:
    for code, ask in (
        (-4059, lambda: hedged.futures_change_position_mode(dualSidePosition="true")),
        (-4046, lambda: hedged.futures_change_margin_type(symbol=BTCUSDT, marginType="CROSSED")),
        (-4171, lambda: hedged.futures_change_multi_assets_mode(False)),
    ):
        with pytest.raises(BinanceAPIException) as caught:
            ask()
        assert (caught.value.code, caught.value.status_code) == (code, 400)
    assert hedged.futures_get_position_mode() == {"dualSidePosition": True}
    assert hedged.futures_get_multi_assets_mode() == {"multiAssetsMargin": False}
    assert hedged.futures_account_config()["dualSidePosition"] is True


def test_several_at_once(hedged: Client) -> None:
    orders = [LONG | {"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": price, "timeInForce": "GTC"}
              for price in ("99000", "98000")]  # fmt: skip
    placed = hedged.futures_place_batch_order(batchOrders=orders)
    assert [row["status"] for row in placed] == ["NEW", "NEW"]
    assert hedged.futures_cancel_all_open_orders(symbol=BTCUSDT)["code"] == 200
    assert hedged.futures_get_open_orders() == []


def test_an_id_that_must_be_encoded_does_not_match_its_signature(hedged: Client) -> None:
    order = LONG | {"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "99000", "timeInForce": "GTC"}
    with pytest.raises(BinanceAPIException) as caught:
        hedged.futures_create_order(**order, newClientOrderId="a:b")
    assert caught.value.code == -1022


@pytest.mark.parametrize(("code", "ask"), [
    (-2019, {"quantity": "50"}), (-1111, {"quantity": "0.00001"}), (-4061, {"positionSide": "BOTH"}),
    (-1106, {"reduceOnly": "true"}), (-2022, {"side": "SELL"}),
])  # fmt: skip
def test_refusals_are_its_exceptions(hedged: Client, code: int, ask: dict[str, Any]) -> None:
    with pytest.raises(BinanceAPIException) as caught:
        hedged.futures_create_order(**LONG | {"side": "BUY", "type": "MARKET", "quantity": "0.01"} | ask)
    assert caught.value.code == code


def test_a_gateways_page_and_a_dead_connection(sim: SimulatorProcess, hedged: Client) -> None:
    sim.faults({"match": {"exchange": "binance"}, "kind": "html_502", "http": 503, "count": 1})
    with pytest.raises(BinanceAPIException) as caught:
        hedged.futures_account()
    assert (caught.value.code, caught.value.status_code) == (0, 503)
    sim.faults({"match": {"exchange": "binance"}, "kind": "reset", "count": 1})
    with pytest.raises(requests.exceptions.ConnectionError):
        hedged.futures_account()


@pytest.mark.parametrize(("method", "given"), [
    ("futures_klines", {"symbol": BTCUSDT, "interval": "1h"}), ("futures_order_book", {"symbol": BTCUSDT}),
    ("futures_funding_rate", {"symbol": BTCUSDT}), ("futures_ticker", {}), ("futures_orderbook_ticker", {}),
    ("futures_leverage_bracket", {}), ("futures_commission_rate", {"symbol": ETHUSDT}),
    ("futures_recent_trades", {"symbol": BTCUSDT}), ("futures_open_interest", {"symbol": BTCUSDT}),
    ("futures_v1_get_rate_limit_order", {}), ("futures_countdown_cancel_all", {"symbol": BTCUSDT, "countdownTime": 0}),
    ("futures_adl_quantile_estimate", {}), ("futures_mark_price", {}),
])  # fmt: skip
def test_its_other_calls(hedged: Client, method: str, given: dict[str, Any]) -> None:
    assert getattr(hedged, method)(**given) is not None


def test_the_market_moves_for_both_sides(sim: SimulatorProcess, hedged: Client) -> None:
    sim.price(BTC, "101000")
    assert hedged.futures_symbol_ticker(symbol=BTCUSDT)["price"] == "101000.00"
