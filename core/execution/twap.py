"""The TWAP style: the whole in slices, spread over time.

Sizes and moments are drawn from the execution's name, so every process, whenever it begins, knows the same schedule.
What is due is compared with what has filled; nothing else is remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate

from core.domain.intent import AtEnd
from core.domain.money import NONE_HELD, Contracts
from core.domain.order import OrderKind
from core.domain.reason import Reason
from core.execution.base import Complete, Place, Progress, Step, Wait, Withdraw
from core.execution.pieces import MOST_ORDERS, answered_first, least, least_at_first, piece, rest_at_market

MILLION = 10**6  #: draws and shares are whole millionths, so that every machine computes the same


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of slices: when each is due, from the start, and how much is due by then in total."""

    moments: tuple[timedelta, ...]
    amounts: tuple[Contracts, ...]


class TWAPExecution:
    """Orders slices of about one size at about equal distances, at market or (passive) at our side of the book.

    `at_end` MARKET catches up: each slice brings the sum to what is due by then, and at the end of the duration what
    is missing goes at market. STOP does not: a slice that was missed or refused is left. An unfilled passive slice
    joins the next one either way. A refused slice waits for the next one's moment.
    """

    def next_order(self, progress: Progress, now: datetime) -> Step:
        first = answered_first(progress)
        if first is not None:
            return first
        style, start = progress.style, progress.started_at
        assert style.duration is not None, "a TWAP without a duration is not accepted"
        plan, end = schedule(progress), progress.started_at + style.duration
        slices = len(plan.moments)
        if now >= end:
            return _over(progress, end, slices)
        due = bisect_right(plan.moments, now - start)
        sent = 0 if progress.sent_at is None else bisect_right(plan.moments, progress.sent_at - start)
        following = start + plan.moments[due] if due < slices else end
        if progress.working:
            if due > sent:
                return Withdraw(Reason("execution.slice_unfilled", sent=sent, slices=slices))
            return Wait(
                Reason("execution.slice_rests", due=due, slices=slices, price=progress.working_price), following
            )
        if not due:
            return Wait(Reason("execution.first_slice", slices=slices), following)
        wanted = _wanted(progress, plan, due, ordered=sent >= due)
        if wanted < least(progress):
            return _between(progress, due, slices, following)
        return _slice(progress, wanted, due, slices)


def _wanted(progress: Progress, plan: Schedule, due: int, *, ordered: bool) -> Contracts:
    """Return the contracts to order now in this slice."""
    if progress.style.at_end is AtEnd.MARKET:
        if ordered and (progress.refusal or progress.unfilled):
            return NONE_HELD
        return Contracts(plan.amounts[due - 1] - progress.filled)
    if ordered:
        return NONE_HELD
    own = plan.amounts[due - 1] - (plan.amounts[due - 2] if due > 1 else NONE_HELD)
    joined = progress.unfilled if progress.style.passive else NONE_HELD
    return Contracts(min(max(own + joined, least(progress)), progress.missing))


def _slice(progress: Progress, wanted: Contracts, due: int, slices: int) -> Step:
    rules = progress.instrument
    if not progress.style.passive:
        quantity = piece(progress, wanted, rules.max_market_quantity)
        order = progress.at_market(quantity)
        return Place(OrderKind.MARKET, quantity, None, Reason("execution.slice", due=due, slices=slices, order=order))
    if progress.near is None:
        return Wait(Reason("execution.slice_waits_for_price", due=due, slices=slices))
    quantity = piece(progress, wanted, rules.max_limit_quantity)
    order = progress.at_price(quantity, progress.near)
    because = Reason("execution.slice", due=due, slices=slices, order=order)
    return Place(OrderKind.LIMIT, quantity, progress.near, because)


def _between(progress: Progress, due: int, slices: int, following: datetime) -> Step:
    """Return a wait until the next slice, or the end where none follows."""
    refusal = progress.refusal
    if due < slices:
        why = Reason("execution.next_slice", due=due + 1, slices=slices)
        if refusal is not None:
            why = Reason("execution.next_slice_refused", due=due + 1, slices=slices, refusal=refusal)
        return Wait(why, following)
    if progress.style.at_end is AtEnd.STOP:
        return Complete(refusal or Reason("execution.slices_through", done=progress.done))
    if refusal is not None:
        return Wait(Reason("execution.last_slice_refused", refusal=refusal), following)
    return Wait(Reason("execution.last_slice"), following)


def _over(progress: Progress, end: datetime, slices: int) -> Step:
    if progress.working:
        return Withdraw(Reason("execution.slices_over"))
    if progress.style.at_end is AtEnd.MARKET:
        return rest_at_market(progress, end, Reason("execution.slices_over"), slices + MOST_ORDERS)
    return Complete(progress.refusal or Reason("execution.slices_over_done", done=progress.done))


def schedule(progress: Progress) -> Schedule:
    """Return the slices of an execution: as many as were asked for, or fewer where they would be too small to be
    ordered.
    """
    style, step = progress.style, progress.instrument.quantity_step
    assert style.duration is not None, "a TWAP without a duration is not accepted"
    assert style.slices is not None, "a TWAP without a number of slices is not accepted"
    share = int(style.randomness * MILLION)
    whole, smallest = (
        int(progress.planned // step),
        int((least_at_first(progress) / step).to_integral_value(ROUND_CEILING)),
    )
    sums = _sums(progress.name, whole, style.slices, share, smallest)
    amounts = [Contracts(amount * step) for amount in sums]
    amounts[-1] = progress.planned
    return Schedule(_moments(progress.name, style.duration, len(sums), share), tuple(amounts))


@lru_cache(maxsize=256)
def _moments(name: str, duration: timedelta, slices: int, share: int) -> tuple[timedelta, ...]:
    """Return the times from the start: the first at once, each other one shifted by up to `share` of the distance, in
    order.
    """
    shifts = [0, *(_drawn(name, "moment", number) * share // MILLION for number in range(1, slices))]
    places = accumulate((number * MILLION + shift for number, shift in enumerate(shifts)), max)
    return tuple(duration * place // (slices * MILLION) for place in places)


@lru_cache(maxsize=256)
def _sums(name: str, whole: int, slices: int, share: int, smallest: int) -> tuple[int, ...]:
    """Return how many steps of quantity are due with each slice; no slice is under `smallest` where the whole is not.

    Sizes are drawn in pairs, one as much over the even share as the other is under it.
    """
    most = min(slices, max(whole // max(smallest, 1), 1))
    drawn = [_drawn(name, "size", pair) * share // MILLION for pair in range(most // 2)]
    paired = [MILLION + sign * size for size in drawn for sign in (1, -1)]
    for number in range(most, 1, -1):
        weights = paired[:number] if number % 2 == 0 else [*paired[: number - 1], MILLION]
        sums = [whole * weight // (number * MILLION) for weight in accumulate(weights)]
        if all(after - before >= smallest for before, after in zip([0, *sums], sums, strict=False)):
            return tuple(sums)
    return (whole,)


def _drawn(name: str, what: str, number: int) -> int:
    """Return a pseudo-random whole number from -1,000,000 to 1,000,000, the same for the same name for ever."""
    digest = blake2b(f"{name}/{what}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % (2 * MILLION + 1) - MILLION
