"""The rule *balance*: buy back what an exit closed beyond its part, where both legs of a pair filled.

Only a shared position has anything to take; what was taken belonged to the parts beside it. It is bought back (or
sold again) at market as the part's own doing, so that the price of the mishap is the part's and nobody else's.
Where that is not allowed or not possible, what is gone is booked to the parts it was taken from, at its price.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from core.decision.view import FRESH, View, skip
from core.domain.action import BookExit, Decision, OutcomeKind, PlaceOrder, RaiseAlarm, Rule
from core.domain.intent import ExitReason
from core.domain.money import NONE_HELD, ZERO, Contracts
from core.domain.order import OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason

TRIES_FOR = timedelta(seconds=60)  #: after this long without success the contracts are booked where they are missing


def balance(view: View) -> Iterator[Decision]:
    """Decide what to do about contracts missing because a part's exits closed too much; other differences are
    `totals`'.
    """
    lacking = max(-view.residual, ZERO)
    for part in view.living:
        missing = Contracts(min(part.closed_beyond, lacking))
        if missing > NONE_HELD:
            yield from _bring_back(part, missing, view)
        lacking -= missing


def accounted_for(view: View) -> Contracts:
    """Return how much of what the position lacks is explained by exits that closed beyond their part."""
    return Contracts(min(sum((part.closed_beyond for part in view.living), ZERO), max(-view.residual, ZERO)))


def _bring_back(part: Part, missing: Contracts, view: View) -> Iterator[Decision]:
    what = Reason("balance.closed_beyond", part=part.name, missing=missing)
    yield Decision(part.name, Rule.TOTALS, what, RaiseAlarm(part.name, f"both-filled/{part.name}", what))
    unknown = view.unresolved(part)
    if unknown is not None:
        yield skip(part, Rule.TOTALS, Reason("balance.no_answer", what=what, order=unknown.client_order_id))
        return
    if not view.believed:
        yield skip(part, Rule.TOTALS, Reason("balance.looks_again", what=what))
        return
    failed = _precondition_failed(part, missing, view)
    since = view.seen.differs_since
    if failed is None:
        yield Decision(part.name, Rule.TOTALS, Reason("balance.brought_back", what=what), _order(part, missing, view))
    elif since is None or view.now - since < TRIES_FOR:
        yield skip(part, Rule.TOTALS, Reason("balance.cannot_now", what=what, why=failed))
    else:
        yield from _book(part, missing, view, failed)


def _precondition_failed(part: Part, missing: Contracts, view: View) -> Reason | None:
    """Return why nothing may be bought back now; None where it may."""
    seen, level = view.seen, view.desired.level
    if not level.may_add:
        return Reason("precondition.level", level=level)
    if not seen.healthy or not seen.instrument.tradable:
        return Reason("balance.not_tradable")
    if seen.ticker is None or view.now - seen.ticker.at > FRESH:
        return Reason("precondition.no_price")
    smallest = seen.instrument.smallest_at(seen.ticker.mark)
    if missing < smallest:
        return Reason("balance.too_small", smallest=smallest)
    last = view.newest(part, Purpose.BALANCE)
    if last is not None and last.outcome is OutcomeKind.REFUSED:
        return Reason("balance.refused", ago=view.now - last.recorded_at, words=last.words)
    return None


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


def _book(part: Part, missing: Contracts, view: View, why: Reason) -> Iterator[Decision]:
    """Write the contracts off where they are missing, at the price they were closed at."""
    price = part.average_exit
    for other in sorted((one for one in view.living if one.size), key=lambda one: one.name):
        quantity = Contracts(min(missing, other.size))
        if quantity <= NONE_HELD or price is None:
            continue
        booked = Reason("balance.booked", quantity=quantity, part=part.name, price=price, why=why)
        yield Decision(
            other.name,
            Rule.TOTALS,
            booked,
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
