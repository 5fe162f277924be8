"""The rule *sweep*: cancel our orders that belong to nothing any more. Foreign orders are reported, never touched."""

from __future__ import annotations

from collections.abc import Iterator

from core.decision.view import View, skip, stuck
from core.domain.action import CancelOrder, Decision, Rule
from core.domain.reason import Reason


def sweep(view: View) -> Iterator[Decision]:
    """Decide to cancel orders of ended cycles, except stuck ones; orders of others stay and are named."""
    for order in view.orphans:
        if view.is_stuck(order):
            yield stuck(order, Rule.SWEEP)
            continue
        name = order.client_order_id or order.exchange_order_id
        why = Reason("sweep.left_over", order=name)
        yield Decision(order.part, Rule.SWEEP, why, CancelOrder(order.part or "", order))
    foreign = [order for order in view.seen.orders if order.part is None and order.working]
    if foreign:
        yield skip(None, Rule.SWEEP, Reason("sweep.foreign", orders=len(foreign)))
