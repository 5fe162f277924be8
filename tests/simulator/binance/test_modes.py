"""The settings of a Binance account: position mode, leverage, margin type, multi-assets, isolated margin."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.binance.client import BTCUSDT, ETHUSDT, BinanceClient
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess


def config(client: BinanceClient, symbol: str) -> dict[str, Any]:
    return client.get("v1/symbolConfig", symbol=symbol).ok[0]


# -- position mode


def test_one_way_to_begin_with_and_no_need_to_change(one_way: BinanceClient) -> None:
    assert one_way.get("v1/positionSide/dual").ok == {"dualSidePosition": False}
    assert one_way.post("v1/positionSide/dual", dualSidePosition="false").code == -4059
    assert one_way.post("v1/positionSide/dual", dualSidePosition="true").ok == {"code": 200, "msg": "success"}
    assert one_way.post("v1/positionSide/dual", dualSidePosition="TRUE").code == -4059
    assert one_way.get("v1/accountConfig").ok["dualSidePosition"] is True
    assert one_way.post("v1/positionSide/dual").code == -1102


def test_the_mode_stands_still_while_orders_or_positions_are_open(binance: BinanceClient) -> None:
    placed = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000").ok
    assert binance.post("v1/positionSide/dual", dualSidePosition="false").code == -4067
    binance.delete("v1/order", symbol=BTCUSDT, orderId=placed["orderId"])
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    assert binance.post("v1/positionSide/dual", dualSidePosition="false").code == -4068
    binance.market(BTCUSDT, "SELL", "LONG", "0.01")
    assert binance.post("v1/positionSide/dual", dualSidePosition="false").http == 200


def test_an_order_must_fit_the_mode(one_way: BinanceClient) -> None:
    assert one_way.market(BTCUSDT, "BUY", "LONG", "0.01").code == -4061
    assert one_way.market(BTCUSDT, "BUY", "BOTH", "0.01").http == 200
    assert one_way.market(BTCUSDT, "SELL", None, "0.01").http == 200
    one_way.hedge()
    for side in (None, "BOTH"):
        assert one_way.market(BTCUSDT, "BUY", side, "0.01").code == -4061


@pytest.mark.parametrize("value", ["true", "false"])
def test_reduce_only_has_no_place_in_hedge_mode(sim: SimulatorProcess, binance: BinanceClient, value: str) -> None:
    refused = binance.market(BTCUSDT, "BUY", "LONG", "0.01", reduceOnly=value)
    assert (refused.code, refused.body["msg"]) == (-1106, "Parameter 'reduceonly' sent when not required.")
    sim.switches(binance_reduce_only_false_hedged="ignore")
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01", reduceOnly=value).http == (200 if value == "false" else 400)


# -- leverage and margin type


def test_leverage_is_twenty_until_it_is_set(binance: BinanceClient) -> None:
    assert config(binance, BTCUSDT)["leverage"] == 20
    assert binance.post("v1/leverage", symbol=BTCUSDT, leverage=7).ok["leverage"] == 7
    assert config(binance, BTCUSDT)["leverage"] == 7
    assert config(binance, ETHUSDT)["leverage"] == 20
    for leverage in (0, 126):
        assert binance.post("v1/leverage", symbol=BTCUSDT, leverage=leverage).code == -4028
    assert binance.post("v1/leverage", symbol=BTCUSDT, leverage="7.5").code == -1102
    assert binance.post("v1/leverage", symbol=BTCUSDT, leverage=7).http == 200  # again is no error


def test_leverage_of_a_position_too_large_for_it(binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "1")
    assert binance.post("v1/leverage", symbol=BTCUSDT, leverage=125).code == -2027
    assert binance.post("v1/leverage", symbol=BTCUSDT, leverage=50).http == 200
    assert binance.risk(BTCUSDT, "LONG")["leverage"] == "50"


def test_less_leverage_than_the_balance_carries(binance: BinanceClient) -> None:
    binance.market(BTCUSDT, "BUY", "LONG", "10")
    assert binance.post("v1/leverage", symbol=BTCUSDT, leverage=2).code == -2028
    assert config(binance, BTCUSDT)["leverage"] == 20


def test_margin_type(binance: BinanceClient) -> None:
    assert config(binance, BTCUSDT)["marginType"] == "CROSSED"
    assert binance.post("v1/marginType", symbol=BTCUSDT, marginType="CROSSED").code == -4046
    placed = binance.limit(BTCUSDT, "BUY", "LONG", "0.01", "99000").ok
    assert binance.post("v1/marginType", symbol=BTCUSDT, marginType="ISOLATED").code == -4047
    binance.delete("v1/order", symbol=BTCUSDT, orderId=placed["orderId"])
    binance.market(BTCUSDT, "BUY", "LONG", "0.01")
    assert binance.post("v1/marginType", symbol=BTCUSDT, marginType="ISOLATED").code == -4048
    assert binance.post("v1/marginType", symbol=ETHUSDT, marginType="ISOLATED").ok == {"code": 200, "msg": "success"}
    assert binance.risk(ETHUSDT, "LONG")["marginType"] == "isolated"


def test_multi_assets_mode(binance: BinanceClient) -> None:
    assert binance.get("v1/multiAssetsMargin").ok == {"multiAssetsMargin": False}
    assert binance.post("v1/multiAssetsMargin", multiAssetsMargin="false").code == -4171
    assert binance.post("v1/multiAssetsMargin", multiAssetsMargin="true").http == 200
    assert binance.get("v2/account").ok["multiAssetsMargin"] is True
    assert binance.post("v1/marginType", symbol=BTCUSDT, marginType="ISOLATED").code == -4168
    binance.post("v1/multiAssetsMargin", multiAssetsMargin="false")
    binance.post("v1/marginType", symbol=BTCUSDT, marginType="ISOLATED")
    assert binance.post("v1/multiAssetsMargin", multiAssetsMargin="true").code == -4167


# -- isolated margin


def isolate(client: BinanceClient) -> None:
    client.post("v1/marginType", symbol=BTCUSDT, marginType="ISOLATED")
    client.post("v1/leverage", symbol=BTCUSDT, leverage=10)


def test_an_isolated_position_sets_its_margin_aside(binance: BinanceClient) -> None:
    isolate(binance)
    binance.market(BTCUSDT, "BUY", "LONG", "0.1")
    assert Decimal(binance.risk(BTCUSDT, "LONG")["isolatedWallet"]) == Decimal("1000.001")
    row = binance.usdt()
    assert Decimal(row["balance"]) - Decimal(row["crossWalletBalance"]) == Decimal("1000.001")
    binance.market(BTCUSDT, "SELL", "LONG", "0.05")
    assert Decimal(binance.risk(BTCUSDT, "LONG")["isolatedWallet"]) == Decimal("500.0005")
    binance.market(BTCUSDT, "SELL", "LONG", "0.05")
    row = binance.usdt()
    assert row["balance"] == row["crossWalletBalance"]


def test_an_isolated_position_is_liquidated_alone(sim: SimulatorProcess, binance: BinanceClient) -> None:
    isolate(binance)
    binance.market(BTCUSDT, "BUY", "LONG", "0.1")
    binance.market(ETHUSDT, "BUY", "LONG", "1")
    kept = binance.limit(ETHUSDT, "BUY", "LONG", "0.01", "3400").ok["orderId"]
    gone = binance.limit(BTCUSDT, "SELL", "LONG", "0.1", "101000").ok["orderId"]
    price = Decimal(binance.risk(BTCUSDT, "LONG")["liquidationPrice"])
    assert 90000 < price < 91000
    sim.price(BTC, str(price + 50))
    assert binance.risk(BTCUSDT, "LONG")["positionAmt"] == "0.100"
    sim.price(BTC, str(price - 50))
    assert binance.risk(BTCUSDT, "LONG")["positionAmt"] == "0.000"
    assert binance.risk(ETHUSDT, "LONG")["positionAmt"] == "1.000"
    states = [binance.find(symbol, orderId=order)["status"] for symbol, order in ((ETHUSDT, kept), (BTCUSDT, gone))]
    assert states == ["NEW", "CANCELED"]
    lost = Decimal(100_000) - Decimal(binance.usdt()["balance"])
    assert 900 < lost < 1010


def test_margin_is_added_to_an_isolated_position_and_taken_back(binance: BinanceClient) -> None:
    isolate(binance)
    move = {"symbol": BTCUSDT, "positionSide": "LONG"}
    assert binance.post("v1/positionMargin", **move, amount="100", type=1).code == -4054
    binance.market(BTCUSDT, "BUY", "LONG", "0.1")
    before = Decimal(binance.risk(BTCUSDT, "LONG")["liquidationPrice"])
    assert binance.post("v1/positionMargin", **move, amount="100", type=1).ok["code"] == 200
    assert Decimal(binance.risk(BTCUSDT, "LONG")["isolatedWallet"]) == Decimal("1100.001")
    assert Decimal(binance.risk(BTCUSDT, "LONG")["liquidationPrice"]) < before - 900
    assert binance.post("v1/positionMargin", **move, amount="500", type=2).code == -4051
    assert binance.post("v1/positionMargin", **move, amount="90", type=2).http == 200
    assert binance.post("v1/positionMargin", **move, amount="0", type=1).code == -4055
    assert binance.post("v1/positionMargin", **move | {"symbol": ETHUSDT}, amount="5", type=1).code == -4049
    assert binance.post("v1/positionMargin", **move, amount="1000000", type=1).code == -4050


# -- the rest


def test_what_an_account_says_of_itself(sim: SimulatorProcess, binance: BinanceClient) -> None:
    assert binance.get("v1/accountConfig").ok["canTrade"] is True
    rates = binance.get("v1/commissionRate", symbol=BTCUSDT).ok
    assert (rates["makerCommissionRate"], rates["takerCommissionRate"]) == ("0.0002", "0.0005")
    assert {row["limit"] for row in binance.get("v1/rateLimit/order").ok} == {300, 1200}
    assert binance.get("/sapi/v1/account/apiRestrictions").ok["enableWithdrawals"] is False
    sim.switches(binance_can_trade=False)
    assert binance.get("v2/account").ok["canTrade"] is False
    assert binance.market(BTCUSDT, "BUY", "LONG", "0.01").code == -2015
