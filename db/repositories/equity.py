"""Equity samples of an account: for its equity curve, and for the guards that watch losses.

One sample a minute as the exchange told it; the same moment twice is one sample.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core.domain.intent import ExitReason
from db.models import BotStateRow, CycleRow, EquityRow
from db.repository import Repository

samples, cycles, bots = EquityRow.table(), CycleRow.table(), BotStateRow.table()


class EquitySample(NamedTuple):
    at: datetime
    equity: Decimal  #: USDT, with unrealised PnL


class EquityRepository(Repository):
    """Stores equity samples and computes what the loss guards need from them."""

    def add(self, account: str, at: datetime, equity: Decimal) -> None:
        """Store one sample."""
        row = insert(samples).values(account=account, at=at, equity=equity)
        with self.one_statement() as connection:
            connection.execute(row.on_conflict_do_nothing())

    def samples(self, account: str, since: datetime) -> list[EquitySample]:
        """Return samples from `since` on, oldest first."""
        query = select(samples.c.at, samples.c.equity).where(samples.c.account == account, samples.c.at >= since)
        with self.one_statement() as connection:
            return [EquitySample(row.at, row.equity) for row in connection.execute(query.order_by(samples.c.at))]

    def first(self, account: str, since: datetime) -> Decimal | None:
        """Return the equity at the first sample from `since` on; None: there is none."""
        query = select(samples.c.equity).where(samples.c.account == account, samples.c.at >= since)
        with self.one_statement() as connection:
            return connection.scalar(query.order_by(samples.c.at).limit(1))

    def day_start(self, account: str, now: datetime) -> Decimal | None:
        """Return the equity when the day of `now` began in UTC, or since a person lowered the level; None: no sample
        yet.
        """
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        lowered = select(bots.c.level_lowered_at).where(bots.c.account == account).scalar_subquery()
        since = func.greatest(midnight, lowered)  # leaves out what is null
        query = select(samples.c.equity).where(samples.c.account == account, samples.c.at >= since)
        with self.one_statement() as connection:
            return connection.scalar(query.order_by(samples.c.at).limit(1))

    def peak(self, account: str, since: datetime | None) -> Decimal | None:
        """Return the highest equity from `since` on, or ever; None: there is no sample."""
        query = select(func.max(samples.c.equity)).where(samples.c.account == account)
        if since is not None:
            query = query.where(samples.c.at >= since)
        with self.one_statement() as connection:
            peak: Decimal | None = connection.scalar(query)
        return peak

    def stop_losses(self, account: str, since: datetime) -> int:
        """Return how many cycles have ended by their stop-loss from `since` on."""
        query = select(func.count()).where(
            cycles.c.account == account, cycles.c.reason == ExitReason.STOP_LOSS, cycles.c.ended >= since
        )
        with self.one_statement() as connection:
            return connection.scalar(query) or 0
