"""TP and SL that travelled with an entry and may have been set off before any list showed them.

They have no command of their own, so only their id, built from the entry's, can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from core.domain.ids import client_order_id, meaning
from core.domain.order import Order, Purpose

FRESH = timedelta(seconds=10)  #: an exchange may not show for so long what it has accepted


def unseen(
    orders: Iterable[Order], smaller: Callable[[Order], bool], now: datetime
) -> Iterator[tuple[str, Order, bool]]:
    """The id of each net to ask for, its entry, and whether "not found" leaves the question open.

    `smaller` tells whether the position of an order is smaller than our parts.
    """
    known = {order.client_order_id: order for order in orders}
    for entry in known.values():
        if not entry.purpose.adds_risk or entry.part is None or not entry.filled or entry.working:
            continue
        said = meaning(entry.client_order_id)
        if said is None or said.purpose is not Purpose.ENTRY:
            continue
        net = client_order_id(said.part, said.cycle, Purpose.SAFETY_NET, said.number)
        if net in known:
            continue
        fresh = entry.updated_at is not None and now - entry.updated_at < FRESH
        gone = smaller(entry)
        if fresh or gone:
            yield net, entry, fresh and gone
