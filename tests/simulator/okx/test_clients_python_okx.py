"""python-okx, unmodified: its own defaults, its empty strings, one perpetual from the catalogue to closed."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Status import StatusAPI
from okx.Trade import TradeAPI

from tests.simulator.okx.client import BTC, order
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def api(sim: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type], Any]]:
    """Builds one of its classes, with its own default of flag='1' (demo)."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    built: list[Any] = []

    def building(kind: type) -> Any:
        keys = sim.okx
        built.append(kind(keys["api_key"], keys["secret"], keys["passphrase"], domain=sim.base_url, debug=False))
        return built[-1]

    yield building
    for client in built:
        client.close()


def ok(answer: dict[str, Any]) -> list[Any]:
    assert answer["code"] == "0", answer
    return answer["data"]


def test_one_perpetual_from_the_catalogue_to_closed(sim: SimulatorProcess, api: Callable[[type], Any]) -> None:
    account, trade, public, market = api(AccountAPI), api(TradeAPI), api(PublicAPI), api(MarketAPI)
    rules = ok(public.get_instruments(instType="SWAP", instId=BTC))[0]
    assert (rules["ctVal"], rules["lotSz"]) == ("0.01", "0.01")
    assert ok(account.get_account_config())[0]["posMode"] == "long_short_mode"
    ok(account.set_leverage(lever="5", mgnMode="cross", instId=BTC))
    assert {row["lever"] for row in ok(account.get_leverage(mgnMode="cross", instId=BTC))} == {"5"}
    assert Decimal(ok(account.get_account_balance(ccy="USDT"))[0]["details"][0]["eq"]) == 10000
    assert Decimal(ok(market.get_ticker(instId=BTC))[0]["last"]) == 100000

    legs = {"tpTriggerPx": "105000", "tpOrdPx": "-1", "slTriggerPx": "95000", "slOrdPx": "-1"}
    attached = [{"attachAlgoClOrdId": "guard1"} | legs]
    long = {"instId": BTC, "tdMode": "cross", "posSide": "long"}
    asked = {"side": "buy", "ordType": "market", "sz": "2", "clOrdId": "entry1", "attachAlgoOrds": attached}
    entry = ok(trade.place_order(**long, **asked))[0]
    assert entry["sCode"] == "0"
    assert ok(trade.get_order(instId=BTC, clOrdId="entry1"))[0]["state"] == "filled"
    assert [row["pos"] for row in ok(account.get_positions(instType="SWAP"))] == ["2"]
    guard = ok(trade.get_algo_order_details(algoClOrdId="guard1"))[0]
    assert (guard["ordType"], guard["state"]) == ("oco", "live")

    ok(trade.amend_algo_order(instId=BTC, algoClOrdId="guard1", newSlTriggerPx="96000"))
    assert ok(trade.order_algos_list(ordType="conditional,oco"))[0]["slTriggerPx"] == "96000"
    resting = ok(trade.place_order(side="sell", ordType="limit", sz="1", px="101000", **long))[0]
    ok(trade.amend_order(instId=BTC, ordId=resting["ordId"], newPx="102000"))
    assert [row["px"] for row in ok(trade.get_order_list(instType="SWAP"))] == ["102000"]
    ok(trade.cancel_order(instId=BTC, ordId=resting["ordId"]))
    ok(trade.cancel_algo_order([{"instId": BTC, "algoId": guard["algoId"]}]))
    assert ok(trade.order_algos_history(ordType="oco", state="canceled"))[0]["algoId"] == guard["algoId"]

    ok(trade.close_positions(instId=BTC, mgnMode="cross", posSide="long"))
    assert ok(account.get_positions(instType="SWAP")) == []
    assert ok(account.get_positions_history(instType="SWAP"))[0]["type"] == "2"
    assert len(ok(trade.get_fills(instType="SWAP"))) == 2
    assert len(ok(trade.get_orders_history(instType="SWAP"))) == 3


@pytest.mark.parametrize(
    ("kind", "legs"),
    [
        ("conditional", {"slTriggerPx": "95000", "slOrdPx": "-1"}),
        (
            "oco",
            {
                "slTriggerPx": "95000",
                "slOrdPx": "-1",
                "tpTriggerPx": "105000",
                "tpOrdPx": "-1",
                "reduceOnly": "true",
                "cxlOnClosePos": "true",
            },
        ),
        ("trigger", {"triggerPx": "95000", "orderPx": "-1"}),
        ("move_order_stop", {"callbackRatio": "0.01"}),
    ],
)
def test_its_37_mostly_empty_algo_fields_are_understood(
    sim: SimulatorProcess, api: Callable[[type], Any], kind: str, legs: dict[str, Any]
) -> None:
    trade = api(TradeAPI)
    ok(trade.place_order(instId=BTC, tdMode="cross", side="buy", posSide="long", ordType="market", sz="2"))
    guard = {"instId": BTC, "tdMode": "cross", "side": "sell", "posSide": "long", "sz": "2", "algoClOrdId": "a1"}
    placed = trade.place_algo_order(ordType=kind, **guard, **legs)
    assert ok(placed)[0]["sCode"] == "0"
    assert [row["algoClOrdId"] for row in ok(trade.order_algos_list(ordType=kind))] == ["a1"]


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (PublicAPI, lambda api: api.get_mark_price(instType="SWAP", instId=BTC)),
        (PublicAPI, lambda api: api.get_funding_rate(instId=BTC)),
        (PublicAPI, lambda api: api.funding_rate_history(instId=BTC)),
        (PublicAPI, lambda api: api.get_price_limit(instId=BTC)),
        (PublicAPI, lambda api: api.get_position_tiers(instType="SWAP", tdMode="cross", instFamily="BTC-USDT")),
        (PublicAPI, lambda api: api.get_system_time()),
        (PublicAPI, lambda api: api.get_convert_contract_coin(type="1", instId=BTC, sz="1", px="100000", unit="coin")),
        (MarketAPI, lambda api: api.get_tickers(instType="SWAP")),
        (MarketAPI, lambda api: api.get_candlesticks(instId=BTC, bar="5m")),
        (MarketAPI, lambda api: api.get_history_candlesticks(instId=BTC)),
        (MarketAPI, lambda api: api.get_orderbook(instId=BTC, sz="5")),
        (MarketAPI, lambda api: api.get_index_tickers(instId="BTC-USDT")),
        (StatusAPI, lambda api: api.status()),
        (AccountAPI, lambda api: api.get_fee_rates(instType="SWAP")),
        (AccountAPI, lambda api: api.get_max_order_size(instId=BTC, tdMode="cross")),
        (AccountAPI, lambda api: api.get_max_avail_size(instId=BTC, tdMode="cross")),
        (AccountAPI, lambda api: api.get_instruments(instType="SWAP")),
        (AccountAPI, lambda api: api.get_account_bills(instType="SWAP")),
        (TradeAPI, lambda api: api.get_fills_history(instType="SWAP")),
        (TradeAPI, lambda api: api.get_orders_history_archive(instType="SWAP")),
    ],
)
def test_the_calls_that_only_read(api: Callable[[type], Any], kind: Any, call: Any) -> None:
    ok(call(api(kind)))


def test_batches(api: Callable[[type], Any]) -> None:
    trade = api(TradeAPI)
    body = order(BTC, "buy", "long", "1", ordType="limit", px="99000")
    placed = ok(trade.place_multiple_orders([body, body]))
    ids = [{"instId": BTC, "ordId": row["ordId"]} for row in placed]
    ok(trade.amend_multiple_orders([row | {"newPx": "98000"} for row in ids]))
    assert {row["px"] for row in ok(trade.get_order_list())} == {"98000"}
    ok(trade.cancel_multiple_orders(ids))
    assert ok(trade.get_order_list()) == []
