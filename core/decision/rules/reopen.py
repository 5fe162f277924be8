"""The rule *reopen*: open an ended part again in the same record, after a delay, and never on a doubtful reading.

The time a cycle ended is in the book, so a restart loses nothing; a reopen that cannot be stays due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.decision.order_terms import reference_price
from core.decision.preconditions import precondition_failed
from core.decision.risk_control import ExecutionRiskControl
from core.decision.view import View, skip
from core.domain.action import Decision, LetGo, Rule, StartCycle
from core.domain.intent import ExitReason, Intent, ReopenRule, Wanted
from core.domain.money import Contracts
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.reason import Reason


def reopen(part: Part, view: View) -> Iterator[Decision]:
    """Decide one ended part's next cycle, if there is to be one and its time has come."""
    intent = part.intent
    if intent.living or intent.wanted is Wanted.CLOSED:
        return
    never = _never(intent)
    if never is not None:
        yield Decision(part.name, Rule.REOPEN, Reason("reopen.never", why=never), LetGo(part.name, intent.cycle))
        return
    due = reopen_due(intent)
    if due is None:
        return
    if view.now < due:
        left = _whole_seconds(due - view.now)
        yield skip(part, Rule.REOPEN, Reason("reopen.counts_down", left=left, after=_after(intent)))
        return
    held_back = _held_back(part, view)
    if held_back is not None:
        yield skip(part, Rule.REOPEN, Reason("reopen.waits", why=held_back))
        return
    price = reference_price(part, view)
    contracts = part.instrument.contracts_for(intent.position_value, price)
    smallest = part.instrument.smallest_at(price)
    if contracts < smallest:
        why = Reason("entry.too_small", value=intent.position_value, smallest=smallest)
        yield skip(part, Rule.REOPEN, Reason("reopen.refused", why=why))
        return
    control = ExecutionRiskControl(view.desired.limits)
    verdict = control.check(_afresh(part, contracts), contracts, price, view, resting=intent.entry.price is not None)
    if verdict.refusal is not None:
        yield Decision(part.name, Rule.REOPEN, Reason("reopen.refused", why=verdict.refusal), verdict=verdict)
        return
    start = StartCycle(part.name, intent.cycle + 1, contracts, price)
    begins = Reason(
        "reopen.begins",
        cycle=start.cycle,
        after=_after(intent),
        value=intent.position_value,
        price=price,
        contracts=contracts,
    )
    yield Decision(part.name, Rule.REOPEN, begins, start)


def _afresh(part: Part, contracts: Contracts) -> Part:
    """Return the part as its next cycle begins: nothing of the last one is left."""
    intent = part.intent.but(contracts=contracts, external_exits=(), external_entries=(), edit=None)
    return Part(intent, part.instrument, ())


def reopen_due(intent: Intent) -> datetime | None:
    """Return when an ended part is opened again; None where it is not."""
    if intent.living or intent.cycle_ended_at is None or intent.wanted is Wanted.CLOSED or _never(intent):
        return None
    if intent.reopen_at is not None:
        return intent.reopen_at
    rule = intent.reopen or ReopenRule()
    wait = rule.retry if intent.exit_reason is ExitReason.NOT_ENTERED else rule.delay
    return intent.cycle_ended_at + wait


def _never(intent: Intent) -> Reason | None:
    """Return why no cycle follows; None where one does. What the trader asked for by name is not checked."""
    rule, reason = intent.reopen, intent.exit_reason
    if intent.wanted is Wanted.RENEWED or intent.reopen_at is not None:
        return None
    if rule is None:
        return Reason("reopen.off")
    if reason is ExitReason.NOT_ENTERED:
        return None if intent.cycle > 1 else Reason("reopen.never_entered")
    if reason not in rule.after:
        return Reason("reopen.not_after", reason=reason)
    if rule.max_cycles is not None and intent.cycle >= rule.max_cycles:
        return Reason("reopen.cycles_done", cycles=rule.max_cycles)
    if rule.loss_budget is not None and intent.earned <= -rule.loss_budget:
        return Reason("reopen.budget_lost", lost=-intent.earned, budget=rule.loss_budget)
    return None


def _held_back(part: Part, view: View) -> Reason | None:
    """Return why a reopen that is due waits; None where it does not."""
    seen, level = view.seen, view.desired.level
    if not level.may_add:
        return Reason("precondition.level", level=level)
    unknown = view.unresolved(part)
    if unknown is not None:
        return Reason("order.no_answer", order=unknown.client_order_id)
    if not seen.confirmed or not seen.settled:
        return Reason("precondition.second_look")
    return precondition_failed(part, view, Purpose.ENTRY)


def _after(intent: Intent) -> Reason:
    if intent.reopen_at is not None:
        return Reason("reopen.as_asked")
    return Reason("reopen.after", reason=intent.exit_reason)


def _whole_seconds(left: timedelta) -> timedelta:
    """Return a time rounded up to whole seconds, so that a countdown ends with 0:01."""
    return timedelta(seconds=int(left.total_seconds()) + (left.microseconds > 0))
