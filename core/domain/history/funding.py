"""Divides funding payments: each part's share by what it held at the time of the payment.

An exchange pays or charges a position; parts share positions, and OKX does not even tell the side of a payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.domain.instrument import Side
from core.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class FundedHolding:
    """Contracts of one symbol at the moment of a payment."""

    own: Decimal  #: of the part
    long: Decimal  #: of the whole account
    short: Decimal

    def of(self, side: Side) -> Decimal:
        return self.long if side is Side.LONG else self.short


def told_share(amount: Decimal, side: Side, held: FundedHolding) -> Decimal:
    """Return the part's share of a payment to its own side of the contract."""
    whole = max(held.of(side), held.own)
    return amount * held.own / whole if whole > ZERO else ZERO


def untold_share(amounts: Sequence[Decimal], side: Side, held: FundedHolding) -> Decimal:
    """Return the part's share of the payments of one moment, of which the exchange does not tell the side.

    Long and short pay each other at one rate, so their sum and their sizes tell who paid. Where the sizes are
    equal they do not: longs are taken to have paid then, as they do most of the time.
    """
    long, short = max(held.long, ZERO), max(held.short, ZERO)
    if ZERO in (long, short) or not held.own:
        return told_share(sum(amounts, ZERO), side, held)
    if long == short:
        rate = -max(abs(amount) for amount in amounts) / long
    else:
        rate = sum(amounts, ZERO) / (long - short)
    return side.sign * held.own * rate
