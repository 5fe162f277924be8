"""The channels of OKX's websockets: where each lives, how often it repeats itself, and what a subscription wants of it.

Source: OKX V5 docs, each channel's page.
"""

import json

from core.simulator.okx.format import Row
from core.simulator.okx.public import BARS

PERIOD_SECONDS = 5.0
BOOK_DEPTH = {"books": 50, "books5": 5, "bbo-tbt": 1, "books50-l2-tbt": 50, "books-l2-tbt": 50}
BY_INSTRUMENT = {"tickers", "mark-price", "trades", "trades-all", "price-limit", "funding-rate", *BOOK_DEPTH}
PUBLIC = BY_INSTRUMENT | {"index-tickers", "instruments", "status", "estimated-price", "open-interest"}
PRIVATE = {"orders", "positions", "account", "balance_and_position", "liquidation-warning", "account-greeks"}
COUNTED = PRIVATE
BUSINESS = {"orders-algo", "algo-advance"}


def home(channel: str) -> set[str]:
    """Return the addresses (public, private, business) a channel lives on; none where there is no such channel."""
    if channel.startswith(("candle", "mark-price-candle", "index-candle")):
        return {"business"} if channel.partition("candle")[2] in BARS else set()
    kinds = {"public": PUBLIC, "private": PRIVATE, "business": BUSINESS}
    return {kind for kind, names in kinds.items() if channel in names}


def fits(argument: Row, row: Row) -> bool:
    """Return whether a row is what the subscription asked for."""
    if argument.get("instType", "ANY") not in ("ANY", row.get("instType")):
        return False
    family = argument.get("instFamily") or argument.get("uly")
    if family and not str(row.get("instId", "")).startswith(f"{family}-"):
        return False
    return argument.get("instId") in (None, "", row.get("instId"))


def period_of(argument: Row) -> float:
    """Return after how many seconds a channel repeats itself; 0 for never."""
    if argument["channel"] in ("positions", "account"):
        extra = argument.get("extraParams")
        try:
            interval = float(json.loads(extra)["updateInterval"]) if extra else PERIOD_SECONDS * 1000
        except (ValueError, KeyError, TypeError):
            interval = PERIOD_SECONDS * 1000
        return interval / 1000
    return {"funding-rate": 60.0, "mark-price": 10.0, "price-limit": 30.0}.get(argument["channel"], 0.0)
