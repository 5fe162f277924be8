"""Tables of the exchange's own position history, and of how far it has been read."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, Key


class LifeRow(Base):
    """A position from open to close as the exchange reports it, in its newest state."""

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
    """An account's cursor into the exchange's history, and the run that moves it."""

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
