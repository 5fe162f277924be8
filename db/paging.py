"""Reads orders, executions and events page by page, newest first. A page begins after the last row of the one
before.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from core.domain.order import Order
from db.mapping import json
from db.models import EventRow, FillRow, OrderRow
from db.records import Event, EventsOnly, FillRecord, Only, OrdersOnly
from db.repositories.events import event_of
from db.repository import Repository

orders, fills, events = OrderRow.table(), FillRow.table(), EventRow.table()

Place = tuple[datetime, str]  #: where a page ended: the last row's time and id


class PageRepository(Repository):
    """Reads long lists page by page, for programs that read all of it."""

    def orders(self, account: str, only: OrdersOnly, after: Place | None, limit: int) -> list[tuple[Place, Order]]:
        """Return our orders of all cycles, by when they were made."""
        made = func.coalesce(orders.c.created_at, orders.c.updated_at, func.to_timestamp(0))
        narrowed = {
            orders.c.symbol: only.symbol,
            orders.c.status: only.status,
            orders.c.purpose: only.purpose,
            orders.c.part: only.part,
        }
        query = select(orders, made.label("made")).where(
            orders.c.account == account, *(column == value for column, value in narrowed.items() if value is not None)
        )
        if after is not None:
            query = query.where(_beyond(made, orders.c.client_order_id, after))
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(made.desc(), orders.c.client_order_id.desc()).limit(limit))
            return [((row.made, row.client_order_id), json.order_of(row)) for row in rows]

    def order(self, account: str, client_order_id: str) -> Order | None:
        """Return one order of ours, of whatever cycle; None where there is none."""
        mine = (orders.c.account == account, orders.c.client_order_id == client_order_id)
        with self.one_statement() as connection:
            row = connection.execute(select(orders).where(*mine)).one_or_none()
        return None if row is None else json.order_of(row)

    def fills(
        self, account: str, only: Only, part: str | None, after: Place | None, limit: int
    ) -> list[tuple[Place, FillRecord]]:
        """Return executions, ours and those of others; of `only` symbol, side and dates narrow them."""
        name = fills.c.exchange_fill_id.concat("/").concat(fills.c.exchange_order_id).concat(fills.c.symbol)
        query = select(fills, name.label("name")).where(fills.c.account == account)
        if only.symbol is not None:
            query = query.where(fills.c.symbol == only.symbol)
        if only.side is not None:
            query = query.where(fills.c.position_side == only.side)
        if only.since is not None:
            query = query.where(fills.c.at >= only.since)
        if only.until is not None:
            query = query.where(fills.c.at < only.until)
        if part is not None:
            query = query.where(fills.c.part == part)
        if after is not None:
            query = query.where(_beyond(fills.c.at, name, after))
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(fills.c.at.desc(), name.desc()).limit(limit))
            return [((row.at, row.name), FillRecord(json.fill_of(row), row.part, row.cycle)) for row in rows]

    def events(self, account: str, only: EventsOnly, before: int | None, limit: int) -> list[tuple[int, Event]]:
        """Return events with their numbers, which only grow: what was asked, decided and done, and each fact."""
        wanted = [events.c.account == account]
        given = {events.c.part: only.part, events.c.rule: only.rule, events.c.kind: only.kind}
        wanted += [column == value for column, value in given.items() if value is not None]
        if only.since is not None:
            wanted.append(events.c.at >= only.since)
        if only.until is not None:
            wanted.append(events.c.at < only.until)
        if before is not None:
            wanted.append(events.c.id < before)
        with self.one_statement() as connection:
            rows = connection.execute(select(events).where(*wanted).order_by(events.c.id.desc()).limit(limit))
            return [(row.id, event_of(row)) for row in rows]


def _beyond(at: ColumnElement[datetime], name: ColumnElement[str], after: Place) -> ColumnElement[bool]:
    """Return the condition for rows that come after this one in the list."""
    return or_(at < after[0], and_(at == after[0], name < after[1]))
