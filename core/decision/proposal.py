"""Describes an order that would add risk, as the risk control measures it, and what it would be added to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.decision.preview.sizing import loss_at
from core.decision.view import View
from core.domain.instrument import Instrument, Side
from core.domain.intent import Recovery, Target
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, total
from core.domain.order import Purpose
from core.domain.part import Part

LEGS = 2  #: conditional orders that protect one part where the exchange counts them


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that would add risk, and what it would be added to. Money in USDT; None: not known, or no limit."""

    instrument: Instrument
    side: Side
    leverage: Decimal
    price: Price
    quantity: Contracts  #: of this order
    whole: Contracts  #: of the execution that it is a piece of
    filled: Contracts  #: of that, already
    asked: Decimal  #: position value as somebody asked for it
    lost_at_stop: Decimal | None = None  #: by all that the part then holds, with fees
    mark: Price | None = None
    resting: bool = False  #: at a limit: it never pays more than its price
    held: Decimal = ZERO  #: value of what else the position holds and awaits
    available: Decimal | None = None
    equity: Decimal | None = None
    day_start: Decimal | None = None  #: equity when the day began
    open_parts: int = 0  #: of the account, without this one
    opens: bool = True  #: its part holds nothing yet
    conditional: int = 0  #: conditional orders that rest or are kept room for
    most_conditional: int | None = None
    unanswered: tuple[str, ...] = ()  #: ids of requests of the same meaning without an answer

    @property
    def rest(self) -> Contracts:
        """Return the contracts that the execution still brings, with this order."""
        return Contracts(max(self.whole - self.filled, self.quantity))


def proposed(
    part: Part,
    quantity: Contracts,
    price: Price,
    view: View,
    purpose: Purpose,
    resting: bool,
    whole: Contracts,
    filled: Contracts,
) -> Proposal:
    """Return a part's order as a proposal, with everything that was seen beside it."""
    intent, seen, rule = part.intent, view.seen, part.intent.recovery
    others = [other for other in view.living if other.name != part.name]
    adds = rule.add_notional if purpose is Purpose.RECOVERY and rule is not None else intent.position_value
    command = view.unresolved(part, purpose)
    return Proposal(
        instrument=part.instrument,
        side=part.side,
        leverage=intent.leverage,
        price=price,
        quantity=quantity,
        whole=whole,
        filled=filled,
        asked=adds,
        lost_at_stop=_lost_at_stop(part, Contracts(max(whole - filled, quantity)), price, purpose),
        mark=seen.ticker.mark if seen.ticker is not None else None,
        resting=resting,
        held=part.instrument.notional(_held(part, others, view), seen.mark or price),
        available=seen.available,
        equity=seen.equity,
        day_start=seen.day_start,
        open_parts=sum(other.intent.begun or _before(other, part) for other in others) + seen.parts_elsewhere,
        opens=part.entered == NONE_HELD,
        conditional=room_used(part, view),
        most_conditional=seen.facts.max_conditional,
        unanswered=() if command is None else (command.client_order_id,),
    )


def room_used(part: Part, view: View) -> int:
    """Return how many conditional orders of the account rest, or are reserved for parts before this one.

    Room is kept for legs still to be placed: of parts that enter or hold something, and of those before this one.
    """
    others = [other for other in view.living if other.name != part.name]
    before = [
        other
        for other in others
        if other.entered or other.entry_orders_working or view.unresolved(other, Purpose.ENTRY) or _before(other, part)
    ]
    return view.seen.conditional_orders + view.seen.legs_elsewhere + sum(map(_legs_to_come, before))


def lost_after_step(rules: Instrument, side: Side, whole: Contracts, average: Price, rule: Recovery) -> Decimal:
    """Return the USDT lost at the stop that follows a recovery step, with both fees."""
    raw = Target(pnl_usdt=-rule.sl_usdt).raw_price(rules, side, average, whole)
    return loss_at(rules, side, whole, average, max(rules.stop_price(side, raw), rules.price_tick))


def _before(other: Part, part: Part) -> bool:
    """Return whether another part begins before this one: in one look parts begin in the order of their names."""
    return other.name < part.name and not other.intent.wanted.closes


def _legs_to_come(part: Part) -> int:
    resting = sum(order.working and order.kind.rests_on_trigger for order in part.orders)
    return max(sum(target is not None for target in part.targets) - resting, 0)


def _held(part: Part, others: list[Part], view: View) -> Contracts:
    """Return what the position holds, and what orders under way still bring it."""
    awaited = total(
        Contracts(order.quantity - order.filled) for one in (part, *others) for order in one.entry_orders_working
    )
    known = {order.client_order_id for one in view.living for order in one.orders}
    for other in others:
        awaited += total(
            command.quantity
            for command in view.unanswered(other)
            if command.purpose.adds_risk and command.client_order_id not in known
        )
    return Contracts(max(view.seen.contracts, view.parts_total) + awaited)


def _lost_at_stop(part: Part, added: Contracts, price: Price, purpose: Purpose) -> Decimal | None:
    """Return the loss at the stop once these contracts are added, with both fees; None where there is no stop."""
    before = part.size if purpose is Purpose.RECOVERY else part.entered
    whole = Contracts(before + added)
    average = Price((before * (part.average_entry or price) + added * price) / whole)
    if purpose is Purpose.RECOVERY:
        return lost_after_step(part.instrument, part.side, whole, average, part.intent.recovery or Recovery())
    stop = part.stop_price(average)
    return None if stop is None else loss_at(part.instrument, part.side, whole, average, stop)
