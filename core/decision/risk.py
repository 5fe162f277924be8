"""Approve or veto what would open or enlarge a position, with the reason in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.decision.sizing import loss_at
from core.decision.view import View
from core.domain.intent import Limits
from core.domain.money import Contracts, Price
from core.domain.part import Part


@dataclass(frozen=True, slots=True)
class ExecutionRiskControl:
    """Hard limits on an order that adds risk. Reducing a position is never vetoed."""

    limits: Limits

    def veto(self, part: Part, quantity: Contracts, price: Price, view: View) -> str:
        """Words, where the order must not be sent; empty where it may. Values in USDT."""
        limits, intent, instrument = self.limits, part.intent, part.instrument
        value = instrument.notional(quantity, price)
        if limits.max_leverage is not None and intent.leverage > limits.max_leverage:
            return f"leverage {intent.leverage} is above the limit of {limits.max_leverage}"
        if limits.max_order_value is not None and value > limits.max_order_value:
            return f"order value {value:,.2f} USDT is above the limit of {limits.max_order_value:,.2f}"
        if limits.min_order_value is not None and value < limits.min_order_value:
            return f"order value {value:,.2f} USDT is below the limit of {limits.min_order_value:,.2f}"
        ticker = view.seen.ticker
        if ticker is not None and ticker.mark:
            deviation = abs(price / ticker.mark - 1)
            if intent.entry.price is None and deviation > limits.max_price_deviation:
                return f"price {price} is {deviation:.1%} away from the mark {ticker.mark}"
        return self._margin(value, part, view) or self._risk(part, quantity, price, view)

    def _risk(self, part: Part, quantity: Contracts, price: Price, view: View) -> str:
        """What the stop of a new cycle would cost; a part that holds something was measured when it was entered."""
        most, stop = self.limits.most_risk(view.seen.equity), part.stop_price(price)
        if most is None or stop is None or part.entered:
            return ""
        lost = loss_at(part.instrument, part.side, quantity, price, stop)
        if lost <= most:
            return ""
        return f"the stop would lose {lost:,.2f} USDT with fees, one trade may lose {most:,.2f}"

    def _margin(self, value: Decimal, part: Part, view: View) -> str:
        available = view.seen.available
        if available is None:
            return "the free balance is not known"
        margin = value / part.intent.leverage
        fee = value * part.instrument.taker_fee
        if margin + fee > available:
            return f"margin {margin:,.2f} USDT plus fee {fee:,.2f} is more than the free {available:,.2f}"
        return ""
