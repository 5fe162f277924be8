"""The rule *totals*: parts must add up to the position. A lack is traced to its fill; a surplus is reported and left
alone.

What the trader has answered to a difference is done here, and nothing is done with the exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.decision.division import divide
from core.decision.rules.balance import accounted_for, balance
from core.decision.view import View, skip
from core.domain.action import BookExit, Decision, RaiseAlarm, Rule
from core.domain.difference import Choice, DifferenceKind, Division
from core.domain.intent import ExitReason
from core.domain.money import NONE_HELD, ZERO, Contracts, plain, total
from core.domain.order import Fill
from core.domain.part import Part
from core.domain.reason import Reason

ORIGINS = {
    "order": ExitReason.CLOSED_BY_HAND,
    "liquidation": ExitReason.LIQUIDATED,
    "deleveraging": ExitReason.DELEVERAGED,
}
UNTRACED = timedelta(seconds=60)  #: after this long without a fill that explains it, a gap is booked at the mark


def totals(view: View) -> Iterator[Decision]:
    """Compare the parts with the position, trace a lack to fills, report a surplus."""
    residual = view.residual
    if residual == ZERO:
        return
    if residual > ZERO:
        if view.believed:
            yield _reported(view)
        return
    yield from balance(view)
    missing = Contracts(-residual - accounted_for(view))
    if missing == NONE_HELD:
        return
    if not view.believed:
        yield skip(None, Rule.TOTALS, Reason("totals.looks_again", missing=-residual))
        return
    yield from _trace(view, missing)


def untraced(view: View) -> Contracts:
    """Return the contracts that the position lacks and that no fill we know of explains."""
    if view.residual >= ZERO:
        return NONE_HELD
    explained = total(fill.quantity - _booked(view, fill) for fill in view.seen.foreign_fills)
    return Contracts(max(-view.residual - explained - accounted_for(view), ZERO))


def _reported(view: View) -> Decision:
    residual = view.residual
    if view.desired.answered(DifferenceKind.RESIDUAL, plain(residual)) is Choice.IGNORE:
        return skip(None, Rule.TOTALS, Reason("totals.more_ignored", residual=residual))
    why = Reason("totals.more_than_ours", residual=residual)
    return Decision(None, Rule.TOTALS, why, RaiseAlarm(None, f"residual/{view.desired.key}", why))


def _trace(view: View, missing: Contracts) -> Iterator[Decision]:
    """Book the missing contracts to the parts as the trader wants them divided, fill by fill."""
    holders = {part.name: part for part in sorted((part for part in view.living if part.size), key=_age)}
    rooms = {name: part.size for name, part in holders.items()}
    for fill in sorted(view.seen.foreign_fills, key=lambda fill: (fill.at, fill.exchange_fill_id), reverse=True):
        left = Contracts(min(fill.quantity - _booked(view, fill), missing))
        if left <= NONE_HELD:
            continue
        rule = division(view, fill, left)
        if rule is Division.ASK:
            why = Reason("totals.asks_whose", missing=left)
            yield Decision(None, Rule.TOTALS, why, RaiseAlarm(None, f"reduced/{view.desired.key}", why))
            return
        for name, quantity in divide(left, rooms, rule, view.seen.instrument.quantity_step).items():
            yield _book(holders[name], quantity, fill, rule, alone=len(holders) == 1)
            rooms[name] = Contracts(rooms[name] - quantity)
            missing = Contracts(missing - quantity)
    if missing > NONE_HELD:
        yield from _untraced(view, missing, list(reversed(holders.values())))


def division(view: View, fill: Fill, quantity: Contracts) -> Division:
    """Return how this fill is divided. What the exchange itself takes comes off all parts by their size."""
    holders = [part for part in view.living if part.size]
    if len(holders) < 2 or quantity >= total(part.size for part in holders):
        return Division.NEWEST  # there is nothing to choose
    if fill.origin != "order":
        return Division.PRO_RATA
    rule = view.desired.division
    if rule is Division.ASK:
        answer = view.desired.answered(DifferenceKind.REDUCED, plain(quantity))
        return Division(answer) if answer is not None else Division.ASK
    return rule


def asked_about(view: View) -> Contracts:
    """Return contracts that somebody closed of a shared position, while the trader is to say which parts lose them."""
    if view.residual >= ZERO or not view.believed or view.desired.division is not Division.ASK:
        return NONE_HELD
    missing = Contracts(-view.residual - accounted_for(view))
    for fill in sorted(view.seen.foreign_fills, key=lambda fill: (fill.at, fill.exchange_fill_id), reverse=True):
        left = Contracts(min(fill.quantity - _booked(view, fill), missing))
        choosable = left < total(part.size for part in view.living) and sum(bool(part.size) for part in view.living) > 1
        if left > NONE_HELD and choosable and fill.origin == "order":
            return left
    return NONE_HELD


def left_to_a_person(view: View) -> bool:
    """Return whether contracts are missing and a person is to say whose they were, or has said to wait."""
    waits = view.desired.answered(DifferenceKind.SHORTFALL, plain(untraced(view))) is Choice.WAIT
    return waits or asked_about(view) > NONE_HELD


def _book(part: Part, quantity: Contracts, fill: Fill, rule: Division, *, alone: bool) -> Decision:
    reason = ORIGINS[fill.origin]
    share = quantity / fill.quantity
    action = BookExit(
        part=part.name,
        cycle=part.intent.cycle,
        quantity=quantity,
        price=fill.price,
        fee=fill.fee * share,
        reason=reason,
        at=fill.at,
        exchange_fill_id=_piece(part, fill.exchange_fill_id),
    )
    why = Reason("totals.closed_by_others", quantity=quantity, price=fill.price, reason=reason)
    if not alone:
        why = Reason("totals.divided", what=why, how=rule)
    return Decision(part.name, Rule.TOTALS, why, action)


def _untraced(view: View, missing: Contracts, holders: list[Part]) -> Iterator[Decision]:
    since, mark = view.seen.differs_since, view.seen.mark
    answer = view.desired.answered(DifferenceKind.SHORTFALL, plain(missing))
    if answer is Choice.WAIT:
        yield skip(None, Rule.TOTALS, Reason("totals.waits_for_fill", missing=missing))
        return
    early = since is None or view.now - since < UNTRACED
    if since is None or mark is None or (early and answer is not Choice.BOOK):
        yield skip(None, Rule.TOTALS, Reason("totals.looks_for_fill", missing=missing))
        return
    why = Reason("totals.booked_at_mark", missing=missing, mark=mark)
    yield Decision(None, Rule.TOTALS, why, RaiseAlarm(None, f"untraced/{view.desired.key}", why))
    for part in holders:
        quantity = Contracts(min(missing, part.size))
        if quantity > NONE_HELD:
            yield Decision(
                part.name,
                Rule.TOTALS,
                why,
                BookExit(
                    part.name,
                    part.intent.cycle,
                    quantity,
                    mark,
                    Decimal(0),
                    ExitReason.NOT_KNOWN,
                    view.now,
                    _piece(part, f"untraced-{int(since.timestamp())}"),
                ),
            )
            missing = Contracts(missing - quantity)


def _booked(view: View, fill: Fill) -> Decimal:
    """Return how much of a fill was booked to the parts already, in this cycle of theirs or an earlier one."""
    prefix = f"{fill.exchange_fill_id}/"
    given = total(
        gone.quantity
        for part in view.parts
        for gone in part.intent.external_exits
        if gone.exchange_fill_id.startswith(prefix)
    )
    return max(given, view.seen.booked.get(fill.exchange_fill_id, ZERO))


def _piece(part: Part, source: str) -> str:
    """Return the id of a part's next share of one fill: the same until it is booked, another one afterwards."""
    prefix = f"{source}/{part.name}"
    taken = sum(gone.exchange_fill_id.startswith(prefix) for gone in part.intent.external_exits)
    return f"{prefix}/{taken + 1}"


def _age(part: Part) -> tuple[Decimal, str]:
    started = part.intent.cycle_started_at
    return Decimal(int(started.timestamp() * 1000)) if started else ZERO, part.name
