"""The contracts, their rules and how orders are held to them; market data as the exchange shows it."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, ETH, SOL, OkxClient
from tests.simulator_process import SimulatorProcess


@pytest.mark.parametrize(
    ("instrument", "expected"),
    [
        (
            BTC,
            {
                "ctVal": "0.01",
                "ctMult": "1",
                "ctValCcy": "BTC",
                "lotSz": "0.01",
                "minSz": "0.01",
                "tickSz": "0.1",
                "lever": "100",
                "uly": "BTC-USDT",
                "instFamily": "BTC-USDT",
            },
        ),
        (
            ETH,
            {
                "ctVal": "0.1",
                "ctMult": "1",
                "ctValCcy": "ETH",
                "lotSz": "0.01",
                "minSz": "0.01",
                "tickSz": "0.01",
                "lever": "100",
                "uly": "ETH-USDT",
                "instFamily": "ETH-USDT",
            },
        ),
        (
            SOL,
            {
                "ctVal": "1",
                "ctMult": "1",
                "ctValCcy": "SOL",
                "lotSz": "0.01",
                "minSz": "0.01",
                "tickSz": "0.01",
                "uly": "SOL-USDT",
                "instFamily": "SOL-USDT",
            },
        ),
    ],
)
def test_the_recorded_contract_rules(public: OkxClient, instrument: str, expected: dict[str, Any]) -> None:
    row = public.get("public/instruments", instType="SWAP", instId=instrument).row
    assert {name: row[name] for name in expected} == expected
    assert (row["instType"], row["settleCcy"], row["ctType"], row["state"]) == ("SWAP", "USDT", "linear", "live")
    assert isinstance(row["instIdCode"], int)
    assert row["ruleType"] == "normal"
    assert {"groupId", "expTime", "listTime", "upcChg", "maxLmtSz", "maxTriggerSz", "maxTwapSz"} <= set(row)


def test_size_caps_as_recorded(public: OkxClient) -> None:
    caps = {row["instId"]: row for row in public.get("public/instruments", instType="SWAP").rows}
    assert [Decimal(caps[BTC][name]) for name in ("maxMktSz", "maxStopSz", "maxLmtSz")] == [12000, 12000, 100000000]
    assert [Decimal(caps[ETH][name]) for name in ("maxMktSz", "maxStopSz", "maxLmtSz")] == [20000, 20000, 100000000]
    assert len({row["instIdCode"] for row in caps.values()}) == len(caps)


def test_an_instrument_that_does_not_exist(public: OkxClient, okx: OkxClient) -> None:
    assert public.get("public/instruments", instType="SWAP", instId="NOPE-USDT-SWAP").code == "51001"
    assert public.get("market/ticker", instId="NOPE-USDT-SWAP").code == "51001"
    assert okx.order("NOPE-USDT-SWAP", "buy", "long", "1").refusal == "51001"


@pytest.mark.parametrize(
    ("story", "size", "more", "code"),
    [
        ("not a whole lot", "1.005", {}, "51121"),
        ("below the minimum", "0.001", {}, "51020"),
        ("nothing", "0", {}, "51020"),
        ("more than a market order may have", "12000.01", {}, "51202"),
        ("price between two ticks", "1", {"ordType": "limit", "px": "99000.05"}, "51000"),
        ("a limit order without a price", "1", {"ordType": "limit"}, "51000"),
        ("a price that is no number", "1", {"ordType": "limit", "px": "cheap"}, "51000"),
        ("a size that is no number", "much", {}, "51000"),
        ("an unknown order type", "1", {"ordType": "wish"}, "51000"),
        ("a buy far above the band", "1", {"ordType": "limit", "px": "150000"}, "51006"),
        ("more than the margin holds", "31", {}, "51008"),
        ("a dash in the id", "1", {"clOrdId": "with-dash"}, "51000"),
        ("an underscore in the id", "1", {"clOrdId": "with_underscore"}, "51000"),
        ("an id of 33 characters", "1", {"clOrdId": "a" * 33}, "51000"),
        ("no side of the position while hedged", "1", {"posSide": ""}, "51000"),
        ("a margin mode that does not exist", "1", {"tdMode": "borrowed"}, "51000"),
        ("no side", "1", {"side": ""}, "51000"),
    ],
)
def test_an_order_against_the_rules_is_refused_whole(
    okx: OkxClient, story: str, size: str, more: dict[str, Any], code: str
) -> None:
    answer = okx.order(BTC, "buy", "long", size, **more)
    assert answer.code == "1", answer.body
    assert answer.refusal == code, answer.body
    assert answer.body["data"][0]["sMsg"]
    assert okx.get("trade/orders-pending").rows == []
    assert okx.positions() == []


def test_a_sell_far_below_the_band_is_refused_too(okx: OkxClient) -> None:
    assert okx.order(BTC, "sell", "short", "1", ordType="limit", px="50000").refusal == "51006"


def test_too_little_margin_comes_with_a_sub_code(okx: OkxClient) -> None:
    row = okx.order(BTC, "buy", "long", "31").body["data"][0]
    assert (row["sCode"], row["subCode"][:2]) == ("51008", "10")


def test_an_id_of_32_letters_and_digits_is_good(okx: OkxClient) -> None:
    assert okx.order(BTC, "buy", "long", "1", clOrdId="a1" * 16).row["sCode"] == "0"


def test_an_algo_larger_than_a_stop_may_be(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1")
    refused = okx.algo(BTC, "sell", "long", "conditional", sz="12000.01", slTriggerPx="95000", slOrdPx="-1")
    assert refused.refusal == "51275"


def test_a_suspended_instrument_takes_no_orders(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(suspended=[BTC])
    assert okx.get("public/instruments", instType="SWAP", instId=BTC).row["state"] == "suspend"
    assert okx.order(BTC, "buy", "long", "1").refusal == "51022"
    assert okx.order(ETH, "buy", "long", "1").row["sCode"] == "0"


def test_an_id_is_taken_while_its_order_rests_and_free_afterwards(okx: OkxClient) -> None:
    resting = {"ordType": "limit", "px": "99000", "clOrdId": "mine1"}
    first = okx.order(BTC, "buy", "long", "1", **resting).row["ordId"]
    assert okx.order(BTC, "buy", "long", "1", **resting).refusal == "51016"
    assert okx.post("trade/cancel-order", {"instId": BTC, "clOrdId": "mine1"}).row["sCode"] == "0"
    second = okx.order(BTC, "buy", "long", "1", **resting).row["ordId"]
    assert first != second
    assert okx.find(BTC, clOrdId="mine1")["ordId"] == second
    assert okx.find(BTC, ordId=first)["state"] == "canceled"


def test_a_filled_market_order_frees_its_id_so_a_blind_repeat_doubles(okx: OkxClient) -> None:
    for _ in range(2):
        assert okx.order(BTC, "buy", "long", "1", clOrdId="again").row["sCode"] == "0"
    assert Decimal(okx.position(BTC, "long")["pos"]) == 2


def test_the_price_band_is_published(public: OkxClient) -> None:
    limit = public.get("public/price-limit", instId=BTC).row
    assert Decimal(limit["sellLmt"]) < 100000 < Decimal(limit["buyLmt"])
    assert limit["enabled"] is True


@pytest.mark.parametrize(
    ("parameters", "contracts"),
    [
        ({"type": "1", "sz": "0.05", "px": "100000", "unit": "coin", "opType": "open"}, "5"),
        ({"type": "1", "sz": "100", "px": "83789.7", "unit": "usds", "opType": "open"}, "0.11"),
        ({"type": "2", "sz": "5", "px": "100000", "unit": "coin"}, "0.05"),
    ],
)
def test_coins_to_contracts_and_back(public: OkxClient, parameters: dict[str, Any], contracts: str) -> None:
    row = public.get("public/convert-contract-coin", instId=BTC, **parameters).row
    assert Decimal(row["sz"]) == Decimal(contracts)


def test_the_ticker_has_bid_and_ask_around_the_last_price(public: OkxClient) -> None:
    ticker = public.get("market/ticker", instId=BTC).row
    assert Decimal(ticker["last"]) == 100000
    assert Decimal(ticker["bidPx"]) <= 100000 <= Decimal(ticker["askPx"])
    assert Decimal(ticker["askPx"]) - Decimal(ticker["bidPx"]) <= 10
    expected = "lastSz askSz bidSz open24h high24h low24h vol24h volCcy24h sodUtc0 sodUtc8 ts"
    assert set(expected.split()) <= set(ticker)
    assert {row["instId"] for row in public.get("market/tickers", instType="SWAP").rows} >= {BTC, ETH, SOL}


def test_last_mark_and_index_are_three_prices(sim: SimulatorProcess, public: OkxClient) -> None:
    sim.price(BTC, "101000", mark="100500", index="100600")
    assert Decimal(public.get("market/ticker", instId=BTC).row["last"]) == 101000
    assert Decimal(public.get("public/mark-price", instType="SWAP", instId=BTC).row["markPx"]) == 100500
    assert Decimal(public.get("market/index-tickers", instId="BTC-USDT").row["idxPx"]) == 100600


def test_the_book_is_sorted_and_starts_at_the_tickers_prices(public: OkxClient) -> None:
    book = public.get("market/books", instId=BTC, sz="20").row
    asks, bids = ([Decimal(level[0]) for level in book[side]] for side in ("asks", "bids"))
    ticker = public.get("market/ticker", instId=BTC).row
    assert len(asks) == len(bids) == 20
    assert (asks, bids) == (sorted(asks), sorted(bids, reverse=True))
    assert (asks[0], bids[0]) == (Decimal(ticker["askPx"]), Decimal(ticker["bidPx"]))
    assert all(len(level) == 4 for level in book["asks"] + book["bids"])


def test_candles_have_nine_columns_newest_first_and_one_still_forming(sim: SimulatorProcess, public: OkxClient) -> None:
    sim.clock(150)
    candles = public.get("market/candles", instId=BTC, bar="1m", limit="50").rows
    times = [int(candle[0]) for candle in candles]
    assert {len(candle) for candle in candles} == {9}
    assert len(candles) == 50
    assert times[0] == 1767225600000 + 120000
    assert [newer - older for newer, older in pairwise(times)] == [60000] * 49
    assert [candle[8] for candle in candles[:3]] == ["0", "1", "1"]
    assert all(Decimal(c[3]) <= min(Decimal(c[1]), Decimal(c[4])) for c in candles)
    assert all(Decimal(c[2]) >= max(Decimal(c[1]), Decimal(c[4])) for c in candles)


@pytest.mark.parametrize(("bar", "minutes"), [("5m", 5), ("15m", 15), ("1H", 60)])
def test_longer_candles_are_made_of_the_minutes(public: OkxClient, bar: str, minutes: int) -> None:
    short = {int(candle[0]): candle for candle in public.get("market/candles", instId=BTC, bar="1m", limit="300").rows}
    whole = [c for c in public.get("market/candles", instId=BTC, bar=bar, limit="10").rows if c[8] == "1"]
    checked = 0
    for candle in whole:
        opens = [int(candle[0]) + 60000 * minute for minute in range(minutes)]
        if not all(at in short for at in opens):
            continue
        inside = [short[at] for at in opens]
        checked += 1
        assert Decimal(candle[1]) == Decimal(inside[0][1])
        assert Decimal(candle[2]) == max(Decimal(minute[2]) for minute in inside)
        assert Decimal(candle[3]) == min(Decimal(minute[3]) for minute in inside)
        assert Decimal(candle[4]) == Decimal(inside[-1][4])
    assert checked


def test_candle_pages_join_without_overlap(public: OkxClient) -> None:
    first = public.get("market/candles", instId=BTC, bar="1m", limit="10").rows
    older = public.get("market/candles", instId=BTC, bar="1m", limit="10", after=first[-1][0]).rows
    assert int(older[0][0]) == int(first[-1][0]) - 60000
    newer = public.get("market/candles", instId=BTC, bar="1m", limit="300", before=first[-1][0]).rows
    assert [candle[0] for candle in newer] == [candle[0] for candle in first[:-1]]
    history = public.get("market/history-candles", instId=BTC, bar="1m", limit="10", after=first[-1][0]).rows
    assert [candle[:5] for candle in history] == [candle[:5] for candle in older]


def test_days_open_at_utc_plus_eight_unless_asked_for_in_utc(public: OkxClient) -> None:
    chinese = public.get("market/candles", instId=BTC, bar="1D", limit="1").rows[0]
    universal = public.get("market/candles", instId=BTC, bar="1Dutc", limit="1").rows[0]
    assert int(chinese[0]) % 86400000 == 16 * 3600000
    assert int(universal[0]) % 86400000 == 0


def test_funding_is_announced_for_the_next_eight_hours(public: OkxClient) -> None:
    funding = public.get("public/funding-rate", instId=BTC).row
    assert int(funding["nextFundingTime"]) - int(funding["fundingTime"]) == 8 * 3600000
    assert int(funding["fundingTime"]) == 1767225600000 + 8 * 3600000
    assert funding["nextFundingRate"] == ""
    assert abs(Decimal(funding["fundingRate"])) < Decimal("0.02")
    assert {"settFundingRate", "minFundingRate", "maxFundingRate", "settState", "formulaType", "method"} <= set(funding)


def test_the_rate_that_was_charged_goes_into_the_history(sim: SimulatorProcess, public: OkxClient) -> None:
    sim.clock(8 * 3600 + 1)
    history = public.get("public/funding-rate-history", instId=BTC).rows
    assert int(history[0]["fundingTime"]) == 1767225600000 + 8 * 3600000
    assert Decimal(history[0]["realizedRate"]) == Decimal(history[0]["fundingRate"])


def test_no_maintenance_by_default_and_a_window_when_asked_for(sim: SimulatorProcess, public: OkxClient) -> None:
    assert public.get("system/status").rows == []
    sim.switches(maintenance={"begin": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"})
    window = public.get("system/status").row
    assert window["state"] == "ongoing"
    assert (window["begin"], window["end"]) == ("1767225600000", "1767229200000")
    assert {"title", "serviceType", "env", "maintType", "href", "scheDesc"} <= set(window)
