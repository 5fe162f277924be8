"""The paper market's controls against a real simulator: what a person sets is what the exchange shows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from core.domain.account import Account, Environment, Exchange
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Side
from core.services.accounts.paper_market import RULE, Deed, PaperMarket
from tests.pages.samples.snapshot import empty_snapshot, sample_snapshot
from tests.services.conftest import BTC, DEMO, PAPER
from tests.simulator.binance.client import BinanceClient as BinancePerson


@pytest.fixture
def market(sim, store):
    return PaperMarket(lambda: sim.ready["control_url"], store.accounts, store.events, store.snapshots)


def last(market: PaperMarket) -> Decimal:
    return Decimal(market.prices()[BTC]["last"])


def test_prices_come_under_our_own_names(market):
    assert market.available()
    assert market.prices()[BTC] == {"last": "100000", "mark": "100000", "index": "100000"}
    assert set(market.prices()) == {BTC, "ETH-USDT-PERP", "SOL-USDT-PERP"}


def test_a_price_is_set_and_shocked_and_the_history_says_so(market, store):
    market.set_price(BTC, Decimal("101000.5"))
    assert last(market) == Decimal("101000.5")
    market.shock(BTC, Decimal(-5))
    assert last(market) == Decimal("95950.5")
    notes = [str(event.because) for event in store.events.find(account=PAPER.id) if event.rule == RULE]
    assert "BTC-USDT-PERP was moved from 100000 to 101000.5 by hand" in notes


@pytest.mark.parametrize("price", ["0", "-5", "9999", "1000001", "NaN", "Infinity"])
def test_a_senseless_price_is_refused_with_its_range(market, price):
    with pytest.raises(Misconfigured, match="10000 to 1000000 USDT is allowed"):
        market.set_price(BTC, Decimal(price))
    assert last(market) == 100000


@pytest.mark.parametrize("percent", ["-91", "901", "NaN"])
def test_a_shock_out_of_range_is_refused(market, percent):
    with pytest.raises(Misconfigured, match="-90 to 900 % is allowed"):
        market.shock(BTC, Decimal(percent))


def test_a_contract_that_is_not_traded_is_named(market):
    for ask in (market.set_price, market.shock):
        with pytest.raises(Misconfigured, match="'DOGE-USDT-PERP' is not traded on paper: one of BTC-USDT-PERP"):
            ask("DOGE-USDT-PERP", Decimal(1))


def test_candles_are_named_and_in_order(market):
    candles = market.candles(BTC, 60)
    assert len(candles) == 60
    assert set(candles[0]) == set("tohlcv")
    times = [int(candle["t"]) for candle in candles]
    assert times == sorted(times)
    assert all(Decimal(candle["l"]) <= Decimal(candle["c"]) <= Decimal(candle["h"]) for candle in candles)


def test_prices_walk_by_themselves_and_hold_still(market, sim):
    market.source("walk")
    sim.clock(600)
    walked = last(market)
    assert walked != 100000
    market.source("hold")
    sim.clock(600)
    assert last(market) == walked


@pytest.mark.parametrize(("kind", "words"), [("script", "one of walk, hold, mirror"), ("mirror", "base_url")])
def test_a_source_that_cannot_be_is_refused(market, kind, words):
    with pytest.raises(Misconfigured, match=words):
        market.source(kind)


@pytest.mark.parametrize("kind", list(PaperMarket.FAULTS))
def test_every_fault_that_is_offered_works_as_the_page_asks_for_it(market, kind):
    market.set_faults([{"kind": kind, "match": {}, "count": 2}])
    (active,) = market.faults()
    assert (active["kind"], active["count"], active["hits"]) == (kind, 2, 0)


def test_a_fault_strikes_orders_and_nothing_else(market, sim, okx):
    market.set_faults([{"kind": "reject", "match": {}, "count": 1}])
    assert okx.get("account/balance").code == "0"
    assert okx.order("BTC-USDT-SWAP", "buy", "long", "1").refusal == "51008"
    assert okx.order("BTC-USDT-SWAP", "buy", "long", "1").row["sCode"] == "0"


def test_adding_a_fault_does_not_wind_up_the_others_again(market, okx):
    market.set_faults([{"kind": "reject", "match": {}, "count": 1}, {"kind": "push_withheld", "count": 3}])
    assert okx.order("BTC-USDT-SWAP", "buy", "long", "1").refusal == "51008"
    market.set_faults([*market.faults(), {"kind": "stream_cut", "match": {}, "count": 1}])
    assert [(fault["kind"], fault["count"]) for fault in market.faults()] == [("push_withheld", 3), ("stream_cut", 1)]
    market.clear_faults()
    assert market.faults() == []


def test_an_unknown_fault_is_refused_and_changes_nothing(market):
    market.set_faults([{"kind": "slow", "count": 1}])
    with pytest.raises(Misconfigured, match="'haunted' is not known: one of lost_after"):
        market.set_faults([{"kind": "haunted"}])
    assert len(market.faults()) == 1


def test_without_a_paper_exchange_it_says_so(store):
    market = PaperMarket(lambda: None, store.accounts, store.events, store.snapshots)
    assert not market.available()
    with pytest.raises(Unavailable, match="the paper exchange does not run"):
        market.prices()


def test_a_dead_paper_exchange_is_unavailable_and_not_an_empty_market(store, closed_port):
    market = PaperMarket(lambda: f"http://127.0.0.1:{closed_port}/sim", store.accounts, store.events, store.snapshots)
    with pytest.raises(Unavailable, match="does not answer"):
        market.prices()


def test_a_proxy_of_the_environment_is_not_used(market, monkeypatch, closed_port):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    assert market.prices()
    assert httpx.URL(market.find_control()).host == "127.0.0.1"


# --- the other exchange, and another hand

BINANCE = Account("paper-binance", "Paper Binance", Exchange.BINANCE, Environment.PAPER, "", "")


@pytest.fixture
def binance(sim, store):
    store.accounts.save(BINANCE, None)
    with BinancePerson(sim.base_url, sim.binance) as person:
        assert person.post("v1/positionSide/dual", dualSidePosition="true").ok
        yield person


def held(sim, side: str, on: str = "binance") -> Decimal:
    rows = sim.state()[on]["positions"] if on == "binance" else sim.state()["positions"]
    return sum((Decimal(row["pos"]) for row in rows if row["posSide"] == side), Decimal(0))


@pytest.mark.parametrize("kind", list(PaperMarket.FAULTS))
def test_every_fault_can_be_bound_to_binance(market, kind):
    market.set_faults([{"kind": kind, "match": {"exchange": "binance"}, "count": 2}])
    (active,) = market.faults()
    assert (active["kind"], active["match"]["exchange"]) == (kind, "binance")
    market.set_faults(market.faults())
    assert market.faults() == [active]


def test_a_fault_of_binance_strikes_its_orders_and_leaves_okx_alone(market, okx, binance):
    market.set_faults([{"kind": "reject", "match": {"exchange": "binance"}, "count": 1}])
    assert okx.order("BTC-USDT-SWAP", "buy", "long", "1").row["sCode"] == "0"
    asked = {"symbol": "BTCUSDT", "side": "BUY", "positionSide": "LONG", "type": "MARKET", "quantity": "0.01"}
    assert binance.post("v1/order", **asked).code == -2019
    assert binance.post("v1/order", **asked).ok


@pytest.mark.parametrize("account", [PAPER, BINANCE], ids=lambda one: one.exchange)
def test_another_hand_opens_and_closes_in_the_account_it_is_asked_for(market, sim, store, binance, account):
    on = str(account.exchange)
    market.by_hand(account.id, Deed.OPEN, BTC, Side.LONG, Decimal("0.02"))
    market.by_hand(account.id, Deed.OPEN, BTC, Side.SHORT, Decimal("0.05"))
    assert (held(sim, "long", on), abs(held(sim, "short", on))) == (Decimal("0.02"), Decimal("0.05"))
    market.by_hand(account.id, Deed.CLOSE, BTC, Side.SHORT, Decimal("0.02"))
    assert abs(held(sim, "short", on)) == Decimal("0.03")
    market.by_hand(account.id, Deed.CLOSE, BTC, Side.SHORT, None)
    market.by_hand(account.id, Deed.LIQUIDATE, BTC, Side.LONG, None)
    assert (held(sim, "long", on), held(sim, "short", on)) == (0, 0)
    notes = [str(event.because) for event in store.events.find(account=account.id) if event.rule == RULE]
    assert "close all of short BTC-USDT-PERP by another hand" in notes
    assert "open 0.02 of long BTC-USDT-PERP by another hand" in notes


def test_a_one_way_account_is_meddled_with_in_its_own_words(market, sim, store, binance):
    assert binance.post("v1/positionSide/dual", dualSidePosition="false").ok
    store.snapshots.put(empty_snapshot(BINANCE, money=replace(sample_snapshot().money, hedge_mode=False)))
    market.by_hand(BINANCE.id, Deed.OPEN, BTC, Side.SHORT, Decimal("0.02"))
    assert held(sim, "net") == Decimal("-0.02")
    market.by_hand(BINANCE.id, Deed.CLOSE, BTC, Side.SHORT, None)
    assert held(sim, "net") == 0


@pytest.mark.parametrize(
    ("account", "deed", "contracts", "words"),
    [
        ("demo-okx", Deed.CLOSE, None, "is no paper account"),
        (PAPER.id, Deed.OPEN, None, "contracts is empty"),
        (PAPER.id, Deed.CLOSE, Decimal(0), "contracts 0 is not allowed"),
        (PAPER.id, Deed.CLOSE, None, "the paper exchange refuses"),
    ],
)
def test_a_hand_that_cannot_do_it_is_told_why(market, store, account, deed, contracts, words):
    store.accounts.save(DEMO, None)
    with pytest.raises(Misconfigured, match=words):
        market.by_hand(account, deed, BTC, Side.LONG, contracts)
