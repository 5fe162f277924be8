"""The newest known state of each order and price, from pushes and looks alike.

A push is a doorbell; what it carried is kept here so that the next look need not ask again. An ended order
never comes back to life, and what was filled never shrinks, in whatever order the messages arrive.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime

from core.domain.observation import Ticker
from core.domain.order import Order

MOST_ENDED = 5_000  #: ended orders remembered; older ones are in the database


class OrderTracker:
    """Keeps the newest state of each order. Thread-safe; written by the streams, read by the observer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, Order] = {}
        self._tickers: dict[str, Ticker] = {}

    def note(self, orders: Iterable[Order]) -> None:
        """Store those states that are newer than what we know."""
        with self._lock:
            for order in orders:
                key = order.client_order_id or order.exchange_order_id
                self._orders[key] = newer(self._orders.get(key), order)
            self._forget()

    def order(self, client_order_id: str) -> Order | None:
        with self._lock:
            return self._orders.get(client_order_id)

    def note_ticker(self, ticker: Ticker) -> None:
        with self._lock:
            known = self._tickers.get(ticker.symbol)
            if known is None or ticker.at >= known.at:
                self._tickers[ticker.symbol] = ticker

    def ticker(self, symbol: str) -> Ticker | None:
        with self._lock:
            return self._tickers.get(symbol)

    def tickers(self) -> dict[str, Ticker]:
        with self._lock:
            return dict(self._tickers)

    def _forget(self) -> None:
        ended = [key for key, order in self._orders.items() if order.status.ended]
        for key in ended[: max(0, len(ended) - MOST_ENDED)]:
            del self._orders[key]


def further(known: Order | None, heard: Order) -> Order:
    """Return the later of two states of one order by its progress; `heard`, read later, where both are level."""
    if known is None:
        return heard
    if (known.status.ended and not heard.status.ended) or heard.filled < known.filled:
        return known
    return heard


def newer(known: Order | None, heard: Order) -> Order:
    """Return the newer of two states from the exchange, whose time stamps come from one clock and may arrive in any
    order.
    """
    if known is not None and not heard.status.ended and _stamp(known.updated_at) > _stamp(heard.updated_at):
        return known
    return further(known, heard)


def _stamp(at: datetime | None) -> float:
    return at.timestamp() if at is not None else 0.0
