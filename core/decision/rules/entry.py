"""The rule *enter*: open what is wanted and not yet held: fix the size, check the limits, send the style's
next order.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.decision.entry_state import entered_by_entry, entry_over, entry_step, exit_begun, fully_entered
from core.decision.executions import entry_run
from core.decision.order_terms import attached_protection, market_price, reference_price
from core.decision.preconditions import precondition_failed
from core.decision.risk_control import ExecutionRiskControl
from core.decision.view import View, skip
from core.domain.account import Level
from core.domain.action import CancelOrder, Decision, ExecutionOver, PlaceOrder, Rule, StartCycle
from core.domain.money import NONE_HELD
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.reason import Reason
from core.execution.base import Place, Withdraw


def enter(part: Part, view: View) -> Iterator[Decision]:
    """Decide one part's entry. Nothing is sent while anything about the part is unknown."""
    intent, level = part.intent, view.desired.level
    if not intent.living or intent.wanted.closes or level is Level.FLATTEN:
        return
    withdrawn = _withdrawn(part, view) if part.entry_orders_working else None
    if withdrawn is not None:
        for order in part.entry_orders_working:
            if order.purpose is Purpose.ENTRY or level is Level.REDUCE_ONLY:
                yield Decision(part.name, Rule.ENTER, withdrawn, CancelOrder(part.name, order))
        return
    if exit_begun(part):
        yield from _ended_short(part, entry_over(part, view))
        return
    waits = view.risk_blocked(part)
    if waits is not None:
        yield skip(part, Rule.ENTER, Reason("order.waits_for_answer", order=waits.client_order_id))
        return
    if fully_entered(part):
        return
    over = entry_over(part, view)
    if over is not None:
        yield from _ended_short(part, over)
        return
    step = entry_step(part, view)
    if step is not None and not isinstance(step, Place):
        yield skip(part, Rule.ENTER, step.because)
        return
    allowed = level.may_enter or (intent.cycle > 1 and level.may_add)
    failed = precondition_failed(part, view, Purpose.ENTRY) if allowed else Reason("precondition.level", level=level)
    if failed is not None:
        yield skip(part, Rule.ENTER, Reason("entry.waits", why=failed))
        return
    if step is None:
        yield from _begin(part, view)
        return
    yield from _send(part, view, step)


def _withdrawn(part: Part, view: View) -> Reason | None:
    """Return why resting entry orders are cancelled; None where they stay. A cancel adds no risk and waits for no
    answer.
    """
    if view.desired.level is Level.REDUCE_ONLY:
        return Reason("entry.withdrawn_by_level")
    if exit_begun(part):
        return Reason("entry.withdrawn_for_exit")
    step = entry_step(part, view)
    return step.because if isinstance(step, Withdraw) else None


def _ended_short(part: Part, why: Reason | None) -> Iterator[Decision]:
    """End an entry that brought less than planned: from now on the part is what it brought."""
    intent, entered = part.intent, entered_by_entry(part)
    if why is not None and intent.contracts is not None and NONE_HELD < entered < intent.contracts:
        yield Decision(part.name, Rule.ENTER, why, ExecutionOver(part.name, intent.cycle, Purpose.ENTRY, entered))


def _begin(part: Part, view: View) -> Iterator[Decision]:
    """Fix the size of the cycle and send its first order."""
    intent, instrument = part.intent, part.instrument
    price = reference_price(part, view)
    contracts = instrument.contracts_for(intent.position_value, price)
    started = Part(intent.but(contracts=contracts, cycle_started_at=view.now), instrument, part.orders)
    step = entry_step(started, view)
    sent = tuple(_send(started, view, step)) if isinstance(step, Place) else ()
    if not any(one.verdict is not None and not one.verdict.passed for one in sent):  # refused, it has not begun
        start = StartCycle(part.name, intent.cycle, contracts, price)
        why = Reason("entry.begins", cycle=intent.cycle, value=intent.position_value, price=price, contracts=contracts)
        yield Decision(part.name, Rule.ENTER, why, start)
    yield from sent


def _send(part: Part, view: View, step: Place) -> Iterator[Decision]:
    intent, side = part.intent, part.side
    price = step.price or reference_price(part, view)
    verdict = ExecutionRiskControl(view.desired.limits).check(
        part,
        step.quantity,
        price,
        view,
        resting=step.price is not None,
        parent=intent.contracts,
        filled=part.entered,
    )
    if verdict.refusal is not None:
        yield Decision(part.name, Rule.ENTER, Reason("entry.refused", why=verdict.refusal), verdict=verdict)
        return
    client_id = view.next_id(part, Purpose.ENTRY, side.opening, step.kind, step.quantity)
    run = entry_run(part, view)
    action = PlaceOrder(
        part=part.name,
        cycle=intent.cycle,
        client_order_id=client_id,
        purpose=Purpose.ENTRY,
        symbol=intent.key.symbol,
        position_side=side,
        side=side.opening,
        kind=step.kind,
        quantity=step.quantity,
        price=step.price,
        attached=attached_protection(part, client_id, price) if view.seen.facts.attaches_protection else None,
        leverage=intent.leverage,
        reference=market_price(part, view),
        worked=run.worked if run is not None else None,
    )
    yield Decision(part.name, Rule.ENTER, step.because, action, verdict)
