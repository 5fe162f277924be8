"""When an order fills, and at what price.

- A market order (and optimal_limit_ioc) takes at once: at the best opposite price of the book, one tick worse for each
  `impact_contracts_per_tick` of its size, then worse by `slippage_bps`.
- A limit, ioc or fok order whose price reaches the best opposite price when it arrives takes at once too, never worse
  than its own price. Otherwise a limit order rests, and ioc and fok are cancelled.
- A post_only order that would take is cancelled; otherwise it rests.
- A resting buy fills whole, as maker and at its own price, as soon as the last price is at or below that price; a
  resting sell at or above. The way from one price to the next is walked in small steps, so nothing is jumped over.
- Mark and index never fill an order.
"""

from decimal import Decimal
from typing import Any

from core.simulator.engine.market import Market
from core.simulator.engine.state import BookOrder

AT_ONCE = ("market", "optimal_limit_ioc")


def reaches(order: BookOrder, market: Market, costs: dict[str, Any]) -> bool:
    """Return whether the order, arriving now, would take."""
    if order.kind in AT_ONCE or order.price is None:
        return True
    best = market.best(order.side == "buy", Decimal(costs["spread_ticks"]))
    return order.price >= best if order.side == "buy" else order.price <= best


def taker_price(order: BookOrder, size: Decimal, market: Market, costs: dict[str, Any]) -> Decimal:
    """Return what the order pays for taking that size now."""
    price = market.taken(order.side == "buy", size, costs)
    if order.kind in AT_ONCE or order.price is None:
        return price
    return min(price, order.price) if order.side == "buy" else max(price, order.price)


def touched(order: BookOrder, last: Decimal) -> bool:
    """Return whether a resting order fills at this last price."""
    assert order.price is not None
    return last <= order.price if order.side == "buy" else last >= order.price
