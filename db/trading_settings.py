"""What the settings say for every part: limits, recovery, reopening."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain.difference import Division
from core.domain.intent import ExitReason, Limits, Recovery, ReopenRule, Unguarded, WhenRefused

LIMITS = tuple(Limits.__dataclass_fields__)  #: settings of these names are limits
RECOVERY = {
    "recovery_trigger_pnl": "trigger_pnl",
    "recovery_add_amount": "add_notional",
    "recovery_tp_usdt": "tp_usdt",
    "recovery_sl_usdt": "sl_usdt",
    "recovery_max_steps": "max_steps",
    "recovery_max_loss": "max_loss",
    "recovery_seconds": "pause",
}
REOPEN = {
    "reopen_delay_minutes": "delay",
    "reopen_retry_seconds": "retry",
    "reopen_max_cycles": "max_cycles",
    "reopen_loss_budget": "loss_budget",
    "reopen_after": "after",
}
GUARDING = ("when_refused", "max_bare_seconds", "division", "price_protect")
KEYS = (*LIMITS, *RECOVERY, *REOPEN, *GUARDING, "recovery_enabled", "reopen_enabled")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for every part that has made no choice of its own."""

    limits: Limits = Limits()
    recovery: Recovery | None = None
    reopen: ReopenRule | None = None
    unguarded: Unguarded = Unguarded()
    division: Division = Division.PRO_RATA
    price_protect: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rules:
        """From the settings table; what is not set there is as the values' own defaults say."""
        given = {name: settings[name] for name in LIMITS if name in settings}
        limits = {name: _limit(name, value) for name, value in given.items()}
        recovery = Recovery(**_named(settings, RECOVERY)) if settings.get("recovery_enabled", True) else None
        reopen = ReopenRule(**_named(settings, REOPEN)) if settings.get("reopen_enabled", True) else None
        return cls(
            Limits(**limits),  # type: ignore[arg-type]
            recovery,
            reopen,
            Unguarded(
                WhenRefused(settings.get("when_refused") or WhenRefused.RETRY),
                timedelta(seconds=float(settings.get("max_bare_seconds") or 5)),
            ),
            Division(settings.get("division") or Division.PRO_RATA),
            bool(settings.get("price_protect", False)),
        )


def _limit(name: str, stored: Any) -> Decimal | int | bool | None:
    if stored is None or isinstance(stored, bool):
        return stored
    return int(stored) if name == "max_open_parts" else Decimal(stored)


def _named(settings: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    given = ((key, field) for key, field in names.items() if settings.get(key) is not None)
    return {field: _value(key, settings[key]) for key, field in given}


def _value(key: str, stored: Any) -> Any:
    if key == "reopen_after":
        return reasons(stored)
    if key == "reopen_delay_minutes":
        return timedelta(minutes=float(stored))
    if key.endswith("_seconds"):
        return timedelta(seconds=float(stored))
    if key in ("recovery_max_steps", "reopen_max_cycles"):
        return int(stored)
    return Decimal(stored)


def reasons(words: Iterable[str]) -> frozenset[ExitReason]:
    return frozenset(ExitReason(word) for word in words)
