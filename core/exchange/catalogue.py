"""What every exchange's catalogue of contracts has beside `Instrument`: the account's fees."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Fees:
    """What a fill costs, as a fraction of its value; a rebate is negative."""

    maker: Decimal
    taker: Decimal
