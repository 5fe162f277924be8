"""Preconditions of every order that adds risk, whatever rule wants it and whatever the level allows."""

from __future__ import annotations

from datetime import timedelta

from core.decision.rules.differences import waits_for_an_answer
from core.decision.view import FRESH, View
from core.domain.action import OutcomeKind
from core.domain.money import ZERO
from core.domain.order import Purpose
from core.domain.part import Part

LOST_PAUSE = timedelta(seconds=1)


def precondition_failed(part: Part, view: View, purpose: Purpose) -> str:
    """Return why nothing may be opened or enlarged now, whatever the level; or an empty string."""
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
