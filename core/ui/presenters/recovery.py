"""Recovery and reopening of one part as form fields and as sentences.

Pure. An empty field follows the settings; a trigger or stop is a loss whichever sign was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.domain.intent import ExecutionStyle, ExitReason, Recovery, ReopenRule
from core.domain.intent import RecoveryChoice as RecoveryChoice
from core.domain.intent import ReopenChoice as ReopenChoice
from core.domain.snapshot import PartSnapshot
from core.i18n.translate import _, counted
from core.ui.presenters import execution_styles
from core.ui.presenters.format import percent, price, quantity, signed, usdt
from core.ui.presenters.forms import typed

REASONS = tuple(one for one in ExitReason if one not in (ExitReason.NOT_ENTERED, ExitReason.CLOSED_BY_US))


class Mode(StrEnum):
    """How a part chooses: as the settings say, its own, or not at all."""

    FOLLOW = "follow"
    ON = "on"
    OFF = "off"

    @property
    def label(self) -> str:
        return {Mode.FOLLOW: _("As in Settings"), Mode.ON: _("On"), Mode.OFF: _("Off")}[self]

    @property
    def enabled(self) -> bool | None:
        return None if self is Mode.FOLLOW else self is Mode.ON

    @classmethod
    def of(cls, choice: RecoveryChoice | ReopenChoice) -> Mode:
        """Return the mode behind a choice; numbers of its own are a choice too."""
        if choice.enabled is None:
            return Mode.ON if choice not in (RecoveryChoice(), ReopenChoice()) else Mode.FOLLOW
        return Mode.ON if choice.enabled else Mode.OFF


def recovery_choice(
    mode: Mode, numbers: Mapping[str, float | None], worked: ExecutionStyle = ExecutionStyle()
) -> RecoveryChoice:
    """Return the choice in the fields; their names are those of `RecoveryChoice`. Steps at market follow the
    settings.
    """
    if mode is not Mode.ON:
        return RecoveryChoice(enabled=mode.enabled)
    given = {name: typed(numbers.get(name)) for name in RECOVERY_FIELDS}
    trigger, steps = given.pop("trigger_pnl"), given.pop("max_steps")
    return RecoveryChoice(
        enabled=True,
        trigger_pnl=None if trigger is None else -abs(trigger),
        max_steps=None if steps is None else int(steps),
        style=None if worked == ExecutionStyle() else worked,
        **given,
    )


def reopen_choice(mode: Mode, numbers: Mapping[str, float | None], after: Iterable[ExitReason] | None) -> ReopenChoice:
    """Return the choice in the fields; no reasons chosen means those of the settings."""
    if mode is not Mode.ON:
        return ReopenChoice(enabled=mode.enabled)
    delay, cycles = typed(numbers.get("delay")), typed(numbers.get("max_cycles"))
    return ReopenChoice(
        enabled=True,
        after=frozenset(after) if after else None,
        delay=None if delay is None else timedelta(minutes=float(delay)),
        max_cycles=None if cycles is None else int(cycles),
        loss_budget=typed(numbers.get("loss_budget")),
    )


RECOVERY_FIELDS: Mapping[str, Callable[[], str]] = {
    "trigger_pnl": lambda: _("Adds while PnL is under, USDT"),
    "add_notional": lambda: _("Adds position value, USDT"),
    "tp_usdt": lambda: _("Then take-profit, USDT"),
    "sl_usdt": lambda: _("Then stop-loss, USDT"),
    "max_steps": lambda: _("Steps at most"),
    "max_loss": lambda: _("No step beyond a loss of, USDT"),
}
REOPEN_FIELDS: Mapping[str, Callable[[], str]] = {
    "delay": lambda: _("Waits, minutes"),
    "max_cycles": lambda: _("Cycles at most"),
    "loss_budget": lambda: _("Ends after losing, USDT"),
}


def shown(value: Any) -> float | None:
    """Return a rule's value as its field shows it; a delay in minutes."""
    if isinstance(value, timedelta):
        return value / timedelta(minutes=1)
    return None if value is None else float(value)


def placeholder(rule: Recovery | ReopenRule, name: str) -> str:
    """Return what an empty field stands for."""
    value = shown(getattr(rule, name))
    return _("no limit") if value is None else f"{value:g}"


def reason_words(reason: str) -> str:
    """Return how a cycle ended, in a word or two."""
    words: dict[str, str] = {
        ExitReason.TAKE_PROFIT: _("Take-profit"),
        ExitReason.STOP_LOSS: _("Stop-loss"),
        ExitReason.CLOSED_BY_US: _("Closed here"),
        ExitReason.CLOSED_BY_HAND: _("Closed by hand at the exchange"),
        ExitReason.LIQUIDATED: _("Liquidation"),
        ExitReason.DELEVERAGED: _("Deleveraging"),
        ExitReason.NOT_ENTERED: _("Never entered"),
        ExitReason.NOT_KNOWN: _("Not known"),
    }
    return words.get(reason, reason.replace("_", " "))


def recovery_words(rule: Recovery | None) -> str:
    """Return a recovery rule in one sentence."""
    if rule is None:
        return _("Recovery is off.")
    told = _(
        "While PnL is under {trigger} USDT, {add} USDT are added each {pause} s; then the whole aims at "
        "{tp} and stops at {sl} USDT.",
        trigger=signed(rule.trigger_pnl, 0),
        add=usdt(rule.add_notional, 0),
        pause=quantity(Decimal(rule.pause // timedelta(seconds=1))),
        tp=signed(rule.tp_usdt, 0),
        sl=signed(-rule.sl_usdt, 0),
    )
    told += " " + (_("No limit of steps.") if rule.max_steps is None else _("At most {n} steps.", n=rule.max_steps))
    if rule.style != ExecutionStyle():
        told += " " + _("A step is worked so: {style}.", style=execution_styles.words(rule.style))
    return told


def reopen_words(rule: ReopenRule | None) -> str:
    """Return a reopen rule in one sentence."""
    if rule is None:
        return _("It is not opened again.")
    after = ", ".join(reason_words(reason).lower() for reason in sorted(rule.after))
    told = _("{n} min after: {reasons}.", n=f"{shown(rule.delay):g}", reasons=after)
    if rule.max_cycles is not None:
        told += " " + _("At most {n} cycles.", n=rule.max_cycles)
    if rule.loss_budget is not None:
        told += " " + _("Not after a loss of {n} USDT.", n=usdt(rule.loss_budget, 0))
    return told


def recovery_line(part: PartSnapshot, tick: Decimal | None) -> str:
    """Return where a held part stands on its recovery ladder, in numbers; empty where it has none."""
    rule = part.recovery
    if rule is None or not part.held:
        return ""
    told = [counted("{n} step taken", "{n} steps taken", rule.steps)]
    if rule.max_steps is not None:
        told[0] += " " + _("of at most {n}", n=rule.max_steps)
    if rule.max_steps is not None and rule.steps >= rule.max_steps:
        return " · ".join(told)
    mark, due, gained = part.mark_price, rule.next_price, part.unrealised_pnl
    if due is not None and mark is not None and gained is not None:
        away = percent((due / mark - 1) * 100)
        left = max(gained - rule.trigger_pnl, Decimal(0))
        words = _("next at {p} ({away}, {left} USDT to go)", p=price(due, tick), away=away, left=usdt(left))
        told.append(words if left else _("the next is due at this price"))
    told.append(_("adds {n} USDT", n=usdt(rule.add_notional, 0)))
    return " · ".join(told)


def countdown(part: PartSnapshot, now: datetime) -> str:
    """Return what a waiting part waits for: 4:12, or that it is due."""
    due = part.reopen.due if part.reopen else None
    if due is None:
        return ""
    left = int((due - now).total_seconds())
    if left <= 0:
        return _("due now")
    return f"{left // 60}:{left % 60:02}"
