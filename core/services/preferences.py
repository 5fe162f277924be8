"""The settings a trader may change: each with its unit, its default, its range and what it does.

Only settings that something reads are offered. A value out of range is refused in words and nothing is stored;
`None` where the default is None means no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from core.domain.errors import Misconfigured
from core.domain.money import plain
from db.store import Store

Value = int | Decimal | None
CADENCE, LIMITS = "Cadence", "Limits"


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting as it stands. An int default means whole numbers."""

    key: str
    label: str
    unit: str
    default: Any
    value: Any
    minimum: Any
    maximum: Any
    help: str
    group: str


def _cadence(key: str, label: str, default: int, low: int, high: int, words: str) -> Preference:
    return Preference(key, label, "s", default, default, low, high, words, CADENCE)


def _limit(key: str, label: str, unit: str, default: Decimal | None, low: str, high: str, words: str) -> Preference:
    return Preference(key, label, unit, default, default, Decimal(low), Decimal(high), words, LIMITS)


OFFERED: tuple[Preference, ...] = (
    _cadence(
        "order_watch_seconds",
        "Watch orders and positions",
        5,
        1,
        60,
        "The safety net under the exchange's own messages: everything is looked at this often even in silence.",
    ),
    _cadence(
        "check_seconds", "Full check", 60, 10, 600, "Contract rules are read anew and every position is looked at."
    ),
    _cadence("equity_seconds", "Read the balance", 60, 10, 600, "Money and position mode of the account."),
    _cadence(
        "sentinel_seconds",
        "Watchdog",
        300,
        30,
        3600,
        "Compares stops, PnL and freshness with the exchange on its own; raises alarms, never trades.",
    ),
    _cadence("history_seconds", "Bring in history", 600, 60, 3600, "Fills and funding payments go into the ledger."),
    _limit(
        "min_order_value",
        "Smallest order value",
        "USDT",
        None,
        "1",
        "1000000",
        "An entry below this is not sent. Empty: the exchange's own smallest order.",
    ),
    _limit(
        "max_order_value",
        "Largest order value",
        "USDT",
        None,
        "1",
        "100000000",
        "An entry above this is not sent. Empty: no limit.",
    ),
    _limit(
        "max_leverage",
        "Highest leverage",
        "x",
        None,
        "1",
        "125",
        "An entry with more leverage is not sent. Empty: the exchange's own limit.",
    ),
    _limit(
        "max_position_value_pct",
        "Most margin of one position",
        "% of equity",
        None,
        "1",
        "100",
        "A position that would take more of the account's equity as margin is refused. Empty: no limit.",
    ),
    _limit(
        "max_price_deviation",
        "Furthest from the mark price",
        "%",
        Decimal(5),
        "0.1",
        "50",
        "An entry is not sent while its price is further than this from the mark price.",
    ),
)
_BY_KEY: Mapping[str, Preference] = {one.key: one for one in OFFERED}
_FRACTIONS = frozenset({"max_position_value_pct", "max_price_deviation"})  #: stored as such, shown in percent


class Preferences:
    """Reads and stores settings; the bot takes them from its next look."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def all(self) -> list[Preference]:
        """Every setting with its value now."""
        stored = self.store.settings()
        return [_with(one, _number(one, stored[one.key]) if one.key in stored else one.default) for one in OFFERED]

    def set(self, key: str, value: Any, by: str) -> None:
        """Store one setting. Raises Misconfigured where the key or the value is not allowed."""
        if key not in _BY_KEY:
            raise Misconfigured(f"setting {key!r} is not known: one of {', '.join(_BY_KEY)}")
        wanted = _checked(_BY_KEY[key], value)
        self._agree(key, wanted)
        self.store.set_setting(key, wanted / 100 if key in _FRACTIONS and wanted is not None else wanted, by)

    def _agree(self, key: str, wanted: Value) -> None:
        """The smallest order may not be larger than the largest."""
        bounds = {one.key: one.value for one in self.all() if one.key in ("min_order_value", "max_order_value")}
        if key not in bounds:
            return
        low, high = ({**bounds, key: wanted}[name] for name in ("min_order_value", "max_order_value"))
        if low is not None and high is not None and low > high:
            raise Misconfigured(
                f"Smallest order value {plain(low)} USDT is above the largest of {plain(high)} USDT: no order passes"
            )


def _with(one: Preference, value: Value) -> Preference:
    return Preference(one.key, one.label, one.unit, one.default, value, one.minimum, one.maximum, one.help, one.group)


def _checked(one: Preference, value: Any) -> Value:
    """The value as it is stored. Raises Misconfigured with field, value and range."""
    if value is None and one.default is None:
        return None
    allowed = f"{plain(Decimal(one.minimum))} to {plain(Decimal(one.maximum))} {one.unit}".rstrip()
    try:
        number = None if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        shown = "nothing" if value is None else repr(value)
        raise Misconfigured(f"{one.label}: {shown} is not a number; {allowed} is allowed")
    if not one.minimum <= number <= one.maximum:
        raise Misconfigured(f"{one.label} {plain(number)} is out of range: {allowed} is allowed")
    if isinstance(one.default, int):
        if number != int(number):
            raise Misconfigured(f"{one.label} {plain(number)} is not a whole number: {allowed} is allowed")
        return int(number)
    return number


def _number(one: Preference, stored: Any) -> Value:
    """A stored value as it is shown, in the setting's own type and unit."""
    if stored is None:
        return None
    if isinstance(one.default, int):
        return int(stored)
    return Decimal(str(stored)) * (100 if one.key in _FRACTIONS else 1)
