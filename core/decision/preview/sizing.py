"""Computes the position size whose stop, if it hits, loses a given amount and no more."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from core.domain.instrument import Instrument, Side
from core.domain.money import ZERO

CENT = Decimal("0.01")


def loss_at(rules: Instrument, side: Side, contracts: Decimal, entry: Decimal, stop: Decimal) -> Decimal:
    """Return USDT lost (positive) from `entry` to `stop`, both fees included; negative where the stop locks
    in a gain.
    """
    fees = (rules.notional(contracts, entry) + rules.notional(contracts, stop)) * rules.taker_fee
    return fees - rules.pnl(side, contracts, entry, stop)


def value_for_risk(rules: Instrument, side: Side, risk: Decimal, entry: Decimal, stop: Decimal) -> Decimal | None:
    """Return the position value (USDT, rounded down) that loses `risk` USDT from `entry` to `stop`, both fees included.

    None where the stop lies on the wrong side of the entry, or a number is not above zero.
    """
    if min(risk, entry, stop) <= ZERO or (entry - stop) * side.sign <= 0:
        return None
    share = abs(entry - stop) / entry + rules.taker_fee * (1 + stop / entry)
    return (risk / share).quantize(CENT, ROUND_FLOOR)
