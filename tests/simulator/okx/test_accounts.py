"""The account's settings, margin and limits: position mode, leverage, balance, fees, bills."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.simulator.okx.client import BTC, ETH, SOL, OkxClient
from tests.simulator_process import SimulatorProcess


def test_a_new_account_is_in_futures_mode_and_hedged(okx: OkxClient) -> None:
    config = okx.get("account/config").row
    assert (config["acctLv"], config["posMode"], config["ip"]) == ("2", "long_short_mode", "")
    assert config["uid"]
    assert config["mainUid"]
    assert {type(config[name]) for name in ("autoLoan", "enableSpotBorrow", "spotBorrowAutoRepay")} == {bool}


def test_position_mode_changes_while_nothing_is_held(okx: OkxClient) -> None:
    assert okx.post("account/set-position-mode", {"posMode": "net_mode"}).row == {"posMode": "net_mode"}
    assert okx.get("account/config").row["posMode"] == "net_mode"


def test_position_mode_stays_while_a_position_is_held(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1")
    assert okx.post("account/set-position-mode", {"posMode": "net_mode"}).refusal == "59000"
    assert okx.get("account/config").row["posMode"] == "long_short_mode"


def test_position_mode_stays_while_an_order_rests(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1", ordType="limit", px="99000")
    assert okx.post("account/set-position-mode", {"posMode": "net_mode"}).refusal == "59000"


def test_a_position_mode_that_does_not_exist_is_refused(okx: OkxClient) -> None:
    assert okx.post("account/set-position-mode", {"posMode": "sideways_mode"}).refusal == "51000"


def test_leverage_has_two_rows_when_hedged_and_one_when_not(okx: OkxClient) -> None:
    info = okx.get("account/leverage-info", instId=BTC, mgnMode="cross").rows
    assert [(row["posSide"], Decimal(row["lever"])) for row in info] == [("long", 3), ("short", 3)]
    okx.post("account/set-position-mode", {"posMode": "net_mode"})
    info = okx.get("account/leverage-info", instId=BTC, mgnMode="cross").rows
    assert [row["posSide"] for row in info] == ["net"]


def test_leverage_info_of_several_instruments(okx: OkxClient) -> None:
    info = okx.get("account/leverage-info", instId=f"{BTC},{ETH}", mgnMode="cross").rows
    assert sorted({row["instId"] for row in info}) == [BTC, ETH]


@pytest.mark.parametrize("lever", ["7", 7, "7.0"])
def test_leverage_is_one_value_for_both_sides_and_comes_as_text_or_number(okx: OkxClient, lever: int | str) -> None:
    reply = okx.post("account/set-leverage", {"instId": BTC, "lever": lever, "mgnMode": "cross"}).rows
    assert Decimal(reply[0]["lever"]) == 7
    info = okx.get("account/leverage-info", instId=BTC, mgnMode="cross").rows
    assert [Decimal(row["lever"]) for row in info] == [7, 7]
    other = okx.get("account/leverage-info", instId=ETH, mgnMode="cross").rows
    assert [Decimal(row["lever"]) for row in other] == [3, 3]


def set_leverage(okx: OkxClient, lever: str, instrument: str = BTC) -> str:
    return okx.post("account/set-leverage", {"instId": instrument, "lever": lever, "mgnMode": "cross"}).refusal


def test_leverage_above_the_instruments_ceiling_is_refused(okx: OkxClient) -> None:
    assert set_leverage(okx, "101") == "59102"


def test_leverage_stays_while_an_order_rests(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1", ordType="limit", px="99000")
    assert set_leverage(okx, "5") == "59107"
    assert set_leverage(okx, "5", ETH) == "0"


def test_leverage_stays_while_an_algo_waits(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1")
    okx.algo(BTC, "sell", "long", "conditional", sz="1", slTriggerPx="95000", slOrdPx="-1")
    assert set_leverage(okx, "5") == "59669"


def test_leverage_changes_under_an_open_position_and_its_margin_with_it(
    okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "1", "99000")
    assert Decimal(okx.position(BTC, "long")["imr"]) == 330  # 1 x 0.01 x 99000 / 3
    assert set_leverage(okx, "10") == "0"
    assert Decimal(okx.position(BTC, "long")["imr"]) == 99
    assert Decimal(okx.position(BTC, "long")["lever"]) == 10


def test_lower_leverage_that_needs_more_margin_than_there_is_is_refused(okx: OkxClient) -> None:
    set_leverage(okx, "50")
    okx.order(BTC, "buy", "long", "100")
    assert set_leverage(okx, "2") in ("59103", "59108", "59109")


def test_a_fresh_balance_holds_usdt_and_nothing_else(okx: OkxClient) -> None:
    balance = okx.get("account/balance").row
    assert [row["ccy"] for row in balance["details"]] == ["USDT"]
    assert Decimal(balance["totalEq"]) == 10000
    assert {name: balance[name] for name in ("adjEq", "availEq", "imr", "mmr", "mgnRatio", "upl", "notionalUsd")} == {
        "adjEq": "",
        "availEq": "",
        "imr": "",
        "mmr": "",
        "mgnRatio": "",
        "upl": "",
        "notionalUsd": "",
    }
    usdt = balance["details"][0]
    assert [Decimal(usdt[name]) for name in ("eq", "cashBal", "availEq", "upl")] == [10000, 10000, 10000, 0]


def test_a_currency_never_held_is_left_out(okx: OkxClient) -> None:
    assert okx.get("account/balance", ccy="BTC").row["details"] == []


def test_the_balance_of_a_held_position_by_hand(
    sim: SimulatorProcess, okx: OkxClient, enter: Callable[[str, str, str, str], str]
) -> None:
    enter(BTC, "long", "10", "99000")  # 0.1 BTC
    sim.price(BTC, "99500")
    usdt = okx.usdt()
    assert Decimal(usdt["cashBal"]) == Decimal("9998.02")  # 10000 - 9900 x 0.02 %
    assert Decimal(usdt["upl"]) == 50  # 500 x 0.1
    assert Decimal(usdt["eq"]) == Decimal("10048.02")
    assert abs(Decimal(usdt["imr"]) - Decimal("3316.666667")) < Decimal("0.001")  # 9950 / 3
    assert abs(Decimal(usdt["mmr"]) - Decimal("39.8")) < Decimal("0.001")  # 0.4 % of 9950
    assert abs(Decimal(usdt["availEq"]) - Decimal("6731.353333")) < Decimal("0.001")  # eq - imr


def test_a_resting_order_freezes_margin(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "10", ordType="limit", px="99000")
    usdt = okx.usdt()
    assert Decimal(usdt["eq"]) == 10000
    assert Decimal(6690) <= Decimal(usdt["availEq"]) <= Decimal(6700)  # 10000 - 9900/3, perhaps less the fee
    assert Decimal(usdt["ordFrozen"]) >= 3300


def test_an_algo_freezes_no_margin(okx: OkxClient) -> None:
    okx.algo(BTC, "buy", "long", "trigger", sz="10", triggerPx="99000", orderPx="-1")
    assert Decimal(okx.usdt()["availEq"]) == 10000


def test_regular_fees_are_two_and_five_basis_points(sim: SimulatorProcess, okx: OkxClient) -> None:
    fees = okx.get("account/trade-fee", instType="SWAP").row
    assert abs(Decimal(fees["makerU"] or fees["maker"])) == Decimal("0.0002")
    assert abs(Decimal(fees["takerU"] or fees["taker"])) == Decimal("0.0005")
    sim.switches(fees={"maker": "0.0001", "taker": "0.0004"})
    fees = okx.get("account/trade-fee", instType="SWAP").row
    assert abs(Decimal(fees["takerU"] or fees["taker"])) == Decimal("0.0004")


def test_max_size_is_what_the_free_margin_buys(okx: OkxClient) -> None:
    sizes = okx.get("account/max-size", instId=BTC, tdMode="cross").row
    # 10000 x 3 / (0.01 x 100000) = 30 contracts, a little less for fees and the spread
    assert Decimal("29.8") <= Decimal(sizes["maxBuy"]) <= 30
    assert Decimal("29.8") <= Decimal(sizes["maxSell"]) <= 30
    available = okx.get("account/max-avail-size", instId=BTC, tdMode="cross").row
    assert Decimal(9980) <= Decimal(available["availBuy"]) <= 10000
    assert okx.order(BTC, "buy", "long", sizes["maxBuy"]).row["sCode"] == "0"


def test_every_change_of_the_balance_has_a_bill(okx: OkxClient, enter: Callable[[str, str, str, str], str]) -> None:
    enter(BTC, "long", "1", "99000")
    okx.post("trade/close-position", {"instId": BTC, "mgnMode": "cross", "posSide": "long"})
    bills = okx.get("account/bills", instType="SWAP").rows
    assert {bill["type"] for bill in bills} == {"2"}
    expected = {"billId", "ts", "ccy", "balChg", "bal", "instId", "ordId", "subType", "pnl", "fee"}
    assert all(expected <= set(bill) for bill in bills)
    cash = Decimal(okx.usdt()["cashBal"])
    assert 10000 + sum(Decimal(bill["balChg"]) for bill in bills) == cash
    assert Decimal(bills[0]["bal"]) == cash


def test_position_tiers_begin_with_the_recorded_maintenance_rates(okx: OkxClient) -> None:
    for instrument, rate in ((BTC, "0.004"), (ETH, "0.004"), (SOL, "0.005")):
        tiers = okx.get(
            "public/position-tiers", instType="SWAP", tdMode="cross", instFamily=instrument.removesuffix("-SWAP")
        ).rows
        first = min(tiers, key=lambda tier: Decimal(tier["tier"]))
        assert Decimal(first["mmr"]) == Decimal(rate)
        assert Decimal(first["maxLever"]) == 100


def test_the_accounts_own_instruments_tell_its_quotas(okx: OkxClient) -> None:
    row = okx.get("account/instruments", instType="SWAP", instId=BTC).row
    assert row["ctVal"] == "0.01"
    assert {"posLmtAmt", "posLmtPct", "maxPlatOILmt", "longPosRemainingQuota", "shortPosRemainingQuota"} <= set(row)


def test_a_deposit_by_hand_shows_in_the_balance_and_the_bills(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.intervene("deposit", amount="500")
    assert Decimal(okx.usdt()["cashBal"]) == 10500
    assert Decimal(okx.get("account/bills").rows[0]["balChg"]) == 500


def test_currencies_are_listed_for_clients_that_load_them(okx: OkxClient) -> None:
    assert "USDT" in {row["ccy"] for row in okx.get("asset/currencies").rows}
