"""Every check that an order has to pass before it may open or enlarge a position, each with its value and its limit.

The same arithmetic answers the bot before an order and a trader before a click. Reducing a position is never checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.decision.proposal import LEGS, Proposal, proposed
from core.decision.view import View
from core.domain.intent import Limits
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.risk_result import Check, CheckName, Verdict

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class ExecutionRiskControl:
    """Hard limits on orders that add risk, whoever asks for them."""

    limits: Limits

    def check(
        self,
        part: Part,
        quantity: Contracts,
        price: Price,
        view: View,
        *,
        purpose: Purpose = Purpose.ENTRY,
        resting: bool = False,
        parent: Contracts | None = None,
        filled: Contracts = NONE_HELD,
    ) -> Verdict:
        """Whether this order of a part may be sent.

        Of an execution in pieces `parent` is the whole and `filled` what it has brought: sizes, values and the loss at
        the stop are those of the whole, so that no limit is passed slice by slice. `resting`: it is a limit order.
        """
        proposal = proposed(part, quantity, price, view, purpose, resting, parent or quantity, filled)
        return Verdict(purpose, self.checks(proposal))

    def checks(self, order: Proposal) -> tuple[Check, ...]:
        """All checks, in their order; none is left out because an earlier one has failed."""
        return (
            self._duplicate(order),
            self._leverage(order),
            self._size(order),
            self._value(order),
            self._deviation(order),
            self._position(order),
            self._balance(order),
            self._risk(order),
            self._daily_loss(order),
            self._open_parts(order),
            self._conditional(order),
        )

    def _duplicate(self, order: Proposal) -> Check:
        unanswered = Decimal(len(order.unanswered))
        words = "".join(f"order {name} means the same and has no answer yet" for name in order.unanswered[:1])
        return Check(CheckName.DUPLICATE, unanswered, ZERO, "orders", words)

    def _leverage(self, order: Proposal) -> Check:
        highest = min(order.instrument.max_leverage, self.limits.max_leverage or order.instrument.max_leverage)
        words = ""
        if not 1 <= order.leverage <= highest:
            words = (
                f"leverage {order.leverage:f} is out of range: 1 to {highest:f} is allowed for "
                f"{order.instrument.symbol}"
            )
        return Check(CheckName.LEVERAGE, order.leverage, highest, "x", words)

    def _size(self, order: Proposal) -> Check:
        least, most, words = self.limits.min_order_size, self.limits.max_order_size, ""
        if most is not None and order.whole > most:
            words = (
                f"position value {order.asked:f} USDT is {order.whole:f} contracts, above your limit: "
                f"{most:f} contracts at most"
            )
        elif least is not None and order.whole < least:
            words = (
                f"position value {order.asked:f} USDT is {order.whole:f} contracts, below your limit: "
                f"{least:f} contracts at least"
            )
            most = least
        return Check(CheckName.ORDER_SIZE, order.whole, most, "contracts", words)

    def _value(self, order: Proposal) -> Check:
        value = order.instrument.notional(order.whole, order.price)
        least, most, words = self.limits.min_order_value, self.limits.max_order_value, ""
        if most is not None and value > most:
            words = f"position value {order.asked:f} USDT is above your limit: {money(most)} USDT at most"
        elif least is not None and value < least:
            words = f"position value {order.asked:f} USDT is below your limit: {money(least)} USDT at least"
            most = least
        return Check(CheckName.ORDER_VALUE, value, most, "USDT", words)

    def _deviation(self, order: Proposal) -> Check:
        """Only what would be paid too much counts at a limit: to rest far away costs nothing."""
        most, mark = self.limits.max_price_deviation * HUNDRED, order.mark
        if not mark:
            return Check(CheckName.PRICE_DEVIATION, None, most, "%")
        worse = (order.price / mark - 1) * order.side.sign * HUNDRED
        away = max(worse, ZERO) if order.resting else abs(worse)
        words = ""
        if away > most:
            words = (
                f"contract {order.instrument.symbol} would be entered at {order.price:f}, {away:.1f} % away from the "
                f"mark price {mark:f}: {most:.1f} % at most"
            )
        return Check(CheckName.PRICE_DEVIATION, away, most, "%", words)

    def _position(self, order: Proposal) -> Check:
        """The value of the whole position as a share of the equity."""
        share, equity = self.limits.max_position_value_pct, order.equity
        value = order.held + order.instrument.notional(order.rest, order.price)
        if share is None or equity is None:
            return Check(CheckName.POSITION_VALUE, value, None, "USDT")
        most, words = equity * share, ""
        if value > most:
            words = (
                f"position value {order.asked:f} USDT makes the position {money(value)} USDT: "
                f"{money(most)} USDT ({share:.0%} of the equity) at most"
            )
        return Check(CheckName.POSITION_VALUE, value, most, "USDT", words)

    def _balance(self, order: Proposal) -> Check:
        """An execution begins only where all of it can be paid for; later each piece counts alone."""
        contracts = order.quantity if order.filled else order.rest
        value = order.instrument.notional(contracts, order.price)
        needed = value / order.leverage + value * order.instrument.taker_fee if order.leverage > 0 else value
        words = ""
        if order.available is None:
            words = "the free balance is not known"
        elif needed > order.available:
            words = (
                f"position value {order.asked:f} USDT at {order.leverage:f}x needs {money(needed)} USDT of margin "
                f"and fee: {money(order.available)} USDT is free"
            )
        return Check(CheckName.BALANCE, needed, order.available, "USDT", words)

    def _risk(self, order: Proposal) -> Check:
        most, lost, words = self.limits.most_risk(order.equity), order.lost_at_stop, ""
        if most is not None and lost is not None and lost > most:
            words = (
                f"stop-loss would lose {money(lost)} USDT with fees: one trade may lose {money(most)} USDT at most, "
                "by the settings"
            )
        return Check(CheckName.RISK_PER_TRADE, lost, most, "USDT", words)

    def _daily_loss(self, order: Proposal) -> Check:
        share, began = self.limits.max_daily_loss, order.day_start
        most = None if share is None else share * HUNDRED
        if order.equity is None or began is None or began <= 0:
            return Check(CheckName.DAILY_LOSS, None, most, "%")
        lost, words = (began - order.equity) / began * HUNDRED, ""
        if most is not None and lost >= most:
            words = f"account has lost {lost:.1f} % of the day's {money(began)} USDT: less than {most:.1f} % is allowed"
        return Check(CheckName.DAILY_LOSS, lost, most, "%", words)

    def _open_parts(self, order: Proposal) -> Check:
        most, then = self.limits.max_open_parts, order.open_parts + 1
        words = ""
        if most is not None and order.opens and then > most:
            words = f"account has {order.open_parts} open parts: {most} at most, by the settings"
        return Check(CheckName.OPEN_PARTS, Decimal(then), None if most is None else Decimal(most), "parts", words)

    def _conditional(self, order: Proposal) -> Check:
        most, used = order.most_conditional, order.conditional
        if most is None:
            return Check(CheckName.CONDITIONAL_ORDERS, Decimal(used), None, "orders")
        return Check(CheckName.CONDITIONAL_ORDERS, Decimal(used + LEGS), Decimal(most), "orders", no_room(used, most))


def no_room(used: int, most: int) -> str:
    """Words, where the legs of one more part would be more conditional orders than the account may have."""
    if used + LEGS <= most:
        return ""
    return f"{min(used, most)} of at most {most} conditional orders rest or are kept room for, and it needs {LEGS} more"


def money(amount: Decimal) -> str:
    """USDT for a sentence."""
    return f"{amount:,.2f}"
