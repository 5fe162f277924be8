"""The flows of the fault table, and the steps that each of them cannot do without.

Where one of these is not met in calm weather, the table has lost its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.account import Exchange
from core.paper import PAPER_ACCOUNTS
from tests.faults.harness.wire_tap import THE_MARKET

Steps = Mapping[str, tuple[str, ...]]  #: by flow

FLOWS = ("entry", "edit", "recovery", "partial close", "target reached", "reopen", "close", "history")
PLACED = ("book: {} written down", "{} order", "look after {} order", "book: {} outcome kept")
NAMED: Steps = {
    "entry": ("look", "book: cycle begun", *(step.format("entry") for step in PLACED)),
    "edit": ("look",),
    "recovery": (THE_MARKET, "look", *(step.format("recovery") for step in PLACED)),
    "partial close": ("look", *(step.format("close") for step in PLACED), "book: reduction kept"),
    "target reached": (THE_MARKET, "look", "fills read", "funding read", "book: facts kept", "book: cycle ended"),
    "reopen": ("look", "book: cycle begun", *(step.format("entry") for step in PLACED)),
    "close": ("look", *(step.format("close") for step in PLACED), "fills read", "book: cycle ended"),
    "history": ("fills read", "funding read", "book: lives kept", "book: progress kept"),
}
PLACED_LEGS = ("stop loss placed", "take profit placed")
CANCELLED_LEGS = ("stop loss cancelled", "take profit cancelled")
OWN: Mapping[Exchange, Steps] = {
    Exchange.OKX: {
        "entry": ("leverage read",),
        "edit": ("protection amended", "look after protection amended"),
        "recovery": ("leverage read", "protection amended", "protection cancelled"),
        "partial close": ("protection amended",),
        "reopen": ("leverage read",),
        "history": ("lives read",),
    },
    Exchange.BINANCE: {
        "entry": PLACED_LEGS,
        "recovery": (*PLACED_LEGS, *CANCELLED_LEGS),
        "partial close": (*PLACED_LEGS, *CANCELLED_LEGS),
        "target reached": ("stop loss cancelled",),
        "reopen": PLACED_LEGS,
        "close": CANCELLED_LEGS,
    },
}
OF_OWN = ("protect placed", "protection cancelled")  #: where the part has the position to itself
ALONE: Mapping[Exchange, Steps] = {
    Exchange.OKX: {"entry": OF_OWN, "reopen": OF_OWN},
    Exchange.BINANCE: {},
}

# -- executions worked piece by piece -------------------------------------------------------------------------------

WORKED = (
    "twap entry", "twap recovery", "twap partial close", "twap close",
    "iceberg entry", "iceberg recovery", "iceberg close",
    "limit entry", "limit close", "history",
)  # fmt: skip
STARTED, ENDED = "book: recovery step begun", "book: execution over"
WORKED_NAMED: Steps = {
    "twap entry": NAMED["entry"],
    "twap recovery": (*NAMED["recovery"], STARTED, ENDED),
    "twap partial close": NAMED["partial close"],
    "twap close": NAMED["close"],
    "iceberg entry": (*NAMED["entry"], "order cancelled"),
    "iceberg recovery": (*NAMED["recovery"], STARTED, ENDED),
    "iceberg close": (*NAMED["close"], "order cancelled"),
    "limit entry": (*NAMED["entry"], "order cancelled"),
    "limit close": (*NAMED["close"], "order cancelled"),
    "history": NAMED["history"],
}
WORKED_OWN: Mapping[Exchange, Steps] = {
    Exchange.OKX: dict.fromkeys(("twap recovery", "iceberg recovery"), ("protection amended",)),
    Exchange.BINANCE: {flow: PLACED_LEGS for flow in WORKED if "entry" in flow or "recovery" in flow},
}
WORKED_ALONE: Mapping[Exchange, Steps] = {exchange: {} for exchange in PAPER_ACCOUNTS}
