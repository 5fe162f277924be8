"""The steps of one cycle, read from its orders: entry, recoveries, edits, partial closes, exit, each before and after.

Pure. Sizes, prices and fees are those of the fills; the levels of take-profit and stop-loss those that rested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.intent import ExternalEntry, ExternalExit
from core.domain.money import NONE_HELD, ZERO, Contracts, Price
from core.domain.order import Leg, Order, Purpose
from core.domain.reason import Reason, Value

BEGINNING = datetime.min.replace(tzinfo=UTC)
Pair = tuple[Price | None, Price | None]  #: take-profit and stop-loss


class StepKind(StrEnum):
    ENTRY = "entry"
    TAKEN_OVER = "taken_over"  #: contracts that others opened and the trader gave to the part
    RECOVERY = "recovery"
    EDIT = "edit"  #: TP and SL as the trader moved them here
    BY_HAND = "by_hand"  #: TP and SL as somebody moved them at the exchange, before they were put back
    REDUCTION = "reduction"  #: something was closed and something is left
    EXIT = "exit"
    BALANCE = "balance"  #: what the exits had closed beyond the part was brought back


_ADDING = {Purpose.RECOVERY: StepKind.RECOVERY, Purpose.BALANCE: StepKind.BALANCE}


@dataclass(frozen=True, slots=True)
class Holding:
    """Contracts, average and levels of a part at one moment."""

    size: Contracts = NONE_HELD  #: below zero: its exits closed so much more than it held, until it is brought back
    average: Price | None = None
    take_profit: Price | None = None
    stop_loss: Price | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a cycle. `quantity` is signed: what was closed has a minus; an edit has none."""

    kind: StepKind
    at: datetime
    quantity: Contracts
    price: Price | None
    fee: Decimal  #: signed, negative = paid
    words: str  #: the order's id, or what was asked for
    before: Holding
    after: Holding


@dataclass(frozen=True, slots=True)
class ProtectionLevels:
    """TP and SL of one protection as sent: placed, or amended from what had rested until then."""

    at: datetime
    order_id: str
    to: Pair
    was: Pair | None = None  #: what an amended order showed; None: it was placed
    certain: bool = True  #: False: the answer was never heard
    whole: bool = True  #: False: it guards only what one recovery step added
    leg: Leg | None = None  #: an order of one leg alone, beside that of the other


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of TP and SL by the trader."""

    at: datetime
    words: str


def levels_of(at: datetime, action: Reason, *, certain: bool) -> ProtectionLevels | None:
    """Return the levels of an amendment (`action.amend_order`); None for any other action."""
    if action.code != "action.amend_order":
        return None
    tp_was, tp, sl_was, sl = (_price(action.values[name]) for name in ("tp_was", "tp", "sl_was", "sl"))
    return ProtectionLevels(at, str(action.values["client_order_id"]), (tp, sl), (tp_was, sl_was), certain)


def steps(
    orders: Iterable[Order],
    exits: Iterable[ExternalExit] = (),
    levels: Iterable[ProtectionLevels] = (),
    edits: Iterable[Edit] = (),
    entries: Iterable[ExternalEntry] = (),
) -> tuple[Step, ...]:
    """Return the steps of a cycle, oldest first, whatever the order in which its facts are handed in."""
    told = sorted(levels, key=lambda one: one.at)
    marks: list[Step] = [*_trades(orders, exits), *(_bare(StepKind.EDIT, edit.at, edit.words) for edit in edits)]
    marks += [*_moved_by_hand(told), *map(_taken_over, entries)]
    marks.sort(key=lambda step: (step.at, step.kind is not StepKind.ENTRY, step.words))
    in_force = [one for one in told if one.whole]
    made: list[Step] = []
    held, value = Holding(), ZERO
    brought_back = any(step.kind is StepKind.BALANCE for step in marks)
    for number, step in enumerate(marks):
        before = held
        if step.kind is StepKind.BALANCE:
            held = replace(held, size=Contracts(held.size + step.quantity))
        elif step.quantity > 0:
            value += step.quantity * (step.price or ZERO)
            entered = _entered(made) + step.quantity
            held = replace(held, size=Contracts(held.size + step.quantity), average=Price(value / entered))
        elif step.quantity:
            left = held.size + step.quantity
            held = replace(held, size=Contracts(left if brought_back else max(left, ZERO)))
        if step.kind is StepKind.BY_HAND:
            there = replace(held, take_profit=step.after.take_profit, stop_loss=step.after.stop_loss)
            made.append(replace(step, before=before, after=there))
            continue
        until = marks[number + 1].at if number + 1 < len(marks) else None
        pair = _last(in_force, until)
        if pair is not None:
            held = replace(held, take_profit=pair[0], stop_loss=pair[1])
        kind = step.kind if step.kind is not StepKind.EXIT or held.size <= NONE_HELD else StepKind.REDUCTION
        made.append(replace(step, kind=kind, before=before, after=held))
    return tuple(made)


def moved_by_hand(levels: Iterable[ProtectionLevels]) -> ProtectionLevels | None:
    """Return the newest change at the exchange that was not ours; its `was` are the levels that somebody set there."""
    return next(reversed(list(_foreign(sorted(levels, key=lambda one: one.at)))), None)


def _trades(orders: Iterable[Order], exits: Iterable[ExternalExit]) -> Iterator[Step]:
    for order in orders:
        if not order.filled:
            continue
        adds = order.purpose.adds_risk
        kind = StepKind.EXIT
        if adds:
            kind = _ADDING.get(order.purpose, StepKind.ENTRY)
        at = order.updated_at or order.created_at or BEGINNING
        step = _bare(kind, at, _leg_words(order))
        quantity = order.filled if adds else Contracts(-order.filled)
        yield replace(step, quantity=quantity, price=order.average_price, fee=order.fee)
    for gone in exits:
        step = _bare(StepKind.EXIT, gone.at, gone.reason)
        yield replace(step, quantity=Contracts(-gone.quantity), price=gone.price, fee=gone.fee)


def _taken_over(entry: ExternalEntry) -> Step:
    return replace(_bare(StepKind.TAKEN_OVER, entry.at, entry.entry_id), quantity=entry.quantity, price=entry.price)


def _leg_words(order: Order) -> str:
    leg = {Leg.TAKE_PROFIT: " TP", Leg.STOP_LOSS: " SL", None: ""}[order.triggered_leg]
    return f"{order.client_order_id}{leg}"


def _foreign(told: Sequence[ProtectionLevels]) -> Iterator[ProtectionLevels]:
    """Yield amendments of an order that showed other levels than any that we had sent for it."""
    known: dict[str, set[Pair]] = {}
    for one in told:
        ours = known.setdefault(one.order_id, set())
        if one.was is not None and ours and one.was not in ours:
            yield one
        known[one.order_id] = {one.to} if one.certain else ours | {one.to}


def _moved_by_hand(told: Sequence[ProtectionLevels]) -> Iterator[Step]:
    for one in _foreign(told):
        assert one.was is not None
        tp, sl = one.was
        yield replace(_bare(StepKind.BY_HAND, one.at, one.order_id), after=Holding(take_profit=tp, stop_loss=sl))


def _bare(kind: StepKind, at: datetime, words: str) -> Step:
    return Step(kind, at, NONE_HELD, None, ZERO, words, Holding(), Holding())


def _entered(made: Iterable[Step]) -> Decimal:
    return sum((step.quantity for step in made if step.quantity > 0 and step.kind is not StepKind.BALANCE), ZERO)


def _last(in_force: Sequence[ProtectionLevels], until: datetime | None) -> Pair | None:
    """Return the levels that rested when the next step came; legs that are orders of their own are joined."""
    pair: Pair | None = None
    for one in in_force:
        if until is not None and one.at >= until:
            break
        tp, sl = pair or (None, None)
        pair = {Leg.TAKE_PROFIT: (one.to[0], sl), Leg.STOP_LOSS: (tp, one.to[1]), None: one.to}[one.leg]
    return pair


def _price(value: Value) -> Price | None:
    return Price(value) if isinstance(value, Decimal) else None
