"""Open what is wanted and not yet held: fix the size, check that it may be, send the style's next order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.decision.executions import entry_run
from core.decision.risk_control import ExecutionRiskControl
from core.decision.rules.differences import waits_for_an_answer
from core.decision.view import FRESH, View, skip
from core.domain.account import Level
from core.domain.action import (
    Attached,
    CancelOrder,
    Decision,
    ExecutionOver,
    OutcomeKind,
    PlaceOrder,
    Rule,
    StartCycle,
)
from core.domain.ids import net_of
from core.domain.instrument import TriggerBy
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, total
from core.domain.order import Purpose
from core.domain.part import Part
from core.execution.base import Complete, Place, Step, Withdraw

LOST_PAUSE = timedelta(seconds=1)


def entry_step(part: Part, view: View) -> Step | None:
    """What the part's execution style wants right now; None before its cycle has a size."""
    run = entry_run(part, view)
    return run.step(view.now) if run is not None else None


def enter(part: Part, view: View) -> Iterator[Decision]:
    """One part's entry. Nothing is sent while anything about the part is unknown."""
    intent, level = part.intent, view.desired.level
    if not intent.living or intent.wanted.closes or level is Level.FLATTEN:
        return
    withdrawn = _withdrawn(part, view) if part.entry_orders_working else ""
    if withdrawn:
        for order in part.entry_orders_working:
            if order.purpose is Purpose.ENTRY or level is Level.REDUCE_ONLY:
                yield Decision(part.name, Rule.ENTER, withdrawn, CancelOrder(part.name, order))
        return
    if _leaving(part):
        yield from _ended_short(part, entry_is_over(part, view))
        return
    waits = view.risk_blocked(part)
    if waits is not None:
        yield skip(part, Rule.ENTER, f"waits for the answer to {waits.client_order_id}")
        return
    if has_all(part):
        return
    over = entry_is_over(part, view)
    if over:
        yield from _ended_short(part, over)
        return
    step = entry_step(part, view)
    if step is not None and not isinstance(step, Place):
        yield skip(part, Rule.ENTER, step.because)
        return
    allowed = level.may_enter or (intent.cycle > 1 and level.may_add)
    hindered = hindrance(part, view, Purpose.ENTRY) if allowed else f"the level is {level}"
    if hindered:
        yield skip(part, Rule.ENTER, f"waits: {hindered}")
        return
    if step is None:
        yield from _begin(part, view)
        return
    yield from _send(part, view, step)


def _withdrawn(part: Part, view: View) -> str:
    """Why entry orders that rest go, or an empty string. To take one away adds no risk and waits for no answer."""
    if view.desired.level is Level.REDUCE_ONLY:
        return "withdrawn: the level is reduce only"
    if _leaving(part):
        return "withdrawn: an exit has begun"
    step = entry_step(part, view)
    return step.because if isinstance(step, Withdraw) else ""


def _leaving(part: Part) -> bool:
    """Some of it was closed, or is to be: nothing more is entered in this cycle."""
    return bool(part.exited) or (part.entered > NONE_HELD and part.intent.reduce_to is not None)


def _ended_short(part: Part, words: str) -> Iterator[Decision]:
    """An entry that brought less than planned: from now on the part is what it brought."""
    intent, entered = part.intent, _brought(part)
    if words and intent.contracts is not None and NONE_HELD < entered < intent.contracts:
        yield Decision(part.name, Rule.ENTER, words, ExecutionOver(part.name, intent.cycle, Purpose.ENTRY, entered))


def hindrance(part: Part, view: View, purpose: Purpose) -> str:
    """Why nothing may be opened or enlarged now, whatever the level; or an empty string."""
    seen = view.seen
    if not seen.healthy:
        return "the exchange is not healthy"
    if seen.other_side:
        return f"{seen.other_side}; both sides at once need long/short mode (hedge mode) at the exchange"
    if not seen.instrument.tradable:
        return f"{seen.instrument.symbol} cannot be traded now"
    if view.orphans:
        stuck = [order.client_order_id for order in view.orphans if view.is_stuck(order)]
        if stuck:
            return f"{stuck[0]} was set off, never carried out and could still be: it has to go at the exchange first"
        return f"{len(view.orphans)} older orders of ours are being removed first"
    doubly_guarded = view.doubly_guarded
    if doubly_guarded is not None and doubly_guarded.name != part.name:
        return f"{doubly_guarded.name} has two protections for a moment; the older goes first"
    if seen.ticker is None or view.now - seen.ticker.at > FRESH:
        return "no fresh price"
    if view.residual < ZERO or not seen.settled:
        return "the position is smaller than our parts; finding out why"
    unasked = waits_for_an_answer(view)
    if unasked:
        return unasked
    lost = view.newest(part, purpose)
    if lost is not None and lost.outcome is OutcomeKind.LOST and view.now - lost.recorded_at < LOST_PAUSE:
        return "the last request never arrived; a short pause before it is sent again"
    return ""


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
        words = f"cycle {intent.cycle}: {intent.position_value} USDT at {price} is {contracts} contracts"
        yield Decision(part.name, Rule.ENTER, words, start)
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
    if not verdict.passed:
        yield Decision(part.name, Rule.ENTER, f"refused by the limits: {verdict.words}", verdict=verdict)
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
        attached=safety_net(part, client_id, price) if view.seen.facts.attaches_protection else None,
        leverage=intent.leverage,
        reference=market_price(part, view),
        worked=run.worked if run is not None else None,
    )
    yield Decision(part.name, Rule.ENTER, step.because, action, verdict)


def safety_net(part: Part, entry_id: str, price: Price | None = None) -> Attached | None:
    """TP and SL at the price we expect (None: where they are now); `protect` puts them right after the fill."""
    stop, target, net_id = part.stop_price(price), part.take_profit_price(price), net_of(entry_id)
    if net_id is None or (stop is None and target is None):
        return None
    return Attached(net_id, target, stop, trigger_by(part))


def trigger_by(part: Part) -> TriggerBy:
    """The price that sets off this part's protection; the stop's choice where the two differ."""
    target, stop = part.targets
    wanted = stop or target
    return wanted.trigger_by if wanted else TriggerBy.MARK


def reference_price(part: Part, view: View) -> Price:
    """The price an entry is sized by: the limit price, else the side of the book it will take."""
    return part.intent.entry.price or market_price(part, view)


def market_price(part: Part, view: View) -> Price:
    """The side of the book that an order at market takes."""
    ticker = view.seen.ticker
    assert ticker is not None, "checked by hindrance"
    return ticker.ask if part.side.sign > 0 else ticker.bid


def has_all(part: Part) -> bool:
    """Everything that this cycle is to hold has been entered, and nothing more is on its way."""
    planned = part.intent.contracts
    return planned is not None and _brought(part) >= planned and not part.entry_orders_working


def _brought(part: Part) -> Contracts:
    """What the entry itself has brought, without recovery."""
    own = total(order.filled for order in part.entries if order.purpose is Purpose.ENTRY)
    return Contracts(own + part.taken_over)


def entry_is_over(part: Part, view: View) -> str:
    """Words, where nothing more will be entered in this cycle; empty while something may still come."""
    intent = part.intent
    if part.entry_orders_working or view.unresolved(part, Purpose.ENTRY, Purpose.RECOVERY):
        return ""
    if intent.wanted.closes or view.desired.level is Level.FLATTEN:
        return "closed before it was entered" if part.entered == NONE_HELD else "closing"
    if _leaving(part):
        return "an exit has begun"
    smallest = part.instrument.smallest_at(intent.entry.price or view.seen.mark)
    if part.entered == NONE_HELD and intent.contracts is not None and intent.contracts < smallest:
        return f"{intent.position_value} USDT is less than the smallest order of {smallest} contracts"
    passed = _passed(part, view) if part.entered == NONE_HELD else ""
    if passed:
        return passed
    step = entry_step(part, view)
    return step.because if isinstance(step, Complete) else ""


def _passed(part: Part, view: View) -> str:
    """Words, where a TP or SL given as a price lies on the wrong side of the market already."""
    ticker = view.seen.ticker
    if ticker is None:
        return ""
    reference = part.intent.entry.price or ticker.mark
    stop, target = part.stop_price(reference), part.take_profit_price(reference)
    sign = Decimal(part.side.sign)
    if stop is not None and (reference - stop) * sign <= 0:
        return f"the stop-loss {stop} has been passed: the price is {reference}"
    if target is not None and (target - reference) * sign <= 0:
        return f"the take-profit {target} has been passed: the price is {reference}"
    return ""
