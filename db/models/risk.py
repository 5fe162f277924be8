"""The table of risk checks: each order that was let through and each that was refused."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json


class RiskCheckRow(Base):
    """A risk check: an order that passed, or a refusal; the same refusal again only counts up."""

    __tablename__ = "risk_checks"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    account: Mapped[str]
    symbol: Mapped[str]
    part: Mapped[str]
    purpose: Mapped[str]
    client_order_id: Mapped[str] = mapped_column(server_default="")  #: empty: no order came of it
    check_name: Mapped[str] = mapped_column(server_default="")  #: the check that failed; empty: none did
    passed: Mapped[bool]
    value: Mapped[Decimal | None]  #: of the failed check, with its limit
    limit_value: Mapped[Decimal | None]
    unit: Mapped[str] = mapped_column(server_default="")
    words: Mapped[str] = mapped_column(server_default="")
    words_code: Mapped[str | None]
    words_values: Mapped[Json | None]
    checks: Mapped[list[Any]] = mapped_column(JSONB)  #: every check that was made, in order
    repeats: Mapped[int] = mapped_column(server_default=text("0"))  #: how often the same was found again since
    repeated_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_risk_checks_account_id", "account", "id"),
        Index("ix_risk_checks_part_id", "part", "id"),
        Index("ix_risk_checks_at", "at"),
    )
