"""Tables of alerts: the alerts themselves, channels, deliveries, read cursors and sealed addresses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, Key


class SealedTextRow(Base):
    """A secret other than an account's key, encrypted: the address of an alert channel, a bot's token."""

    __tablename__ = "sealed_texts"

    name: Mapped[Key]
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str]  #: its last four letters


class AlertChannelRow(Base):
    """An alert channel. Its address is among the sealed texts."""

    __tablename__ = "alert_channels"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    service: Mapped[str]
    hint: Mapped[str]
    on: Mapped[bool]
    kinds: Mapped[list[str]]
    quiet_from: Mapped[str | None]  #: "22:30"
    quiet_until: Mapped[str | None]
    per_minute: Mapped[int]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(server_default="")
    failure_code: Mapped[str | None]
    failure_values: Mapped[Json | None]


class AlertRow(Base):
    """An alert; the key is the fact's, so a fact is told once however often it is read."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    account: Mapped[str]
    part: Mapped[str]
    subject: Mapped[str]
    words: Mapped[str]
    words_code: Mapped[str | None]
    words_values: Mapped[Json | None]
    severe: Mapped[bool]

    __table_args__ = (Index("ix_alerts_at", "at"),)


class AlertDeliveryRow(Base):
    """The delivery of an alert to a channel; several that went in one message share its number."""

    __tablename__ = "alert_deliveries"

    channel: Mapped[Key] = mapped_column(ForeignKey("alert_channels.id", ondelete="CASCADE"))
    alert: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    sent_at: Mapped[datetime | None]
    message: Mapped[int | None]

    __table_args__ = (
        Index("ix_alert_deliveries_due", "channel", "due_at", postgresql_where=text("state IN ('waiting', 'sending')")),
        Index("ix_alert_deliveries_sent", "channel", "sent_at", postgresql_where=text("state = 'sent'")),
        Index("ix_alert_deliveries_alert", "alert"),
    )


class AlertCursorRow(Base):
    """A read cursor: up to which transaction a kind of fact has been read; committed with the alerts made of it."""

    __tablename__ = "alert_cursors"

    source: Mapped[Key]
    changed: Mapped[int]
    key: Mapped[str]
    began_at: Mapped[datetime]  #: what happened before is not told


class AlertConditionRow(Base):
    """A condition that holds now, since when, and whether an alert was made of it."""

    __tablename__ = "alert_conditions"

    subject: Mapped[Key]
    account: Mapped[str]
    words: Mapped[str]
    words_code: Mapped[str | None]
    words_values: Mapped[Json | None]
    since: Mapped[datetime]
    told: Mapped[bool]


class TelegramLineRow(Base):
    """The poller of a Telegram bot token: which process polls it, and the first update that nobody has taken yet."""

    __tablename__ = "telegram_lines"

    digest: Mapped[Key]  #: SHA-256 of the token
    holder: Mapped[str]
    expires_at: Mapped[datetime]
    next_update: Mapped[int]
    strangers: Mapped[list[str]]  #: who has written without being on the list
