"""Conditional orders of the Binance side: what is taken in, what is refused and how, found, listed, cancelled."""

import time
from typing import Any

import pytest

from tests.simulator.binance.algo import conditional, found, listed, status, stop, target
from tests.simulator.binance.client import BinanceClient
from tests.simulator_process import SimulatorProcess

PLACED = """algoId clientAlgoId algoType orderType symbol side positionSide timeInForce quantity algoStatus
    triggerPrice price icebergQuantity selfTradePreventionMode workingType priceMatch closePosition priceProtect
    reduceOnly createTime updateTime triggerTime goodTillDate""".split()  # noqa: SIM905 - one name a line hides the rest
READ = """actualOrderId actualPrice tpTriggerPrice tpPrice slTriggerPrice slPrice tpOrderType""".split()  # noqa: SIM905


def test_the_answer_has_the_documented_fields(binance: BinanceClient) -> None:
    placed = stop(binance, clientAlgoId="s-1", workingType="MARK_PRICE", priceProtect="true").ok
    assert sorted(placed) == sorted(PLACED)
    assert placed["orderType"] == "STOP_MARKET"
    assert (placed["algoStatus"], placed["quantity"], placed["triggerPrice"]) == ("NEW", "0.010", "99000.00")
    assert (placed["workingType"], placed["priceProtect"], placed["reduceOnly"]) == ("MARK_PRICE", True, True)
    single = found(binance, "s-1")
    assert sorted(single) == sorted([*PLACED, *READ, "actualType", "actualQty"])
    assert (single["actualOrderId"], single["algoId"]) == ("", placed["algoId"])
    (row,) = binance.get("v1/openAlgoOrders").ok
    assert sorted(row) == sorted([*PLACED, *READ])


def test_conditional_types_have_no_place_among_ordinary_orders(binance: BinanceClient) -> None:
    asked = {"symbol": "BTCUSDT", "side": "SELL", "positionSide": "LONG", "quantity": "0.010", "stopPrice": "99000"}
    for kind in ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"):
        assert binance.post("v1/order", **asked, type=kind).code == -4120
    batch = '[{"symbol":"BTCUSDT","side":"SELL","positionSide":"LONG","type":"STOP_MARKET","quantity":"0.010"}]'
    assert binance.post("v1/batchOrders", batchOrders=batch).ok[0]["code"] == -4120


def test_the_two_books_do_not_see_each_other(binance: BinanceClient) -> None:
    algo = stop(binance, clientAlgoId="s-1").ok
    assert binance.get("v1/openOrders", symbol="BTCUSDT").ok == []
    assert binance.get("v1/order", symbol="BTCUSDT", origClientOrderId="s-1").code == -2013
    assert binance.delete("v1/order", symbol="BTCUSDT", orderId=algo["algoId"]).code == -2011
    assert binance.delete("v1/allOpenOrders", symbol="BTCUSDT").ok["code"] == 200
    assert listed(binance) == ["s-1"]


def test_cancelling_answers_with_a_code_that_is_a_string(binance: BinanceClient) -> None:
    algo = stop(binance, clientAlgoId="s-1").ok
    answer = binance.delete("v1/algoOrder", algoId=algo["algoId"]).ok
    assert answer == {"algoId": algo["algoId"], "clientAlgoId": "s-1", "code": "200", "msg": "success"}
    assert status(binance, "s-1") == "CANCELED"
    assert binance.delete("v1/algoOrder", clientAlgoId="s-1").code == -2011
    assert binance.delete("v1/algoOrder", clientAlgoId="never").code == -2011
    assert binance.get("v1/algoOrder", clientAlgoId="never").code == -2013
    assert binance.get("v1/algoOrder").code == -1102


def test_all_of_one_symbol_are_cancelled_at_once(binance: BinanceClient) -> None:
    stop(binance, clientAlgoId="s-1")
    target(binance, clientAlgoId="t-1")
    conditional(binance, "STOP_MARKET", "SELL", "LONG", "3000", symbol="ETHUSDT", quantity="1", clientAlgoId="e-1")
    assert binance.delete("v1/algoOpenOrders", symbol="BTCUSDT").ok["code"] == 200
    assert [row["clientAlgoId"] for row in binance.get("v1/openAlgoOrders").ok] == ["e-1"]
    everything = binance.get("v1/allAlgoOrders", symbol="BTCUSDT").ok
    told = [(row["clientAlgoId"], row["algoStatus"]) for row in everything]
    assert told == [("s-1", "CANCELED"), ("t-1", "CANCELED")]


def test_all_algo_orders_go_by_id_or_by_time(binance: BinanceClient) -> None:
    first, second = stop(binance, clientAlgoId="s-1").ok, target(binance, clientAlgoId="t-1").ok
    rows = binance.get("v1/allAlgoOrders", symbol="BTCUSDT", algoId=second["algoId"]).ok
    assert [row["clientAlgoId"] for row in rows] == ["t-1"]
    assert binance.get("v1/allAlgoOrders").code == -1102
    begin, day = first["createTime"], 86_400_000
    assert binance.get("v1/allAlgoOrders", symbol="BTCUSDT", startTime=begin, endTime=begin + 8 * day).code == -1127


@pytest.mark.parametrize(
    ("story", "kind", "side", "trigger", "code"),
    [
        ("a selling stop at the price", "STOP_MARKET", "SELL", "100000", -2021),
        ("a selling stop above", "STOP_MARKET", "SELL", "100500", -2021),
        ("a selling target below", "TAKE_PROFIT_MARKET", "SELL", "99500", -2021),
        ("a buying stop below", "STOP_MARKET", "BUY", "99500", -2021),
        ("a buying target above", "TAKE_PROFIT_MARKET", "BUY", "100500", -2021),
        ("off the tick", "STOP_MARKET", "SELL", "99000.05", -4014),
        ("zero", "STOP_MARKET", "SELL", "0", -4001),
        ("no trigger", "STOP_MARKET", "SELL", None, -1102),
        ("no such type", "STOP_LOSS", "SELL", "99000", -1116),
        ("a trailing stop with a trigger", "TRAILING_STOP_MARKET", "SELL", "99000", -2021),
    ],
)
def test_triggers_that_are_refused(
    binance: BinanceClient, story: str, kind: str, side: str, trigger: str, code: int
) -> None:
    assert conditional(binance, kind, side, "LONG", trigger).code == code, story
    assert listed(binance) == []


@pytest.mark.parametrize(
    ("story", "more", "code"),
    [
        ("hedge mode wants a side", {"positionSide": None}, -4061),
        ("hedge mode wants no reduceOnly", {"reduceOnly": "true"}, -1106),
        ("not even a false one", {"reduceOnly": "false"}, -1106),
        ("no quantity", {"quantity": None}, -1102),
        ("a quantity off the step", {"quantity": "0.0105"}, -1111),
        ("too little", {"quantity": "0"}, -4003),
        ("a market stop has no price", {"price": "98000"}, -1106),
        ("no such price to listen to", {"workingType": "INDEX"}, -1130),
        ("an id that is too long", {"clientAlgoId": "x" * 37}, -4015),
        ("an id with a blank", {"clientAlgoId": "a b"}, -4015),
        ("another algo type", {"algoType": "VP"}, -1130),
        ("no algo type", {"algoType": None}, -1102),
        ("no such symbol", {"symbol": "XYZUSDT"}, -1121),
        ("no such life", {"timeInForce": "DAY"}, -1115),
        ("GTE without a position", {"timeInForce": "GTE_GTC"}, -4509),
        ("GTD without a date", {"timeInForce": "GTD"}, -1102),
        ("a callback without trailing", {"callbackRate": "1"}, -1106),
        ("quantity with closePosition", {"closePosition": "true", "quantity": "0.010"}, -4137),
        ("closePosition of nothing", {"closePosition": "true"}, -4509),
        ("closePosition that would open", {"closePosition": "true", "side": "BUY", "triggerPrice": "101000"}, -2022),
    ],
)
def test_parameters_that_are_refused(binance: BinanceClient, story: str, more: dict[str, Any], code: int) -> None:
    asked = {"clientAlgoId": "s-1"} | more
    assert stop(binance, **asked).code == code, story


def test_limit_kinds_need_a_price_or_a_match(binance: BinanceClient) -> None:
    def limit(**more: Any) -> Any:
        return conditional(binance, "STOP", "SELL", "LONG", "99000", **more)

    assert limit().code == -1102
    assert limit(price="98900.05").code == -4014
    assert limit(price="98900", priceMatch="QUEUE").code == -1106
    assert limit(priceMatch="OPPONENT_10").code == -5037
    placed = limit(price="98900", timeInForce="GTX", clientAlgoId="l-1").ok
    assert (placed["price"], placed["timeInForce"]) == ("98900.00", "GTX")
    assert limit(priceMatch="QUEUE").ok["priceMatch"] == "QUEUE"


def test_trailing_needs_a_callback_and_an_activation_on_the_far_side(binance: BinanceClient) -> None:
    def trailing(**more: Any) -> Any:
        return conditional(binance, "TRAILING_STOP_MARKET", "SELL", "LONG", None, **more)

    assert trailing().code == -1102
    for rate in ("0.05", "20.1", "0.15"):
        assert trailing(callbackRate=rate).code == -2007
    assert trailing(callbackRate="1", activatePrice="99000").code == -2021
    assert trailing(callbackRate="20").ok["callbackRate"] == "20.0"
    assert trailing(callbackRate="1", activatePrice="101000").ok["activatePrice"] == "101000.00"
    assert trailing(callbackRate="1", closePosition="true").code == -4136


def test_an_id_is_taken_while_its_order_is_open_and_free_again_afterwards(binance: BinanceClient) -> None:
    first = stop(binance, clientAlgoId="s-1").ok
    assert stop(binance, "98000", clientAlgoId="s-1").code == -4116
    binance.delete("v1/algoOrder", clientAlgoId="s-1")
    second = stop(binance, "98000", clientAlgoId="s-1").ok
    assert found(binance, "s-1")["algoId"] == second["algoId"] != first["algoId"]
    unnamed = stop(binance, "97000").ok
    assert unnamed["clientAlgoId"]


def test_the_ids_of_ordinary_orders_are_another_matter(binance: BinanceClient) -> None:
    binance.limit("BTCUSDT", "BUY", "LONG", "0.010", "99000", newClientOrderId="same")
    assert stop(binance, "98000", clientAlgoId="same").ok["clientAlgoId"] == "same"


def test_no_more_conditional_orders_than_200_over_all_symbols(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_max_conditional=3)
    stop(binance)
    stop(binance, "98000")
    conditional(binance, "STOP_MARKET", "SELL", "LONG", "3000", symbol="ETHUSDT", quantity="1").ok  # noqa: B018
    assert stop(binance, "97000").code == -4045
    binance.delete("v1/algoOpenOrders", symbol="ETHUSDT")
    assert stop(binance, "97000").http == 200


def test_no_margin_is_asked_before_the_trigger(binance: BinanceClient) -> None:
    huge = conditional(binance, "STOP_MARKET", "BUY", "LONG", "101000", quantity="100", clientAlgoId="b-1")
    assert huge.http == 200
    assert binance.usdt()["availableBalance"] == binance.usdt()["balance"]


def test_an_accepted_order_may_not_be_findable_for_a_while(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_algo_hidden_seconds=30)
    stop(binance, clientAlgoId="s-1").ok  # noqa: B018
    assert binance.get("v1/algoOrder", clientAlgoId="s-1").code == -2013
    assert binance.delete("v1/algoOrder", clientAlgoId="s-1").code == -2011
    assert listed(binance) == []
    sim.clock(31)
    assert status(binance, "s-1") == "NEW"
    assert listed(binance) == ["s-1"]


def test_a_fault_hides_one_order(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.faults({"kind": "not_found", "match": {"clOrdId": "s-1"}, "seconds": 90})
    stop(binance, clientAlgoId="s-1")
    target(binance, clientAlgoId="t-1")
    assert listed(binance) == ["t-1"]
    sim.clock(91)
    assert listed(binance) == ["s-1", "t-1"]


def test_a_fault_refuses_one_order(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.faults({"kind": "reject", "match": {"path": "v1/algoOrder", "clOrdId": "s-"}, "code": "-1008", "count": 1})
    assert stop(binance, clientAlgoId="s-1").code == -1008
    assert stop(binance, clientAlgoId="s-1").http == 200


def test_ended_orders_are_forgotten_after_three_days(sim: SimulatorProcess, binance: BinanceClient) -> None:
    stop(binance, clientAlgoId="s-1")
    binance.delete("v1/algoOrder", clientAlgoId="s-1")
    sim.clock(3 * 86400 - 60)
    assert status(binance, "s-1") == "CANCELED"
    sim.clock(120)
    assert binance.get("v1/algoOrder", clientAlgoId="s-1").code == -2013
    sim.switches(binance_retention=False)
    assert status(binance, "s-1") == "CANCELED"


def test_orders_survive_a_power_cut(tmp_path: Any) -> None:
    with SimulatorProcess(state_dir=tmp_path) as sim:
        sim.switches(rate_limits=False)
        sim.market("hold")
        sim.price("BTC-USDT-SWAP", "100000")
        with BinanceClient(sim.base_url, sim.binance) as client:
            client.hedge()
            client.market("BTCUSDT", "BUY", "LONG", "0.010").ok  # noqa: B018
            stop(client, clientAlgoId="s-1").ok  # noqa: B018
            target(client, clientAlgoId="t-1", closePosition="true").ok  # noqa: B018
        sim.kill9()
        sim.start()
        with BinanceClient(sim.base_url, sim.binance) as client:
            assert listed(client) == ["s-1", "t-1"]
        sim.restart()  # now from the snapshot
        with BinanceClient(sim.base_url, sim.binance) as client:
            assert listed(client) == ["s-1", "t-1"]
            sim.price("BTC-USDT-SWAP", "98900")
            assert status(client, "s-1") == "FINISHED"
            sim.clock(1)
            assert status(client, "t-1") == "EXPIRED"


def test_an_answer_in_time_is_needed(binance: BinanceClient) -> None:
    late = int(time.time() * 1000) - 60_000
    assert stop(binance, timestamp=late).code == -1021


def test_what_is_assumed_can_be_switched(sim: SimulatorProcess, binance: BinanceClient) -> None:
    sim.switches(binance_off_tick_trigger="accept", binance_trigger_band=2)
    assert stop(binance, "99000.05").ok["triggerPrice"] == "99000.05"
    assert stop(binance, "49000").code == -4211
    assert target(binance, "201000").code == -4210
    assert target(binance, "199000").http == 200
