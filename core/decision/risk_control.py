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
from core.domain.reason import Reason
from core.domain.risk_result import Check, CheckName, Verdict

HUNDRED = Decimal(100)
VALUE, ACCOUNT = Reason("field.position_value"), Reason("field.account")


@dataclass(frozen=True, slots=True)
class ExecutionRiskControl:
    """Checks orders that add risk against hard limits, whoever asks for them."""

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
        """Return whether this order of a part may be sent, with every check.

        Of an execution in pieces `parent` is the whole and `filled` what it has brought: sizes, values and the loss at
        the stop are those of the whole, so that no limit is passed slice by slice. `resting`: it is a limit order.
        """
        proposal = proposed(part, quantity, price, view, purpose, resting, parent or quantity, filled)
        return Verdict(purpose, self.checks(proposal))

    def checks(self, order: Proposal) -> tuple[Check, ...]:
        """Return all checks, in their order; none is left out because an earlier one has failed."""
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
        unanswered, refusal = order.unanswered, None
        if unanswered:
            refusal = Reason("risk.duplicate", field=Reason("field.order"), value=unanswered[0])
        return Check(CheckName.DUPLICATE, Decimal(len(unanswered)), ZERO, "orders", refusal)

    def _leverage(self, order: Proposal) -> Check:
        highest = min(order.instrument.max_leverage, self.limits.max_leverage or order.instrument.max_leverage)
        refusal = None
        if not 1 <= order.leverage <= highest:
            refusal = Reason(
                "risk.leverage",
                field=Reason("field.leverage"),
                value=order.leverage,
                allowed=Reason("allowed.leverage", highest=highest, symbol=order.instrument.symbol),
            )
        return Check(CheckName.LEVERAGE, order.leverage, highest, "x", refusal)

    def _size(self, order: Proposal) -> Check:
        least, most, refusal = self.limits.min_order_size, self.limits.max_order_size, None
        if most is not None and order.whole > most:
            refusal = Reason("risk.order_too_large", field=VALUE, value=order.asked, contracts=order.whole, most=most)
        elif least is not None and order.whole < least:
            refusal = Reason("risk.order_too_small", field=VALUE, value=order.asked, contracts=order.whole, least=least)
            most = least
        return Check(CheckName.ORDER_SIZE, order.whole, most, "contracts", refusal)

    def _value(self, order: Proposal) -> Check:
        value = order.instrument.notional(order.whole, order.price)
        least, most, refusal = self.limits.min_order_value, self.limits.max_order_value, None
        if most is not None and value > most:
            refusal = Reason("risk.value_too_high", field=VALUE, value=order.asked, most=most)
        elif least is not None and value < least:
            refusal = Reason("risk.value_too_low", field=VALUE, value=order.asked, least=least)
            most = least
        return Check(CheckName.ORDER_VALUE, value, most, "USDT", refusal)

    def _deviation(self, order: Proposal) -> Check:
        """Check an order's price against the mark price; at a limit, only paying too much counts."""
        most, mark = self.limits.max_price_deviation * HUNDRED, order.mark
        if not mark:
            return Check(CheckName.PRICE_DEVIATION, None, most, "%")
        worse = (order.price / mark - 1) * order.side.sign * HUNDRED
        away = max(worse, ZERO) if order.resting else abs(worse)
        refusal = None
        if away > most:
            refusal = Reason(
                "risk.price_deviation",
                field=Reason("field.contract"),
                symbol=order.instrument.symbol,
                price=order.price,
                away=away,
                mark=mark,
                most=most,
            )
        return Check(CheckName.PRICE_DEVIATION, away, most, "%", refusal)

    def _position(self, order: Proposal) -> Check:
        """Check the value of the whole position as a share of the equity."""
        share, equity = self.limits.max_position_value_pct, order.equity
        value = order.held + order.instrument.notional(order.rest, order.price)
        if share is None or equity is None:
            return Check(CheckName.POSITION_VALUE, value, None, "USDT")
        most, refusal = equity * share, None
        if value > most:
            refusal = Reason("risk.position_value", field=VALUE, value=order.asked, whole=value, most=most, share=share)
        return Check(CheckName.POSITION_VALUE, value, most, "USDT", refusal)

    def _balance(self, order: Proposal) -> Check:
        """Check the balance: an execution begins only where all of it can be paid for; later each order
        counts alone.
        """
        contracts = order.quantity if order.filled else order.rest
        value = order.instrument.notional(contracts, order.price)
        needed = value / order.leverage + value * order.instrument.taker_fee if order.leverage > 0 else value
        refusal = None
        if order.available is None:
            refusal = Reason("risk.balance_unknown")
        elif needed > order.available:
            refusal = Reason(
                "risk.balance",
                field=VALUE,
                value=order.asked,
                leverage=order.leverage,
                needed=needed,
                free=order.available,
            )
        return Check(CheckName.BALANCE, needed, order.available, "USDT", refusal)

    def _risk(self, order: Proposal) -> Check:
        most, lost, refusal = self.limits.most_risk(order.equity), order.lost_at_stop, None
        if most is not None and lost is not None and lost > most:
            refusal = Reason("risk.loss_at_stop", field=Reason("field.stop_loss"), lost=lost, most=most)
        return Check(CheckName.RISK_PER_TRADE, lost, most, "USDT", refusal)

    def _daily_loss(self, order: Proposal) -> Check:
        share, began = self.limits.max_daily_loss, order.day_start
        most = None if share is None else share * HUNDRED
        if order.equity is None or began is None or began <= 0:
            return Check(CheckName.DAILY_LOSS, None, most, "%")
        lost, refusal = (began - order.equity) / began * HUNDRED, None
        if most is not None and lost >= most:
            refusal = Reason("risk.daily_loss", field=ACCOUNT, lost=lost, began=began, most=most)
        return Check(CheckName.DAILY_LOSS, lost, most, "%", refusal)

    def _open_parts(self, order: Proposal) -> Check:
        most, then = self.limits.max_open_parts, order.open_parts + 1
        refusal = None
        if most is not None and order.opens and then > most:
            refusal = Reason("risk.open_parts", field=ACCOUNT, parts=order.open_parts, most=most)
        return Check(CheckName.OPEN_PARTS, Decimal(then), None if most is None else Decimal(most), "parts", refusal)

    def _conditional(self, order: Proposal) -> Check:
        most, used = order.most_conditional, order.conditional
        if most is None:
            return Check(CheckName.CONDITIONAL_ORDERS, Decimal(used), None, "orders")
        return Check(CheckName.CONDITIONAL_ORDERS, Decimal(used + LEGS), Decimal(most), "orders", no_room(used, most))


def no_room(used: int, most: int) -> Reason | None:
    """Return a refusal, where the legs of one more part would be more conditional orders than the account may have."""
    if used + LEGS <= most:
        return None
    return Reason("risk.conditional_orders", used=min(used, most), most=most, legs=LEGS)
