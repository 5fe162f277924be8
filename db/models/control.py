"""Tables of the bot's control: requests, settings, switch, lease, snapshot, alarms, events."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, Key


class RequestRow(Base):
    """A click or request of the trader. The same token twice is one request."""

    __tablename__ = "requests"

    token: Mapped[Key]
    account: Mapped[str]
    what: Mapped[str]
    part: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]


class SettingRow(Base):
    __tablename__ = "settings"

    key: Mapped[Key]
    value: Mapped[Any] = mapped_column(JSONB)
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class BotStateRow(Base):
    __tablename__ = "bots"

    account: Mapped[Key]
    running: Mapped[bool] = mapped_column(server_default=text("false"))
    manually_stopped: Mapped[bool] = mapped_column(server_default=text("false"))
    level: Mapped[str] = mapped_column(server_default="run")
    level_at: Mapped[datetime | None]
    level_by: Mapped[str] = mapped_column(server_default="")
    level_why: Mapped[str] = mapped_column(server_default="")
    level_why_code: Mapped[str | None]
    level_why_values: Mapped[Json | None]
    level_lowered_at: Mapped[datetime | None]  #: a person took protection back; the guards measure anew from here
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[str] = mapped_column(server_default="")
    why: Mapped[str] = mapped_column(server_default="")
    why_code: Mapped[str | None]
    why_values: Mapped[Json | None]
    heartbeat_at: Mapped[datetime | None]


class LeaseStateRow(Base):
    """The lease of an account: who may act. The epoch only grows; the row stays when its holder goes."""

    __tablename__ = "lease"

    account: Mapped[Key]
    holder: Mapped[str]
    epoch: Mapped[int]
    expires_at: Mapped[datetime]


class BoardRow(Base):
    __tablename__ = "board"

    account: Mapped[Key]
    picture: Mapped[Json]
    as_of: Mapped[datetime]


class AlarmRow(Base):
    __tablename__ = "alarms"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account: Mapped[str]
    subject: Mapped[str]
    words: Mapped[str]
    words_code: Mapped[str | None]
    words_values: Mapped[Json | None]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    changed: Mapped[int] = mapped_column(server_default=text("0"))  #: the transaction that wrote it last

    __table_args__ = (
        Index("uq_alarms_open", "account", "subject", unique=True, postgresql_where=text("cleared_at IS NULL")),
        Index("ix_alarms_changed", "changed"),
    )


class EventRow(Base):
    """An event: who did what and which rule said what, in order; and each fact of orders and positions."""

    __tablename__ = "execution_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    account: Mapped[str]
    part: Mapped[str | None]
    rule: Mapped[str]
    because: Mapped[str]
    because_code: Mapped[str | None]  #: of the catalogue; none: the text is all that is kept
    because_values: Mapped[Json | None]
    action: Mapped[str | None]
    action_code: Mapped[str | None]
    action_values: Mapped[Json | None]
    outcome: Mapped[str | None]
    kind: Mapped[str] = mapped_column(server_default="decision")
    ref: Mapped[str] = mapped_column(server_default="")  #: names the fact, so that it is told once; empty: none
    symbol: Mapped[str | None]
    quantity: Mapped[Decimal | None]  #: contracts: ordered, filled so far, of one fill, or entered in all
    price: Mapped[Decimal | None]  #: limit, average of what filled, or of the fill
    amount: Mapped[Decimal | None]  #: USDT: the fee of a fill, the net result of a position
    changed: Mapped[int] = mapped_column(server_default=text("0"))  #: the transaction that wrote it last

    __table_args__ = (
        Index("ix_execution_events_account_id", "account", "id"),
        Index("ix_execution_events_part_id", "part", "id"),
        Index("ix_execution_events_account_kind_id", "account", "kind", "id"),
        Index("ix_execution_events_at", "at"),
        Index("uq_execution_events_ref", "account", "kind", "ref", unique=True, postgresql_where=text("ref <> ''")),
        Index("ix_execution_events_changed", "changed"),
    )
