"""Risk checks as rows: refusals with their value and limit first, then orders let through. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from core.domain.order import Purpose
from core.i18n.translate import _, told
from core.services.safety.risk_checks import CheckCount, CheckName, RiskCheck
from core.ui.presenters.format import NOTHING, ago, quantity
from core.ui.presenters.orders import purpose_words
from core.ui.presenters.positions import Row, short_symbol


def check_rows(found: Iterable[RiskCheck], now: datetime) -> list[Row]:
    """Return one row for each; those that failed first, each group as it was given."""
    return [
        {
            _("When"): ago(one.repeated_at or one.at, now),
            _("Part"): one.part or NOTHING,
            _("Contract"): short_symbol(one.symbol),
            _("Purpose"): purpose_words(Purpose(one.purpose)),
            _("Result"): _("let through") if one.passed else check_words(one.check),
            _("Value"): NOTHING if one.passed else amount(one.value, one.unit),
            _("Limit"): NOTHING if one.passed else amount(one.limit, one.unit),
            _("Times"): NOTHING if one.passed else str(one.repeats + 1),
            _("In words"): told(one.words) if one.words else NOTHING,
        }
        for one in sorted(found, key=lambda one: one.passed)
    ]


def count_rows(found: Iterable[CheckCount]) -> list[Row]:
    """Return how often each check was made, and how often it refused."""
    return [
        {_("Check"): check_words(one.name), _("Let through"): str(one.passed), _("Refused"): str(one.failed)}
        for one in found
    ]


def amount(number: Decimal | None, unit: str) -> str:
    return NOTHING if number is None else f"{quantity(round(number, 4))} {_(unit) if unit else ''}".strip()


def check_words(name: str) -> str:
    """Return a check's name as a trader says it."""
    return {
        CheckName.DUPLICATE: _("Asked for twice"),
        CheckName.LEVERAGE: _("Leverage"),
        CheckName.ORDER_SIZE: _("Size of the order"),
        CheckName.ORDER_VALUE: _("Value of the order"),
        CheckName.PRICE_DEVIATION: _("Distance from the mark price"),
        CheckName.POSITION_VALUE: _("Value of the position"),
        CheckName.BALANCE: _("Free balance"),
        CheckName.RISK_PER_TRADE: _("Risk of one trade"),
        CheckName.DAILY_LOSS: _("Loss of the day"),
        CheckName.OPEN_PARTS: _("Open parts"),
        CheckName.CONDITIONAL_ORDERS: _("Conditional orders"),
    }[CheckName(name)]
