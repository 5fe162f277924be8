"""Bring back what an exit closed beyond its part: both legs of a pair filled before the other could be cancelled.

Only a shared position has anything to take; what was taken belonged to the parts beside it. It is bought back (or
sold again) at market as the part's own doing, so that the price of the mishap is the part's and nobody else's.
Where that is not allowed or not possible, what is gone is booked to the parts it was taken from, at its price.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from core.decision.view import FRESH, View, seconds, skip
from core.domain.action import BookExit, Decision, OutcomeKind, PlaceOrder, RaiseAlarm, Rule
from core.domain.intent import ExitReason
from core.domain.money import NONE_HELD, ZERO, Contracts
from core.domain.order import OrderKind, Purpose
from core.domain.part import Part

TRIES_FOR = timedelta(seconds=60)  #: after this long without success the contracts are booked where they are missing


def balance(view: View) -> Iterator[Decision]:
    """What is missing because a part's exits closed too much; the rest of the difference is `totals`' to trace."""
    lacking = max(-view.residual, ZERO)
    for part in view.living:
        missing = Contracts(min(part.closed_beyond, lacking))
        if missing > NONE_HELD:
            yield from _bring_back(part, missing, view)
        lacking -= missing


def accounted_for(view: View) -> Contracts:
    """How much of what the position lacks is explained by exits that closed beyond their part."""
    return Contracts(min(sum((part.closed_beyond for part in view.living), ZERO), max(-view.residual, ZERO)))


def _bring_back(part: Part, missing: Contracts, view: View) -> Iterator[Decision]:
    said = f"{part.name} closed {missing} contracts more than it held: two of its exits filled"
    yield Decision(part.name, Rule.TOTALS, said, RaiseAlarm(part.name, f"both-filled/{part.name}", said))
    unknown = view.unresolved(part)
    if unknown is not None:
        yield skip(part, Rule.TOTALS, f"{said}; waits for the answer to {unknown.client_order_id}")
        return
    if not view.believed:
        yield skip(part, Rule.TOTALS, f"{said}; looks again before it is put right")
        return
    hindered = _hindered(part, missing, view)
    since = view.seen.differs_since
    if not hindered:
        yield Decision(part.name, Rule.TOTALS, f"{said}; brought back at market", _order(part, missing, view))
    elif since is None or view.now - since < TRIES_FOR:
        yield skip(part, Rule.TOTALS, f"{said}; cannot be brought back now: {hindered}")
    else:
        yield from _book(part, missing, view, hindered)


def _hindered(part: Part, missing: Contracts, view: View) -> str:
    """Why nothing may be bought back now, or an empty string."""
    seen, level = view.seen, view.desired.level
    if not level.may_add:
        return f"the level is {level}"
    if not seen.healthy or not seen.instrument.tradable:
        return "the contract cannot be traded now"
    if seen.ticker is None or view.now - seen.ticker.at > FRESH:
        return "no fresh price"
    smallest = seen.instrument.smallest_at(seen.ticker.mark)
    if missing < smallest:
        return f"the smallest order is {smallest}"
    last = view.newest(part, Purpose.BALANCE)
    if last is not None and last.outcome is OutcomeKind.REFUSED:
        return f"refused {seconds(view.now - last.recorded_at)} ago: {last.words}"
    return ""


def _order(part: Part, missing: Contracts, view: View) -> PlaceOrder:
    quantity = Contracts(min(missing, part.instrument.max_market_quantity))
    side = part.side.opening
    return PlaceOrder(
        part=part.name,
        cycle=part.intent.cycle,
        client_order_id=view.next_id(part, Purpose.BALANCE, side, OrderKind.MARKET, quantity),
        purpose=Purpose.BALANCE,
        symbol=part.intent.key.symbol,
        position_side=part.side,
        side=side,
        kind=OrderKind.MARKET,
        quantity=quantity,
    )


def _book(part: Part, missing: Contracts, view: View, hindered: str) -> Iterator[Decision]:
    """Write the contracts off where they are missing, at the price they were closed at."""
    price = part.average_exit
    for other in sorted((one for one in view.living if one.size), key=lambda one: one.name):
        quantity = Contracts(min(missing, other.size))
        if quantity <= NONE_HELD or price is None:
            continue
        words = f"{quantity} contracts were closed by the exits of {part.name} at {price}; not brought back: {hindered}"
        yield Decision(
            other.name,
            Rule.TOTALS,
            words,
            BookExit(
                part=other.name,
                cycle=other.intent.cycle,
                quantity=quantity,
                price=price,
                fee=ZERO,
                reason=ExitReason.CLOSED_BY_US,
                at=view.now,
                exchange_fill_id=f"beyond-{part.name}-{part.intent.cycle}/{other.name}/{len(other.intent.external_exits)}",
            ),
        )
        missing = Contracts(missing - quantity)
