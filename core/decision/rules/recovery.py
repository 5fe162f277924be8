"""The rule *recover*: average a losing part down, one step at a time, and never without its stop.

A step is one order at market, or is worked piece by piece in the style that was chosen. TP and SL travel with each
order, so that the new contracts are guarded from the first fill; afterwards `protect` moves the part's pair to the
new average.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from core.decision.entry_state import entry_over, fully_entered
from core.decision.executions import Run, numbers_from, recovery_run, run_name, single_market_order
from core.decision.order_terms import attached_protection, market_price
from core.decision.preconditions import precondition_failed
from core.decision.risk_control import ExecutionRiskControl
from core.decision.view import View, skip
from core.domain.account import Level
from core.domain.action import CancelOrder, Decision, ExecutionOver, OutcomeKind, PlaceOrder, Rule, StartStep
from core.domain.intent import Adding, ExecutionKind, Recovery
from core.domain.money import NONE_HELD, Contracts, Price
from core.domain.order import OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason
from core.execution.base import Complete, Place, Withdraw


def recover(part: Part, view: View, *, guarding: bool) -> Iterator[Decision]:
    """Decide one part's next step, if it is due. `guarding`: this very plan puts its protection right first."""
    intent, rule = part.intent, part.intent.recovery
    if not intent.living or part.size == NONE_HELD:
        return
    if intent.adding is not None:
        yield from _go_on(part, view, guarding=guarding)
        return
    if rule is None or intent.wanted.closes or view.desired.level is Level.FLATTEN:
        return
    step = len(part.steps) + 1
    busy = _busy(part, view)
    if busy is not None:
        yield skip(part, Rule.RECOVER, Reason("recovery.waits", step=step, why=busy))
        return
    mark = view.seen.mark
    if mark is None:
        yield skip(part, Rule.RECOVER, Reason("recovery.waits", step=step, why=Reason("recovery.no_price")))
        return
    pnl = part.unrealised_pnl(mark)
    if pnl >= rule.trigger_pnl:
        why = Reason("recovery.waits_for_trigger", step=step, pnl=pnl, trigger=rule.trigger_pnl)
        yield skip(part, Rule.RECOVER, why)
        return
    held_back = _held_back(part, view, rule, guarding=guarding)
    if held_back is not None:
        yield skip(part, Rule.RECOVER, Reason("recovery.held_back", step=step, pnl=pnl, why=held_back))
        return
    because = Reason("recovery.due", step=step, pnl=pnl, trigger=rule.trigger_pnl)
    if rule.style.kind is ExecutionKind.MARKET:
        yield _step(part, view, rule, because)
    else:
        yield from _begin(part, view, rule, step, because)


def pause_ends_in(part: Part, view: View) -> timedelta:
    """Return how long the pause after the newest step still lasts; zero where there is none."""
    rule, last = part.intent.recovery, view.newest(part, Purpose.RECOVERY)
    if rule is None or last is None or last.outcome is OutcomeKind.LOST:
        return timedelta()
    return max(timedelta(), last.recorded_at + rule.pause - view.now)


def _busy(part: Part, view: View) -> Reason | None:
    """Return what else is going on with this part; None where nothing is."""
    unknown = view.risk_blocked(part)
    if unknown is not None:
        return Reason("order.no_answer", order=unknown.client_order_id)
    if part.entry_orders_working:
        return Reason("recovery.entry_filling")
    if part.intent.reduce_to is not None or part.closes_working:
        return Reason("recovery.close_under_way")
    if view.filling(part):
        return Reason("recovery.protection_set_off")
    return None


def _held_back(part: Part, view: View, rule: Recovery, *, guarding: bool) -> Reason | None:
    """Return why a step that is due is not taken now; None where it is."""
    taken, level, told = len(part.steps), view.desired.level, part.intent.told
    if told is not None and not told.finish and told.run.startswith(run_name(part.intent.cycle, Purpose.RECOVERY)):
        return Reason("recovery.taken_back")
    if not level.may_add:
        return Reason("precondition.level", level=level)
    if rule.max_steps is not None and taken >= rule.max_steps:
        return Reason("recovery.steps_taken", taken=taken, most=rule.max_steps)
    lost = _lost_enough(part, view, rule)
    if lost is not None:
        return lost
    if not taken and not fully_entered(part) and not entry_over(part, view):
        return Reason("recovery.entry_incomplete")
    if guarding or not part.protected:
        return Reason("precondition.stop_first")
    passed = _stop_passed(part, view)
    if passed is not None:
        return passed
    rest = pause_ends_in(part, view)
    if rest:
        return Reason("recovery.pause", ago=rule.pause - rest, pause=rule.pause)
    return precondition_failed(part, view, Purpose.RECOVERY)


def _lost_enough(part: Part, view: View, rule: Recovery) -> Reason | None:
    mark = view.seen.mark
    if rule.max_loss is None or mark is None or part.unrealised_pnl(mark) > -rule.max_loss:
        return None
    return Reason("recovery.loss_limit", limit=rule.max_loss)


def _stop_passed(part: Part, view: View) -> Reason | None:
    """Return why no step can be taken, where an order that carried the part's stop-loss would be refused for it."""
    stop, mark = part.stop_price(), view.seen.mark
    if stop is None or mark is None or (mark - stop) * part.side.sign > 0:
        return None
    return Reason("recovery.stop_passed", level=stop)


def _step(part: Part, view: View, rule: Recovery, because: Reason) -> Decision:
    """Decide the whole step as one order at market."""
    instrument, price = part.instrument, market_price(part, view)
    quantity = Contracts(min(instrument.contracts_for(rule.add_notional, price), instrument.max_market_quantity))
    if quantity < instrument.smallest_at(price):
        return skip(part, Rule.RECOVER, _too_small(part, rule, price, because))
    return _order(part, view, OrderKind.MARKET, quantity, None, len(part.steps) + 1, because)


def _too_small(part: Part, rule: Recovery, price: Price, because: Reason) -> Reason:
    least = part.instrument.notional(part.instrument.smallest_at(price), price)
    return Reason("recovery.too_small", because=because, value=rule.add_notional, least=least)


def _begin(part: Part, view: View, rule: Recovery, step: int, because: Reason) -> Iterator[Decision]:
    """Fix the size of a step that is worked in several orders, and send what its style wants first."""
    price = rule.style.price or market_price(part, view)
    contracts = part.instrument.contracts_for(rule.add_notional, price)
    if contracts < part.instrument.smallest_at(price):
        yield skip(part, Rule.RECOVER, _too_small(part, rule, price, because))
        return
    start = StartStep(part.name, part.intent.cycle, step, contracts)
    begins = Reason("recovery.begins", because=because, contracts=contracts, style=rule.style.kind)
    yield Decision(part.name, Rule.RECOVER, begins, start)
    adding = Adding(step, contracts, view.now)
    yield from _go_on(Part(part.intent.but(adding=adding), part.instrument, part.orders), view, guarding=False)


def _go_on(part: Part, view: View, *, guarding: bool) -> Iterator[Decision]:
    """Continue the step under way: what its style wants now, or its end."""
    run, adding = recovery_run(part, view), part.intent.adding
    assert run is not None, "asked for only while a step is under way"
    assert adding is not None, "the run is made of it"
    ends, unknown, step = _given_up(part, view), view.risk_blocked(part), run.step(view.now)
    given_up = None if ends is None else Reason("recovery.given_up", step=adding.step, why=ends)
    if run.live and (given_up is not None or isinstance(step, Withdraw)):  # adds no risk, and waits for no answer
        why = given_up or step.because
        for order in run.live:
            yield Decision(part.name, Rule.RECOVER, why, CancelOrder(part.name, order))
    elif unknown is not None:
        yield skip(part, Rule.RECOVER, Reason("recovery.no_answer", step=adding.step, order=unknown.client_order_id))
    elif given_up is not None:
        yield from _over(part, run, given_up)
    elif isinstance(step, Complete):
        yield from _over(part, run, Reason("recovery.step", step=adding.step, what=step.because))
    elif not isinstance(step, Place):
        yield skip(part, Rule.RECOVER, Reason("recovery.step", step=adding.step, what=step.because))
    else:
        level = view.desired.level
        held_back = None if level.may_add else Reason("precondition.level", level=level)
        if guarding or not part.protected:
            held_back = held_back or Reason("precondition.stop_first")
        held_back = held_back or _stop_passed(part, view) or precondition_failed(part, view, Purpose.RECOVERY)
        if held_back is not None:
            yield skip(part, Rule.RECOVER, Reason("recovery.goes_on_later", step=adding.step, why=held_back))
            return
        what = Reason("recovery.step", step=adding.step, what=step.because)
        yield _order(part, view, step.kind, step.quantity, step.price, adding.step, what, run)


def _given_up(part: Part, view: View) -> Reason | None:
    """Return why a step under way ends here; None where it goes on."""
    intent, level = part.intent, view.desired.level
    closes = intent.wanted.closes or level is Level.FLATTEN or intent.reduce_to is not None
    if closes or part.closes_working or view.filling(part):
        return Reason("recovery.closed")
    if intent.recovery is None:
        return Reason("recovery.switched_off")
    lost = _lost_enough(part, view, intent.recovery)
    if lost is not None:
        return lost
    return Reason("level.reduce_only") if level is Level.REDUCE_ONLY else None


def _over(part: Part, run: Run, because: Reason) -> Iterator[Decision]:
    over = ExecutionOver(part.name, part.intent.cycle, Purpose.RECOVERY, run.progress.filled)
    yield Decision(part.name, Rule.RECOVER, because, over)


def _order(
    part: Part,
    view: View,
    kind: OrderKind,
    quantity: Contracts,
    price: Price | None,
    step: int,
    because: Reason,
    run: Run | None = None,
) -> Decision:
    """Decide one order of a step, if the limits let it; `run`: the step in several orders, of which this is one."""
    side, reference = part.side, market_price(part, view)
    verdict = ExecutionRiskControl(view.desired.limits).check(
        part,
        quantity,
        price or reference,
        view,
        purpose=Purpose.RECOVERY,
        resting=price is not None,
        parent=run.progress.planned if run is not None else None,
        filled=run.progress.filled if run is not None else NONE_HELD,
    )
    if verdict.refusal is not None:
        refused = Reason("recovery.refused", because=because, why=verdict.refusal)
        return Decision(part.name, Rule.RECOVER, refused, verdict=verdict)
    above = numbers_from(part, view, step, pieces=run is not None)
    client_id = view.next_id(part, Purpose.RECOVERY, side.opening, kind, quantity, above)
    action = PlaceOrder(
        part=part.name,
        cycle=part.intent.cycle,
        client_order_id=client_id,
        purpose=Purpose.RECOVERY,
        symbol=part.intent.key.symbol,
        position_side=side,
        side=side.opening,
        kind=kind,
        quantity=quantity,
        price=price,
        attached=attached_protection(part, client_id, price) if view.seen.facts.attaches_protection else None,
        leverage=part.intent.leverage,
        reference=reference,
        worked=run.worked if run is not None else single_market_order(part, Purpose.RECOVERY, quantity, step),
    )
    why = because if run is not None else Reason("recovery.adds", because=because, quantity=quantity)
    return Decision(part.name, Rule.RECOVER, why, action, verdict)
