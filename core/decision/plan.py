"""Decides everything about one position in one pure function: `plan(desired, seen, now)`.

Rules run over all parts of a position in a fixed order; what is open is guarded before more is opened. Each
rule gives a reason for what it does and for what it leaves. Same inputs, same plan, same order ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.decision.entry_state import fully_entered
from core.decision.executions import runs
from core.decision.rules.closing import close
from core.decision.rules.derisk import derisk
from core.decision.rules.differences import outdated
from core.decision.rules.entry import enter
from core.decision.rules.finish import finish
from core.decision.rules.oco import OCOManager
from core.decision.rules.recovery import pause_ends_in, recover
from core.decision.rules.reopen import reopen, reopen_due
from core.decision.rules.sweep import sweep
from core.decision.rules.totals import totals
from core.decision.view import View, skip
from core.domain.action import CancelOrder, Decision, PlaceOrder, Plan, RaiseAlarm, Rule
from core.domain.intent import Desired, ReopenRule
from core.domain.observation import Seen
from core.domain.order import Purpose
from core.domain.reason import Reason
from core.execution.base import Wait

AGAIN_AFTER_ACTING = timedelta(milliseconds=250)  #: a short look at what an action has changed
AGAIN_WHILE_UNKNOWN = timedelta(seconds=1)
AGAIN_TO_CONFIRM = timedelta(milliseconds=400)
AGAIN_WHILE_OPENING = timedelta(seconds=2)


def plan(desired: Desired, seen: Seen, now: datetime) -> Plan:
    """Return what to do now about one position, with the reason for each thing done and not done."""
    return decide(View.of(desired, seen, now))


def decide(view: View) -> Plan:
    """Return the plan for a view, in which desired and seen are folded together already."""
    decisions = tuple(_each_once(_decide(view)))
    return Plan(decisions, _look_again(view, decisions))


def _decide(view: View) -> Iterator[Decision]:
    yield from _resolve(view)
    for part in view.parts:
        yield from finish(part, view)
    closed_by_protection, guarding = set(), set()
    for part in view.parts:
        for decision in OCOManager(part, view).decide():
            yield decision
            if isinstance(decision.action, PlaceOrder):
                closed_by_protection.add(part.name)
            if decision.action is not None and not isinstance(decision.action, RaiseAlarm):
                guarding.add(part.name)
    for part in view.parts:
        if part.name not in closed_by_protection:
            yield from close(part, view)
    for part in view.living:
        yield from derisk(part, view)
    for part in view.parts:
        yield from enter(part, view)
    for part in view.living:
        yield from recover(part, view, guarding=part.name in guarding)
    for part in view.parts:
        yield from reopen(part, view)
    yield from sweep(view)
    yield from totals(view)
    yield from outdated(view)


def _each_once(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Drop repeated cancels: where two rules want the same order away, the first of them cancels it."""
    gone: set[tuple[str, str]] = set()
    for decision in decisions:
        if isinstance(decision.action, CancelOrder):
            order = decision.action.order
            name = order.client_order_id, order.exchange_order_id
            if name in gone:
                continue
            gone.add(name)
        yield decision


def _resolve(view: View) -> Iterator[Decision]:
    """Yield a line for each command without a known outcome; the other rules hold back for it."""
    for part in view.parts:
        for command in view.unanswered(part):
            since = view.now - command.recorded_at
            yield skip(part, Rule.RESOLVE, Reason("order.asked_for", order=command.client_order_id, since=since))


def _look_again(view: View, decisions: tuple[Decision, ...]) -> timedelta | None:
    """Return when this position is to be looked at next without being woken; None: only when something happens."""
    wishes: list[timedelta] = []
    if any(decision.action is not None and not isinstance(decision.action, RaiseAlarm) for decision in decisions):
        wishes.append(AGAIN_AFTER_ACTING)
    if any(view.unresolved(part) for part in view.parts) or not view.seen.settled:
        wishes.append(AGAIN_WHILE_UNKNOWN)
    if not view.seen.confirmed:
        wishes.append(AGAIN_TO_CONFIRM)
    if view.residual < 0:
        wishes.append(AGAIN_WHILE_UNKNOWN)
    for part in view.living:
        if part.size != 0 and not part.protected:
            wishes.append(AGAIN_WHILE_UNKNOWN)
        if part.intent.contracts is None or part.intent.wanted.closes:
            wishes.append(AGAIN_WHILE_OPENING)
        for run in runs(part, view):
            if run.purpose is Purpose.ENTRY and fully_entered(part):
                continue
            step = run.step(view.now)
            if isinstance(step, Wait):
                wishes.append(AGAIN_WHILE_OPENING if step.until is None else max(step.until - view.now, timedelta()))
        rest = pause_ends_in(part, view)
        if rest:
            wishes.append(rest)
    for part in view.parts:
        due = reopen_due(part.intent)
        if due is not None:
            left = due - view.now
            wishes.append(left if left > timedelta() else (part.intent.reopen or ReopenRule()).retry)
    return min(wishes, default=None)
