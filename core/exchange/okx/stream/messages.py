"""Parses what OKX pushes. A push that cannot be parsed still wakes the bot, which then reads by REST.

An order that an algo placed carries no state here: it belongs to the algo, and how that ended takes a look-up.
Source: OKX V5 docs, the page of each channel.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.errors import Unavailable
from core.domain.observation import Ticker
from core.domain.order import Order
from core.exchange.connection import Message
from core.exchange.fields import Row
from core.exchange.okx.fields import is_ours, moment, to_inst_id, to_symbol
from core.exchange.okx.parse import parent_of, parse_algo, parse_mark, parse_order, parse_ticker
from core.exchange.okx.stream.connection import Channel
from core.exchange.port import Push

log = logging.getLogger("perpdeck.stream")

QUOTES, MARKS = "tickers", "mark-price"


@dataclass(slots=True)
class OKXPrices:
    """Joins the newest quote and mark price of each contract: OKX pushes them apart."""

    _newest: dict[tuple[str, str], Row] = field(default_factory=dict)

    def take(self, channel: str, row: Row, at: datetime) -> Ticker | None:
        """Return the ticker with this row in it, received `at`; None for an old row, or while the other half is
        missing.
        """
        name = row["instId"]
        known = self._newest.get((channel, name))
        if known is not None and moment(known, "ts") > moment(row, "ts"):
            return None
        self._newest[channel, name] = row
        quote, mark = self._newest.get((QUOTES, name)), self._newest.get((MARKS, name))
        if quote is None or mark is None:
            return None
        return parse_ticker(quote, parse_mark(mark)[1], at)


def price_channels(symbols: Iterable[str]) -> list[Channel]:
    """Return the subscriptions for the prices of these symbols."""
    names = [to_inst_id(symbol) for symbol in sorted(symbols)]
    return [{"channel": channel, "instId": name} for name in names for channel in (QUOTES, MARKS)]


def pushes(message: Message, prices: OKXPrices, at: datetime) -> Iterator[Push]:
    """Yield one push per row of a message received `at`, with the state it carried; none for contracts we do
    not trade.
    """
    channel = message["arg"]["channel"]
    if channel == "account":
        yield Push("account")
        return
    for row in message["data"]:
        if not is_ours(row.get("instId")):
            continue
        symbol = to_symbol(row["instId"])
        try:
            if channel in (QUOTES, MARKS):
                ticker = prices.take(channel, row, at)
                if ticker is not None:
                    yield Push("prices", symbol, ticker=ticker)
            elif channel == "positions":
                yield Push("positions", symbol)
            else:
                yield Push("orders", symbol, orders=_orders(channel, row))
        except Unavailable as unreadable:
            log.warning("a push on channel %s cannot be read: %s", channel, unreadable)
            if channel not in (QUOTES, MARKS):
                yield Push("orders", symbol)


def _orders(channel: str, row: Row) -> tuple[Order, ...]:
    """Return the order in a row; none where an algo of ours placed it: such a row is only a part of the state."""
    if channel == "orders-algo":
        return (parse_algo(row),)
    return () if parent_of(row) else (parse_order(row),)
