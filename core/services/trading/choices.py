"""What may be chosen: the ranges of recovery and reopening, for all parts and for one; what an exchange takes of
triggers and leverage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from core.domain.intent import RecoveryChoice, ReopenChoice, Target
from core.execution.limits import problems_of
from core.venues import profile_of


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be."""

    label: str
    unit: str
    least: Decimal
    most: Decimal

    def problem(self, value: Decimal | int | None) -> str:
        """Words where `value` is outside; empty where it is allowed or nothing was chosen."""
        if value is None or (Decimal(value).is_finite() and self.least <= value <= self.most):
            return ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.label} {value}{unit} is out of range: {self.least:,f} to {self.most:,f}{unit} is allowed"


def _range(label: str, unit: str, least: str, most: str) -> Range:
    return Range(label, unit, Decimal(least), Decimal(most))


RANGES: Mapping[str, Range] = {
    "recovery_trigger_pnl": _range("recovery trigger", "USDT", "-1000000", "-0.01"),
    "recovery_add_amount": _range("recovery amount", "USDT", "1", "10000000"),
    "recovery_tp_usdt": _range("recovery take-profit", "USDT", "0.01", "1000000"),
    "recovery_sl_usdt": _range("recovery stop-loss", "USDT", "0.01", "1000000"),
    "recovery_max_steps": _range("recovery steps", "", "1", "100"),
    "recovery_max_loss": _range("recovery loss limit", "USDT", "0.01", "1000000"),
    "recovery_seconds": _range("pause between two recovery steps", "s", "5", "600"),
    "reopen_delay_minutes": _range("reopen delay", "minutes", "1", "60"),
    "reopen_retry_seconds": _range("reopen retry", "s", "5", "600"),
    "reopen_max_cycles": _range("cycles", "", "1", "1000000"),
    "reopen_loss_budget": _range("loss budget", "USDT", "0.01", "1000000"),
}  #: by the name of the setting


def choice_problems(recovery: RecoveryChoice, reopen: ReopenChoice) -> Iterator[str]:
    """What is wrong with the choices of one part, each with its range."""
    chosen: dict[str, Decimal | int | None] = {
        "recovery_trigger_pnl": recovery.trigger_pnl,
        "recovery_add_amount": recovery.add_notional,
        "recovery_tp_usdt": recovery.tp_usdt,
        "recovery_sl_usdt": recovery.sl_usdt,
        "recovery_max_steps": recovery.max_steps,
        "recovery_max_loss": recovery.max_loss,
        "reopen_delay_minutes": None if reopen.delay is None else _minutes(reopen.delay),
        "reopen_max_cycles": reopen.max_cycles,
        "reopen_loss_budget": reopen.loss_budget,
    }
    for name, value in chosen.items():
        words = RANGES[name].problem(value)
        if words:
            yield words
    if recovery.style is not None:
        yield from (f"recovery {words}" for words in problems_of(recovery.style))
        if recovery.style.price is not None:
            yield "recovery limit price must be empty: a step rests at our side of the book when it is due"


def trigger_problem(exchange: str, *targets: Target | None) -> str:
    """Words, where a stop or target waits for a price that the exchange does not watch; empty where all is well."""
    allowed = profile_of(exchange).triggers
    wrong = next((one.trigger_by for one in targets if one is not None and one.trigger_by not in allowed), None)
    if wrong is None:
        return ""
    return f"stop-loss and take-profit cannot be triggered by {wrong} here: {' or '.join(allowed)} is allowed"


def leverage_problem(exchange: str, leverage: Decimal) -> str:
    """Words, where the exchange has no such leverage between its steps; empty where all is well."""
    step = profile_of(exchange).leverage_step
    if not leverage.is_finite() or leverage % step == 0:
        return ""
    return f"leverage {leverage:f} is between two steps: a multiple of {step:f} is allowed here"


def _minutes(delay: timedelta) -> Decimal:
    return Decimal(delay // timedelta(seconds=1)) / 60
