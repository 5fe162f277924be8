"""Open what is wanted and not yet held: fix the size, check that it may be, send the style's next order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.decision.differences import waits_for_an_answer
from core.decision.risk import ExecutionRiskControl
from core.decision.view import FRESH, View, skip
from core.domain.account import Level
from core.domain.action import Attached, CancelOrder, Decision, OutcomeKind, PlaceOrder, Rule, StartCycle
from core.domain.ids import net_of
from core.domain.instrument import TriggerBy
from core.domain.intent import EntryKind
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, total
from core.domain.order import Purpose
from core.domain.part import Part
from core.execution import EXECUTION_STRATEGIES
from core.execution.base import Complete, Place, Progress, Step, Withdraw, execution_for

LOST_PAUSE = timedelta(seconds=1)
LEGS = 2  #: conditional orders that protect one part where the exchange counts them


def entry_step(part: Part, view: View) -> Step | None:
    """What the part's execution style wants right now; None before its cycle has a size."""
    intent = part.intent
    if intent.contracts is None or intent.cycle_started_at is None:
        return None
    sent = [command for command in view.commands(part, Purpose.ENTRY) if command.outcome is not OutcomeKind.LOST]
    refused = sent[-1].words if sent and sent[-1].outcome is OutcomeKind.REFUSED else ""
    entries = [order for order in part.entries if order.purpose is Purpose.ENTRY]
    failed = [order.failure for order in entries if order.status.ended and order.failure and not order.filled]
    progress = Progress(
        style=intent.entry,
        instrument=part.instrument,
        planned=intent.contracts,
        filled=Contracts(total(order.filled for order in entries) + part.taken_over),
        working=any(order.working for order in entries),
        orders=len(entries),
        refusal=refused or (failed[-1] if failed and intent.entry.kind is EntryKind.MARKET else ""),
        started_at=intent.cycle_started_at,
        withdrawn=intent.entry.withdrawn == intent.cycle,
    )
    return execution_for(intent.entry.kind, EXECUTION_STRATEGIES).next_order(progress, view.now)


def enter(part: Part, view: View) -> Iterator[Decision]:
    """One part's entry. Nothing is sent while anything about the part is unknown."""
    intent = part.intent
    if not intent.living or intent.wanted.closes or view.desired.level is Level.FLATTEN:
        return
    if part.exited:
        return
    waits = view.risk_blocked(part)
    if waits is not None:
        yield skip(part, Rule.ENTER, f"waits for the answer to {waits.client_order_id}")
        return
    if view.desired.level is Level.REDUCE_ONLY and part.entry_orders_working:
        for order in part.entry_orders_working:
            yield Decision(part.name, Rule.ENTER, "withdrawn: the level is reduce only", CancelOrder(part.name, order))
        return
    if has_all(part) or entry_is_over(part, view):
        return
    step = entry_step(part, view)
    if isinstance(step, Withdraw):
        for order in part.entry_orders_working:
            yield Decision(part.name, Rule.ENTER, step.because, CancelOrder(part.name, order))
        return
    if step is not None and not isinstance(step, Place):
        yield skip(part, Rule.ENTER, step.because)
        return
    level = view.desired.level
    allowed = level.may_enter or (intent.cycle > 1 and level.may_add)
    hindered = hindrance(part, view, Purpose.ENTRY) if allowed else f"the level is {level}"
    if hindered:
        yield skip(part, Rule.ENTER, f"waits: {hindered}")
        return
    if step is None:
        yield from _begin(part, view)
        return
    yield from _send(part, view, step)


def hindrance(part: Part, view: View, purpose: Purpose) -> str:
    """Why nothing may be opened or enlarged now, whatever the level; or an empty string."""
    seen = view.seen
    if not seen.healthy:
        return "the exchange is not healthy"
    if seen.other_side:
        return f"{seen.other_side}; both sides at once need long/short mode (hedge mode) at the exchange"
    if not seen.instrument.tradable:
        return f"{seen.instrument.symbol} cannot be traded now"
    full = _no_room_for_legs(part, view)
    if full:
        return full
    if view.orphans:
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


def _no_room_for_legs(part: Part, view: View) -> str:
    """Words, where the legs of this part would be more conditional orders than the account may have.

    Room is kept for legs still to be placed: of parts that enter or hold something, and of those before this one.
    """
    most = view.seen.facts.max_conditional
    if most is None:
        return ""
    others = [other for other in view.living if other.name != part.name]
    before = [
        other
        for other in others
        if other.entered
        or other.entry_orders_working
        or view.unresolved(other, Purpose.ENTRY)
        or (other.name < part.name and not other.intent.wanted.closes)
    ]
    used = view.seen.conditional_orders + view.seen.legs_elsewhere + sum(map(_legs_to_come, before))
    if used + LEGS <= most:
        return ""
    return f"{min(used, most)} of at most {most} conditional orders rest or are kept room for, and it needs {LEGS} more"


def _legs_to_come(part: Part) -> int:
    resting = sum(order.working and order.kind.rests_on_trigger for order in part.orders)
    return max(sum(target is not None for target in part.targets) - resting, 0)


def _begin(part: Part, view: View) -> Iterator[Decision]:
    """Fix the size of the cycle and send its first order."""
    intent, instrument = part.intent, part.instrument
    price = reference_price(part, view)
    contracts = instrument.contracts_for(intent.position_value, price)
    start = StartCycle(part.name, intent.cycle, contracts, price)
    words = f"cycle {intent.cycle}: {intent.position_value} USDT at {price} is {contracts} contracts"
    yield Decision(part.name, Rule.ENTER, words, start)
    started = Part(intent.but(contracts=contracts, cycle_started_at=view.now), instrument, part.orders)
    step = entry_step(started, view)
    if isinstance(step, Place):
        yield from _send(started, view, step)


def _send(part: Part, view: View, step: Place) -> Iterator[Decision]:
    price = step.price or reference_price(part, view)
    veto = ExecutionRiskControl(view.desired.limits).veto(part, step.quantity, price, view)
    if veto:
        yield skip(part, Rule.ENTER, f"refused by the limits: {veto}")
        return
    intent, side = part.intent, part.side
    client_id = view.next_id(part, Purpose.ENTRY, side.opening, step.kind, step.quantity)
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
    )
    yield Decision(part.name, Rule.ENTER, step.because, action)


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
    entered = total(order.filled for order in part.entries if order.purpose is Purpose.ENTRY)
    return planned is not None and entered + part.taken_over >= planned and not part.entry_orders_working


def entry_is_over(part: Part, view: View) -> str:
    """Words, where nothing more will be entered in this cycle; empty while something may still come."""
    intent = part.intent
    if part.entry_orders_working or view.unresolved(part, Purpose.ENTRY, Purpose.RECOVERY):
        return ""
    if intent.wanted.closes or view.desired.level is Level.FLATTEN:
        return "closed before it was entered" if part.entered == NONE_HELD else "closing"
    if part.exited:
        return "an exit has begun"
    too_small = intent.contracts is not None and intent.contracts < part.instrument.min_quantity
    if too_small:
        smallest = part.instrument.min_quantity
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
