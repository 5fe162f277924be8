"""Tells the state of a part's entry: what its style wants next, what has filled, and whether it is over."""

from __future__ import annotations

from decimal import Decimal

from core.decision.executions import entry_run
from core.decision.view import View
from core.domain.account import Level
from core.domain.money import NONE_HELD, Contracts, total
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.reason import Reason
from core.execution.base import Complete, Step


def entry_step(part: Part, view: View) -> Step | None:
    """Return what the entry's execution style wants right now; None before its cycle has a size."""
    run = entry_run(part, view)
    return run.step(view.now) if run is not None else None


def fully_entered(part: Part) -> bool:
    """Return True where all that this cycle is to hold has been entered, and nothing more is on its way."""
    planned = part.intent.contracts
    return planned is not None and entered_by_entry(part) >= planned and not part.entry_orders_working


def entered_by_entry(part: Part) -> Contracts:
    """Return the contracts that the entry itself has brought, without recovery."""
    own = total(order.filled for order in part.entries if order.purpose is Purpose.ENTRY)
    return Contracts(own + part.taken_over)


def exit_begun(part: Part) -> bool:
    """Return True where some of it was closed, or is to be: nothing more is entered in this cycle."""
    return bool(part.exited) or (part.entered > NONE_HELD and part.intent.reduce_to is not None)


def entry_over(part: Part, view: View) -> Reason | None:
    """Return why nothing more will be entered in this cycle; None while something may still come."""
    intent = part.intent
    if part.entry_orders_working or view.unresolved(part, Purpose.ENTRY, Purpose.RECOVERY):
        return None
    if intent.wanted.closes or view.desired.level is Level.FLATTEN:
        return Reason("entry.closed_before") if part.entered == NONE_HELD else Reason("entry.closing")
    if exit_begun(part):
        return Reason("entry.exit_begun")
    smallest = part.instrument.smallest_at(intent.entry.price or view.seen.mark)
    if part.entered == NONE_HELD and intent.contracts is not None and intent.contracts < smallest:
        return Reason("entry.too_small", value=intent.position_value, smallest=smallest)
    passed = _level_passed(part, view) if part.entered == NONE_HELD else None
    if passed is not None:
        return passed
    step = entry_step(part, view)
    return step.because if isinstance(step, Complete) else None


def _level_passed(part: Part, view: View) -> Reason | None:
    """Return why a part cannot be entered: a TP or SL given as a price lies on the wrong side of the market already."""
    ticker = view.seen.ticker
    if ticker is None:
        return None
    reference = part.intent.entry.price or ticker.mark
    stop, target = part.stop_price(reference), part.take_profit_price(reference)
    sign = Decimal(part.side.sign)
    if stop is not None and (reference - stop) * sign <= 0:
        return Reason("entry.stop_passed", level=stop, price=reference)
    if target is not None and (target - reference) * sign <= 0:
        return Reason("entry.target_passed", level=target, price=reference)
    return None
