"""Plain orders: how they are answered, and how each type fills, hedged and net."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, OkxClient, order
from tests.simulator.words import RESTING, partial_fill
from tests.simulator_process import SimulatorProcess

# -- the answer


def test_an_accepted_order_is_answered_in_full(okx: OkxClient) -> None:
    answer = okx.order(BTC, "buy", "long", "1", clOrdId="one", tag="deck", **RESTING)
    assert answer.code == "0"
    assert int(answer.body["outTime"]) >= int(answer.body["inTime"]) > 10**15
    row = answer.row
    assert (row["sCode"], row["sMsg"], row["clOrdId"], row["tag"]) == ("0", "Order placed", "one", "deck")
    assert {"ordId", "ts", "subCode"} <= set(row)


@pytest.mark.parametrize(
    ("sizes", "code", "row_codes"),
    [
        (["1", "2"], "0", ["0", "0"]),
        (["1", "0.001"], "2", ["0", "51020"]),
        (["0.001", "1.005"], "1", ["51020", "51121"]),
        (["1"], "0", ["0"]),
    ],
)
def test_a_batch_tells_each_rows_fate(okx: OkxClient, sizes: list[Any], code: str, row_codes: list[Any]) -> None:
    answer = okx.post("trade/batch-orders", [order(BTC, "buy", "long", size, **RESTING) for size in sizes])
    assert (answer.code, [row["sCode"] for row in answer.body["data"]]) == (code, row_codes)
    assert len(okx.get("trade/orders-pending").rows) == row_codes.count("0")


def test_a_batch_of_21_is_refused(okx: OkxClient) -> None:
    answer = okx.post("trade/batch-orders", [order(BTC, "buy", "long", "0.01", **RESTING) for _ in range(21)])
    assert answer.code not in ("0", "2")
    assert okx.get("trade/orders-pending").rows == []


def test_a_mode_in_which_the_envelope_says_zero_and_the_row_does_not(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(fail_envelope_zero=True)
    answer = okx.order(BTC, "buy", "long", "0.001")
    assert (answer.code, answer.row["sCode"]) == ("0", "51020")


ORDER_FIELDS = """
    instType instId ccy ordId clOrdId tag px sz ordType side posSide tdMode state accFillSz avgPx fillPx fillSz
    fillTime tradeId lever pnl fee feeCcy rebate rebateCcy source category reduceOnly algoId algoClOrdId
    attachAlgoClOrdId attachAlgoOrds linkedAlgoOrd cancelSource cancelSourceReason isTpLimit cTime uTime tgtCcy
    stpMode slTriggerPx tpTriggerPx
    """


def test_an_order_row_is_complete_while_it_rests(okx: OkxClient) -> None:
    placed = okx.order(BTC, "buy", "long", "1", clOrdId="one", **RESTING).row
    found = okx.find(BTC, ordId=placed["ordId"])
    assert set(found) >= set(ORDER_FIELDS.split())
    expected = {
        "state": "live",
        "px": "99000",
        "sz": "1",
        "side": "buy",
        "posSide": "long",
        "accFillSz": "0",
        "avgPx": "",
        "source": "",
        "category": "normal",
        "reduceOnly": "false",
        "cancelSource": "",
    }
    assert {name: found[name] for name in expected} == expected
    assert okx.get("trade/orders-pending", instType="SWAP", instId=BTC).rows == [found]


def test_a_filled_order_tells_price_fee_and_trade(okx: OkxClient, enter: Callable[[str, str, str, str], str]) -> None:
    found = okx.find(BTC, ordId=enter(BTC, "long", "2", "99000"))
    assert (found["state"], found["accFillSz"], Decimal(found["avgPx"])) == ("filled", "2", 99000)
    assert Decimal(found["fee"]) == Decimal("-0.396")  # 2 x 0.01 x 99000 x 0.02 %
    assert (found["feeCcy"], found["tradeId"] != "") == ("USDT", True)
    assert okx.get("trade/orders-pending").rows == []


# -- the order types


def test_a_market_order_takes_at_the_book_and_pays_the_takers_fee(okx: OkxClient) -> None:
    ask = Decimal(okx.get("market/ticker", instId=BTC).row["askPx"])
    found = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "0.01").row["ordId"])
    assert found["state"] == "filled"
    assert abs(Decimal(found["avgPx"]) - ask) <= ask * Decimal("0.0005")
    fill = okx.get("trade/fills", ordId=found["ordId"]).row
    assert fill["execType"] == "T"
    assert Decimal(fill["fee"]) == -Decimal(found["avgPx"]) * Decimal("0.0001") * Decimal("0.0005")


def test_a_large_market_order_pays_more_than_a_small_one(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.intervene("deposit", amount="100000000")
    small = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "1").row["ordId"])
    large = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "10000").row["ordId"])
    assert Decimal(large["avgPx"]) > Decimal(small["avgPx"]) >= 100000


def test_a_limit_order_fills_when_the_price_comes_and_not_before(sim: SimulatorProcess, okx: OkxClient) -> None:
    order_id = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    sim.price(BTC, "99001")
    assert okx.find(BTC, ordId=order_id)["state"] == "live"
    sim.price(BTC, "98900")
    found = okx.find(BTC, ordId=order_id)
    assert (found["state"], Decimal(found["avgPx"])) == ("filled", 99000)
    assert okx.get("trade/fills", ordId=order_id).row["execType"] == "M"


def test_a_marketable_limit_order_fills_at_once_and_never_above_its_price(okx: OkxClient) -> None:
    found = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "1", ordType="limit", px="100100").row["ordId"])
    assert found["state"] == "filled"
    assert Decimal(found["avgPx"]) <= 100100


def test_post_only_rests_or_is_cancelled(okx: OkxClient) -> None:
    rests = okx.order(BTC, "buy", "long", "1", ordType="post_only", px="99000").row["ordId"]
    assert okx.find(BTC, ordId=rests)["state"] == "live"
    crosses = okx.order(BTC, "buy", "long", "1", ordType="post_only", px="100500").row
    assert crosses["sCode"] == "0"
    found = okx.find(BTC, ordId=crosses["ordId"])
    assert (found["state"], found["cancelSource"], found["accFillSz"]) == ("canceled", "31", "0")


@pytest.mark.parametrize(("kind", "source"), [("fok", "13"), ("ioc", "14")])
def test_an_immediate_order_that_finds_nothing_is_cancelled(okx: OkxClient, kind: str, source: str) -> None:
    found = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "1", ordType=kind, px="99000").row["ordId"])
    assert (found["state"], found["cancelSource"], found["accFillSz"]) == ("canceled", source, "0")


@pytest.mark.parametrize("kind", ["fok", "ioc", "optimal_limit_ioc"])
def test_an_immediate_order_that_finds_enough_is_filled(okx: OkxClient, kind: str) -> None:
    price = {} if kind == "optimal_limit_ioc" else {"px": "100500"}
    found = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "1", ordType=kind, **price).row["ordId"])
    assert (found["state"], found["ordType"]) == ("filled", kind)


@pytest.mark.parametrize(("rest", "state"), [("cancel", "canceled"), ("work", "partially_filled")])
def test_a_market_order_may_fill_only_in_part(sim: SimulatorProcess, okx: OkxClient, rest: str, state: str) -> None:
    sim.faults(partial_fill(rest))
    found = okx.find(BTC, ordId=okx.order(BTC, "buy", "long", "10").row["ordId"])
    assert (found["state"], Decimal(found["accFillSz"])) == (state, 4)
    assert Decimal(okx.position(BTC, "long")["pos"]) == 4


def test_accepted_is_not_filled(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(order_delay_seconds=2)
    order_id = okx.order(BTC, "buy", "long", "1").row["ordId"]
    assert okx.find(BTC, ordId=order_id)["state"] == "live"
    assert okx.positions() == []
    sim.clock(3)
    assert okx.find(BTC, ordId=order_id)["state"] == "filled"


def test_one_order_may_fill_in_several_steps(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(fill_steps=3)
    order_id = okx.order(BTC, "buy", "long", "9").row["ordId"]
    sim.clock(10)
    found = okx.find(BTC, ordId=order_id)
    fills = okx.get("trade/fills", ordId=order_id).rows
    assert (found["state"], Decimal(found["accFillSz"]), len(fills)) == ("filled", 9, 3)
    assert sum(Decimal(fill["fee"]) for fill in fills) == Decimal(found["fee"])
    assert len({fill["tradeId"] for fill in fills}) == 3


# -- hedged and net


def test_hedged_sides_live_apart(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "2")
    okx.order(BTC, "sell", "short", "1")
    assert Decimal(okx.position(BTC, "long")["pos"]) == 2
    assert Decimal(okx.position(BTC, "short")["pos"]) == 1
    okx.order(BTC, "sell", "long", "2")
    assert [(row["posSide"], row["pos"]) for row in okx.positions()] == [("short", "1")]


def test_closing_what_is_not_held_is_refused(okx: OkxClient) -> None:
    assert okx.order(BTC, "sell", "long", "1").refusal == "51169"
    assert okx.order(BTC, "buy", "short", "1").refusal == "51169"


def test_reduce_only_is_ignored_while_hedged(okx: OkxClient) -> None:
    assert okx.order(BTC, "buy", "long", "1", reduceOnly=True).row["sCode"] == "0"
    assert okx.order(BTC, "sell", "long", "1", reduceOnly="true").row["sCode"] == "0"
    assert okx.positions() == []


def test_a_closing_order_larger_than_the_position_is_trimmed(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(oversize_close="trim")
    okx.order(BTC, "buy", "long", "2")
    order_id = okx.order(BTC, "sell", "long", "5").row["ordId"]
    assert okx.positions() == []
    assert Decimal(okx.find(BTC, ordId=order_id)["accFillSz"]) == 2


def test_a_closing_order_larger_than_the_position_is_refused_in_the_other_variant(
    sim: SimulatorProcess, okx: OkxClient
) -> None:
    sim.switches(oversize_close="reject")
    okx.order(BTC, "buy", "long", "2")
    assert okx.order(BTC, "sell", "long", "5").refusal == "51112"
    assert Decimal(okx.position(BTC, "long")["pos"]) == 2


def net(okx: OkxClient) -> None:
    assert okx.post("account/set-position-mode", {"posMode": "net_mode"}).code == "0"


@pytest.mark.parametrize("side_word", ["", "net"])
def test_in_net_mode_an_order_can_flip(okx: OkxClient, side_word: str) -> None:
    net(okx)
    okx.order(BTC, "buy", side_word, "2")
    assert [(row["posSide"], row["pos"]) for row in okx.positions()] == [("net", "2")]
    okx.order(BTC, "sell", side_word, "5")
    assert [(row["posSide"], row["pos"]) for row in okx.positions()] == [("net", "-3")]


def test_in_net_mode_reduce_only_never_flips(okx: OkxClient) -> None:
    net(okx)
    okx.order(BTC, "buy", "", "2")
    okx.order(BTC, "sell", "", "5", reduceOnly=True)
    assert okx.positions() == []


def test_in_net_mode_reduce_only_in_the_same_direction_is_refused(okx: OkxClient) -> None:
    net(okx)
    okx.order(BTC, "buy", "", "2")
    assert okx.order(BTC, "buy", "", "1", reduceOnly=True).refusal == "51170"


def test_in_net_mode_reduce_only_without_a_position_is_refused(okx: OkxClient) -> None:
    net(okx)
    assert okx.order(BTC, "sell", "", "1", reduceOnly=True).refusal == "51169"
