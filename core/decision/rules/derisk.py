"""The rule *derisk*: reduce a part whose stop would lose more by now than one trade may lose; off by default.

Equity falls, stops are moved, parts are enlarged by hand: what was measured when it was entered no longer holds.
Nothing is closed beyond what the limit asks for, a part is never closed whole, and it keeps its stop throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.decision.entry_state import entry_over, fully_entered
from core.decision.preview.sizing import loss_at
from core.decision.view import View, skip
from core.domain.account import Level
from core.domain.action import Decision, Reduce, Rule
from core.domain.money import NONE_HELD, ZERO, Contracts
from core.domain.order import Purpose
from core.domain.part import Part
from core.domain.reason import Reason

APART = timedelta(seconds=30)  #: between two reductions of one part


def derisk(part: Part, view: View) -> Iterator[Decision]:
    """Decide one part's reduction, where it is switched on and due."""
    found = None if part.size == NONE_HELD or _leaving(part, view) else outgrown(part, view)
    if found is None:
        return
    lost, most = found
    busy = _busy(part, view)
    if busy is not None:
        yield skip(part, Rule.DERISK, Reason("derisk.waits", lost=lost, most=most, why=busy))
        return
    rules = part.instrument
    fits = rules.round_quantity(part.size * most / lost) if most > ZERO else NONE_HELD
    # the smallest order bounds both: what is closed, and what stays
    to = rules.round_quantity(min(max(fits, rules.min_quantity), part.size - rules.min_quantity))
    if to < rules.min_quantity:
        yield skip(part, Rule.DERISK, Reason("derisk.cannot_split", lost=lost, most=most, size=part.size))
        return
    reduce = Reduce(part.name, part.intent.cycle, Contracts(to))
    yield Decision(
        part.name, Rule.DERISK, Reason("derisk.reduces", lost=lost, most=most, size=part.size, to=to), reduce
    )


def outgrown(part: Part, view: View) -> tuple[Decimal, Decimal] | None:
    """Return what the stop would lose and what one trade may lose, where the part is to be reduced; else None."""
    limits, stop, average = view.desired.limits, part.stop_price(), part.average_entry
    most = limits.most_risk(view.seen.equity) if limits.reduce_oversized_risk else None
    if most is None or stop is None or average is None:
        return None
    lost = loss_at(part.instrument, part.side, part.size, average, stop)
    return (lost, most) if lost > most else None


def _leaving(part: Part, view: View) -> bool:
    """Return whether the part is being closed already, whole or in part."""
    intent = part.intent
    closing = intent.wanted.closes or intent.reduce_to is not None or bool(part.closes_working)
    return closing or view.desired.level is Level.FLATTEN or view.filling(part)


def _busy(part: Part, view: View) -> Reason | None:
    """Return what has to be over before a reduction; None where nothing has."""
    unknown = view.unresolved(part)
    if unknown is not None:
        return Reason("order.no_answer", order=unknown.client_order_id)
    if part.intent.adding is not None or not (fully_entered(part) or entry_over(part, view)):
        return Reason("derisk.entering")
    if not part.protected:
        return Reason("precondition.stop_first")
    if not view.seen.settled or view.residual < NONE_HELD:
        return Reason("precondition.position_smaller")
    last = view.newest(part, Purpose.CLOSE)
    if last is not None and view.now - last.recorded_at < APART:
        return Reason("derisk.apart", apart=APART)
    return None
