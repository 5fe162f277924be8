"""Preconditions of every order that adds risk, whatever rule wants it and whatever the level allows."""

from __future__ import annotations

from datetime import timedelta

from core.decision.rules.differences import waits_for_an_answer
from core.decision.view import FRESH, View
from core.domain.action import OutcomeKind
from core.domain.money import ZERO
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.reason import Reason

LOST_PAUSE = timedelta(seconds=1)


def precondition_failed(part: Part, view: View, purpose: Purpose) -> Reason | None:
    """Return why nothing may be opened or enlarged now, whatever the level; None where it may."""
    seen = view.seen
    if not seen.healthy:
        return Reason("precondition.unhealthy")
    if seen.other_side is not None:
        return Reason("precondition.one_way", why=seen.other_side)
    if not seen.instrument.tradable:
        return Reason("precondition.not_tradable", symbol=seen.instrument.symbol)
    if view.orphans:
        stuck = [order.client_order_id for order in view.orphans if view.is_stuck(order)]
        if stuck:
            return Reason("precondition.order_stuck", order=stuck[0])
        return Reason("precondition.orders_removed", orders=len(view.orphans))
    doubly_guarded = view.doubly_guarded
    if doubly_guarded is not None and doubly_guarded.name != part.name:
        return Reason("precondition.two_protections", part=doubly_guarded.name)
    if seen.ticker is None or view.now - seen.ticker.at > FRESH:
        return Reason("precondition.no_price")
    if view.residual < ZERO or not seen.settled:
        return Reason("precondition.position_smaller")
    unasked = waits_for_an_answer(view)
    if unasked is not None:
        return unasked
    lost = view.newest(part, purpose)
    if lost is not None and lost.outcome is OutcomeKind.LOST and view.now - lost.recorded_at < LOST_PAUSE:
        return Reason("precondition.never_arrived")
    return None
