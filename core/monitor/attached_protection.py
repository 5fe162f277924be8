"""Finds TP and SL attached to an entry that may have triggered before any list of orders showed them.

They have no command of their own, so only their id, built from the entry's, can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from core.domain.ids import net_of
from core.domain.order import Order

FRESH = timedelta(seconds=10)  #: an exchange may not show for so long what it has accepted


def unseen(
    orders: Iterable[Order], smaller: Callable[[Order], bool], now: datetime
) -> Iterator[tuple[str, Order, bool]]:
    """Yield each attached protection to look up: its id, its entry, and whether "not found" leaves the question open.

    `smaller` tells whether the position of an order is smaller than our parts.
    """
    known = {order.client_order_id: order for order in orders}
    for entry in known.values():
        if not entry.purpose.adds_risk or entry.part is None or not entry.filled or entry.working:
            continue
        net = net_of(entry.client_order_id)
        if net is None or net in known:
            continue
        fresh = entry.updated_at is not None and now - entry.updated_at < FRESH
        gone = smaller(entry)
        if fresh or gone:
            yield net, entry, fresh and gone
