"""The exchange's own history of positions, and how far it has been brought home."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, Key


class LifeRow(Base):
    """One life of a position as the exchange tells it; its newest word stays."""

    __tablename__ = "exchange_lives"

    account: Mapped[Key]
    life: Mapped[Key]  #: position id @ time of opening, as in `cycles.life`
    symbol: Mapped[str]
    side: Mapped[str]
    position_id: Mapped[str]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_close: Mapped[str]
    closed: Mapped[Decimal]
    largest: Mapped[Decimal]
    average_entry: Mapped[Decimal | None]
    average_exit: Mapped[Decimal | None]
    pnl: Mapped[Decimal]
    fees: Mapped[Decimal]
    funding: Mapped[Decimal]
    penalty: Mapped[Decimal]
    realised: Mapped[Decimal]
    leverage: Mapped[Decimal]

    __table_args__ = (Index("ix_exchange_lives_account_updated_at", "account", "updated_at"),)


class SyncStateRow(Base):
    """One account's cursor into the exchange's history, and the run that moves it."""

    __tablename__ = "history_sync"

    account: Mapped[Key]
    reached: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(server_default=text("0"))
    of: Mapped[int] = mapped_column(server_default=text("0"))
    trouble: Mapped[str] = mapped_column(server_default="")
    trouble_code: Mapped[str | None]
    trouble_values: Mapped[Json | None]
