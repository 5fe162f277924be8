"""Orders, executions and events page by page, for programs that read all of them.

Lists are newest first. A page's `next` is where the next one begins; it is text without a meaning to its reader.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from core.domain.money import plain
from core.domain.order import Order
from core.domain.reason import Reason
from core.services.reporting.paging import Page, number_of, page_of, place_of
from core.services.trading.requests import Asked
from db.records import Event, EventKind, EventsOnly, FillRecord, Only, OrdersOnly
from db.store import Store

__all__ = ["Event", "EventKind", "EventsOnly", "FillRecord", "Ledger", "Only", "OrdersOnly", "Page"]

MOST = 500  #: rows of one page
COLUMNS = tuple(field.name for field in fields(Event))
FORMULA = ("=", "+", "-", "@", "\t", "\r")  #: how a formula begins in a spreadsheet


class Ledger:
    """Reads orders, executions and events in pages. Raises Misconfigured for a place that no page ended at, Unavailable
    where the database does not answer.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def orders(self, account: str, only: OrdersOnly, after: str | None, limit: int) -> Page[Order]:
        """Return our orders of all cycles."""
        return page_of(self.store.pages.orders(account, only, place_of(after), limit + 1), limit)

    def order(self, account: str, client_order_id: str) -> Order | None:
        """Return one of our orders; None: no such order is ours on this account."""
        return self.store.pages.order(account, client_order_id)

    def trades(self, account: str, only: Only, part: str | None, after: str | None, limit: int) -> Page[FillRecord]:
        """Return executions at the exchange, ours and those of others."""
        return page_of(self.store.pages.fills(account, only, part, place_of(after), limit + 1), limit)

    def events(self, account: str, only: EventsOnly, after: str | None, limit: int) -> Page[Event]:
        """Return what was asked, decided and done, and each fact of orders, fills and positions."""
        rows = self.store.pages.events(account, only, number_of(after), limit + 1)
        return page_of([((event.at, str(number)), event) for number, event in rows], limit)

    def events_csv(self, account: str, only: EventsOnly) -> Iterator[str]:
        """Yield all events as CSV, newest first: the names of the columns, then a line for each."""
        yield _csv([COLUMNS])
        before: int | None = None
        while rows := self.store.pages.events(account, only, before, MOST):
            yield _csv([cell(getattr(event, name)) for name in COLUMNS] for _, event in rows)
            before = rows[-1][0]

    def sync(self, account: str, token: str, by: str) -> Asked:
        """Ask the bot to look at every position now, and to bring home what is new in the exchange's history."""
        new = self.store.history.ask_for_sync(account, token, by)
        self.store.notify({"bot": account})
        return Asked("", new, Reason("history.sync_and_look"))


def _csv(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def cell(value: object) -> str:
    """Return a value as text for a spreadsheet; words that it would take for a formula stay words."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    words = str(value)
    return f"'{words}" if words.startswith(FORMULA) else words
