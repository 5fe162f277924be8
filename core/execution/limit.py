"""The limit style: at a limit price until the time-out, moved after the market where that is wanted."""

from __future__ import annotations

from datetime import datetime

from core.domain.money import Price
from core.execution.base import Progress, Step
from core.execution.resting import work_resting


class LimitExecution:
    """Keeps one limit order for all that is missing; what was filled is kept.

    Without a price of its own it begins at our side of the book. Repriced, it follows that side, but gives way no
    further than the share `follow` of the price at which it began.
    """

    def next_order(self, progress: Progress, now: datetime) -> Step:
        style = progress.style
        price = _price(progress, now)
        return work_resting(progress, now, moved=style.reprice, price=price, shown=progress.missing)


def _price(progress: Progress, now: datetime) -> Price | None:
    """Return where the order belongs now; None: no fresh price tells it."""
    style, near = progress.style, progress.near
    began = style.price if style.price is not None else progress.first_price
    if began is None:
        return near
    if style.reprice is None or not progress.orders or now < progress.started_at + style.reprice:
        return began
    if near is None:
        return None
    if progress.buys:
        return min(near, progress.instrument.round_down(began * (1 + style.follow)))
    return max(near, progress.instrument.round_up(began * (1 - style.follow)))
