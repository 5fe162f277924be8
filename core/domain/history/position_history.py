"""A position in the exchange's history: from the first contract to flat, with its money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.instrument import Side
from core.domain.money import Contracts, Price


class LastClose(StrEnum):
    """How the newest close of a position came about."""

    PARTIAL = "partial"  #: it is held on
    FULL = "full"
    LIQUIDATED = "liquidated"
    LIQUIDATED_IN_PART = "liquidated_in_part"  #: held on
    DELEVERAGED_IN_PART = "deleveraged_in_part"  #: held on
    DELEVERAGED = "deleveraged"

    @property
    def over(self) -> bool:
        """Return whether nothing was left."""
        return self in (LastClose.FULL, LastClose.LIQUIDATED, LastClose.DELEVERAGED)


@dataclass(frozen=True, slots=True)
class ClosedPosition:
    """The exchange's result of one position from open to flat, so far. Money in USDT; what was paid carries
    its minus.
    """

    symbol: str
    side: Side
    position_id: str  #: may be used again within 30 days; with `opened_at` it names one life
    opened_at: datetime
    updated_at: datetime  #: of its newest close
    last_close: LastClose
    closed: Contracts
    largest: Contracts
    average_entry: Price | None
    average_exit: Price | None
    pnl: Decimal  #: before fees and funding
    fees: Decimal
    funding: Decimal
    penalty: Decimal  #: for a liquidation
    realised: Decimal  #: all of it together
    leverage: Decimal

    @property
    def life(self) -> str:
        """Return the same key as `Position.life`."""
        return f"{self.position_id}@{int(self.opened_at.timestamp() * 1000)}"
