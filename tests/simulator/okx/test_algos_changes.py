"""Algos asked for, amended and cancelled; and how that can fail."""

from typing import Any

import httpx
import pytest

from tests.simulator.okx.client import BTC, ETH, OkxClient
from tests.simulator.words import STOP, TARGET, placed
from tests.simulator_process import SimulatorProcess

# -- asking


def test_the_pending_list_needs_a_kind_and_combines_only_two(okx: OkxClient, held: None) -> None:
    placed(okx.algo(BTC, "sell", "long", "conditional", sz="1", **STOP))
    placed(okx.algo(BTC, "sell", "long", "oco", sz="1", **STOP, **TARGET))
    placed(okx.algo(BTC, "sell", "long", "trigger", sz="1", triggerPx="95000", orderPx="-1"))
    placed(okx.algo(BTC, "sell", "long", "move_order_stop", sz="1", callbackRatio="0.05"))
    assert okx.get("trade/orders-algo-pending").code != "0"
    assert [row["ordType"] for row in okx.pending_algos("conditional,oco")] == ["oco", "conditional"]
    assert [row["ordType"] for row in okx.pending_algos("trigger")] == ["trigger"]
    assert [row["ordType"] for row in okx.pending_algos("move_order_stop")] == ["move_order_stop"]
    assert okx.get("trade/orders-algo-pending", ordType="conditional,trigger").code != "0"
    assert okx.get("trade/orders-algo-pending", ordType="conditional", instId=ETH).rows == []
    first = okx.pending_algos("conditional,oco")[0]["algoId"]
    assert len(okx.get("trade/orders-algo-pending", ordType="conditional,oco", after=first).rows) == 1


def test_the_history_needs_a_state_or_an_id(okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "conditional", sz="1", **STOP))
    okx.post("trade/cancel-algos", [{"instId": BTC, "algoId": algo_id}])
    history = "trade/orders-algo-history"
    assert okx.get(history, ordType="conditional").code != "0"
    assert [row["algoId"] for row in okx.get(history, ordType="conditional", state="canceled").rows] == [algo_id]
    assert [row["state"] for row in okx.get(history, ordType="conditional", algoId=algo_id).rows] == ["canceled"]
    assert okx.get(history, ordType="conditional", state="effective").rows == []


# -- amending and cancelling


def test_one_leg_is_amended_and_the_other_stays(okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "oco", sz="2", algoClOrdId="guard1", **STOP, **TARGET))
    change = {"instId": BTC, "algoClOrdId": "guard1", "newSlTriggerPx": "96000", "reqId": "r1"}
    row = okx.post("trade/amend-algos", change).row
    assert (row["sCode"], row["algoId"], row["reqId"]) == ("0", algo_id, "r1")
    algo = okx.find_algo(algoId=algo_id)
    assert (algo["slTriggerPx"], algo["tpTriggerPx"], algo["state"]) == ("96000", "105000", "live")


def test_size_and_trigger_kind_are_amended_too(okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "oco", sz="1", **STOP, **TARGET))
    change = {"instId": BTC, "algoId": algo_id, "newSz": "2", "newTpTriggerPx": "106000", "newTpTriggerPxType": "mark"}
    assert okx.post("trade/amend-algos", change | {"stopLossPrice": 1}).row["sCode"] == "0"
    algo = okx.find_algo(algoId=algo_id)
    assert (algo["sz"], algo["tpTriggerPx"], algo["tpTriggerPxType"]) == ("2", "106000", "mark")


def test_a_zero_takes_a_leg_away(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "oco", sz="2", **STOP, **TARGET))
    assert okx.post("trade/amend-algos", {"instId": BTC, "algoId": algo_id, "newTpTriggerPx": "0"}).row["sCode"] == "0"
    assert okx.find_algo(algoId=algo_id)["tpTriggerPx"] in ("", "0")
    sim.price(BTC, "106000")
    assert okx.find_algo(algoId=algo_id)["state"] == "live"
    sim.price(BTC, "94900")
    assert okx.find_algo(algoId=algo_id)["actualSide"] == "sl"


def test_a_trigger_is_amended_and_a_trailing_stop_is_not(okx: OkxClient, held: None) -> None:
    trigger = placed(okx.algo(BTC, "sell", "long", "trigger", sz="1", triggerPx="95000", orderPx="-1"))
    trailing = placed(okx.algo(BTC, "sell", "long", "move_order_stop", sz="1", callbackRatio="0.05"))
    change = {"instId": BTC, "algoId": trigger, "newTriggerPx": "96000"}
    assert okx.post("trade/amend-algos", change).row["sCode"] == "0"
    assert okx.find_algo(algoId=trigger)["triggerPx"] == "96000"
    assert okx.post("trade/amend-algos", {"instId": BTC, "algoId": trailing, "newSz": "2"}).refusal != "0"


def test_a_level_amended_beyond_the_price_is_refused(okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", **STOP))
    answer = okx.post("trade/amend-algos", {"instId": BTC, "algoId": algo_id, "newSlTriggerPx": "101000"})
    assert answer.refusal == "51280"
    assert okx.find_algo(algoId=algo_id)["slTriggerPx"] == "95000"


def test_amending_or_cancelling_what_is_over(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    fired = placed(okx.algo(BTC, "sell", "long", "conditional", sz="1", **STOP))
    gone = placed(okx.algo(BTC, "sell", "long", "conditional", sz="1", slTriggerPx="90000", slOrdPx="-1"))
    assert okx.post("trade/cancel-algos", [{"instId": BTC, "algoId": gone}]).row["sCode"] == "0"
    sim.price(BTC, "94900")
    assert okx.post("trade/cancel-algos", [{"instId": BTC, "algoId": fired}]).refusal in ("51412", "51416")
    assert okx.post("trade/cancel-algos", [{"instId": BTC, "algoId": gone}]).refusal == "51400"
    assert okx.post("trade/cancel-algos", [{"instId": BTC, "algoClOrdId": "nobody"}]).refusal == "51400"
    assert okx.post("trade/amend-algos", {"instId": BTC, "algoId": gone, "newSlTriggerPx": "91000"}).refusal == "51527"


def test_cancelling_several_may_succeed_in_part(okx: OkxClient, held: None) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "conditional", sz="1", **STOP))
    answer = okx.post("trade/cancel-algos", [{"instId": BTC, "algoId": algo_id}, {"instId": BTC, "algoId": "1"}])
    assert (answer.code, [row["sCode"] for row in answer.body["data"]]) == ("2", ["0", "51400"])
    assert okx.find_algo(algoId=algo_id)["state"] == "canceled"


def test_trailing_stops_are_cancelled_by_either_address(okx: OkxClient, held: None) -> None:
    for path in ("trade/cancel-algos", "trade/cancel-advance-algos"):
        algo_id = placed(okx.algo(BTC, "sell", "long", "move_order_stop", sz="1", callbackRatio="0.05"))
        assert okx.post(path, [{"instId": BTC, "algoId": algo_id}]).row["sCode"] == "0"
        assert okx.find_algo(algoId=algo_id)["state"] == "canceled"


# -- faults


def test_a_lost_answer_of_an_algo(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    sim.faults({"match": {"path": "trade/order-algo", "algoClOrdId": "guard"}, "kind": "lost_after", "count": 1})
    with pytest.raises(httpx.TransportError):
        okx.algo(BTC, "sell", "long", "oco", sz="2", algoClOrdId="guard1", **STOP, **TARGET)
    assert okx.find_algo(algoClOrdId="guard1")["state"] == "live"


def test_a_hidden_algo(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    sim.faults({"match": {"algoClOrdId": "guard"}, "kind": "not_found", "seconds": 3, "count": 1})
    placed(okx.algo(BTC, "sell", "long", "oco", sz="2", algoClOrdId="guard1", **STOP, **TARGET))
    assert okx.get("trade/order-algo", algoClOrdId="guard1").code == "51603"
    assert okx.pending_algos("conditional,oco") == []
    sim.clock(4)
    assert okx.find_algo(algoClOrdId="guard1")["state"] == "live"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("trade/amend-algos", {"instId": BTC, "newSlTriggerPx": "96000"}),
        ("trade/cancel-algos", {"instId": BTC}),
    ],
)
def test_amends_and_cancels_can_be_refused_on_demand(
    sim: SimulatorProcess, okx: OkxClient, held: None, path: str, body: dict[str, Any]
) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", **STOP))
    sim.faults({"match": {"path": path}, "kind": "reject", "code": "51412", "count": 1})
    row = body | {"algoId": algo_id}
    assert okx.post(path, row if path.endswith("amend-algos") else [row]).refusal == "51412"
    assert okx.find_algo(algoId=algo_id)["slTriggerPx"] == "95000"
    assert okx.find_algo(algoId=algo_id)["state"] == "live"
