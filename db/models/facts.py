"""Tables of what the exchange reported: fills, funding, equity; each row once, however often it is reported."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key


class FillRow(Base):
    __tablename__ = "fills"

    account: Mapped[Key]
    symbol: Mapped[Key]  #: OKX numbers its trades per contract
    exchange_order_id: Mapped[Key]  #: both sides of one trade may be ours
    exchange_fill_id: Mapped[Key]
    client_order_id: Mapped[str]
    position_side: Mapped[str]
    side: Mapped[str]
    quantity: Mapped[Decimal]
    price: Mapped[Decimal]
    fee: Mapped[Decimal]
    maker: Mapped[bool]
    realised_pnl: Mapped[Decimal]
    at: Mapped[datetime]
    origin: Mapped[str]
    part: Mapped[str | None]  #: ours where we know it; learned later in some cases
    cycle: Mapped[int | None]

    __table_args__ = (Index("ix_fills_account_at", "account", "at"), Index("ix_fills_part_at", "part", "at"))


class FundingRow(Base):
    __tablename__ = "funding"

    account: Mapped[Key]
    symbol: Mapped[Key]
    paid_at: Mapped[datetime] = mapped_column(primary_key=True)
    exchange_id: Mapped[Key]
    position_side: Mapped[str | None]
    amount: Mapped[Decimal]

    __table_args__ = (Index("ix_funding_account_paid_at", "account", "paid_at"),)


class EquityRow(Base):
    __tablename__ = "equity_samples"

    account: Mapped[Key]
    at: Mapped[datetime] = mapped_column(primary_key=True)
    equity: Mapped[Decimal]  #: USDT, with unrealised PnL
