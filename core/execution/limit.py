"""Enter at a limit price, for as long as the time-out allows."""

from __future__ import annotations

from datetime import datetime

from core.domain.money import Contracts
from core.domain.order import OrderKind
from core.execution.base import Complete, Place, Progress, Step, Wait, Withdraw


class LimitExecution:
    """One limit order at a time; withdrawn at the time-out or by the trader's word, and what was filled is kept."""

    def next_order(self, progress: Progress, now: datetime) -> Step:
        style = progress.style
        ends = progress.started_at + style.timeout if style.timeout else None
        late = ends is not None and now >= ends
        if progress.withdrawn:
            if progress.working:
                return Withdraw("the limit entry is cancelled by hand")
            return Complete(f"cancelled by hand: {progress.filled} of {progress.planned} contracts entered")
        if progress.working:
            if late:
                return Withdraw("the limit entry has reached its time-out")
            return Wait(f"the limit entry at {style.price} rests", ends)
        if progress.refusal:
            return Complete(progress.refusal)
        if progress.missing < progress.instrument.min_quantity:
            return Complete(f"{progress.filled} of {progress.planned} contracts entered")
        if late:
            return Complete(f"time-out: {progress.filled} of {progress.planned} contracts entered")
        slices = progress.planned // progress.instrument.max_limit_quantity + 1
        if progress.orders >= slices:
            return Complete(f"the limit entry was cancelled at {progress.filled} of {progress.planned} contracts")
        quantity = Contracts(min(progress.missing, progress.instrument.max_limit_quantity))
        return Place(OrderKind.LIMIT, quantity, style.price, f"enters {quantity} contracts at {style.price}")
