"""Reads fills and funding payments; the recorder writes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Table, Text, and_, bindparam, case, func, select, true

from core.domain.history.funding import FundedHolding, told_share, untold_share
from core.domain.instrument import Side
from core.domain.money import ZERO
from core.domain.order import Fill, Funding
from db.mapping import json
from db.models import ExternalEntryRow, ExternalExitRow, FillRow, FundingRow
from db.records import Only
from db.repository import Repository

EVERYTHING = Only()
fills, funding = FillRow.table(), FundingRow.table()
exits, entries = ExternalExitRow.table(), ExternalEntryRow.table()


class FillRepository(Repository):
    """Reads fills and funding payments."""

    def find(
        self,
        account: str,
        since: datetime | None = None,
        part: str | None = None,
        limit: int = 500,
        only: Only = EVERYTHING,
    ) -> list[Fill]:
        """Return executions, newest first; of `only` symbol, side and dates narrow them."""
        query = select(fills).where(fills.c.account == account)
        query = query.where(*_narrowed(only, fills.c.symbol, fills.c.position_side, fills.c.at))
        if since is not None:
            query = query.where(fills.c.at >= since)
        if part is not None:
            query = query.where(fills.c.part == part)
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(fills.c.at.desc(), fills.c.exchange_fill_id.desc()).limit(limit))
            return [json.fill_of(row) for row in rows]

    def funding(
        self, account: str, since: datetime | None = None, limit: int = 500, only: Only = EVERYTHING
    ) -> list[Funding]:
        """Return funding payments, newest first; of `only` symbol, side (where it is told) and dates narrow them."""
        query = select(funding).where(funding.c.account == account)
        side = func.coalesce(funding.c.position_side, only.side)
        query = query.where(*_narrowed(only, funding.c.symbol, side, funding.c.paid_at))
        if since is not None:
            query = query.where(funding.c.paid_at >= since)
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(funding.c.paid_at.desc(), funding.c.exchange_id).limit(limit))
            return [json.funding_of(row) for row in rows]

    def funding_of(
        self, account: str, symbol: str, side: Side, part: str, cycle: int, start: datetime, end: datetime
    ) -> Decimal:
        """Return a part's share of the funding within [start, end], by what it held at each payment; USDT, +
        received.
        """
        asked = {"of": account, "on": symbol, "for": part, "in": cycle, "start": start, "end": end}
        with self.one_statement() as connection:
            payments = connection.execute(_PAID, asked).all()
        held_at = {row.paid_at: FundedHolding(max(row.own, ZERO), row.long, row.short) for row in payments}
        told = (told_share(row.amount, side, held_at[row.paid_at]) for row in payments if row.position_side == side)
        untold: dict[datetime, list[Decimal]] = defaultdict(list)
        for row in payments:
            if row.position_side is None:
                untold[row.paid_at].append(row.amount)
        return sum(told, ZERO) + sum((untold_share(all_, side, held_at[at]) for at, all_ in untold.items()), ZERO)


def _narrowed(
    only: Only, symbol: ColumnElement[str], side: ColumnElement[str], at: ColumnElement[datetime]
) -> Iterator[ColumnElement[bool]]:
    if only.symbol is not None:
        yield symbol == only.symbol
    if only.side is not None:
        yield side == only.side
    if only.since is not None:
        yield at >= only.since
    if only.until is not None:
        yield at < only.until


def _paid_statement() -> Any:
    account, symbol = bindparam("of", type_=Text()), bindparam("on", type_=Text())
    held = _held(account, symbol, bindparam("for", type_=Text()), bindparam("in", type_=Integer()))
    within = funding.c.paid_at.between(bindparam("start"), bindparam("end"))
    query = select(funding.c.paid_at, funding.c.position_side, funding.c.amount, *held.c).join(held, true())
    query = query.where(funding.c.account == account, funding.c.symbol == symbol, within)
    return query.order_by(funding.c.paid_at, funding.c.exchange_id)


def _held(account: Any, symbol: Any, part: Any, cycle: Any) -> FromClause:
    """Build a query of what the part and the whole account held at a payment, from fills and from what others closed or
    opened.

    What filled in the very instant of the payment came after it: it was made on what had been held until then.
    """
    signed = case((fills.c.side == "buy", fills.c.quantity), else_=-fills.c.quantity)

    def added(*which: ColumnElement[bool]) -> ColumnElement[Decimal]:
        return func.coalesce(func.sum(signed).filter(*which), 0)

    def by_others(table: Table) -> ColumnElement[Decimal]:
        """Contracts of this cycle that came from outside, or went."""
        here = and_(table.c.part == part, table.c.cycle == cycle, table.c.at < funding.c.paid_at)
        return select(func.coalesce(func.sum(table.c.quantity), 0)).where(here).correlate(funding).scalar_subquery()

    own = func.abs(added(fills.c.part == part, fills.c.cycle == cycle))
    return (
        select(
            (own + by_others(entries) - by_others(exits)).label("own"),
            added(fills.c.position_side == Side.LONG).label("long"),
            (-added(fills.c.position_side == Side.SHORT)).label("short"),
        )
        .where(fills.c.account == account, fills.c.symbol == symbol, fills.c.at < funding.c.paid_at)
        .lateral()
    )


_PAID = _paid_statement()  # built once: it is long
