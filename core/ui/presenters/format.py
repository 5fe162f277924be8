"""Formats numbers and times for the dashboard: one format for each kind, the same on every page.

Two decimals for USDT, the price tick for prices, a sign on everything that is a gain or a loss, grey for ages.
Green and red belong to PnL alone; what is stale is grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.money import plain
from core.domain.reason import N_
from core.i18n.translate import _, number

NOTHING = "–"
#: what decided or was done, as events name it
RULES = {
    "resolve": N_("resolve"),
    "finish": N_("finish"),
    "protect": N_("protect"),
    "close": N_("close"),
    "derisk": N_("derisk"),
    "enter": N_("enter"),
    "recover": N_("recover"),
    "reopen": N_("reopen"),
    "sweep": N_("sweep"),
    "totals": N_("totals"),
    "risk": N_("risk"),
    "switch": N_("switch"),
    "setting": N_("setting"),
    "login": N_("login"),
    "account": N_("account"),
}
Value = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One labelled number; `value` and `note` may carry Markdown colours."""

    label: str
    value: str
    note: str = ""


def rule_name(rule: str) -> str:
    """Return the name of a rule or of another origin of events in the trader's language."""
    return _(RULES.get(rule, rule))


def decimal(value: Value) -> Decimal | None:
    """Return the number behind a value; None stays None."""
    return None if value is None or value == "" else Decimal(value)


def usdt(value: Value, places: int = 2) -> str:
    """Return an amount: 1,234.50"""
    amount = decimal(value)
    return NOTHING if amount is None else number(_no_minus_zero(amount, places), f",.{places}f")


def signed(value: Value, places: int = 2) -> str:
    """Return a signed amount: +1,234.50 or -3.20"""
    amount = decimal(value)
    if amount is None:
        return NOTHING
    amount = _no_minus_zero(amount, places)
    return number(amount, f"+,.{places}f" if amount else f",.{places}f")


def percent(value: Value) -> str:
    """Return a percentage: +0.53 %"""
    return NOTHING if decimal(value) is None else f"{signed(value)} %"


def price(value: Value, tick: Value = None) -> str:
    """Return a price: 60,123.5, with as many decimals as the contract's tick has, or all there are where no tick is
    known.
    """
    amount, step = decimal(value), decimal(tick)
    if amount is None:
        return NOTHING
    return number(amount, f",.{places_of(step)}f" if step else ",f")


def quantity(value: Value) -> str:
    """Return a quantity: 1,250.5, without trailing zeros."""
    amount = decimal(value)
    if amount is None:
        return NOTHING
    return number(Decimal(plain(amount)), ",f")


def places_of(step: Decimal) -> int:
    """Return the decimals needed to write multiples of `step`."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def pnl(value: Value, unit: str = "", stale: bool = False) -> str:
    """Return a gain in green, a loss in red, nothing in the text's own colour; grey when stale."""
    return tinted(value, f"{signed(value)} {unit}".strip(), stale)


def tinted(value: Value, text: str, stale: bool = False) -> str:
    amount = decimal(value)
    if stale:
        return grey(text)
    if not amount or abs(amount) < Decimal("0.005"):
        return text
    return f":green[{text}]" if amount > 0 else f":red[{text}]"


def grey(text: str) -> str:
    return f":gray[{text}]"


def age(passed: timedelta) -> str:
    """Return a length of time: 2 s, 3 min, 4 h, 5 d: the largest unit that is not zero."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, _("d")), (3600, _("h")), (60, _("min"))):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} {_('s')}"


def ago(at: datetime | None, now: datetime) -> str:
    """Return "2 s ago", or "never"."""
    return _("never") if at is None else _("{age} ago", age=age(now - at))


def _no_minus_zero(amount: Decimal, places: int) -> Decimal:
    rounded = round(amount, places)
    return rounded if rounded else abs(rounded)
