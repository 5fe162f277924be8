"""The account's fees, which every exchange's catalogue of contracts has beside `Instrument`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Fees:
    """The fees of a fill, as a fraction of its value; a rebate is negative."""

    maker: Decimal
    taker: Decimal
