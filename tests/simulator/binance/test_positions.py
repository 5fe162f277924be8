"""Binance positions: legs apart and in one, what may close them, and what becomes of the money."""

from decimal import Decimal

import pytest

from tests.simulator.binance.client import BTCUSDT, ETHUSDT, SOLUSDT, BinanceClient
from tests.simulator.okx.client import BTC, ETH, OkxClient
from tests.simulator_process import SimulatorProcess

EIGHT_HOURS = 8 * 3600


def amounts(client: BinanceClient) -> dict[tuple[str, str], str]:
    """What v3 positionRisk lists, by symbol and side."""
    return {(row["symbol"], row["positionSide"]): row["positionAmt"] for row in client.get("v3/positionRisk").ok}


def wallet(client: BinanceClient) -> Decimal:
    return Decimal(client.usdt()["balance"])


def incomes(client: BinanceClient, kind: str = "") -> list[Decimal]:
    return [Decimal(row["income"]) for row in client.get("v1/income", incomeType=kind, limit=1000).ok]


# -- legs


def test_long_and_short_stand_side_by_side_and_short_is_negative(binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.02")
    binance.market(BTCUSDT, "SELL", "SHORT", "0.01")
    assert amounts(binance) == {(BTCUSDT, "LONG"): "0.020", (BTCUSDT, "SHORT"): "-0.010"}
    short = binance.risk(BTCUSDT, "SHORT")
    assert (short["notional"], short["entryPrice"]) == ("-1000.00000000", "99999.9")


def test_version_three_leaves_out_what_is_flat_and_version_two_tells_leverage(binance: BinanceClient) -> None:
    assert amounts(binance) == {}
    binance.limit(ETHUSDT, "BUY", "LONG", "0.01", "3400")
    assert amounts(binance) == {(ETHUSDT, "LONG"): "0.000", (ETHUSDT, "SHORT"): "0.000"}
    row = binance.get("v3/positionRisk").ok[0]
    assert not {"leverage", "marginType", "maxNotionalValue", "isAutoAddMargin"} & set(row)
    assert Decimal(row["openOrderInitialMargin"]) == Decimal("1.7")
    old = binance.get("v2/positionRisk").ok
    assert {BTCUSDT, ETHUSDT, SOLUSDT} <= {one["symbol"] for one in old}
    assert {(one["leverage"], one["marginType"], one["isAutoAddMargin"]) for one in old} == {("20", "cross", "false")}


def test_the_account_lists_what_is_open_or_in_version_two_everything(binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    three, two = binance.get("v3/account").ok, binance.get("v2/account").ok
    assert {row["symbol"] for row in three["positions"]} == {BTCUSDT}
    assert "entryPrice" not in three["positions"][0]
    assert {row["positionSide"] for row in two["positions"] if row["symbol"] == ETHUSDT} == {"BOTH", "LONG", "SHORT"}
    held = next(row for row in two["positions"] if row["positionAmt"] == "0.010")
    assert (held["leverage"], held["isolated"], held["entryPrice"]) == ("20", False, "100000.1")
    assert two["totalWalletBalance"] == three["totalWalletBalance"] == binance.usdt()["balance"]
    assert two["totalPositionInitialMargin"] == "50.00000000"


def test_unrealised_profit_under_its_two_spellings(sim: SimulatorProcess, binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    sim.price(BTC, "101000")
    assert binance.risk(BTCUSDT, "LONG")["unRealizedProfit"] == "9.99900000"
    assert binance.get("v3/account").ok["totalUnrealizedProfit"] == "9.99900000"


@pytest.mark.parametrize(("held", "side", "position_side"), [
    ("0", "SELL", "LONG"), ("0", "BUY", "SHORT"), ("0.01", "SELL", "LONG"),
])  # fmt: skip
def test_closing_more_than_is_held_is_refused_in_hedge_mode(
    binance: BinanceClient, held: str, side: str, position_side: str
) -> None:
    if held != "0":
        binance.market(BTCUSDT, "BUY", "LONG", held)
    assert binance.market(BTCUSDT, side, position_side, "0.011").code == -2022
    assert binance.limit(BTCUSDT, side, position_side, "0.011", "100500").code == -2022


def test_one_way_nets_flips_and_reduces(one_way: BinanceClient) -> None:
    one_way.market(BTCUSDT, "BUY", None, "0.02")
    one_way.market(BTCUSDT, "SELL", None, "0.03")
    assert amounts(one_way) == {(BTCUSDT, "BOTH"): "-0.010"}
    assert one_way.market(BTCUSDT, "SELL", None, "0.01", reduceOnly="true").code == -2022
    closed = one_way.market(BTCUSDT, "BUY", None, "0.5", reduceOnly="true").ok
    assert (closed["status"], closed["executedQty"], closed["reduceOnly"]) == ("FILLED", "0.010", True)
    assert amounts(one_way) == {}
    assert one_way.market(BTCUSDT, "BUY", None, "0.01", reduceOnly="true").code == -2022


# -- a resting close and the emergency exit


@pytest.mark.parametrize(("switch", "code"), [("refuse", -2022), ("refuse_4118", -4118)])
def test_a_close_that_rests_blocks_the_next_until_it_is_cancelled(
    sim: SimulatorProcess, binance: BinanceClient, switch: str, code: int
) -> None:
    sim.switches(binance_closing_clash=switch)
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    target = binance.limit(BTCUSDT, "SELL", "LONG", "0.01", "101000").ok
    refused = [binance.market(BTCUSDT, "SELL", "LONG", "0.01").code for _ in range(3)]
    assert refused == [code] * 3
    binance.delete("v1/order", symbol=BTCUSDT, orderId=target["orderId"])
    assert binance.market(BTCUSDT, "SELL", "LONG", "0.01").http == 200


def test_or_the_exit_knocks_out_what_rests(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_closing_clash="knock_out")
    binance.market(BTCUSDT, "BUY", "LONG", "0.02")
    small = binance.limit(BTCUSDT, "SELL", "LONG", "0.01", "101000").ok
    assert binance.market(BTCUSDT, "SELL", "LONG", "0.01").http == 200
    assert binance.find(BTCUSDT, orderId=small["orderId"])["status"] == "NEW"
    assert binance.market(BTCUSDT, "SELL", "LONG", "0.01").http == 200
    assert binance.find(BTCUSDT, orderId=small["orderId"])["status"] == "EXPIRED"


def test_partial_targets_up_to_the_whole_size_rest_together(binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.03")
    for price in ("101000", "102000", "103000"):
        assert binance.limit(BTCUSDT, "SELL", "LONG", "0.01", price).http == 200
    assert binance.limit(BTCUSDT, "SELL", "LONG", "0.01", "104000").code == -2022
    assert binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000").http == 200  # opening is another matter


@pytest.mark.parametrize(("switch", "status"), [("expire", "EXPIRED"), ("stay", "NEW")])
def test_a_resting_close_after_its_leg_has_gone(
    sim: SimulatorProcess, binance: BinanceClient, switch: str, status: str
) -> None:
    sim.switches(binance_closing_limits_after_flat=switch)
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    target = binance.limit(BTCUSDT, "SELL", "LONG", "0.01", "101000").ok["orderId"]
    sim.intervene("adl", account="binance", instId=BTCUSDT, posSide="long")
    assert binance.find(BTCUSDT, orderId=target)["status"] == status
    sim.price(BTC, "101500")
    assert binance.find(BTCUSDT, orderId=target)["status"] == "EXPIRED"
    assert amounts(binance) == {}


# -- money


def test_profit_and_commission_to_the_last_digit(sim: SimulatorProcess, binance: BinanceClient) -> None:
    begin = wallet(binance)
    binance.market(BTCUSDT, "BUY", "LONG", "0.010")  # at 100000.1
    sim.price(BTC, "101000")
    binance.market(BTCUSDT, "SELL", "LONG", "0.010")  # at 100999.9
    assert incomes(binance, "REALIZED_PNL") == [Decimal("9.998")]
    assert incomes(binance, "COMMISSION") == [Decimal("-0.5000005"), Decimal("-0.5049995")]
    assert wallet(binance) - begin == Decimal("9.998") - Decimal("1.005")
    assert begin + sum(incomes(binance)) - Decimal(100_000) == wallet(binance)


def test_funding_every_eight_hours_into_income(sim: SimulatorProcess, binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.1")
    binance.market(ETHUSDT, "SELL", "SHORT", "1")
    before = wallet(binance)
    sim.clock(EIGHT_HOURS)
    rows = binance.get("v1/income", incomeType="FUNDING_FEE").ok
    assert {row["symbol"] for row in rows} == {BTCUSDT, ETHUSDT}
    assert wallet(binance) - before == sum(Decimal(row["income"]) for row in rows)
    rate = binance.public("v1/fundingRate", symbol=BTCUSDT, limit=1)[0]
    paid = next(Decimal(row["income"]) for row in rows if row["symbol"] == BTCUSDT)
    assert paid == -Decimal("10000") * Decimal(rate["fundingRate"])


def test_income_by_kind_symbol_and_time(sim: SimulatorProcess, binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    sim.clock(60)
    binance.market(ETHUSDT, "BUY", "LONG", "0.01")
    rows = binance.get("v1/income").ok
    assert [row["incomeType"] for row in rows] == ["TRANSFER", "COMMISSION", "COMMISSION"]
    assert len({(row["incomeType"], row["tranId"]) for row in rows}) == 3
    assert binance.get("v1/income", symbol=ETHUSDT).ok == rows[2:]
    assert binance.get("v1/income", startTime=rows[2]["time"]).ok == rows[2:]
    assert binance.get("v1/income", startTime=rows[1]["time"], endTime=rows[1]["time"]).ok == rows[1 - 1 : 2]
    assert binance.get("v1/income", limit=1).ok == rows[2:]
    trade = binance.get("v1/userTrades", symbol=ETHUSDT).ok[0]
    assert rows[2]["tradeId"] == str(trade["id"])


def test_fees_in_bnb(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_fee_asset="BNB", binance_bnb_price="500")
    sim.intervene("deposit", account="binance", amount="0.0015", asset="BNB")
    begin = wallet(binance)
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    trade = binance.get("v1/userTrades", symbol=BTCUSDT).ok[0]
    assert (trade["commission"], trade["commissionAsset"]) == ("0.00100000", "BNB")
    assert wallet(binance) == begin
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")  # the BNB does not suffice any more
    assert binance.get("v1/userTrades", symbol=BTCUSDT).ok[1]["commissionAsset"] == "USDT"
    bnb = next(row for row in binance.get("v3/balance").ok if row["asset"] == "BNB")
    assert bnb["balance"] == "0.00050000"
    assert {row["asset"] for row in binance.get("v1/income", incomeType="COMMISSION").ok} == {"USDT", "BNB"}


# -- by the exchange's own hand


def test_a_liquidation(sim: SimulatorProcess, binance: BinanceClient) -> None:
    binance.post("v1/leverage", symbol=BTCUSDT, leverage=50)
    binance.market(BTCUSDT, "BUY", "LONG", "10")
    resting = binance.limit(ETHUSDT, "BUY", "LONG", "0.01", "3400").ok["orderId"]
    price = Decimal(binance.risk(BTCUSDT, "LONG")["liquidationPrice"])
    assert Decimal(90_000) < price < Decimal(100_000)
    sim.price(BTC, str((price - 20).quantize(Decimal("0.1"))))
    assert amounts(binance) == {}
    forced = binance.get("v1/forceOrders", autoCloseType="LIQUIDATION").ok
    assert [row["clientOrderId"].startswith("autoclose-") for row in forced] == [True]
    assert (forced[0]["status"], forced[0]["executedQty"], forced[0]["side"]) == ("FILLED", "10.000", "SELL")
    assert binance.find(ETHUSDT, orderId=resting)["status"] == "CANCELED"
    assert len(incomes(binance, "INSURANCE_CLEAR")) == 1
    assert wallet(binance) == sum(incomes(binance))
    assert wallet(binance) >= 0
    assert binance.get("v1/forceOrders", autoCloseType="ADL").ok == []


def test_a_deleveraging(sim: SimulatorProcess, binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "SELL", "SHORT", "0.02")
    sim.intervene("adl", account="binance", instId=BTCUSDT, posSide="short", sz="0.005")
    assert binance.risk(BTCUSDT, "SHORT")["positionAmt"] == "-0.015"
    forced = binance.get("v1/forceOrders", autoCloseType="ADL").ok[0]
    assert (forced["clientOrderId"], forced["avgPrice"]) == ("adl_autoclose", "100000.00000")
    assert wallet(binance) == sum(incomes(binance))


def test_a_persons_hand(sim: SimulatorProcess, binance: BinanceClient) -> None:
    placed = sim.intervene("place", account="binance", symbol=BTCUSDT, side="BUY", positionSide="LONG", type="LIMIT",
                           quantity="0.01", price="99000", timeInForce="GTC")  # fmt: skip
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "NEW"
    sim.intervene("cancel", account="binance", orderId=placed["orderId"])
    assert binance.find(BTCUSDT, orderId=placed["orderId"])["status"] == "CANCELED"
    binance.market(BTCUSDT, "BUY", "LONG", "0.02")
    binance.limit(BTCUSDT, "SELL", "LONG", "0.02", "101000")
    sim.intervene("close", account="binance", instId=BTC, posSide="long", sz="0.005")
    assert amounts(binance)[BTCUSDT, "LONG"] == "0.015"
    sim.intervene("close", account="binance", instId=BTCUSDT, posSide="long")
    assert amounts(binance) == {}
    with pytest.raises(AssertionError, match="-2022"):
        sim.intervene("close", account="binance", instId=BTCUSDT, posSide="long")


def test_the_two_accounts_know_nothing_of_each_other(
    sim: SimulatorProcess, binance: BinanceClient, okx: OkxClient
) -> None:
    binance.market(ETHUSDT, "BUY", "LONG", "1")
    assert okx.positions() == []
    okx.order(ETH, "sell", "short", "2")
    assert amounts(binance)[ETHUSDT, "LONG"] == "1.000"
    state = sim.state()
    assert [row["posSide"] for row in state["positions"]] == ["short"]
    assert [row["posSide"] for row in state["binance"]["positions"]] == ["long"]
