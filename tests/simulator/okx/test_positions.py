"""Positions: their numbers, their lives, how they end, and what the history keeps of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.conftest import times
from tests.simulator.okx.client import BTC, ETH, OkxClient
from tests.simulator_process import SimulatorProcess

POSITION_FIELDS = """
    instType instId mgnMode posId posSide pos availPos avgPx bePx markPx last idxPx upl uplRatio uplLastPx
    uplRatioLastPx lever notionalUsd ccy imr margin mmr mgnRatio liqPx adl realizedPnl pnl fee fundingFee
    liqPenalty settledPnl closeOrderAlgo tradeId cTime uTime
    """
HISTORY_FIELDS = """
    instType instId mgnMode type posId posSide direction openAvgPx closeAvgPx openMaxPos closeTotalPos pnl
    pnlRatio fee fundingFee liqPenalty realizedPnl settledPnl triggerPx lever ccy uly cTime uTime nonSettleAvgPx
    """


def history(okx: OkxClient, **parameters: str) -> list[Any]:
    return okx.get("account/positions-history", **parameters).rows


def exit_at(sim: SimulatorProcess, okx: OkxClient, instrument: str, position_side: str, size: str, price: str) -> None:
    """Close exactly at a price, as a maker: the price goes to the other side of it, then through it."""
    closing_sell = position_side == "long"
    below, above = times(price, "0.999"), times(price, "1.001")
    sim.price(instrument, below if closing_sell else above)
    side = "sell" if closing_sell else "buy"
    assert okx.order(instrument, side, position_side, size, ordType="limit", px=price).row["sCode"] == "0"
    sim.price(instrument, above if closing_sell else below)


# -- the numbers


def test_a_position_row_is_complete(okx: OkxClient, enter: Callable[[str, str, str, str], str]) -> None:
    enter(BTC, "long", "1", "99000")
    row = okx.position(BTC, "long")
    assert set(row) >= set(POSITION_FIELDS.split())
    assert (row["mgnMode"], row["ccy"], row["pos"], row["availPos"], row["margin"]) == ("cross", "USDT", "1", "", "")
    assert row["closeOrderAlgo"] == []


@pytest.mark.parametrize(
    ("position_side", "mark", "last", "upl", "upl_last"),
    [
        ("long", "99500", "99800", "10", "16"),
        ("short", "99500", "99800", "-10", "-16"),
        ("long", "98000", "98100", "-20", "-18"),
    ],
)
def test_the_unrealised_pnl_is_by_mark_and_also_by_last(
    sim: SimulatorProcess,
    okx: OkxClient,
    enter: Callable[[str, str, str, str], str],
    position_side: str,
    mark: str,
    last: str,
    upl: str,
    upl_last: str,
) -> None:
    enter(BTC, position_side, "2", "99000")  # 0.02 BTC
    sim.price(BTC, last, mark=mark)
    row = okx.position(BTC, position_side)
    assert (Decimal(row["upl"]), Decimal(row["uplLastPx"])) == (Decimal(upl), Decimal(upl_last))
    assert (Decimal(row["markPx"]), Decimal(row["last"])) == (Decimal(mark), Decimal(last))
    assert abs(Decimal(row["uplRatio"]) - Decimal(upl) / 660) < Decimal("0.000001")  # margin 1980 / 3


def test_margin_is_notional_by_leverage(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(ETH, "short", "10", "3600")  # 1 ETH
    sim.price(ETH, "3650")
    row = okx.position(ETH, "short")
    assert abs(Decimal(row["imr"]) - Decimal("1216.6666667")) < Decimal("0.0001")  # 3650 / 3
    assert abs(Decimal(row["mmr"]) - Decimal("14.6")) < Decimal("0.0001")  # 0.4 %
    assert abs(Decimal(row["notionalUsd"]) - 3650) < Decimal("0.01")


def test_the_average_moves_on_increases_only(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "1", "99000")
    enter(BTC, "long", "3", "97000")
    assert Decimal(okx.position(BTC, "long")["avgPx"]) == 97500
    exit_at(sim, okx, BTC, "long", "2", "98000")
    row = okx.position(BTC, "long")
    assert (Decimal(row["avgPx"]), Decimal(row["pos"])) == (97500, 2)
    assert Decimal(row["pnl"]) == 10  # 2 x 0.01 x 500
    assert Decimal(row["fee"]) == Decimal("-1.172")  # (990 + 2910 + 1960) x 0.02 %
    assert Decimal(row["realizedPnl"]) == Decimal("8.828")


def test_a_small_cross_position_far_from_liquidation_may_show_no_price_for_it(
    okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "0.01", "99000")
    assert okx.position(BTC, "long")["liqPx"] in ("", "0")


def test_a_large_one_shows_where_it_ends(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    okx.post("account/set-leverage", {"instId": BTC, "lever": "50", "mgnMode": "cross"})
    enter(BTC, "long", "100", "99000")
    liquidation = Decimal(okx.position(BTC, "long")["liqPx"]).quantize(Decimal("0.1"))
    assert 89000 < liquidation < 90500  # 10000 USDT under 1 BTC, less maintenance margin
    sim.price(BTC, str(liquidation + 50))
    assert Decimal(okx.position(BTC, "long")["pos"]) == 100
    sim.price(BTC, str(liquidation - 300))
    assert okx.positions() == []


# -- flat, and again


def test_flat_is_absent_from_the_list_and_zero_when_asked_for_by_name(okx: OkxClient) -> None:
    assert okx.positions(instId=BTC) == []  # it never had one
    okx.order(BTC, "buy", "long", "1")
    okx.order(BTC, "sell", "long", "1")
    assert okx.positions() == []
    assert okx.positions(instType="SWAP") == []
    row = okx.positions(instId=BTC)[0]
    assert (row["pos"], row["posSide"]) == ("0", "long")


def test_the_position_id_returns_with_the_next_life_and_the_creation_time_does_not(
    sim: SimulatorProcess, okx: OkxClient
) -> None:
    lives = []
    for _ in range(2):
        okx.order(BTC, "buy", "long", "1")
        lives.append(okx.position(BTC, "long"))
        sim.clock(5)
        okx.order(BTC, "sell", "long", "1")
        sim.clock(60)
    assert lives[0]["posId"] == lives[1]["posId"]
    assert int(lives[1]["cTime"]) > int(lives[0]["cTime"])
    rows = history(okx)
    assert [(row["posId"], row["cTime"]) for row in rows] == [(life["posId"], life["cTime"]) for life in lives[::-1]]


def test_each_side_and_instrument_has_a_position_id_of_its_own(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1")
    okx.order(BTC, "sell", "short", "1")
    okx.order(ETH, "buy", "long", "1")
    assert len({row["posId"] for row in okx.positions()}) == 3


def test_the_position_id_is_forgotten_after_thirty_days(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(pos_id_retention_days=1)
    okx.order(BTC, "buy", "long", "1")
    first = okx.position(BTC, "long")["posId"]
    okx.order(BTC, "sell", "long", "1")
    sim.clock(86400 + 3600)
    assert okx.positions(instId=BTC) == []
    okx.order(BTC, "buy", "long", "1")
    assert okx.position(BTC, "long")["posId"] != first


def test_several_positions_come_newest_first_and_filter_by_name_and_id(sim: SimulatorProcess, okx: OkxClient) -> None:
    for instrument in (BTC, ETH):
        okx.order(instrument, "buy", "long", "1")
        sim.clock(1)
    assert [row["instId"] for row in okx.positions()] == [ETH, BTC]
    assert [row["instId"] for row in okx.positions(instId=f"{BTC},{ETH}")] == [ETH, BTC]
    assert [row["instId"] for row in okx.positions(posId=okx.position(BTC, "long")["posId"])] == [BTC]


# -- history


def test_the_recorded_history_row_comes_out_the_same(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    """ETH long 0.1 contract, 3226.93 to 3224.8, both fees 0.07 %, leverage 3: the numbers of a row recorded at OKX."""
    sim.switches(fees={"maker": "0.0007", "taker": "0.0007"})
    enter(ETH, "long", "0.1", "3226.93")
    exit_at(sim, okx, ETH, "long", "0.1", "3224.8")
    row = history(okx)[0]
    assert set(row) >= set(HISTORY_FIELDS.split())
    assert (Decimal(row["openAvgPx"]), Decimal(row["closeAvgPx"])) == (Decimal("3226.93"), Decimal("3224.8"))
    assert (Decimal(row["openMaxPos"]), Decimal(row["closeTotalPos"])) == (Decimal("0.1"), Decimal("0.1"))
    assert Decimal(row["pnl"]) == Decimal("-0.0213")
    assert Decimal(row["fee"]) == Decimal("-0.04516211")
    assert Decimal(row["realizedPnl"]) == Decimal("-0.06646211")
    assert abs(Decimal(row["pnlRatio"]) - Decimal("-0.00617882")) < Decimal("0.00000001")
    assert (row["type"], row["direction"], row["posSide"], row["triggerPx"]) == ("2", "long", "long", "")
    assert Decimal(row["lever"]) == 3


def test_a_short_earns_when_the_price_falls(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "short", "2", "101000")
    exit_at(sim, okx, BTC, "short", "2", "100000")
    row = history(okx)[0]
    assert (Decimal(row["pnl"]), row["direction"]) == (20, "short")
    assert Decimal(row["fee"]) == Decimal("-0.804")  # (2020 + 2000) x 0.02 %


def test_one_life_is_one_row_that_begins_with_the_first_partial_close(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "4", "99000")
    assert history(okx) == []
    born = okx.position(BTC, "long")["cTime"]
    sim.clock(10)
    exit_at(sim, okx, BTC, "long", "1", "99500")
    partial = history(okx)[0]
    assert (partial["type"], partial["cTime"], Decimal(partial["closeTotalPos"])) == ("1", born, 1)
    sim.clock(10)
    exit_at(sim, okx, BTC, "long", "3", "100500")
    whole = history(okx)
    assert len(whole) == 1
    assert (whole[0]["type"], whole[0]["cTime"], Decimal(whole[0]["closeTotalPos"])) == ("2", born, 4)
    assert int(whole[0]["uTime"]) > int(partial["uTime"])
    assert Decimal(whole[0]["closeAvgPx"]) == 100250  # (99500 + 3 x 100500) / 4
    assert Decimal(whole[0]["pnl"]) == 50  # 5 + 45
    assert Decimal(whole[0]["openMaxPos"]) == 4


def test_history_pages_by_update_time(sim: SimulatorProcess, okx: OkxClient) -> None:
    for _ in range(3):
        okx.order(BTC, "buy", "long", "1")
        okx.order(BTC, "sell", "long", "1")
        sim.clock(60)
    times = [row["uTime"] for row in history(okx)]
    assert times == sorted(times, reverse=True)
    assert [row["uTime"] for row in history(okx, after=times[0])] == times[1:]
    assert [row["uTime"] for row in history(okx, before=times[2])] == times[:2]
    assert len(history(okx, limit="2")) == 2
    assert history(okx, type="3") == []
    assert len(history(okx, instType="SWAP", instId=BTC, mgnMode="cross", type="2")) == 3


def test_history_may_lag_behind_the_fill(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(position_history_lag_seconds=5)
    okx.order(BTC, "buy", "long", "1")
    okx.order(BTC, "sell", "long", "1")
    assert okx.positions() == []
    assert history(okx) == []
    sim.clock(6)
    assert len(history(okx)) == 1


# -- funding


@pytest.mark.parametrize(("position_side", "sign"), [("long", -1), ("short", 1)])
def test_funding_is_charged_every_eight_hours_on_the_mark_notional(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str], position_side: str, sign: int
) -> None:
    enter(BTC, position_side, "10", "100000")  # 10,000 USDT
    cash = Decimal(okx.usdt()["cashBal"])
    sim.clock(8 * 3600 - 1)
    assert Decimal(okx.position(BTC, position_side)["fundingFee"]) == 0
    sim.clock(2)
    rate = Decimal(okx.get("public/funding-rate-history", instId=BTC).rows[0]["realizedRate"])
    charged = sign * rate * 10000
    assert rate != 0
    assert abs(Decimal(okx.position(BTC, position_side)["fundingFee"]) - charged) < Decimal("0.00000001")
    assert abs(Decimal(okx.usdt()["cashBal"]) - cash - charged) < Decimal("0.00000001")
    bill = okx.get("account/bills", instType="SWAP", type="8").row
    assert Decimal(bill["balChg"]) == Decimal(okx.position(BTC, position_side)["fundingFee"])
    assert bill["subType"] == ("173" if charged < 0 else "174")


def test_funding_is_part_of_the_realised_pnl_of_that_life(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "10", "100000")
    sim.clock(16 * 3600 + 1)
    assert len(okx.get("account/bills", type="8").rows) == 2
    okx.order(BTC, "sell", "long", "10")
    row = history(okx)[0]
    parts = [Decimal(row[name]) for name in ("pnl", "fee", "fundingFee", "liqPenalty")]
    assert parts[2] != 0
    assert Decimal(row["realizedPnl"]) == sum(parts)


# -- ends that nobody asked for


def test_liquidation(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.post("account/set-leverage", {"instId": BTC, "lever": "100", "mgnMode": "cross"})
    okx.order(BTC, "buy", "long", "90")
    resting = okx.order(ETH, "buy", "long", "0.01", ordType="limit", px="3400").row["ordId"]
    sim.price(BTC, "88000")
    assert okx.positions() == []
    row = history(okx)[0]
    assert row["type"] == "3"
    assert 88000 <= Decimal(row["triggerPx"]) < 91000
    fills = [fill for fill in okx.get("trade/fills").rows if Decimal(fill["tradeId"]) < 0]
    assert fills
    assert all(100 <= int(fill["subType"]) <= 107 for fill in fills)
    closing = okx.find(BTC, ordId=fills[0]["ordId"])
    assert (closing["category"], closing["state"]) == ("full_liquidation", "filled")
    cancelled = okx.find(ETH, ordId=resting)
    assert (cancelled["state"], cancelled["cancelSource"]) == ("canceled", "3")
    assert Decimal(okx.get("account/balance").row["totalEq"]) >= 0


def test_liquidation_by_hand(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "3")
    sim.intervene("liquidate", instId=BTC, posSide="long")
    assert okx.positions() == []
    assert history(okx)[0]["type"] == "3"
    assert Decimal(okx.get("trade/fills").rows[0]["tradeId"]) < 0


@pytest.mark.parametrize(("size", "left", "kind"), [("1", 2, "5"), ("3", 0, "6")])
def test_deleveraging_by_hand(sim: SimulatorProcess, okx: OkxClient, size: str, left: int, kind: str) -> None:
    okx.order(BTC, "buy", "long", "3")
    sim.intervene("adl", instId=BTC, posSide="long", sz=size)
    assert sum(Decimal(row["pos"]) for row in okx.positions()) == left
    assert history(okx)[0]["type"] == kind
    fill = okx.get("trade/fills").rows[0]
    assert Decimal(fill["tradeId"]) < 0
    assert 125 <= int(fill["subType"]) <= 128
    assert okx.find(BTC, ordId=fill["ordId"])["category"] == "adl"


@pytest.mark.parametrize(("variant", "left"), [("cancel", 0), ("stay", 1)])
def test_whether_liquidation_takes_algos_with_it_is_a_switch(
    sim: SimulatorProcess, okx: OkxClient, variant: str, left: int
) -> None:
    sim.switches(liquidation_algos=variant)
    okx.order(BTC, "buy", "long", "3")
    okx.algo(BTC, "sell", "long", "conditional", sz="3", slTriggerPx="95000", slOrdPx="-1")
    sim.intervene("liquidate", instId=BTC, posSide="long")
    assert len(okx.pending_algos("conditional")) == left
