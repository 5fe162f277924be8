"""Algos whose position ends first: which die with it, which stay and hit the next one."""

from decimal import Decimal

import pytest

from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator.words import STOP, TARGET, attach, held_contracts, placed
from tests.simulator_process import SimulatorProcess

# -- when the position ends first


def close(okx: OkxClient) -> None:
    assert okx.post("trade/close-position", {"instId": BTC, "mgnMode": "cross", "posSide": "long"}).code == "0"


def test_tied_to_the_position_it_dies_with_it(okx: OkxClient, held: None) -> None:
    tied = {"reduceOnly": True, "cxlOnClosePos": True}
    algo_id = placed(okx.algo(BTC, "sell", "long", "oco", sz="2", **STOP, **TARGET, **tied))
    okx.order(BTC, "sell", "long", "1")
    assert okx.find_algo(algoId=algo_id)["state"] == "live"
    close(okx)
    assert okx.find_algo(algoId=algo_id)["state"] == "canceled"


def test_cancel_on_close_needs_reduce_only(okx: OkxClient, held: None) -> None:
    answer = okx.algo(BTC, "sell", "long", "oco", sz="2", **STOP, **TARGET, cxlOnClosePos=True)
    assert answer.code != "0"


@pytest.mark.parametrize("kind", ["oco", "conditional", "trigger"])
def test_not_tied_it_stays_and_hits_the_next_position(
    sim: SimulatorProcess, okx: OkxClient, held: None, kind: str
) -> None:
    body = {"oco": {**STOP, **TARGET}, "conditional": STOP, "trigger": {"triggerPx": "95000", "orderPx": "-1"}}[kind]
    algo_id = placed(okx.algo(BTC, "sell", "long", kind, sz="2", **body))
    close(okx)
    assert okx.find_algo(algoId=algo_id)["state"] == "live"
    okx.order(BTC, "buy", "long", "5")
    sim.price(BTC, "94900")
    assert okx.find_algo(algoId=algo_id)["state"] == "effective"
    assert held_contracts(okx) == 3


def test_in_net_mode_an_orphan_trigger_opens_a_position(sim: SimulatorProcess, okx: OkxClient) -> None:
    okx.post("account/set-position-mode", {"posMode": "net_mode"})
    placed(okx.algo(BTC, "sell", "", "trigger", sz="1", triggerPx="95000", orderPx="-1"))
    sim.price(BTC, "94900")
    assert [row["pos"] for row in okx.positions()] == ["-1"]


@pytest.mark.parametrize(("variant", "state"), [("stay", "live"), ("cancel", "canceled")])
def test_what_attached_protection_does_after_a_close_by_hand_is_a_switch(
    sim: SimulatorProcess, okx: OkxClient, variant: str, state: str
) -> None:
    sim.switches(attached_after_close=variant)
    okx.order(BTC, "buy", "long", "2", attachAlgoOrds=attach(**STOP, **TARGET))
    close(okx)
    assert okx.find_algo(algoClOrdId="guard1")["state"] == state


WHOLE = {"closeFraction": "1", "reduceOnly": True}


def test_a_close_of_the_whole_shows_in_the_position_and_closes_what_is_left(
    sim: SimulatorProcess, okx: OkxClient, held: None
) -> None:
    algo_id = placed(okx.algo(BTC, "sell", "long", "conditional", **STOP, **WHOLE))
    shown = okx.position(BTC, "long")["closeOrderAlgo"][0]
    assert (shown["algoId"], shown["slTriggerPx"], shown["closeFraction"]) == (algo_id, "95000", "1")
    assert okx.find_algo(algoId=algo_id)["sz"] == ""
    okx.order(BTC, "buy", "long", "3")
    sim.price(BTC, "94900")
    assert okx.positions() == []
    assert Decimal(okx.find_algo(algoId=algo_id)["actualSz"]) == 5


def test_only_one_close_of_the_whole_per_position(okx: OkxClient, held: None) -> None:
    placed(okx.algo(BTC, "sell", "long", "conditional", **STOP, **WHOLE))
    assert okx.algo(BTC, "sell", "long", "conditional", **TARGET, **WHOLE).refusal == "51088"


@pytest.mark.parametrize(("variant", "state"), [("cancel", "canceled"), ("stay", "live")])
def test_what_a_close_of_the_whole_does_when_flat_is_a_switch(
    sim: SimulatorProcess, okx: OkxClient, held: None, variant: str, state: str
) -> None:
    sim.switches(close_fraction_after_flat=variant)
    algo_id = placed(okx.algo(BTC, "sell", "long", "conditional", **STOP, **WHOLE))
    close(okx)
    assert okx.find_algo(algoId=algo_id)["state"] == state


def test_a_stop_larger_than_what_is_left_closes_what_is_left(sim: SimulatorProcess, okx: OkxClient, held: None) -> None:
    placed(okx.algo(BTC, "sell", "long", "conditional", sz="2", **STOP))
    okx.order(BTC, "sell", "long", "1.5")
    sim.price(BTC, "94900")
    assert okx.positions() == []
