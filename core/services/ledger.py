"""Everything that is kept of orders, executions and events, page by page, for programs that read all of it.

Lists are newest first. A page's `next` is where the next one begins; it is text without a meaning to its reader.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from core.domain.errors import Misconfigured
from core.domain.order import Order
from core.services.positions import Asked
from db.records import Event, FillRecord, Only, OrdersOnly
from db.store import Store

__all__ = ["Event", "FillRecord", "Ledger", "Only", "OrdersOnly", "Page"]

MOST = 500  #: rows of one page
T = TypeVar("T")
Place = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin; None: these were the last."""

    items: tuple[T, ...]
    next: str | None


class Ledger:
    """Reads. Raises Misconfigured for a place that no page ended at, Unavailable where the database does not answer."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def orders(self, account: str, only: OrdersOnly, after: str | None, limit: int) -> Page[Order]:
        """Our orders of all cycles."""
        return _page(self.store.order_page(account, only, _place(after), limit + 1), limit)

    def order(self, account: str, client_order_id: str) -> Order | None:
        """One of them; None: no such order is ours on this account."""
        return self.store.order(account, client_order_id)

    def trades(self, account: str, only: Only, part: str | None, after: str | None, limit: int) -> Page[FillRecord]:
        """Executions at the exchange, ours and those of others."""
        return _page(self.store.fill_page(account, only, part, _place(after), limit + 1), limit)

    def events(self, account: str, part: str | None, rule: str | None, after: str | None, limit: int) -> Page[Event]:
        """What was asked, decided and done."""
        place = _place(after)
        before = None if place is None else _number(after, place[1])
        rows = self.store.event_page(account, part, rule, before, limit + 1)
        return _page([((event.at, str(number)), event) for number, event in rows], limit)

    def sync(self, account: str, token: str, by: str) -> Asked:
        """Ask the bot to look at every position now, and to bring home what is new in the exchange's history."""
        new = self.store.ask_for_sync(account, token, by)
        self.store.notify({"bot": account})
        return Asked("", new, "the bot looks at the exchange now and brings its history home")


def _page(rows: Sequence[tuple[Place, T]], limit: int) -> Page[T]:
    more = len(rows) > limit
    return Page(tuple(row for _, row in rows[:limit]), _text(rows[limit - 1][0]) if more else None)


def _text(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1]]).encode()).decode().rstrip("=")


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        at, name = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = datetime.fromisoformat(at).astimezone(UTC), str(name)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise _unknown(text) from None
    if "\0" in found[1]:
        raise _unknown(text)
    return found


def _number(text: str | None, name: str) -> int:
    if not (name.isascii() and name.isdecimal() and len(name) < 19):
        raise _unknown(text)
    return int(name)


def _unknown(text: str | None) -> Misconfigured:
    return Misconfigured(f"after {text!r} is no place that a page has ended at: the `next` of one is allowed")
