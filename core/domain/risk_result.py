"""The result of the risk control for one order that adds risk: every check with its value and its limit, in order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.domain.order import Purpose
from core.domain.reason import Reason


class CheckName(StrEnum):
    """The name of a check; checks are made in this order."""

    DUPLICATE = "duplicate"
    LEVERAGE = "leverage"
    ORDER_SIZE = "order_size"
    ORDER_VALUE = "order_value"
    PRICE_DEVIATION = "price_deviation"
    POSITION_VALUE = "position_value"
    BALANCE = "balance"
    RISK_PER_TRADE = "risk_per_trade"
    DAILY_LOSS = "daily_loss"
    OPEN_PARTS = "open_parts"
    CONDITIONAL_ORDERS = "conditional_orders"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an order: its value, its limit, and the refusal where it failed."""

    name: CheckName
    value: Decimal | None  #: None: not known
    limit: Decimal | None  #: None: nothing limits it
    unit: str  #: of both: x, contracts, USDT, %, parts, orders; empty: a plain number
    refusal: Reason | None = None  #: why it failed; None: it passed

    @property
    def passed(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of all checks of one order."""

    purpose: Purpose
    checks: tuple[Check, ...]

    @property
    def failed(self) -> Check | None:
        """Return the first check that failed; None: the order may be sent."""
        return next((check for check in self.checks if not check.passed), None)

    @property
    def passed(self) -> bool:
        return self.failed is None

    @property
    def refusal(self) -> Reason | None:
        """Return why the order may not be sent; None where it may."""
        return self.failed.refusal if self.failed is not None else None
