"""Differences between exchange and book as items: both sides, since when, and what can be answered.

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

BELIEVABLE = Decimal("0.5")  #: a residual's price further than this from the exchange's average is not told by it


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference on one position."""

    kind: DifferenceKind
    key: PositionKey
    ours: str  #: what our book says
    theirs: str  #: what the exchange says
    since: datetime | None  #: None: the exchange does not tell
    words: str
    choices: tuple[Choice, ...]
    mark: str  #: what tells it from a changed one
    answer: Choice | None = None  #: what the trader said to it
    quantity: Contracts = NONE_HELD  #: contracts that are too many or too few
    price: Price | None = None  #: what a residual was opened at, as far as it can be told


def differences(view: View) -> tuple[Difference, ...]:
    """Everything in which the exchange and our book differ here, the gravest first."""
    found = (*_sizes(view), *_mode(view), *_leverage(view), *_orders(view))
    return tuple(found)


def outdated(view: View) -> Iterator[Decision]:
    """Answers to what has changed or gone since are forgotten, so that the next difference is asked about."""
    if not view.desired.answers or not view.believed:
        return
    standing = {(difference.kind, difference.mark) for difference in differences(view)}
    for answer in view.desired.answers:
        if (answer.kind, answer.mark) not in standing:
            words = f"the difference that was answered with {answer.choice} is no longer what it was"
            yield Decision(None, Rule.TOTALS, words, ForgetAnswer(answer.kind, answer.mark))


def waits_for_an_answer(view: View) -> str:
    """Why nothing may be opened or enlarged beside contracts that are not ours, or an empty string."""
    residual = view.residual
    if residual <= ZERO or view.desired.answered(DifferenceKind.RESIDUAL, plain(residual)) is Choice.IGNORE:
        return ""
    return f"{plain(residual)} contracts here are not ours: adopt, assign or ignore them first"


def residual_price(view: View) -> Price | None:
    """The average at which the residual was opened: the exchange's average less what our parts stand at.

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
    """True for a part to which a residual can be assigned: held, wanted, and nothing of it under way."""
    intent = part.intent
    calm = not (part.entry_orders_working or part.closes_working or intent.reduce_to is not None)
    return intent.living and bool(part.size) and not intent.wanted.closes and calm


def _sizes(view: View) -> Iterator[Difference]:
    residual, ours, theirs = view.residual, plain(view.parts_total), plain(view.seen.contracts)
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
            words=f"The exchange holds {mark} contracts more than our parts: somebody else opened them.",
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
            words=f"{mark} contracts were closed by hand, and several parts hold this position: which of them lose it?",
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
            words=f"{mark} contracts of our parts are gone at the exchange, and no fill tells why yet.",
            choices=(Choice.BOOK, Choice.WAIT),
            mark=mark,
            answer=view.desired.answered(DifferenceKind.SHORTFALL, mark),
            quantity=missing,
        )


def _mode(view: View) -> Iterator[Difference]:
    if view.seen.other_side and view.living:
        words = (
            "The account is one-way and its other side is taken: "
            "close that, or switch the account to long/short mode (hedge mode) at the exchange."
        )
        yield Difference(
            DifferenceKind.NET_MODE, view.desired.key, "long/short mode", "one-way", None, words, (), mark="net"
        )


def _leverage(view: View) -> Iterator[Difference]:
    position = view.seen.position
    wanted = sorted({part.intent.leverage for part in view.living if part.size})
    if position is None or not wanted or position.leverage in wanted:
        return
    mark = plain(position.leverage)
    ours = ", ".join(f"{plain(leverage)}x" for leverage in wanted)
    yield Difference(
        kind=DifferenceKind.LEVERAGE,
        key=view.desired.key,
        ours=ours,
        theirs=f"{mark}x",
        since=None,
        words=f"The position stands at {mark}x and its parts were opened with {ours}; "
        "the bot sets a part's leverage again before its next order.",
        choices=(Choice.IGNORE,),
        mark=mark,
        answer=view.desired.answered(DifferenceKind.LEVERAGE, mark),
    )


def _orders(view: View) -> Iterator[Difference]:
    foreign = [order for order in view.seen.orders if order.part is None and order.working]
    if not foreign or not view.living:
        return
    mark = ",".join(sorted(order.exchange_order_id for order in foreign))
    told = sorted(f"{order.side} {order.kind} {plain(order.quantity)}" for order in foreign)
    yield Difference(
        kind=DifferenceKind.FOREIGN_ORDERS,
        key=view.desired.key,
        ours="0",
        theirs=str(len(foreign)),
        since=min((order.created_at for order in foreign if order.created_at is not None), default=None),
        words=f"{len(foreign)} orders beside our parts are not ours and are left alone: {', '.join(told)}. "
        "Cancel them where they were placed, or ignore them.",
        choices=(Choice.IGNORE,),
        mark=mark,
        answer=view.desired.answered(DifferenceKind.FOREIGN_ORDERS, mark),
    )
