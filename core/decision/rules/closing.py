"""The rule *close*: close what is no longer wanted, whole or in part. Protection stays until the part is flat.

At market, or piece by piece in the style that was asked for; what a style leaves over is closed at market.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.decision.executions import Run, close_run, far, single_market_order
from core.decision.rules.derisk import outgrown
from core.decision.rules.totals import left_to_a_person
from core.decision.view import DEBOUNCE, View, skip
from core.domain.account import Level
from core.domain.action import (
    CancelOrder,
    Decision,
    OutcomeKind,
    PlaceOrder,
    RaiseAlarm,
    ReductionDone,
    Rule,
)
from core.domain.intent import Wanted
from core.domain.money import NONE_HELD, ZERO, Contracts, total
from core.domain.order import Order, OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason
from core.execution.base import Place, Wait, Withdraw


def close(part: Part, view: View) -> Iterator[Decision]:
    """Decide one part's close: entries are cancelled first, then what is held is closed at market."""
    intent = part.intent
    if not intent.living:
        return
    whole = intent.wanted.closes or view.desired.level is Level.FLATTEN
    if not whole and intent.reduce_to is None:
        for order in _at_a_limit(part):
            yield Decision(part.name, Rule.CLOSE, Reason("close.taken_back"), CancelOrder(part.name, order))
        return
    if whole and part.entry_orders_working:
        for order in part.entry_orders_working:
            yield Decision(part.name, Rule.CLOSE, Reason("close.entry_first"), CancelOrder(part.name, order))
        return
    unknown = view.unresolved(part, Purpose.CLOSE, Purpose.TAKE_PROFIT, Purpose.STOP_LOSS, resting=False)
    if unknown is not None:
        yield skip(part, Rule.CLOSE, Reason("order.waits_for_answer", order=unknown.client_order_id))
        return
    if part.size == NONE_HELD:
        if intent.reduce_to is not None:
            done = ReductionDone(part.name, intent.reduce_to)
            yield Decision(part.name, Rule.CLOSE, Reason("close.nothing_left"), done)
        return
    early = too_soon(part, view)
    if early is not None:
        yield skip(part, Rule.CLOSE, early)
        return
    if part.closing_at_market or view.filling(part):
        yield skip(part, Rule.CLOSE, Reason("close.filling"))
        return
    run = close_run(part, view) if view.desired.level is not Level.FLATTEN else None
    step = run.step(view.now) if run is not None else None
    if isinstance(step, Wait):
        yield skip(part, Rule.CLOSE, step.because)
        return
    if part.closes_working:
        why = step.because if isinstance(step, Withdraw) else Reason("close.goes_on_at_market")
        for order in part.closes_working:
            yield Decision(part.name, Rule.CLOSE, why, CancelOrder(part.name, order))
        return
    if not view.seen.settled:
        yield skip(part, Rule.CLOSE, Reason("close.unsettled"))
        return
    keep = NONE_HELD if whole or intent.reduce_to is None else intent.reduce_to
    excess = Contracts(part.size - keep)
    if view.residual < NONE_HELD:
        excess = _there(part, view)
        if excess < part.instrument.min_quantity:
            yield skip(part, Rule.CLOSE, Reason("close.position_smaller"))
            return
    piece = step if isinstance(step, Place) else None
    yield from _send(part, view, excess, whole, run, piece)


def _there(part: Part, view: View) -> Contracts:
    """Return what may be closed while contracts are missing: nothing, except that *flatten* waits for no answer.

    What the exchange holds is shared out by the names of the parts then; where the rest went is told afterwards.
    """
    if view.desired.level is not Level.FLATTEN or not view.believed or not left_to_a_person(view):
        return NONE_HELD
    before = total(other.size for other in view.living if other.name < part.name)
    return Contracts(min(part.size, max(view.seen.contracts - before, ZERO)))


def _at_a_limit(part: Part) -> tuple[Order, ...]:
    return tuple(order for order in part.closes_working if order.kind is not OrderKind.MARKET)


def closes_at_market(part: Part, view: View) -> bool:
    """Return whether a part is being closed whole and at market, with nothing held back or refused."""
    if not (part.intent.wanted.closes or view.desired.level is Level.FLATTEN) or too_soon(part, view) is not None:
        return False
    last = view.newest(part, Purpose.CLOSE)
    if last is not None and last.outcome is OutcomeKind.REFUSED:
        return False
    return view.desired.level is Level.FLATTEN or close_run(part, view) is None


def too_soon(part: Part, view: View) -> Reason | None:
    """Return why a close that is neither for good nor forced by level or risk waits for the minimum holding time."""
    least, began = view.desired.limits.min_holding_seconds, part.intent.cycle_started_at
    forced = part.intent.wanted is Wanted.CLOSED or view.desired.level is Level.FLATTEN
    if least is None or began is None or forced or part.closes_working or outgrown(part, view) is not None:
        return None
    held = view.now - began
    if held.total_seconds() >= least:
        return None
    return Reason("close.held_too_short", held=held, least=least)


def _send(
    part: Part, view: View, excess: Contracts, whole: bool, run: Run | None, piece: Place | None
) -> Iterator[Decision]:
    """Close `excess` contracts: all that is asked for at market, or the piece of it that its style wants now."""
    instrument = part.instrument
    left = part.size - excess
    tail = NONE_HELD < left < instrument.min_quantity
    if tail:
        excess = part.size
    quantity = Contracts(min(instrument.round_quantity(excess), instrument.max_market_quantity))
    if quantity < instrument.min_quantity:
        goal = part.intent.reduce_to
        if not whole and goal is not None:
            done = Reason("close.reduced")
            if excess > NONE_HELD:
                done = Reason("close.reduced_but_rest", rest=excess, smallest=instrument.min_quantity)
            yield Decision(part.name, Rule.CLOSE, done, ReductionDone(part.name, goal))
            return
        small = Reason("close.too_small", size=part.size, smallest=instrument.min_quantity)
        yield Decision(part.name, Rule.CLOSE, small, RaiseAlarm(part.name, f"too-small/{part.name}", small))
        return
    last = view.newest(part, Purpose.CLOSE)
    if last is not None and last.outcome is OutcomeKind.REFUSED and view.now - last.recorded_at < DEBOUNCE:
        ago = view.now - last.recorded_at
        yield skip(part, Rule.CLOSE, Reason("close.refused", ago=ago, words=last.words))
        return
    side, kind, price = part.side.closing, OrderKind.MARKET, None
    how = Reason("close.at_market", quantity=quantity, size=part.size)
    if tail:
        how = Reason("close.at_market_with_rest", quantity=quantity, size=part.size, rest=left)
    if piece is not None:
        kind, price, how = piece.kind, piece.price, piece.because
        quantity = Contracts(min(piece.quantity, instrument.round_quantity(part.size)))
    yield Decision(
        part.name,
        Rule.CLOSE,
        how,
        PlaceOrder(
            part=part.name,
            cycle=part.intent.cycle,
            client_order_id=view.next_id(part, Purpose.CLOSE, side, kind, quantity),
            purpose=Purpose.CLOSE,
            symbol=part.intent.key.symbol,
            position_side=part.side,
            side=side,
            kind=kind,
            quantity=quantity,
            price=price,
            reduce_only=True,
            reference=far(view, side),
            worked=run.worked if run is not None else single_market_order(part, Purpose.CLOSE, excess),
        ),
    )
