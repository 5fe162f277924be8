"""Remove what is ours and belongs to nothing any more. Foreign orders are reported, never touched."""

from __future__ import annotations

from collections.abc import Iterator

from core.decision.view import View, skip, stuck
from core.domain.action import CancelOrder, Decision, Rule


def sweep(view: View) -> Iterator[Decision]:
    """Orders of ended cycles go, but for what is stuck; orders of others stay and are named."""
    for order in view.orphans:
        if view.is_stuck(order):
            yield stuck(order, Rule.SWEEP)
            continue
        name = order.client_order_id or order.exchange_order_id
        yield Decision(order.part, Rule.SWEEP, f"{name} belongs to no open part", CancelOrder(order.part or "", order))
    foreign = [order for order in view.seen.orders if order.part is None and order.working]
    if foreign:
        yield skip(None, Rule.SWEEP, f"{len(foreign)} orders here are not ours and are left alone")
