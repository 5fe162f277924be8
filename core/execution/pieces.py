"""Functions shared by all styles: the size of one order, the trader's instruction, and a rest that goes at market.

No order is smaller than the exchange takes or larger than it allows, and no tail is left that could not be ordered.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.domain.money import NONE_HELD, Contracts
from core.domain.order import OrderKind
from core.domain.reason import Reason
from core.execution.base import Complete, Place, Progress, Step, Wait, Withdraw

MOST_ORDERS = 20  #: orders at market that keep being cut short are given up after so many


def least(progress: Progress) -> Contracts:
    """Return the smallest order that the exchange takes, by quantity and by value at the newest price known."""
    newest = progress.style.price or progress.near or progress.working_price or progress.first_price
    return progress.instrument.smallest_at(newest)


def least_at_first(progress: Progress) -> Contracts:
    """Return the smallest order at the price at which the execution began, which does not change any more."""
    return progress.instrument.smallest_at(progress.first_price or progress.near)


def piece(progress: Progress, wanted: Decimal, most: Contracts) -> Contracts:
    """Return as much of `wanted` as one order takes; a tail too small to be ordered goes with it, or is kept large
    enough.
    """
    missing, smallest = progress.missing, least(progress)
    quantity = progress.instrument.round_quantity(min(wanted, missing, most))
    if NONE_HELD < missing - quantity < smallest:
        if missing <= most:
            return missing
        if missing - smallest >= smallest:
            return progress.instrument.round_quantity(min(quantity, missing - smallest))
    return quantity


def answered_first(progress: Progress) -> Step | None:
    """Return the step that comes before any style's own answer; None: the style decides."""
    if progress.working and not progress.resting:
        return Wait(Reason("execution.market_filling"))
    if progress.withdrawn:
        if progress.working:
            return Withdraw(Reason("execution.taken_back"))
        return Complete(Reason("execution.taken_back_done", done=progress.done))
    if progress.hurried and progress.working:
        return Withdraw(Reason("execution.hurried"))
    if not progress.working and progress.missing < least(progress):
        return Complete(progress.done)
    if progress.hurried:
        return rest_at_market(progress, progress.hurried_at, Reason("execution.as_asked"))
    return None


def rest_at_market(progress: Progress, since: datetime | None, why: Reason, most: int = MOST_ORDERS) -> Step:
    """Order all that is missing at market. A refusal ends it if the request was sent since then (None: whenever)."""
    earlier = since is not None and progress.sent_at is not None and progress.sent_at < since
    if progress.refusal and not earlier:
        return Complete(progress.refusal)
    if progress.market_orders >= most:
        return Complete(Reason("execution.cut_short", orders=progress.orders, done=progress.done))
    quantity = piece(progress, progress.missing, progress.instrument.max_market_quantity)
    return Place(OrderKind.MARKET, quantity, None, progress.missing_at_market(quantity, why))
