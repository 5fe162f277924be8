"""Phrases that many stories share: an order that rests, the two legs of a protection, a fault that fills in part."""

from decimal import Decimal

from tests.simulator.okx.client import Answer, OkxClient

RESTING = {"ordType": "limit", "px": "99000"}  # a buy of BTC that waits below the market
STOP = {"slTriggerPx": "95000", "slOrdPx": "-1"}
TARGET = {"tpTriggerPx": "105000", "tpOrdPx": "-1"}


def attach(**legs: str) -> list[dict[str, str]]:
    """The attachAlgoOrds of an entry, under the id guard1."""
    return [{"attachAlgoClOrdId": "guard1", **legs}]


def partial_fill(rest: str) -> dict[str, object]:
    """A fault: four tenths of the next order are filled, the rest goes on working or is cancelled."""
    return {"match": {"path": "trade/order"}, "kind": "partial_fill", "fraction": "0.4", "rest": rest, "count": 1}


def placed(answer: Answer) -> str:
    """The algoId of an algo that was accepted."""
    assert answer.row["sCode"] == "0", answer.body
    return str(answer.row["algoId"])


def held_contracts(okx: OkxClient) -> Decimal:
    return sum((Decimal(row["pos"]) for row in okx.positions()), Decimal(0))
