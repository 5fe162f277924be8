"""Enter at market, in as few orders as the exchange's largest market order allows."""

from __future__ import annotations

from datetime import datetime

from core.domain.money import Contracts
from core.domain.order import OrderKind
from core.execution.base import Complete, Place, Progress, Step, Wait

MOST_ORDERS = 20  #: a market order that keeps being cut short is given up after so many


class MarketExecution:
    """A market order may fill partly and lose its rest; what is missing is ordered again."""

    def next_order(self, progress: Progress, now: datetime) -> Step:
        if progress.working:
            return Wait("the market entry is filling")
        if progress.refusal:
            return Complete(progress.refusal)
        if progress.missing < progress.instrument.min_quantity:
            return Complete(f"{progress.filled} of {progress.planned} contracts entered")
        if progress.orders >= MOST_ORDERS:
            return Complete(f"gave up after {progress.orders} market orders that were cut short")
        quantity = Contracts(min(progress.missing, progress.instrument.max_market_quantity))
        return Place(OrderKind.MARKET, quantity, None, f"enters {quantity} contracts at market")
