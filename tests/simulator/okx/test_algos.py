"""Algo orders: conditional, oco, trigger, trailing; what is accepted, and what wakes which of them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator.words import STOP, TARGET, held_contracts, placed
from tests.simulator_process import SimulatorProcess

ALGO_FIELDS = """
    instType instId ccy algoId algoClOrdId clOrdId ordId ordIdList sz closeFraction ordType side posSide tdMode
    state lever tpTriggerPx tpTriggerPxType tpOrdPx slTriggerPx slTriggerPxType slOrdPx triggerPx triggerPxType
    ordPx actualSz actualPx actualSide triggerTime reduceOnly failCode tag cTime uTime callbackRatio
    callbackSpread activePx moveTriggerPx last tgtCcy linkedOrd attachAlgoOrds amendPxOnTriggerType
    isTradeBorrowMode quickMgnType chaseType
    """


def test_an_algo_is_answered_and_found_by_both_ids(okx: OkxClient, held: None) -> None:
    answer = okx.algo(BTC, "sell", "long", "oco", sz="2", algoClOrdId="guard1", tag="deck", **STOP, **TARGET)
    row = answer.row
    assert (row["sCode"], row["algoClOrdId"]) == ("0", "guard1")
    assert {"algoId", "algoClOrdId", "clOrdId", "sCode", "sMsg", "tag"} <= set(row)
    found = okx.find_algo(algoClOrdId="guard1")
    assert found == okx.find_algo(algoId=row["algoId"])
    expected = {
        "state": "live",
        "ordType": "oco",
        "sz": "2",
        "slTriggerPx": "95000",
        "tpTriggerPx": "105000",
        "slTriggerPxType": "last",
        "tpOrdPx": "-1",
        "side": "sell",
        "posSide": "long",
    }
    assert {name: found[name] for name in expected} == expected
    assert set(found) >= set(ALGO_FIELDS.split())
    assert okx.pending_algos("conditional,oco") == [found]


def test_an_algo_that_never_was(okx: OkxClient) -> None:
    assert okx.get("trade/order-algo", algoClOrdId="nobody").code == "51603"


def test_an_algo_id_is_taken_once(okx: OkxClient, held: None) -> None:
    placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", algoClOrdId="guard1", **STOP))
    again = okx.algo(BTC, "sell", "long", "conditional", sz="2", algoClOrdId="guard1", **STOP)
    assert again.refusal == "51065"


# -- refusals


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("last", ["51279", "51280", "51277", "51278"]),
        ("mark", ["51303", "51304", "51300", "51302"]),
        ("index", ["51307", "51308", "51305", "51306"]),
    ],
)
def test_a_level_already_passed_is_refused(
    sim: SimulatorProcess, okx: OkxClient, held: None, kind: str, codes: list[Any]
) -> None:
    okx.order(BTC, "sell", "short", "2")
    stories = [
        ("sell", "long", {"tpTriggerPx": "99000", "tpOrdPx": "-1", "tpTriggerPxType": kind}),
        ("sell", "long", {"slTriggerPx": "101000", "slOrdPx": "-1", "slTriggerPxType": kind}),
        ("buy", "short", {"tpTriggerPx": "101000", "tpOrdPx": "-1", "tpTriggerPxType": kind}),
        ("buy", "short", {"slTriggerPx": "99000", "slOrdPx": "-1", "slTriggerPxType": kind}),
    ]
    found = [okx.algo(BTC, side, held_side, "conditional", sz="1", **legs).refusal for side, held_side, legs in stories]
    assert found == codes


@pytest.mark.parametrize(
    ("story", "kind", "body", "code"),
    [
        ("a conditional without a leg", "conditional", {"sz": "1"}, "51000"),
        ("an oco with one leg", "oco", {"sz": "1", **STOP}, "51000"),
        ("a leg without its order price", "conditional", {"sz": "1", "slTriggerPx": "95000"}, "51000"),
        ("a trigger without a price", "trigger", {"sz": "1", "orderPx": "-1"}, "51000"),
        ("a level between two ticks", "conditional", {"sz": "1", "slTriggerPx": "95000.05", "slOrdPx": "-1"}, "51000"),
        ("not a whole lot", "conditional", {"sz": "1.005", **STOP}, "51121"),
        ("neither size nor fraction", "conditional", {**STOP}, "51000"),
        ("an unknown kind", "wish", {"sz": "1", **STOP}, "51000"),
        ("an id with a dash", "conditional", {"sz": "1", "algoClOrdId": "guard-1", **STOP}, "51000"),
    ],
)
def test_an_algo_against_the_rules_is_refused(
    okx: OkxClient, held: None, story: str, kind: str, body: dict[str, Any], code: str
) -> None:
    assert okx.algo(BTC, "sell", "long", kind, **body).refusal == code
    assert okx.pending_algos("conditional,oco") == []


def test_a_trigger_takes_no_reduce_only_in_net_mode(okx: OkxClient) -> None:
    okx.post("account/set-position-mode", {"posMode": "net_mode"})
    okx.order(BTC, "buy", "", "1")
    refused = okx.algo(BTC, "sell", "", "trigger", sz="1", triggerPx="95000", orderPx="-1", reduceOnly=True)
    assert refused.refusal == "51205"


@pytest.mark.parametrize(("variant", "code"), [("ignore", "0"), ("51205", "51205")])
def test_what_a_hedged_trigger_makes_of_reduce_only_is_a_switch(
    sim: SimulatorProcess, okx: OkxClient, held: None, variant: str, code: str
) -> None:
    sim.switches(trigger_reduce_only_hedge=variant)
    answer = okx.algo(BTC, "sell", "long", "trigger", sz="1", triggerPx="95000", orderPx="-1", reduceOnly=True)
    assert answer.refusal == code


# -- waking


@pytest.mark.parametrize("kind", ["last", "mark", "index"])
def test_each_price_wakes_only_what_listens_to_it(sim: SimulatorProcess, okx: OkxClient, held: None, kind: str) -> None:
    kinds = ("last", "mark", "index")
    for heard in kinds:
        legs = {**STOP, "slTriggerPxType": heard}
        placed(okx.algo(BTC, "sell", "long", "conditional", sz="0.5", algoClOrdId=f"hears{heard}", **legs))
    prices = {"last": "100000", "mark": "100000", "index": "100000"} | {kind: "94900"}
    sim.price(BTC, **prices)
    states = {heard: okx.find_algo(algoClOrdId=f"hears{heard}")["state"] for heard in kinds}
    assert states == {heard: "effective" if heard == kind else "live" for heard in states}


def test_a_wick_of_the_last_price_leaves_the_mark_stop_alone(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", algoClOrdId="guard1", **STOP, slTriggerPxType="mark"))
    sim.price(BTC, "90000", mark="99000", index="99500")
    sim.price(BTC, "100000")
    assert okx.find_algo(algoClOrdId="guard1")["state"] == "live"
    assert held_contracts(okx) == 2


@pytest.mark.parametrize(("price", "actual_side"), [("94900", "sl"), ("105100", "tp")])
def test_an_oco_fires_one_leg_and_the_other_is_dead(
    sim: SimulatorProcess, okx: OkxClient, held: None, price: str, actual_side: str
) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "oco", sz="2", algoClOrdId="guard1", **STOP, **TARGET))
    sim.price(BTC, price)
    algo = okx.find_algo(algoId=algo_id)
    assert (algo["state"], algo["actualSide"], Decimal(algo["actualSz"])) == ("effective", actual_side, 2)
    assert algo["triggerTime"] == "1767225600000"
    assert algo["failCode"] == "1"  # noise: it succeeded
    assert algo["ordIdList"] == [algo["ordId"]]
    child = okx.find(BTC, ordId=algo["ordIdList"][0])
    assert (child["state"], child["source"]) == ("filled", "7")
    assert (child["algoId"], child["algoClOrdId"]) == (algo_id, "guard1")
    assert (child["side"], child["posSide"], child["ordType"]) == ("sell", "long", "market")
    assert okx.positions() == []
    assert okx.pending_algos("conditional,oco") == []
    sim.price(BTC, "94000" if actual_side == "tp" else "106000")
    assert okx.find_algo(algoId=algo_id)["actualSide"] == actual_side


def test_the_success_noise_in_fail_code_is_a_switch(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    sim.switches(effective_fail_code="0")
    placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", algoClOrdId="guard1", **STOP))
    sim.price(BTC, "94900")
    assert okx.find_algo(algoClOrdId="guard1")["failCode"] == "0"


def test_two_conditionals_do_not_know_each_other(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    stop = placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", **STOP))
    target = placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", **TARGET))
    sim.price(BTC, "105100")
    assert okx.find_algo(algoId=target)["state"] == "effective"
    assert okx.find_algo(algoId=stop)["state"] == "live"
    assert okx.positions() == []


@pytest.mark.parametrize("passing", ["94900", "105100"])
def test_a_trigger_fires_when_its_price_is_crossed_from_either_side(
    sim: SimulatorProcess, okx: OkxClient, passing: str
) -> None:
    level = "95000" if passing == "94900" else "105000"
    algo_id = placed(okx.algo(BTC, "buy", "long", "trigger", sz="1", triggerPx=level, orderPx="-1"))
    assert okx.find_algo(algoId=algo_id)["reduceOnly"] == ""
    sim.price(BTC, passing)
    algo = okx.find_algo(algoId=algo_id)
    child = okx.find(BTC, ordId=algo["ordIdList"][0])
    assert (algo["state"], child["source"], child["state"]) == ("effective", "6", "filled")


def test_a_trigger_may_place_a_limit_order(sim: SimulatorProcess, okx: OkxClient) -> None:
    algo_id = placed(okx.algo(BTC, "buy", "long", "trigger", sz="1", triggerPx="99000", orderPx="98500"))
    sim.price(BTC, "98900")
    child = okx.find(BTC, ordId=okx.find_algo(algoId=algo_id)["ordIdList"][0])
    assert (child["state"], child["ordType"], child["px"]) == ("live", "limit", "98500")


def test_a_trailing_stop_follows_up_and_sells_on_the_way_down(
    sim: SimulatorProcess, okx: OkxClient, held: None
) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "move_order_stop", sz="2", callbackRatio="0.01"))
    sim.price(BTC, "110000")
    assert Decimal(okx.find_algo(algoId=algo_id)["moveTriggerPx"]) == 108900
    sim.price(BTC, "109000")
    assert okx.find_algo(algoId=algo_id)["state"] == "live"
    sim.price(BTC, "108800")
    algo = okx.find_algo(algoId=algo_id)
    assert algo["state"] == "effective"
    assert okx.find(BTC, ordId=algo["ordIdList"][0])["source"] == "25"
    assert okx.positions() == []


def test_a_trailing_stop_sleeps_until_its_activation_price(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "move_order_stop", sz="2", callbackSpread="500", activePx="102000"))
    sim.price(BTC, "99000")
    assert okx.find_algo(algoId=algo_id)["state"] == "live"
    sim.price(BTC, "102500")
    sim.price(BTC, "101900")
    assert okx.find_algo(algoId=algo_id)["state"] == "effective"


def test_a_child_that_is_refused_makes_the_algo_fail(sim: SimulatorProcess, okx: OkxClient) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "trigger", sz="1", triggerPx="99000", orderPx="-1"))
    sim.price(BTC, "98900")
    algo = okx.find_algo(algoId=algo_id)
    assert (algo["state"], algo["failCode"]) == ("order_failed", "51169")
    assert okx.positions() == []


def test_a_child_without_margin_makes_the_algo_fail(sim: SimulatorProcess, okx: OkxClient) -> None:
    algo_id = placed(okx.algo(BTC, "buy", "long", "trigger", sz="500", triggerPx="99000", orderPx="-1"))
    sim.price(BTC, "98900")
    algo = okx.find_algo(algoId=algo_id)
    assert (algo["state"], algo["failCode"]) == ("order_failed", "51008")
