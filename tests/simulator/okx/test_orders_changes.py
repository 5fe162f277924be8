"""Orders found again, amended and cancelled; positions closed in one call."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, ETH, Answer, OkxClient
from tests.simulator.words import RESTING, partial_fill
from tests.simulator_process import SimulatorProcess

# -- finding


def test_an_order_that_never_was(okx: OkxClient) -> None:
    assert okx.get("trade/order", instId=BTC, clOrdId="nobody").code == "51603"
    assert okx.get("trade/order", instId=BTC, ordId="123").code == "51603"


def test_a_cancel_without_fill_is_forgotten_after_two_hours(sim: SimulatorProcess, okx: OkxClient) -> None:
    order_id = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    okx.post("trade/cancel-order", {"instId": BTC, "ordId": order_id})
    sim.clock(7100)
    assert okx.find(BTC, ordId=order_id)["state"] == "canceled"
    assert [row["ordId"] for row in okx.get("trade/orders-history", instType="SWAP").rows] == [order_id]
    sim.clock(200)
    assert okx.get("trade/order", instId=BTC, ordId=order_id).code == "51603"
    assert okx.get("trade/orders-history", instType="SWAP").rows == []


def test_history_pages_join_without_gap_or_overlap(okx: OkxClient) -> None:
    orders = [okx.order(BTC, "buy", "long", "0.01", clOrdId=f"n{number}").row["ordId"] for number in range(7)]
    newest_first = orders[::-1]
    history = "trade/orders-history"
    assert [row["ordId"] for row in okx.get(history, instType="SWAP").rows] == newest_first
    page = okx.get(history, instType="SWAP", limit="3").rows
    assert [row["ordId"] for row in page] == newest_first[:3]
    page = okx.get(history, instType="SWAP", limit="3", after=page[-1]["ordId"]).rows
    assert [row["ordId"] for row in page] == newest_first[3:6]
    newer = okx.get(history, instType="SWAP", before=page[0]["ordId"]).rows
    assert [row["ordId"] for row in newer] == newest_first[:3]
    assert okx.get(history, instType="SWAP", instId=ETH).rows == []
    assert okx.get(history).code != "0"  # instType is required


def test_fills_page_by_bill_and_filter_by_time(sim: SimulatorProcess, okx: OkxClient) -> None:
    for _ in range(5):
        okx.order(BTC, "buy", "long", "0.01")
        sim.clock(10)
    fills = okx.get("trade/fills").rows
    assert len(fills) == 5
    older = okx.get("trade/fills", after=fills[1]["billId"]).rows
    assert [fill["billId"] for fill in older] == [fill["billId"] for fill in fills[2:]]
    since = okx.get("trade/fills-history", instType="SWAP", begin=fills[2]["ts"]).rows
    assert [fill["billId"] for fill in since] == [fill["billId"] for fill in fills[:3]]
    expected = """tradeId billId ordId clOrdId instId side posSide fillPx fillSz fillPnl fee feeCcy execType subType
        fillTime ts fillMarkPx instType tag fillIdxPx"""
    assert set(expected.split()) <= set(fills[0])


@pytest.mark.parametrize(
    ("side", "position_side", "sub_types"),
    [
        ("buy", "long", ["5", "3"]),
        ("sell", "short", ["6", "4"]),
    ],
)
def test_fills_say_open_or_close(okx: OkxClient, side: str, position_side: str, sub_types: list[Any]) -> None:
    okx.order(BTC, side, position_side, "1")
    okx.order(BTC, "sell" if side == "buy" else "buy", position_side, "1")
    fills = okx.get("trade/fills").rows
    assert [fill["subType"] for fill in fills] == sub_types
    assert Decimal(fills[1]["fillPnl"]) == 0
    assert Decimal(fills[0]["fillPnl"]) != 0  # the spread was paid


# -- cancelling and amending


def test_cancelling_what_is_gone(okx: OkxClient) -> None:
    filled = okx.order(BTC, "buy", "long", "1").row["ordId"]
    assert okx.post("trade/cancel-order", {"instId": BTC, "ordId": filled}).refusal == "51400"
    resting = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    assert okx.post("trade/cancel-order", {"instId": BTC, "ordId": resting}).row["sCode"] == "0"
    assert okx.post("trade/cancel-order", {"instId": BTC, "ordId": resting}).refusal == "51400"
    found = okx.find(BTC, ordId=resting)
    assert (found["state"], found["cancelSource"]) == ("canceled", "1")


def test_a_batch_of_cancels_may_succeed_in_part(okx: OkxClient) -> None:
    resting = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    rows = [{"instId": BTC, "ordId": resting}, {"instId": BTC, "ordId": "1"}]
    answer = okx.post("trade/cancel-batch-orders", rows)
    assert (answer.code, [row["sCode"] for row in answer.body["data"]]) == ("2", ["0", "51400"])


def test_an_order_is_amended_in_place(sim: SimulatorProcess, okx: OkxClient) -> None:
    placed = okx.order(BTC, "buy", "long", "1", clOrdId="one", **RESTING).row["ordId"]
    change = {"instId": BTC, "clOrdId": "one", "newSz": "3", "newPx": "98000", "reqId": "r1"}
    row = okx.post("trade/amend-order", change).row
    assert (row["sCode"], row["ordId"], row["reqId"]) == ("0", placed, "r1")
    found = okx.find(BTC, ordId=placed)
    assert (found["sz"], found["px"], found["state"]) == ("3", "98000", "live")
    sim.price(BTC, "98500")
    assert okx.positions() == []


def test_amending_what_is_gone(okx: OkxClient) -> None:
    filled = okx.order(BTC, "buy", "long", "1").row["ordId"]
    assert okx.post("trade/amend-order", {"instId": BTC, "ordId": filled, "newSz": "2"}).refusal == "51503"


def test_amending_the_size_to_what_is_filled_fills_the_order(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults(partial_fill("work"))
    order_id = okx.order(BTC, "buy", "long", "10").row["ordId"]
    sim.faults()
    assert okx.post("trade/amend-order", {"instId": BTC, "ordId": order_id, "newSz": "4"}).row["sCode"] == "0"
    assert okx.find(BTC, ordId=order_id)["state"] == "filled"


def test_an_amend_with_the_empty_strings_python_okx_sends(okx: OkxClient) -> None:
    order_id = okx.order(BTC, "buy", "long", "1", **RESTING).row["ordId"]
    empty = dict.fromkeys(("clOrdId", "cxlOnFail", "reqId", "newSz", "attachAlgoOrds", "newTpTriggerPx"), "")
    change = {"instId": BTC, "ordId": order_id, "newPx": "98500"}
    assert okx.post("trade/amend-order", change | empty).row["sCode"] == "0"
    assert okx.find(BTC, ordId=order_id)["px"] == "98500"


# -- close-position


def close(okx: OkxClient, instrument: str = BTC, position_side: str = "long", **more: Any) -> Answer:
    body = {"instId": instrument, "mgnMode": "cross", "posSide": position_side, **more}
    return okx.post("trade/close-position", body)


def test_close_position_closes_the_whole_and_names_no_order(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "2")
    row = close(okx, clOrdId="bye", tag="deck").row
    assert (row["instId"], row["posSide"], row["clOrdId"], row["tag"]) == (BTC, "long", "bye", "deck")
    assert not {"ordId", "sCode"} & set(row)
    assert okx.positions() == []


def test_closing_when_flat_is_refused(okx: OkxClient) -> None:
    assert close(okx).refusal == "51023"


def test_a_resting_close_order_stands_in_the_way_unless_it_may_be_cancelled(okx: OkxClient) -> None:
    okx.order(BTC, "buy", "long", "2")
    resting = okx.order(BTC, "sell", "long", "1", ordType="limit", px="101000").row["ordId"]
    assert close(okx).refusal == "51115"
    assert Decimal(okx.position(BTC, "long")["pos"]) == 2
    assert close(okx, autoCxl=True).code == "0"
    assert okx.positions() == []
    assert okx.find(BTC, ordId=resting)["state"] == "canceled"


@pytest.mark.parametrize(("cancels", "left"), [(False, 1), (True, 0)])
def test_whether_closing_takes_algos_with_it_is_a_switch(
    sim: SimulatorProcess, okx: OkxClient, cancels: bool, left: int
) -> None:
    sim.switches(auto_cxl_algos=cancels)
    okx.order(BTC, "buy", "long", "2")
    okx.algo(BTC, "sell", "long", "conditional", sz="2", slTriggerPx="95000", slOrdPx="-1")
    assert close(okx, autoCxl=True).code == "0"
    assert len(okx.pending_algos("conditional")) == left
