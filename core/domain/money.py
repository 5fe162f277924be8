"""Amounts of money, prices and contracts: always Decimal, never mixed by accident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NewType

Price = NewType("Price", Decimal)  #: quote currency for one unit of the base asset
Contracts = NewType("Contracts", Decimal)  #: a quantity, always in contracts
ZERO = Decimal(0)
NONE_HELD = Contracts(ZERO)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; adding another currency is an error, not a guess."""

    amount: Decimal
    currency: str = "USDT"

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of `amounts` as a Decimal, zero for none."""
    return sum(amounts, ZERO)


def plain(value: Decimal) -> str:
    """Return `value` as an exchange wants it: no exponent, no trailing zeros, `0` for zero."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
