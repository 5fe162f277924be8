"""Works a limit order that rests, is moved from time to time, and handles its rest at the time-out.

What limit and iceberg have in common. An order that ended before we had any reason to withdraw it was cancelled by
somebody else, and that is the end of the execution.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.domain.intent import AtEnd
from core.domain.money import Contracts, Price
from core.domain.order import OrderKind
from core.domain.reason import Reason
from core.execution.base import Complete, Place, Progress, Step, Wait, Withdraw
from core.execution.pieces import answered_first, piece, rest_at_market

MOST_MOVED = 500  #: an order that has been placed anew so often stays where it is: each one is kept for ever
CLOCKS = timedelta(seconds=2)  #: how far the exchange's clock may lie behind ours


def work_resting(
    progress: Progress, now: datetime, *, moved: timedelta | None, price: Price | None, shown: Contracts
) -> Step:
    """Keep one limit order of at most `shown` contracts resting at `price`, moved there after `moved` at the earliest.

    `price` None: no fresh price is known; what rests stays, and nothing new is placed.
    """
    first = answered_first(progress)
    if first is not None:
        return first
    style = progress.style
    if progress.orders >= MOST_MOVED:
        moved = None
    ends = progress.started_at + style.timeout if style.timeout is not None else None
    late = ends is not None and now >= ends
    if progress.working:
        if late:
            return Withdraw(Reason("execution.limit_timed_out"))
        return _keep(progress, now, moved, price, ends)
    if progress.refusal:
        return Complete(progress.refusal)
    if _taken_away(progress, now, moved, ends):
        return Complete(Reason("execution.limit_cancelled", done=progress.done))
    if late:
        if style.at_end is AtEnd.MARKET:
            return rest_at_market(progress, ends, Reason("execution.timeout_over"))
        return Complete(Reason("execution.timeout_done", done=progress.done))
    if price is None:
        return Wait(Reason("execution.waits_for_price"), ends)
    quantity = piece(progress, shown, progress.instrument.max_limit_quantity)
    return Place(OrderKind.LIMIT, quantity, price, progress.at_price(quantity, price))


def _keep(
    progress: Progress, now: datetime, moved: timedelta | None, price: Price | None, ends: datetime | None
) -> Step:
    resting = progress.working_price if progress.working_price is not None else price
    rests = Reason("execution.limit_rests", price=resting)
    if moved is None or progress.sent_at is None:
        return Wait(rests, ends)
    due = progress.sent_at + moved
    if now >= due:
        if price is not None and price != resting:
            return Withdraw(Reason("execution.limit_moves", before=resting, price=price))
        due = now + moved - (now - due) % moved
    return Wait(rests, due if ends is None else min(due, ends))


def _taken_away(progress: Progress, now: datetime, moved: timedelta | None, ends: datetime | None) -> bool:
    """Return whether the newest order ended unfilled before any time at which we withdraw one."""
    if not progress.unfilled:
        return False
    ended = progress.ended_at or now
    times = [] if ends is None else [ends - min(CLOCKS, (ends - progress.started_at) / 2)]
    if moved is not None and progress.sent_at is not None:
        times.append(progress.sent_at + moved - min(CLOCKS, moved / 2))
    return not times or ended < min(times)
