"""Average a losing part down, one step at a time, and never without its stop.

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
from core.decision.view import View, seconds, skip, usdt
from core.domain.account import Level
from core.domain.action import CancelOrder, Decision, ExecutionOver, OutcomeKind, PlaceOrder, Rule, StartStep
from core.domain.intent import Adding, ExecutionKind, Recovery
from core.domain.money import NONE_HELD, Contracts, Price
from core.domain.order import OrderKind, Purpose
from core.domain.part import Part
from core.execution.base import Complete, Place, Withdraw


def recover(part: Part, view: View, *, guarding: bool) -> Iterator[Decision]:
    """One part's next step, if it is due. `guarding`: this very plan puts its protection right first."""
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
    if busy:
        yield skip(part, Rule.RECOVER, f"recovery step {step} waits: {busy}")
        return
    mark = view.seen.mark
    if mark is None:
        yield skip(part, Rule.RECOVER, f"recovery step {step} waits: no price")
        return
    pnl = part.unrealised_pnl(mark)
    if pnl >= rule.trigger_pnl:
        words = f"recovery step {step} waits: PnL {usdt(pnl)}, trigger {usdt(rule.trigger_pnl)}"
        yield skip(part, Rule.RECOVER, words)
        return
    held_back = _held_back(part, view, rule, guarding=guarding)
    if held_back:
        yield skip(part, Rule.RECOVER, f"recovery step {step} is due at PnL {usdt(pnl)} and waits: {held_back}")
        return
    because = f"recovery step {step}: PnL {usdt(pnl)} is under {usdt(rule.trigger_pnl)}"
    if rule.style.kind is ExecutionKind.MARKET:
        yield _step(part, view, rule, because)
    else:
        yield from _begin(part, view, rule, step, because)


def pause_ends_in(part: Part, view: View) -> timedelta:
    """How long the pause after the newest step still lasts; zero where there is none."""
    rule, last = part.intent.recovery, view.newest(part, Purpose.RECOVERY)
    if rule is None or last is None or last.outcome is OutcomeKind.LOST:
        return timedelta()
    return max(timedelta(), last.recorded_at + rule.pause - view.now)


def _busy(part: Part, view: View) -> str:
    """What else is going on with this part, or an empty string."""
    unknown = view.risk_blocked(part)
    if unknown is not None:
        return f"{unknown.client_order_id} has no answer yet"
    if part.entry_orders_working:
        return "an order that adds to it is filling"
    if part.intent.reduce_to is not None or part.closes_working:
        return "a close is under way"
    if view.filling(part):
        return "its protection has been set off"
    return ""


def _held_back(part: Part, view: View, rule: Recovery, *, guarding: bool) -> str:
    """Why a step that is due is not taken now, or an empty string."""
    taken, level, told = len(part.steps), view.desired.level, part.intent.told
    if told is not None and not told.finish and told.run.startswith(run_name(part.intent.cycle, Purpose.RECOVERY)):
        return "a step of this cycle was taken back by hand; to save the part's recovery settings allows them again"
    if not level.may_add:
        return f"the level is {level}"
    if rule.max_steps is not None and taken >= rule.max_steps:
        return f"{taken} of at most {rule.max_steps} steps are taken"
    lost = _lost_enough(part, view, rule)
    if lost:
        return lost
    if not taken and not fully_entered(part) and not entry_over(part, view):
        return "the entry is not complete"
    if guarding or not part.protected:
        return "its stop-loss is put right first"
    passed = _stop_passed(part, view)
    if passed:
        return passed
    rest = pause_ends_in(part, view)
    if rest:
        return f"the last step was {seconds(rule.pause - rest)} ago, {seconds(rule.pause)} lie between two"
    return precondition_failed(part, view, Purpose.RECOVERY)


def _lost_enough(part: Part, view: View, rule: Recovery) -> str:
    mark = view.seen.mark
    if rule.max_loss is None or mark is None or part.unrealised_pnl(mark) > -rule.max_loss:
        return ""
    return f"the loss has reached the limit of {rule.max_loss} USDT for recovery"


def _stop_passed(part: Part, view: View) -> str:
    """Words, where an order that carried the part's stop-loss would be refused for it."""
    stop, mark = part.stop_price(), view.seen.mark
    if stop is None or mark is None or (mark - stop) * part.side.sign > 0:
        return ""
    return f"its stop-loss belongs at {stop}, which is passed already"


def _step(part: Part, view: View, rule: Recovery, because: str) -> Decision:
    """The whole step in one order at market."""
    instrument, price = part.instrument, market_price(part, view)
    quantity = Contracts(min(instrument.contracts_for(rule.add_notional, price), instrument.max_market_quantity))
    if quantity < instrument.smallest_at(price):
        return skip(part, Rule.RECOVER, f"{because}, but {_too_small(part, rule, price)}")
    return _order(part, view, OrderKind.MARKET, quantity, None, len(part.steps) + 1, because)


def _too_small(part: Part, rule: Recovery, price: Price) -> str:
    least = part.instrument.notional(part.instrument.smallest_at(price), price)
    return f"{rule.add_notional} USDT is less than the smallest order of {least:,.2f} USDT"


def _begin(part: Part, view: View, rule: Recovery, step: int, because: str) -> Iterator[Decision]:
    """Fix the size of a step that is worked piece by piece, and send what its style wants first."""
    price = rule.style.price or market_price(part, view)
    contracts = part.instrument.contracts_for(rule.add_notional, price)
    if contracts < part.instrument.smallest_at(price):
        yield skip(part, Rule.RECOVER, f"{because}, but {_too_small(part, rule, price)}")
        return
    start = StartStep(part.name, part.intent.cycle, step, contracts)
    yield Decision(part.name, Rule.RECOVER, f"{because}: {contracts} contracts are added by {rule.style.kind}", start)
    adding = Adding(step, contracts, view.now)
    yield from _go_on(Part(part.intent.but(adding=adding), part.instrument, part.orders), view, guarding=False)


def _go_on(part: Part, view: View, *, guarding: bool) -> Iterator[Decision]:
    """The step under way: what its style wants now, or its end."""
    run, adding = recovery_run(part, view), part.intent.adding
    assert run is not None, "asked for only while a step is under way"
    assert adding is not None, "the run is made of it"
    given_up, unknown, step = _given_up(part, view), view.risk_blocked(part), run.step(view.now)
    if run.live and (given_up or isinstance(step, Withdraw)):  # adds no risk, and waits for no answer
        why = f"recovery step {adding.step} is given up: {given_up}" if given_up else step.because
        for order in run.live:
            yield Decision(part.name, Rule.RECOVER, why, CancelOrder(part.name, order))
    elif unknown is not None:
        yield skip(part, Rule.RECOVER, f"recovery step {adding.step} waits: {unknown.client_order_id} has no answer")
    elif given_up:
        yield from _over(part, run, f"recovery step {adding.step} is given up: {given_up}")
    elif isinstance(step, Complete):
        yield from _over(part, run, f"recovery step {adding.step}: {step.because}")
    elif not isinstance(step, Place):
        yield skip(part, Rule.RECOVER, f"recovery step {adding.step}: {step.because}")
    else:
        level = view.desired.level
        held_back = "" if level.may_add else f"the level is {level}"
        if guarding or not part.protected:
            held_back = held_back or "its stop-loss is put right first"
        held_back = held_back or _stop_passed(part, view) or precondition_failed(part, view, Purpose.RECOVERY)
        if held_back:
            yield skip(part, Rule.RECOVER, f"recovery step {adding.step} goes on later: {held_back}")
            return
        words = f"recovery step {adding.step}: {step.because}"
        yield _order(part, view, step.kind, step.quantity, step.price, adding.step, words, run)


def _given_up(part: Part, view: View) -> str:
    """Why a step under way ends here, or an empty string."""
    intent, level = part.intent, view.desired.level
    closes = intent.wanted.closes or level is Level.FLATTEN or intent.reduce_to is not None
    if closes or part.closes_working or view.filling(part):
        return "it is being closed"
    if intent.recovery is None:
        return "recovery is switched off"
    lost = _lost_enough(part, view, intent.recovery)
    if lost:
        return lost
    return "reduce only" if level is Level.REDUCE_ONLY else ""


def _over(part: Part, run: Run, because: str) -> Iterator[Decision]:
    over = ExecutionOver(part.name, part.intent.cycle, Purpose.RECOVERY, run.progress.filled)
    yield Decision(part.name, Rule.RECOVER, because, over)


def _order(
    part: Part,
    view: View,
    kind: OrderKind,
    quantity: Contracts,
    price: Price | None,
    step: int,
    because: str,
    run: Run | None = None,
) -> Decision:
    """One order of a step, if the limits let it; `run`: a step in pieces, of which this is one."""
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
    if not verdict.passed:
        words = f"{because}, but the limits refuse it: {verdict.words}"
        return Decision(part.name, Rule.RECOVER, words, verdict=verdict)
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
    words = because if run is not None else f"{because}: adds {quantity} contracts"
    return Decision(part.name, Rule.RECOVER, words, action, verdict)
