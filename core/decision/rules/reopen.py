"""Open an ended part again in the same record: after a delay, without end, and never on a doubtful reading.

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


def reopen(part: Part, view: View) -> Iterator[Decision]:
    """One ended part's next cycle, if there is to be one and its time has come."""
    intent = part.intent
    if intent.living or intent.wanted is Wanted.CLOSED:
        return
    never = _never(intent)
    if never:
        yield Decision(part.name, Rule.REOPEN, f"not opened again: {never}", LetGo(part.name, intent.cycle))
        return
    due = reopen_due(intent)
    if due is None:
        return
    if view.now < due:
        yield skip(part, Rule.REOPEN, f"opens again in {_countdown(due - view.now)} ({_after(intent)})")
        return
    held_back = _held_back(part, view)
    if held_back:
        yield skip(part, Rule.REOPEN, f"due to open again and waits: {held_back}")
        return
    price = reference_price(part, view)
    contracts = part.instrument.contracts_for(intent.position_value, price)
    smallest = part.instrument.smallest_at(price)
    if contracts < smallest:
        words = f"{intent.position_value} USDT is less than the smallest order of {smallest} contracts"
        yield skip(part, Rule.REOPEN, f"due to open again, but the limits refuse it: {words}")
        return
    control = ExecutionRiskControl(view.desired.limits)
    verdict = control.check(_afresh(part, contracts), contracts, price, view, resting=intent.entry.price is not None)
    if not verdict.passed:
        words = f"due to open again, but the limits refuse it: {verdict.words}"
        yield Decision(part.name, Rule.REOPEN, words, verdict=verdict)
        return
    start = StartCycle(part.name, intent.cycle + 1, contracts, price)
    words = f"cycle {start.cycle} begins ({_after(intent)}): {intent.position_value} USDT at {price}"
    yield Decision(part.name, Rule.REOPEN, f"{words} is {contracts} contracts", start)


def _afresh(part: Part, contracts: Contracts) -> Part:
    """The part as its next cycle begins: nothing of the last one is left."""
    intent = part.intent.but(contracts=contracts, external_exits=(), external_entries=(), edit=None)
    return Part(intent, part.instrument, ())


def reopen_due(intent: Intent) -> datetime | None:
    """When an ended part is opened again; None where it is not."""
    if intent.living or intent.cycle_ended_at is None or intent.wanted is Wanted.CLOSED or _never(intent):
        return None
    if intent.reopen_at is not None:
        return intent.reopen_at
    rule = intent.reopen or ReopenRule()
    wait = rule.retry if intent.exit_reason is ExitReason.NOT_ENTERED else rule.delay
    return intent.cycle_ended_at + wait


def _never(intent: Intent) -> str:
    """Why no cycle follows, or an empty string. What the trader asked for by name is not asked about."""
    rule, reason = intent.reopen, intent.exit_reason
    if intent.wanted is Wanted.RENEWED or intent.reopen_at is not None:
        return ""
    if rule is None:
        return "reopening is off for it"
    if reason is ExitReason.NOT_ENTERED:
        return "" if intent.cycle > 1 else "it was never entered"
    if reason not in rule.after:
        return f"it ended by {str(reason).replace('_', ' ')}, which is not reopened"
    if rule.max_cycles is not None and intent.cycle >= rule.max_cycles:
        return f"all of its {rule.max_cycles} cycles are done"
    if rule.loss_budget is not None and intent.earned <= -rule.loss_budget:
        return f"its cycles have lost {-intent.earned:,.2f} of at most {rule.loss_budget:,.2f} USDT"
    return ""


def _held_back(part: Part, view: View) -> str:
    seen, level = view.seen, view.desired.level
    if not level.may_add:
        return f"the level is {level}"
    unknown = view.unresolved(part)
    if unknown is not None:
        return f"{unknown.client_order_id} has no answer yet"
    if not seen.confirmed or not seen.settled:
        return "a second look that agrees"
    return precondition_failed(part, view, Purpose.ENTRY)


def _after(intent: Intent) -> str:
    if intent.reopen_at is not None:
        return "as asked"
    return f"after {str(intent.exit_reason).replace('_', ' ')}"


def _countdown(left: timedelta) -> str:
    minutes, seconds = divmod(int(left.total_seconds()) + (left.microseconds > 0), 60)
    return f"{minutes}:{seconds:02}"
