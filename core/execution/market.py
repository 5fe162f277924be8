"""The market style: at market, in as few orders as the exchange's largest market order allows."""

from __future__ import annotations

from datetime import datetime

from core.domain.order import OrderKind
from core.domain.reason import Reason
from core.execution.base import Complete, Place, Progress, Step
from core.execution.pieces import MOST_ORDERS, answered_first, piece


class MarketExecution:
    """Orders at market what is missing, and again where an order has filled partly and lost its rest."""

    def next_order(self, progress: Progress, now: datetime) -> Step:
        first = answered_first(progress)
        if first is not None:
            return first
        if progress.refusal:
            return Complete(progress.refusal)
        if progress.orders >= MOST_ORDERS:
            return Complete(Reason("execution.cut_short", orders=progress.orders, done=progress.done))
        quantity = piece(progress, progress.missing, progress.instrument.max_market_quantity)
        return Place(OrderKind.MARKET, quantity, None, progress.at_market(quantity))
