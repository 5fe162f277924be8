"""Take-profit and stop-loss as pairs, counted over everything that was ever placed: hits, mishaps, and how long a
cancel took. Reads only; a pair is what guarded one cycle of one part, however often its legs were replaced.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, func, or_, select

from core.domain.action import Rule
from core.domain.order import Leg, OrderStatus, Purpose
from db.models import EventRow, ExternalEntryRow, ExternalExitRow, FillRow, OrderRow
from db.records import PairCounts
from db.repository import Repository

orders, fills, events = OrderRow.table(), FillRow.table(), EventRow.table()
entries, exits = ExternalEntryRow.table(), ExternalExitRow.table()

LEGS = {Leg.TAKE_PROFIT: Purpose.TAKE_PROFIT, Leg.STOP_LOSS: Purpose.STOP_LOSS}


class PairRepository(Repository):
    """Counts what became of an account's take-profit/stop-loss pairs."""

    def counts(self, account: str) -> PairCounts:
        """Return how many pairs were placed and what became of them, since the account is known."""
        added = case((orders.c.purpose.in_([one for one in Purpose if one.adds_risk]), orders.c.filled))
        lives = (
            select(
                orders.c.part,
                orders.c.cycle,
                _any(and_(orders.c.conditional, orders.c.purpose.in_([one for one in Purpose if one.protects]))).label(
                    "placed"
                ),
                _any(_hit(Leg.TAKE_PROFIT)).label("target"),
                _any(_hit(Leg.STOP_LOSS)).label("stop"),
                _any(and_(orders.c.purpose == Purpose.BALANCE, orders.c.filled > 0)).label("brought_back"),
                func.sum(func.coalesce(added, -orders.c.filled)).label("held"),
            )
            .where(orders.c.account == account)
            .group_by(orders.c.part, orders.c.cycle)
            .subquery()
        )
        beyond = lives.c.held + _by_others(entries, lives) - _by_others(exits, lives) < 0
        both = and_(lives.c.target, lives.c.stop, or_(lives.c.brought_back, beyond))
        swept = select(func.count()).where(
            events.c.account == account, events.c.rule == Rule.SWEEP, events.c.action.is_not(None)
        )
        with self.one_statement() as connection:
            row = connection.execute(
                select(
                    _count(lives.c.placed),
                    _count(lives.c.target),
                    _count(lives.c.stop),
                    _count(both),
                    swept.scalar_subquery(),
                )
            ).one()
        return PairCounts(*row)

    def cancel_latencies(self, account: str, limit: int = 1000) -> list[timedelta]:
        """Return the times from a leg's last fill to the end of its sibling, by the exchange's clock, of the newest
        pairs of two orders.

        Where the exchange keeps the pair as one order it ends the sibling itself, and nothing is measured.
        """
        leg, sibling = orders.alias("leg"), orders.alias("sibling")
        last_fill = (
            select(func.max(fills.c.at))
            .where(fills.c.part == leg.c.part, fills.c.cycle == leg.c.cycle)  # found by its part: fills are many
            .where(fills.c.account == account, fills.c.client_order_id == leg.c.client_order_id)
            .scalar_subquery()
        )
        filled = (
            select(leg.c.part, leg.c.cycle, leg.c.purpose, func.coalesce(last_fill, leg.c.updated_at).label("at"))
            .where(leg.c.account == account, leg.c.conditional, leg.c.status == OrderStatus.FILLED)
            .where(leg.c.purpose.in_(list(LEGS.values())))
            .order_by(leg.c.updated_at.desc())
            .limit(limit)
            .subquery()
        )
        ended = and_(
            sibling.c.account == account,
            sibling.c.part == filled.c.part,
            sibling.c.cycle == filled.c.cycle,
            sibling.c.conditional,
            sibling.c.purpose.in_(list(LEGS.values())),
            sibling.c.purpose != filled.c.purpose,
            sibling.c.status.in_([OrderStatus.CANCELED, OrderStatus.EXPIRED]),
            sibling.c.filled == 0,
            sibling.c.updated_at >= filled.c.at,
        )
        query = (
            select((func.min(sibling.c.updated_at) - filled.c.at).label("took"))
            .select_from(filled.join(sibling, ended))
            .group_by(filled.c.part, filled.c.cycle, filled.c.purpose, filled.c.at)
        )
        with self.one_statement() as connection:
            return sorted(connection.scalars(query))


def _hit(leg: Leg) -> ColumnElement[bool]:
    """Return the condition that an order was that leg and filled, at the exchange or at market in its place."""
    return and_(orders.c.filled > 0, or_(orders.c.triggered_leg == leg, orders.c.purpose == LEGS[leg]))


def _any(which: ColumnElement[bool]) -> Any:
    return func.coalesce(func.bool_or(which), False)


def _count(which: Any) -> Any:
    return func.count().filter(which)


def _by_others(table: Table, lives: Any) -> Any:
    """Return the contracts that others opened or closed in this cycle."""
    here = and_(table.c.part == lives.c.part, table.c.cycle == lives.c.cycle)
    return select(func.coalesce(func.sum(table.c.quantity), 0)).where(here).correlate(lives).scalar_subquery()
