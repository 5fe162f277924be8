"""TP and SL sent with an entry: when they come to life, when they do not, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, OkxClient
from tests.simulator.words import STOP, TARGET, attach, held_contracts, partial_fill
from tests.simulator_process import SimulatorProcess

# -- attached to an entry


def test_attached_protection_comes_to_life_with_the_fill(sim: SimulatorProcess, okx: OkxClient) -> None:
    resting = {"ordType": "limit", "px": "99000", "clOrdId": "entry1"}
    answer = okx.order(BTC, "buy", "long", "2", attachAlgoOrds=attach(**STOP, **TARGET), **resting)
    assert answer.row["sCode"] == "0"
    parent = okx.find(BTC, clOrdId="entry1")
    shown = parent["attachAlgoOrds"][0]
    assert (shown["attachAlgoClOrdId"], shown["slTriggerPx"], shown["failCode"]) == ("guard1", "95000", "")
    assert okx.get("trade/order-algo", algoClOrdId="guard1").code == "51603"
    sim.price(BTC, "98900")
    algo = okx.find_algo(algoClOrdId="guard1")
    expected = {"ordType": "oco", "state": "live", "sz": "2", "side": "sell", "posSide": "long", "reduceOnly": "true"}
    assert {name: algo[name] for name in expected} == expected
    assert algo["algoId"] != shown["attachAlgoId"]
    assert algo["clOrdId"] == ""  # the parent's id is not copied


def test_one_attached_leg_becomes_a_conditional(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "2", attachAlgoOrds=attach(**STOP, slTriggerPxType="mark"))
    algo = okx.find_algo(algoClOrdId="guard1")
    assert (algo["ordType"], algo["slTriggerPxType"], algo["tpTriggerPx"]) == ("conditional", "mark", "")


def test_there_is_no_protection_while_the_entry_is_filled_in_part_and_works_on(
    sim: SimulatorProcess, okx: OkxClient
) -> None:
    sim.faults(partial_fill("work"))
    order_id = okx.order(BTC, "buy", "long", "10", attachAlgoOrds=attach(**STOP)).row["ordId"]
    assert okx.pending_algos("conditional,oco") == []
    assert okx.post("trade/cancel-order", {"instId": BTC, "ordId": order_id}).row["sCode"] == "0"
    assert Decimal(okx.find_algo(algoClOrdId="guard1")["sz"]) == 4


def test_an_entry_cancelled_without_fill_leaves_no_protection(okx: OkxClient) -> None:
    resting = {"ordType": "limit", "px": "99000"}
    order_id = okx.order(BTC, "buy", "long", "2", attachAlgoOrds=attach(**STOP), **resting).row["ordId"]
    okx.post("trade/cancel-order", {"instId": BTC, "ordId": order_id})
    assert okx.pending_algos("conditional,oco") == []


def test_protection_that_cannot_be_made_is_told_on_the_parent(sim: SimulatorProcess, okx: OkxClient) -> None:
    """The price gaps through entry and stop together: the stop's level has passed when it would be made."""
    resting = {"ordType": "limit", "px": "99000", "clOrdId": "entry1"}
    okx.order(BTC, "buy", "long", "2", attachAlgoOrds=attach(**STOP), **resting)
    sim.faults({"match": {"algoClOrdId": "guard1"}, "kind": "reject", "code": "51280", "count": 1})
    sim.price(BTC, "98900")
    shown = okx.find(BTC, clOrdId="entry1")["attachAlgoOrds"][0]
    assert shown["failCode"] == "51280"
    assert shown["failReason"]
    assert okx.get("trade/order-algo", algoClOrdId="guard1").code == "51603"
    assert held_contracts(okx) == 2


@pytest.mark.parametrize(
    ("side", "position_side", "legs", "code"),
    [
        ("buy", "long", {"tpTriggerPx": "98000", "tpOrdPx": "-1"}, "51046"),
        ("buy", "long", {"slTriggerPx": "99500", "slOrdPx": "-1"}, "51047"),
        ("sell", "short", {"tpTriggerPx": "102000", "tpOrdPx": "-1"}, "51048"),
        ("sell", "short", {"slTriggerPx": "100500", "slOrdPx": "-1"}, "51049"),
    ],
)
def test_attached_prices_on_the_wrong_side_of_the_entry(
    okx: OkxClient, side: str, position_side: str, legs: dict[str, Any], code: str
) -> None:
    price = "99000" if side == "buy" else "101000"
    answer = okx.order(BTC, side, position_side, "1", ordType="limit", px=price, attachAlgoOrds=attach(**legs))
    assert answer.refusal == code


@pytest.mark.parametrize(
    ("side", "position_side", "legs", "code"),
    [
        ("buy", "long", {"tpTriggerPx": "98000", "tpOrdPx": "-1"}, "51050"),
        ("buy", "long", {"slTriggerPx": "101000", "slOrdPx": "-1"}, "51051"),
        ("sell", "short", {"tpTriggerPx": "102000", "tpOrdPx": "-1"}, "51052"),
        ("sell", "short", {"slTriggerPx": "99000", "slOrdPx": "-1"}, "51053"),
    ],
)
def test_attached_prices_on_the_wrong_side_of_the_market(
    okx: OkxClient, side: str, position_side: str, legs: dict[str, Any], code: str
) -> None:
    assert okx.order(BTC, side, position_side, "1", attachAlgoOrds=attach(**legs)).refusal == code
    assert okx.positions() == []


def test_a_closing_order_takes_no_protection_with_it(okx: OkxClient, held: None) -> None:
    assert okx.order(BTC, "sell", "long", "1", attachAlgoOrds=attach(**STOP)).refusal in ("51100", "51333")


def test_an_empty_attachment_is_refused(okx: OkxClient) -> None:
    assert okx.order(BTC, "buy", "long", "1", attachAlgoOrds=attach()).refusal == "51178"


def test_an_attached_id_already_used_is_refused(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "1", attachAlgoOrds=attach(**STOP))
    assert okx.order(BTC, "buy", "long", "1", attachAlgoOrds=attach(**STOP)).refusal == "51068"


def test_attached_legs_can_be_amended_before_the_entry_fills(sim: SimulatorProcess, okx: OkxClient) -> None:
    order_id = okx.order(
        BTC, "buy", "long", "1", ordType="limit", px="99000", attachAlgoOrds=attach(**STOP, **TARGET)
    ).row["ordId"]
    change = {"attachAlgoClOrdId": "guard1", "newSlTriggerPx": "96000", "newSlOrdPx": "-1"}
    answer = okx.post("trade/amend-order", {"instId": BTC, "ordId": order_id, "attachAlgoOrds": [change]})
    assert answer.row["sCode"] == "0"
    sim.price(BTC, "98900")
    algo = okx.find_algo(algoClOrdId="guard1")
    assert (algo["slTriggerPx"], algo["tpTriggerPx"]) == ("96000", "105000")
