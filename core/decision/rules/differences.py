"""Lists differences between exchange and book: both sides, since when, and what can be answered.

Pure. Nothing here touches the exchange: a trader answers, and the answer goes into the book. Until a residual or
a shortfall is answered nothing is opened or enlarged there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.decision.rules.totals import asked_about, untraced
from core.decision.view import View
from core.domain.account import PositionKey
from core.domain.action import Decision, ForgetAnswer, Rule
from core.domain.difference import Choice, DifferenceKind
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, plain, total
from core.domain.part import Part
from core.domain.reason import Reason

BELIEVABLE = Decimal("0.5")  #: a residual's price further than this from the exchange's average is not told by it


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference on one position."""

    kind: DifferenceKind
    key: PositionKey
    ours: Reason  #: what our book says
    theirs: Reason  #: what the exchange says
    since: datetime | None  #: None: the exchange does not tell
    words: Reason
    choices: tuple[Choice, ...]
    mark: str  #: what tells it from a changed one
    answer: Choice | None = None  #: what the trader said to it
    quantity: Contracts = NONE_HELD  #: contracts that are too many or too few
    price: Price | None = None  #: what a residual was opened at, as far as it can be told


def differences(view: View) -> tuple[Difference, ...]:
    """Return every difference between the exchange and our book here, the gravest first."""
    found = (*_sizes(view), *_mode(view), *_leverage(view), *_orders(view))
    return tuple(found)


def outdated(view: View) -> Iterator[Decision]:
    """Decide to forget answers to differences that have changed or gone since, so that the next is asked about."""
    if not view.desired.answers or not view.believed:
        return
    standing = {(difference.kind, difference.mark) for difference in differences(view)}
    for answer in view.desired.answers:
        if (answer.kind, answer.mark) not in standing:
            why = Reason("difference.outdated", choice=answer.choice)
            yield Decision(None, Rule.TOTALS, why, ForgetAnswer(answer.kind, answer.mark))


def waits_for_an_answer(view: View) -> Reason | None:
    """Return why nothing may be opened or enlarged beside contracts that are not ours; None where it may."""
    residual = view.residual
    if residual <= ZERO or view.desired.answered(DifferenceKind.RESIDUAL, plain(residual)) is Choice.IGNORE:
        return None
    return Reason("precondition.not_ours", residual=residual)


def residual_price(view: View) -> Price | None:
    """Return the average at which the residual was opened: the exchange's average less what our parts stand at.

    Where earlier exits have moved the two averages so far apart that this tells nothing, the exchange's average.
    """
    position, residual = view.seen.position, view.residual
    if position is None or residual <= ZERO:
        return None
    average = position.average_price
    ours = total(part.size * (part.average_entry or average) for part in view.living if part.size)
    told = (position.contracts * average - ours) / residual
    return Price(told) if abs(told / average - 1) <= BELIEVABLE else average


def may_take_over(part: Part) -> bool:
    """Return whether a residual can be assigned to a part: held, wanted, and nothing of it under way."""
    intent = part.intent
    calm = not (part.entry_orders_working or part.closes_working or intent.reduce_to is not None)
    return intent.living and bool(part.size) and not intent.wanted.closes and calm


def _sizes(view: View) -> Iterator[Difference]:
    residual = view.residual
    ours = Reason("difference.contracts", contracts=view.parts_total)
    theirs = Reason("difference.contracts", contracts=view.seen.contracts)
    mark = plain(residual)
    answer = view.desired.answered(DifferenceKind.RESIDUAL, mark)
    if residual == ZERO or not (answer or view.believed):
        return
    if residual > ZERO:
        yield Difference(
            kind=DifferenceKind.RESIDUAL,
            key=view.desired.key,
            ours=ours,
            theirs=theirs,
            since=view.seen.differs_since,
            words=Reason("difference.residual", residual=residual),
            choices=(Choice.ADOPT, Choice.ASSIGN, Choice.IGNORE),
            mark=mark,
            answer=answer,
            quantity=residual,
            price=residual_price(view),
        )
        return
    reduced = asked_about(view)
    if reduced > ZERO:
        mark = plain(reduced)
        yield Difference(
            kind=DifferenceKind.REDUCED,
            key=view.desired.key,
            ours=ours,
            theirs=theirs,
            since=view.seen.differs_since,
            words=Reason("difference.reduced", missing=reduced),
            choices=(Choice.PRO_RATA, Choice.OLDEST, Choice.NEWEST),
            mark=mark,
            answer=view.desired.answered(DifferenceKind.REDUCED, mark),
            quantity=reduced,
        )
        return
    missing = untraced(view)
    if missing > ZERO:
        mark = plain(missing)
        yield Difference(
            kind=DifferenceKind.SHORTFALL,
            key=view.desired.key,
            ours=ours,
            theirs=theirs,
            since=view.seen.differs_since,
            words=Reason("difference.shortfall", missing=missing),
            choices=(Choice.BOOK, Choice.WAIT),
            mark=mark,
            answer=view.desired.answered(DifferenceKind.SHORTFALL, mark),
            quantity=missing,
        )


def _mode(view: View) -> Iterator[Difference]:
    if view.seen.other_side and view.living:
        yield Difference(
            kind=DifferenceKind.NET_MODE,
            key=view.desired.key,
            ours=Reason("difference.hedge_mode"),
            theirs=Reason("difference.one_way"),
            since=None,
            words=Reason("difference.net_mode"),
            choices=(),
            mark="net",
        )


def _leverage(view: View) -> Iterator[Difference]:
    position = view.seen.position
    wanted = sorted({part.intent.leverage for part in view.living if part.size})
    if position is None or not wanted or position.leverage in wanted:
        return
    mark = plain(position.leverage)
    each = tuple(Reason("difference.times", leverage=leverage) for leverage in wanted)
    ours, theirs = (
        Reason("difference.leverages", leverages=each),
        Reason("difference.times", leverage=position.leverage),
    )
    yield Difference(
        kind=DifferenceKind.LEVERAGE,
        key=view.desired.key,
        ours=ours,
        theirs=theirs,
        since=None,
        words=Reason("difference.leverage", theirs=theirs, ours=ours),
        choices=(Choice.IGNORE,),
        mark=mark,
        answer=view.desired.answered(DifferenceKind.LEVERAGE, mark),
    )


def _orders(view: View) -> Iterator[Difference]:
    foreign = [order for order in view.seen.orders if order.part is None and order.working]
    if not foreign or not view.living:
        return
    mark = ",".join(sorted(order.exchange_order_id for order in foreign))
    told = [
        Reason("difference.order", side=order.side, kind=order.kind, quantity=order.quantity)
        for order in sorted(foreign, key=lambda order: (order.side, order.kind, order.quantity))
    ]
    yield Difference(
        kind=DifferenceKind.FOREIGN_ORDERS,
        key=view.desired.key,
        ours=Reason("difference.orders", orders=0),
        theirs=Reason("difference.orders", orders=len(foreign)),
        since=min((order.created_at for order in foreign if order.created_at is not None), default=None),
        words=Reason("difference.foreign_orders", orders=len(foreign), which=tuple(told)),
        choices=(Choice.IGNORE,),
        mark=mark,
        answer=view.desired.answered(DifferenceKind.FOREIGN_ORDERS, mark),
    )
