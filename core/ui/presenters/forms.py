"""Converts form fields to domain values: targets, their units, and which field a problem belongs to.

Pure. A stop-loss is a loss whichever sign was typed; numbers leave a form as Decimal and never as float.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from core.domain.account import Environment as Environment
from core.domain.account import Exchange as Exchange
from core.domain.instrument import Side as Side
from core.domain.instrument import TriggerBy as TriggerBy
from core.domain.intent import ExecutionKind as ExecutionKind
from core.domain.intent import ExecutionStyle as ExecutionStyle
from core.domain.intent import RecoveryChoice, ReopenChoice, Target
from core.domain.intent import WhenRefused as WhenRefused
from core.domain.money import Price
from core.domain.reason import Reason
from core.domain.settings.field import Definition
from core.i18n.translate import _
from core.services.accounts.accounts import AccountForm as AccountForm
from core.services.accounts.paper_market import Deed as Deed
from core.services.trading.presets import preset as preset
from core.services.trading.presets import with_presets as with_presets
from core.services.trading.problem_fields import field_of
from core.services.trading.requests import Draft as Draft
from core.ui.presenters.format import places_of

MANUAL = "manual"


class SizeUnit(StrEnum):
    """The unit in which a take-profit or stop-loss is given."""

    USDT = "usdt"
    PRICE = "price"
    PERCENT = "percent"

    @property
    def label(self) -> str:
        return {SizeUnit.USDT: _("USDT"), SizeUnit.PRICE: _("Price"), SizeUnit.PERCENT: "%"}[self]


@dataclass(frozen=True, slots=True)
class FormContext:
    """The entry price and size that a target's three units are converted over."""

    side: Side
    entry: Decimal
    coins: Decimal  #: base asset held
    tick: Decimal


def typed(value: float | None) -> Decimal | None:
    """Return the number in a field, exactly as it was typed; None for an empty field."""
    return None if value is None else Decimal(str(value).removesuffix(".0"))


def target(value: float | None, unit: SizeUnit, trigger_by: TriggerBy, *, stop: bool) -> Target | None:
    """Return the target in a field; None when it is empty. A stop in USDT or percent is a loss with either sign."""
    amount = typed(value)
    if amount is None:
        return None
    if unit is SizeUnit.PRICE:
        return Target(price=Price(amount), trigger_by=trigger_by)
    signed = -abs(amount) if stop else amount
    if unit is SizeUnit.USDT:
        return Target(pnl_usdt=signed, trigger_by=trigger_by)
    return Target(percent=signed, trigger_by=trigger_by)


def given(target: Target | None) -> tuple[float | None, SizeUnit]:
    """Return a target as the fields show it: the number and its unit."""
    if target is None:
        return None, SizeUnit.USDT
    units = ((target.pnl_usdt, SizeUnit.USDT), (target.price, SizeUnit.PRICE), (target.percent, SizeUnit.PERCENT))
    return next((float(value), unit) for value, unit in units if value is not None)


def convert(
    value: float | None, old: SizeUnit, new: SizeUnit, ground: FormContext | None, *, stop: bool
) -> float | None:
    """Return the same target in another unit, rounded to how that unit is shown; None where it cannot be converted."""
    amount = typed(value)
    if amount is None or ground is None or not ground.entry or not ground.coins:
        return None
    if stop and old is not SizeUnit.PRICE:
        amount = -abs(amount)
    sign = ground.side.sign
    if old is SizeUnit.PRICE:
        move = sign * (amount - ground.entry)
    elif old is SizeUnit.USDT:
        move = amount / ground.coins
    else:
        move = ground.entry * amount / 100
    if new is SizeUnit.PRICE:
        level = ground.entry + sign * move
        favourable = ROUND_CEILING if ground.side is Side.LONG else ROUND_FLOOR  # as triggers are rounded
        return float((level / ground.tick).to_integral_value(favourable) * ground.tick)
    converted = move * ground.coins if new is SizeUnit.USDT else move / ground.entry * 100
    return float(round(converted, 2))


def number_format(unit: SizeUnit, tick: Decimal | None) -> str:
    """Return how a field of this unit shows its number."""
    return f"%.{places_of(tick)}f" if unit is SizeUnit.PRICE and tick else "%.2f"


def trigger_words(by: TriggerBy) -> str:
    return {TriggerBy.LAST: _("Last"), TriggerBy.MARK: _("Mark"), TriggerBy.INDEX: _("Index")}[by]


def setting(value: object, wanted: Definition) -> object:
    """Return a settings field's value in the setting's own type: a number exact, several words in order."""
    if wanted.several and isinstance(value, list | tuple):
        return tuple(sorted(value))
    if value is None or wanted.kind not in (int, Decimal):
        return value
    number = Decimal(str(value))
    return int(number) if wanted.kind is int and number == int(number) else number


#: fields of a draft -> fields of the form
FORM_FIELDS = {
    "position_value": "value",
    "contracts": "value",
    "leverage": "leverage",
    "limit_price": "price",
    "timeout": "timeout",
    "reprice": "reprice",
    "follow": "follow",
    "duration": "duration",
    "slices": "slices",
    "randomness": "randomness",
    "visible": "visible",
    "refresh": "refresh",
    "take_profit": "tp",
    "stop_loss": "sl",
    "contract": "symbol",
}


def problems_by_field(problems: Iterable[Reason]) -> dict[str, list[Reason]]:
    """Return each problem under the field that it is about; under "" where it is about none."""
    sorted_out: dict[str, list[Reason]] = {}
    for problem in problems:
        sorted_out.setdefault(FORM_FIELDS.get(field_of(problem), ""), []).append(problem)
    return sorted_out


@dataclass(frozen=True, slots=True)
class TradeForm:
    """The New Trade form as typed; empty fields are None."""

    account: str
    symbol: str
    side: Side
    value: float | None
    leverage: float | None
    tp: float | None
    tp_unit: SizeUnit
    sl: float | None
    sl_unit: SizeUnit
    trigger_by: TriggerBy
    entry: ExecutionStyle
    strategy: str = MANUAL
    recovery: RecoveryChoice = RecoveryChoice()
    reopen: ReopenChoice = ReopenChoice()
    when_refused: WhenRefused | None = None

    def draft(self) -> Draft:
        """Return the form as a draft. An empty amount is zero, which the preview then names as a problem."""
        return Draft(
            account=self.account,
            symbol=self.symbol,
            side=self.side,
            position_value=typed(self.value) or Decimal(0),
            leverage=typed(self.leverage) or Decimal(0),
            take_profit=target(self.tp, self.tp_unit, self.trigger_by, stop=False),
            stop_loss=target(self.sl, self.sl_unit, self.trigger_by, stop=True),
            entry=self.entry,
            strategy=self.strategy.strip() or MANUAL,
            when_refused=self.when_refused,
            recovery=self.recovery,
            reopen=self.reopen,
        )
