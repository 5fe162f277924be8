"""Price bars for charts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key


class CandlesRow(Base):
    """The newest bars of one contract, as the bot has read them for one account."""

    __tablename__ = "candles"

    account: Mapped[Key]
    symbol: Mapped[Key]
    bars: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    as_of: Mapped[datetime]
