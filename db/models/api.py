"""Tables of the API: its tokens, and the answer to each request under an idempotency key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key


class ApiTokenRow(Base):
    """An API token; only a hash of its secret is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[Key]
    name: Mapped[str]
    scope: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)  #: SHA-256 of the whole token, which is 256 random bits
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class ApiAnswerRow(Base):
    """The answer to a request of a program. The same key of the same token is one request, with one answer."""

    __tablename__ = "api_answers"

    token: Mapped[Key]
    key: Mapped[Key]
    fingerprint: Mapped[str]  #: of what was asked: the same key may not ask for something else
    status: Mapped[int]
    body: Mapped[str]  #: the very text, so that the same request gets the same bytes
    at: Mapped[datetime]

    __table_args__ = (Index("ix_api_answers_at", "at"),)
