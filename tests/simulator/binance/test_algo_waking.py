"""Conditional orders of the Binance side when the price comes: which wake, what they become, how that can fail."""

from typing import Any

import pytest

from tests.simulator.binance.algo import conditional, found, listed, status, stop, target
from tests.simulator.binance.client import BinanceClient
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def long(binance: BinanceClient) -> None:
    """A long of 0.010 BTC, bought near 100,000."""
    assert binance.market("BTCUSDT", "BUY", "LONG", "0.010").ok["status"] == "FILLED"


def amount(client: BinanceClient, side: str = "LONG") -> str:
    return str(client.risk("BTCUSDT", side)["positionAmt"])


def children(client: BinanceClient, name: str) -> list[Any]:
    return [row for row in client.get("v1/allOrders", symbol="BTCUSDT").ok if row["clientOrderId"] == name]


def test_a_stop_becomes_a_market_order_of_the_same_id(
    sim: SimulatorProcess, binance: BinanceClient, long: None
) -> None:
    stop(binance, clientAlgoId="s-1")
    sim.price(BTC, "99000.1")
    assert status(binance, "s-1") == "NEW"
    sim.price(BTC, "98999")
    told = found(binance, "s-1")
    assert told["algoStatus"] == "FINISHED"
    (child,) = children(binance, "s-1")
    assert told["actualOrderId"] == str(child["orderId"])
    assert (child["type"], child["status"], child["executedQty"]) == ("MARKET", "FILLED", "0.010")
    assert (told["actualType"], told["actualQty"], told["actualPrice"]) == ("MARKET", "0.010", child["avgPrice"])
    assert amount(binance) == "0.000"
    trade = binance.get("v1/userTrades", symbol="BTCUSDT").ok[-1]
    assert (trade["orderId"], trade["side"], trade["positionSide"]) == (child["orderId"], "SELL", "LONG")
    assert binance.delete("v1/algoOrder", clientAlgoId="s-1").code == -2011


@pytest.mark.parametrize(
    ("kind", "side", "position_side", "trigger", "short_of_it", "beyond"),
    [
        ("STOP_MARKET", "SELL", "LONG", "99000", "99010", "98990"),
        ("TAKE_PROFIT_MARKET", "SELL", "LONG", "101000", "100990", "101010"),
        ("STOP_MARKET", "BUY", "SHORT", "101000", "100990", "101010"),
        ("TAKE_PROFIT_MARKET", "BUY", "SHORT", "99000", "99010", "98990"),
    ],
)
def test_both_directions(
    sim: SimulatorProcess,
    binance: BinanceClient,
    kind: str,
    side: str,
    position_side: str,
    trigger: str,
    short_of_it: str,
    beyond: str,
) -> None:
    binance.market("BTCUSDT", "BUY" if side == "SELL" else "SELL", position_side, "0.010")
    conditional(binance, kind, side, position_side, trigger, clientAlgoId="x-1")
    sim.price(BTC, short_of_it)
    assert status(binance, "x-1") == "NEW"
    sim.price(BTC, beyond)
    assert status(binance, "x-1") == "FINISHED"
    assert float(amount(binance, position_side)) == 0


def test_it_listens_to_mark_or_last_alone(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    stop(binance, clientAlgoId="mark", workingType="MARK_PRICE", quantity="0.005")
    stop(binance, clientAlgoId="last", quantity="0.005")
    sim.price(BTC, "98900", mark="99500")
    assert (status(binance, "mark"), status(binance, "last")) == ("NEW", "FINISHED")
    sim.price(BTC, "99500", mark="98900")
    assert status(binance, "mark") == "FINISHED"


def test_the_refusal_at_placement_looks_at_the_same_price(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.price(BTC, "98900", mark="99500")
    assert stop(binance, "99000", workingType="CONTRACT_PRICE").code == -2021
    assert stop(binance, "99000", workingType="MARK_PRICE").http == 200
    sim.switches(binance_would_trigger="last")
    assert stop(binance, "99000", workingType="MARK_PRICE").code == -2021


def test_price_protection_waits_until_last_and_mark_agree(
    sim: SimulatorProcess, binance: BinanceClient, long: None
) -> None:
    stop(binance, "94500", clientAlgoId="careful", priceProtect="true", quantity="0.005")
    stop(binance, "94500", clientAlgoId="bold", quantity="0.005")
    sim.price(BTC, "94000", mark="100000")
    assert (status(binance, "careful"), status(binance, "bold")) == ("NEW", "FINISHED")
    sim.price(BTC, "94500", mark="96000")
    assert status(binance, "careful") == "FINISHED"


def test_a_limit_kind_rests_in_the_ordinary_book_after_its_trigger(
    sim: SimulatorProcess, binance: BinanceClient, long: None
) -> None:
    conditional(binance, "TAKE_PROFIT", "SELL", "LONG", "101000", price="101500", clientAlgoId="t-1")
    sim.price(BTC, "101100")
    told = found(binance, "t-1")
    assert told["algoStatus"] == "TRIGGERED"
    (resting,) = binance.get("v1/openOrders", symbol="BTCUSDT").ok
    assert (resting["clientOrderId"], resting["price"], str(resting["orderId"])) == (
        "t-1", "101500.00", told["actualOrderId"],
    )  # fmt: skip
    assert listed(binance) == []
    sim.switches(binance_open_algos="unended")
    assert listed(binance) == ["t-1"]
    assert binance.delete("v1/algoOrder", clientAlgoId="t-1").code == -2011
    sim.price(BTC, "101600")
    assert status(binance, "t-1") == "FINISHED"
    assert found(binance, "t-1")["actualPrice"] == "101500.00000"


def test_a_cancelled_child_finishes_it_too(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    conditional(binance, "TAKE_PROFIT", "SELL", "LONG", "101000", price="101500", clientAlgoId="t-1")
    sim.price(BTC, "101100")
    binance.delete("v1/order", symbol="BTCUSDT", orderId=found(binance, "t-1")["actualOrderId"])
    told = found(binance, "t-1")
    assert (told["algoStatus"], told["actualQty"]) == ("FINISHED", "0.000")


def test_a_match_finds_its_price_at_the_trigger(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    conditional(binance, "STOP", "SELL", "LONG", "99000", priceMatch="QUEUE", clientAlgoId="q-1")
    sim.price(BTC, "99000")
    (resting,) = binance.get("v1/openOrders", symbol="BTCUSDT").ok
    assert resting["price"] == "99000.10"


def test_trailing_follows_the_best_price_since_its_activation(
    sim: SimulatorProcess, binance: BinanceClient, long: None
) -> None:
    more = {"callbackRate": "1", "activatePrice": "101000", "clientAlgoId": "tr"}
    conditional(binance, "TRAILING_STOP_MARKET", "SELL", "LONG", None, **more)
    sim.price(BTC, "98500")
    assert status(binance, "tr") == "NEW"
    sim.price(BTC, "102000")
    sim.price(BTC, "101000")
    assert status(binance, "tr") == "NEW"
    sim.price(BTC, "100979")
    assert status(binance, "tr") == "FINISHED"


# -- what may go wrong at the trigger


@pytest.mark.parametrize("quantity", ["0.010", "0.020"])
def test_a_stop_on_an_empty_or_smaller_leg_is_rejected_and_opens_nothing(
    sim: SimulatorProcess, binance: BinanceClient, quantity: str
) -> None:
    if quantity == "0.020":
        binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    stop(binance, clientAlgoId="s-1", quantity=quantity)
    before = amount(binance)
    sim.price(BTC, "98900")
    assert status(binance, "s-1") == "REJECTED"
    assert (amount(binance), float(amount(binance, "SHORT"))) == (before, 0)
    assert sim.state()["binance"]["algos"][0]["reason"] == "Reduce Only reject"


def test_margin_is_asked_at_the_trigger(sim: SimulatorProcess, binance: BinanceClient) -> None:
    conditional(binance, "STOP_MARKET", "BUY", "LONG", "101000", quantity="100", clientAlgoId="b-1")
    sim.price(BTC, "101100")
    assert status(binance, "b-1") == "REJECTED"


def test_a_resting_exit_makes_the_stop_fail(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    binance.limit("BTCUSDT", "SELL", "LONG", "0.010", "101000").ok  # noqa: B018
    stop(binance, clientAlgoId="s-1")
    sim.price(BTC, "98900")
    assert (status(binance, "s-1"), amount(binance)) == ("REJECTED", "0.010")


def test_a_market_stop_above_the_market_lot_is_rejected(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_filters={"BTCUSDT": {"max_market": "1"}})
    binance.limit("BTCUSDT", "BUY", "LONG", "2", "100100").ok  # noqa: B018
    stop(binance, clientAlgoId="s-1", quantity="2")
    sim.price(BTC, "98900")
    assert status(binance, "s-1") == "REJECTED"


def test_faults_keep_it_triggering_or_reject_it(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    stop(binance, clientAlgoId="stuck")
    target(binance, clientAlgoId="refused")
    sim.faults(
        {"kind": "trigger_stuck", "match": {"clOrdId": "stuck"}},
        {"kind": "trigger_reject", "match": {"clOrdId": "refused"}, "reason": "Because."},
    )
    sim.price(BTC, "98900")
    sim.clock(3600)
    assert status(binance, "stuck") == "TRIGGERING"
    assert listed(binance) == ["stuck", "refused"]
    assert binance.delete("v1/algoOrder", clientAlgoId="stuck").code == -2011
    sim.price(BTC, "101100")
    assert (status(binance, "refused"), amount(binance)) == ("REJECTED", "0.010")


def test_a_fault_cancels_it_after_a_while(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    sim.faults({"kind": "algo_vanish", "match": {"clOrdId": "s-1"}})
    stop(binance, clientAlgoId="s-1")
    sim.clock(52)
    assert status(binance, "s-1") == "NEW"
    sim.clock(2)
    assert status(binance, "s-1") == "CANCELED"


def test_between_trigger_and_order_there_may_be_time(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    sim.switches(binance_trigger_delay_seconds=3)
    stop(binance, clientAlgoId="s-1")
    sim.price(BTC, "98900")
    assert status(binance, "s-1") == "TRIGGERING"
    sim.clock(4)
    assert status(binance, "s-1") == "FINISHED"


def test_its_order_may_fill_in_parts(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    stop(binance, clientAlgoId="s-1")
    sim.faults({"kind": "partial_fill", "match": {"clOrdId": "s-1"}, "fraction": "0.4"})
    sim.price(BTC, "98900")
    told = found(binance, "s-1")
    assert (told["algoStatus"], told["actualQty"], amount(binance)) == ("TRIGGERED", "0.004", "0.006")
    sim.clock(2)
    assert (status(binance, "s-1"), amount(binance)) == ("FINISHED", "0.000")


# -- what outlives a position


def test_orders_of_a_quantity_outlive_the_leg_and_close_the_next(
    sim: SimulatorProcess, binance: BinanceClient, long: None
) -> None:
    stop(binance, clientAlgoId="old")
    target(binance, clientAlgoId="filled")
    sim.price(BTC, "101100")
    assert (status(binance, "filled"), status(binance, "old")) == ("FINISHED", "NEW")
    sim.clock(600)
    assert listed(binance) == ["old"]
    binance.market("BTCUSDT", "BUY", "LONG", "0.030")
    sim.price(BTC, "98900")
    assert (status(binance, "old"), amount(binance)) == ("FINISHED", "0.020")


def test_in_one_way_mode_an_orphan_opens_the_other_way(sim: SimulatorProcess, one_way: BinanceClient) -> None:
    stop(one_way, clientAlgoId="old", positionSide=None)
    sim.price(BTC, "98900")
    assert (status(one_way, "old"), amount(one_way, "BOTH")) == ("FINISHED", "-0.010")


def test_in_one_way_mode_reduce_only_opens_nothing(sim: SimulatorProcess, one_way: BinanceClient) -> None:
    stop(one_way, clientAlgoId="old", positionSide=None, reduceOnly="true")
    sim.price(BTC, "98900")
    assert (status(one_way, "old"), float(amount(one_way, "BOTH"))) == ("REJECTED", 0)


# -- closePosition


def test_close_position_takes_whatever_is_there_at_the_trigger(
    sim: SimulatorProcess, binance: BinanceClient, long: None
) -> None:
    placed = stop(binance, clientAlgoId="all", closePosition="true").ok
    assert (placed["timeInForce"], placed["quantity"], placed["closePosition"]) == ("GTE_GTC", "0", True)
    assert placed["reduceOnly"] is True
    binance.market("BTCUSDT", "BUY", "LONG", "0.013")
    sim.price(BTC, "98900")
    (child,) = children(binance, "all")
    assert (child["origQty"], amount(binance)) == ("0.023", "0.000")
    assert (child["closePosition"], child["reduceOnly"], child["stopPrice"]) == (True, True, "99000.00")


def test_one_of_each_kind_for_each_leg(binance: BinanceClient, long: None) -> None:
    stop(binance, closePosition="true").ok  # noqa: B018
    target(binance, closePosition="true").ok  # noqa: B018
    assert stop(binance, "98000", closePosition="true").code == -4130
    assert target(binance, "102000", closePosition="true").code == -4130
    assert stop(binance, "98000").http == 200
    binance.market("BTCUSDT", "SELL", "SHORT", "0.010")
    other = conditional(binance, "STOP_MARKET", "BUY", "SHORT", "101000", closePosition="true")
    assert other.http == 200


def test_they_expire_some_time_after_the_leg_is_flat(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    sim.switches(binance_tied_ends_after_seconds=5)
    stop(binance, clientAlgoId="all", closePosition="true")
    binance.market("BTCUSDT", "SELL", "LONG", "0.010")
    assert status(binance, "all") == "NEW"
    sim.clock(4)
    assert status(binance, "all") == "NEW"
    sim.clock(2)
    assert status(binance, "all") == "EXPIRED"


def test_or_never_and_then_they_stand_in_the_way(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    sim.switches(binance_tied_ends_after_seconds=-1)
    stop(binance, clientAlgoId="all", closePosition="true")
    binance.market("BTCUSDT", "SELL", "LONG", "0.010")
    sim.clock(600)
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert stop(binance, closePosition="true").code == -4130
    assert listed(binance) == ["all"]


def test_a_liquidation_ends_what_waits(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    stop(binance, clientAlgoId="s-1")
    sim.intervene("liquidate", account="binance", instId=BTC, posSide="long")
    assert status(binance, "s-1") == "EXPIRED"


def test_a_persons_hand_places_and_cancels(sim: SimulatorProcess, binance: BinanceClient, long: None) -> None:
    asked = {"symbol": "BTCUSDT", "side": "SELL", "positionSide": "LONG", "type": "STOP_MARKET", "quantity": "0.010"}
    sim.intervene("place_algo", account="binance", **asked, triggerPrice="99000", clientAlgoId="hand")
    assert listed(binance) == ["hand"]
    sim.intervene("cancel", account="binance", clientAlgoId="hand")
    assert listed(binance) == []
