"""The behaviours that can be chosen, for what exchanges do differently or nobody could confirm: defaults and checks.

Here are those of the exchange itself; each wire adds its own table. The controls under /sim/ and the journal call them
switches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Check = Callable[[str, Any], Any]


def _as_given(name: str, value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour: its default, and the check that returns a value in the form it is kept in or raises ValueError."""

    default: Any
    check: Check = _as_given


Behaviours = Mapping[str, Behaviour]


def checked(table: Behaviours, name: str, value: Any) -> Any:
    """Return the value in the form it is kept in; ValueError where the behaviour is unknown or does not take it."""
    if name not in table:
        raise ValueError(f"there is no switch {name}")
    return table[name].check(name, value)


def finite(name: str, value: Any) -> Decimal:
    """Return the value as a finite number; ValueError otherwise."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{name} takes numbers")
    return number


def flag(default: bool) -> Behaviour:
    """Return a behaviour that is true or false."""

    def check(name: str, value: Any) -> Any:
        """Return the value in the form it is kept in; ValueError where it is not taken."""
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
        return value

    return Behaviour(default, check)


def choice(default: Any, *others: Any, convert: Callable[[Any], Any] | None = None) -> Behaviour:
    """Return a behaviour that is one of these values, after `convert` where it is given."""

    def check(name: str, value: Any) -> Any:
        """Return the value in the form it is kept in; ValueError where it is not taken."""
        value = value if convert is None else convert(value)
        if value not in (default, *others):
            raise ValueError(f"{name} is one of {sorted(map(str, (default, *others)))}")
        return value

    return Behaviour(default, check)


def at_least_zero(default: Any) -> Behaviour:
    """Return a behaviour that is a number not below zero."""

    def check(name: str, value: Any) -> Any:
        """Return the value in the form it is kept in; ValueError where it is not taken."""
        if finite(name, value) < 0:
            raise ValueError(f"{name} is too small")
        return value

    return Behaviour(default, check)


def above_zero(default: Any) -> Behaviour:
    """Return a behaviour that is a number above zero."""

    def check(name: str, value: Any) -> Any:
        """Return the value in the form it is kept in; ValueError where it is not taken."""
        if finite(name, value) <= 0:
            raise ValueError(f"{name} is too small")
        return value

    return Behaviour(default, check)


def any_number(default: Any) -> Behaviour:
    """Return a behaviour that is any finite number."""

    def check(name: str, value: Any) -> Any:
        """Return the value in the form it is kept in; ValueError where it is not taken."""
        finite(name, value)
        return value

    return Behaviour(default, check)


FEES = {"maker": "0.0002", "taker": "0.0005"}


def _fees(name: str, value: Any) -> Any:
    return {**FEES, **{side: str(finite(name, value[side])) for side in value}}


BEHAVIOURS: dict[str, Behaviour] = {
    "liquidation_algos": choice("cancel", "stay"),
    "extra_fields": flag(False),
    "rate_limits": flag(True),
    "order_delay_seconds": at_least_zero(0),
    "fill_steps": above_zero(1),
    "pos_id_retention_days": at_least_zero(30),
    "suspended": Behaviour([]),
    "clock_offset_seconds": Behaviour(0),
    "fees": Behaviour(FEES, _fees),
    "slippage_bps": at_least_zero("0"),
    "spread_ticks": at_least_zero("1"),
    "impact_contracts_per_tick": above_zero("100"),
}
