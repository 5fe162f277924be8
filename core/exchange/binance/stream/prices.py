"""Joins Binance's pushed prices: best bid and ask, mark and last price come by streams of their own.

A ticker is told once all of its parts are known; what came over a connection that was lost is not known any more.
Source: Binance USD-M docs, the page of each market stream.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.errors import Unavailable
from core.domain.money import Price
from core.domain.observation import Ticker
from core.exchange.binance.fields import is_ours, moment, number, to_name, to_symbol
from core.exchange.fields import Row

log = logging.getLogger("perpdeck.stream")

#: by connection: the streams of one contract. A last price comes with each trade, and every other second without one.
STREAMS: Mapping[str, tuple[str, ...]] = {
    "public": ("bookTicker",),
    "market": ("markPrice@1s", "aggTrade", "miniTicker"),
}
#: by event: the connection it comes over, and which price stands in which field
PARTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "bookTicker": ("public", {"bid": "b", "ask": "a"}),
    "markPriceUpdate": ("market", {"mark": "p"}),
    "aggTrade": ("market", {"last": "p"}),
    "24hrMiniTicker": ("market", {"last": "c"}),
}
WHOLE = {"bid", "ask", "mark", "last"}


@dataclass(frozen=True, slots=True)
class _Part:
    price: Price
    said_at: datetime  #: by Binance's clock
    connection: str


@dataclass(slots=True)
class BinancePrices:
    """Keeps the newest of each price of each contract."""

    _parts: dict[str, dict[str, _Part]] = field(default_factory=dict)
    _heard: dict[str, datetime] = field(default_factory=dict)

    def take(self, event: Row, at: datetime) -> str | None:
        """Note an event received `at`; returns the contract it concerns, None where it is of no use to us."""
        known = PARTS.get(str(event.get("e")))
        if known is None or not is_ours(event.get("s")):
            return None
        connection, names = known
        try:
            symbol, said_at = to_symbol(event["s"]), moment(event, "E")
            news = {name: _Part(Price(number(event, key)), said_at, connection) for name, key in names.items()}
        except Unavailable as unreadable:
            log.warning("a price cannot be read: %s", unreadable)
            return None
        parts = self._parts.setdefault(symbol, {})
        for name, part in news.items():
            if name not in parts or parts[name].said_at <= said_at:
                parts[name] = part
                self._heard[symbol] = at
        return symbol

    def ticker(self, symbol: str) -> Ticker | None:
        """Return the prices of a contract in one ticker; None while a part is missing."""
        parts = self._parts.get(symbol, {})
        if set(parts) != WHOLE:
            return None
        prices = {name: part.price for name, part in parts.items()}
        return Ticker(symbol=symbol, at=self._heard[symbol], **prices)

    def forget(self, connection: str) -> None:
        """Forget the prices that came over this connection: they are not renewed any more."""
        for parts in self._parts.values():
            for name in [name for name, part in parts.items() if part.connection == connection]:
                del parts[name]


def price_streams(symbols: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the streams for the prices of these contracts, by connection."""
    names = [to_name(symbol).lower() for symbol in sorted(symbols)]
    return {
        connection: [f"{name}@{stream}" for name in names for stream in streams]
        for connection, streams in STREAMS.items()
    }
