"""Checks of what may be chosen for one part: recovery, reopening, trigger prices, leverage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.domain.intent import Recovery, RecoveryChoice, ReopenChoice, ReopenRule, Target
from core.domain.reason import Reason
from core.domain.settings.trader import TraderSettings
from core.execution.limits import problems_of
from core.venues import profile_of


def choice_problems(recovery: RecoveryChoice, reopen: ReopenChoice) -> Iterator[Reason]:
    """Return what is wrong with the choices of one part, each with the range that the setting for all parts has."""
    for rule, choice in ((Recovery, recovery), (ReopenRule, reopen)):
        for attribute, key, _converter in TraderSettings.feeding[rule]:
            one, value = TraderSettings.definitions[key], _typed(getattr(choice, attribute, None))
            if value is not None and (problem := one.allowed.problem(one.own_name, value)):
                yield problem
    if recovery.style is not None:
        yield from (Reason("choice.recovery_style", problem=problem) for problem in problems_of(recovery.style))
        if recovery.style.price is not None:
            yield Reason("choice.recovery_price")


def trigger_problem(exchange: str, *targets: Target | None) -> Reason | None:
    """Return why a stop or target cannot wait for its price at the exchange; None where all is well."""
    allowed = profile_of(exchange).triggers
    wrong = next((one.trigger_by for one in targets if one is not None and one.trigger_by not in allowed), None)
    if wrong is None:
        return None
    return Reason("choice.trigger", value=wrong, allowed=Reason("allowed.any_of", all=tuple(allowed)))


def leverage_problem(exchange: str, leverage: Decimal) -> Reason | None:
    """Return why the exchange has no such leverage; None where all is well."""
    step = profile_of(exchange).leverage_step
    if not leverage.is_finite() or leverage % step == 0:
        return None
    allowed = Reason("allowed.multiple_here", step=step)
    return Reason("range.between_steps", field=Reason("field.leverage"), value=leverage, allowed=allowed)


def _typed(value: object) -> Decimal | int | None:
    """Return a value as it is typed: a length of time in minutes. None for all that is no number."""
    if isinstance(value, timedelta):
        return Decimal(value // timedelta(seconds=1)) / 60
    return value if isinstance(value, Decimal | int) else None
