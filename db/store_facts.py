"""The ledger, read: fills, funding and ended cycles. Written by the recorder and by the end of a cycle."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, or_, select

from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.money import ZERO
from core.domain.order import Fill, Funding
from db import codec
from db.connection import Database
from db.models import CycleRow, FillRow, FundingRow
from db.records import CycleRecord

fills, funding, cycles = FillRow.table(), FundingRow.table(), CycleRow.table()


class Facts(Database):
    """What has happened."""

    def fills(
        self, account: str, since: datetime | None = None, part: str | None = None, limit: int = 500
    ) -> list[Fill]:
        """Executions, newest first."""
        query = select(fills).where(fills.c.account == account)
        if since is not None:
            query = query.where(fills.c.at >= since)
        if part is not None:
            query = query.where(fills.c.part == part)
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(fills.c.at.desc(), fills.c.exchange_fill_id.desc()).limit(limit))
            return [codec.fill_of(row) for row in rows]

    def last_fill_at(self, account: str) -> datetime | None:
        with self.one_statement() as connection:
            return connection.scalar(select(func.max(fills.c.at)).where(fills.c.account == account))

    def funding_rows(self, account: str, since: datetime | None = None, limit: int = 500) -> list[Funding]:
        """Funding payments, newest first."""
        query = select(funding).where(funding.c.account == account)
        if since is not None:
            query = query.where(funding.c.paid_at >= since)
        with self.one_statement() as connection:
            rows = connection.execute(query.order_by(funding.c.paid_at.desc(), funding.c.exchange_id).limit(limit))
            return [codec.funding_of(row) for row in rows]

    def funding_of(self, account: str, symbol: str, side: Side, start: datetime, end: datetime) -> Decimal:
        """Funding of one position within [start, end], USDT, positive = received.

        A payment of which the exchange does not tell the side counts as well.
        """
        query = select(func.sum(funding.c.amount)).where(
            funding.c.account == account,
            funding.c.symbol == symbol,
            or_(funding.c.position_side == side, funding.c.position_side.is_(None)),
            funding.c.paid_at.between(start, end),
        )
        with self.one_statement() as connection:
            return connection.scalar(query) or ZERO

    def cycles(self, account: str | None = None, part: str | None = None, limit: int = 200) -> list[CycleRecord]:
        """Ended cycles, newest first."""
        query = select(cycles)
        if account is not None:
            query = query.where(cycles.c.account == account)
        if part is not None:
            query = query.where(cycles.c.part == part)
        with self.one_statement() as connection:
            rows = connection.execute(
                query.order_by(cycles.c.ended.desc(), cycles.c.part, cycles.c.number.desc()).limit(limit)
            )
            return [
                CycleRecord(
                    account=row.account,
                    symbol=row.symbol,
                    side=Side(row.side),
                    part=row.part,
                    number=row.number,
                    started=row.started,
                    ended=row.ended,
                    contracts=row.contracts,
                    average_entry=row.average_entry,
                    average_exit=row.average_exit,
                    realised_pnl=row.realised_pnl,
                    fees=row.fees,
                    funding=row.funding,
                    reason=ExitReason(row.reason),
                    words=row.words,
                    life=row.life,
                )
                for row in rows
            ]
