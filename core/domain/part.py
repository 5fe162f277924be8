"""A part: the share of a position that belongs to one intent, computed from its orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar, overload

from core.domain.ids import same_step
from core.domain.instrument import Instrument, Side
from core.domain.intent import ExitReason, Intent, Recovery, Target
from core.domain.money import NONE_HELD, ZERO, Contracts, Price, total
from core.domain.order import Leg, Order, OrderKind, Purpose

T = TypeVar("T")
_ENTRIES = (Purpose.ENTRY, Purpose.RECOVERY)


class PartStatus(StrEnum):
    """The status of a part's present cycle."""

    ASKED = "asked"
    OPENING = "opening"  #: ordered, and nothing has filled yet
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    REFUSED = "refused"  #: ended without ever having been entered


class counted_once(Generic[T]):
    """A property that is computed at its first use and kept in the object; for values that never change."""

    def __init__(self, count: Callable[[Any], T]) -> None:
        self._count, self.__doc__ = count, count.__doc__

    @overload
    def __get__(self, whole: None, kind: type) -> counted_once[T]: ...

    @overload
    def __get__(self, whole: object, kind: type) -> T: ...

    def __get__(self, whole: object | None, kind: type) -> counted_once[T] | T:
        if whole is None:
            return self
        value = whole.__dict__[self._count.__name__] = self._count(whole)
        return value


@dataclass(frozen=True)  # without slots: what follows from the orders is counted once and kept
class Part:
    """A part: what one intent holds in its current cycle. Quantities in contracts, money in USDT."""

    intent: Intent
    instrument: Instrument
    orders: tuple[Order, ...]  #: of the current cycle, oldest first
    stuck: frozenset[str] = frozenset()  #: ids of legs that were set off long ago and never carried out

    @classmethod
    def fold(
        cls, intent: Intent, instrument: Instrument, orders: Iterable[Order], stuck: frozenset[str] = frozenset()
    ) -> Part:
        """Return the part that its own orders of the current cycle make."""
        own = (order for order in orders if order.part == intent.part and order.cycle == intent.cycle)
        return cls(intent, instrument, tuple(sorted(own, key=_by_number)), stuck)

    @property
    def name(self) -> str:
        return self.intent.part

    @property
    def side(self) -> Side:
        return self.intent.key.side

    @counted_once
    def entries(self) -> tuple[Order, ...]:
        return tuple(order for order in self.orders if order.purpose in _ENTRIES)

    @counted_once
    def exits(self) -> tuple[Order, ...]:
        return tuple(order for order in self.orders if not order.purpose.adds_risk)

    @counted_once
    def entered(self) -> Contracts:
        return Contracts(total(order.filled for order in self.entries) + self.taken_over)

    @counted_once
    def taken_over(self) -> Contracts:
        """Return contracts that others opened and the trader gave to this part."""
        return Contracts(total(entry.quantity for entry in self.intent.external_entries))

    @counted_once
    def balances(self) -> tuple[Order, ...]:
        """Return the orders that bought back contracts which exits had closed beyond this part."""
        return tuple(order for order in self.orders if order.purpose is Purpose.BALANCE)

    @counted_once
    def exited(self) -> Contracts:
        """Return contracts closed, by us and by others, less what was brought back."""
        by_us = total(order.filled for order in self.exits) - total(order.filled for order in self.balances)
        return Contracts(by_us + total(exit_.quantity for exit_ in self.intent.external_exits))

    @counted_once
    def closed_beyond(self) -> Contracts:
        """Return contracts that exits of this part took from other parts of the position: both legs filled."""
        return Contracts(max(self.exited - self.entered, ZERO))

    @counted_once
    def size(self) -> Contracts:
        """Return contracts held now, never below zero."""
        return Contracts(max(self.entered - self.exited, ZERO))

    @counted_once
    def average_entry(self) -> Price | None:
        """Return the average of all entries, recoveries and what was taken over in this cycle; unchanged by exits."""
        own = [(order.filled, order.average_price) for order in self.entries]
        return _average([*own, *((entry.quantity, entry.price) for entry in self.intent.external_entries)])

    @counted_once
    def average_exit(self) -> Price | None:
        """Return the average exit price of each contract; what was bought back lowers what was sold too much."""
        own = [(order.filled, order.average_price) for order in self.exits]
        back = [(Contracts(-order.filled), order.average_price) for order in self.balances]
        return _average([*own, *back, *((gone.quantity, gone.price) for gone in self.intent.external_exits)])

    @counted_once
    def steps(self) -> tuple[Order, ...]:
        """Return the first order of each recovery step that has added something, oldest first."""
        first: dict[int, Order] = {}
        for order in self.entries:
            if order.purpose is Purpose.RECOVERY and order.filled:
                first.setdefault(same_step(order.client_order_id), order)
        return tuple(first.values())

    @property
    def fees(self) -> Decimal:
        """Return all fees of this cycle, signed: negative = paid."""
        outside = total(exit_.fee for exit_ in self.intent.external_exits)
        return total(order.fee for order in self.orders) + outside

    @property
    def realised_pnl(self) -> Decimal:
        """Return the profit of what was closed in this cycle against our own average, before fees and funding.

        What an exit closed beyond the part was another's, and its profit is booked there.
        """
        entry, exit_price = self.average_entry, self.average_exit
        if entry is None or exit_price is None:
            return ZERO
        return self.instrument.pnl(self.side, min(self.exited, self.entered), entry, exit_price)

    def unrealised_pnl(self, mark: Decimal) -> Decimal:
        entry = self.average_entry
        return ZERO if entry is None else self.instrument.pnl(self.side, self.size, entry, mark)

    @counted_once
    def entry_orders_working(self) -> tuple[Order, ...]:
        return tuple(order for order in self.entries if order.working)

    @counted_once
    def doubly_guarded(self) -> bool:
        """Return whether more than one stop or more than one target rests."""
        stops = sum(order.sl_trigger is not None for order in self.protection)
        return stops > 1 or sum(order.tp_trigger is not None for order in self.protection) > 1

    def resting(self, leg: Leg) -> Order | None:
        """Return the order in which this leg rests, the oldest where there are two."""
        mine = (o for o in self.protection if (o.sl_trigger if leg is Leg.STOP_LOSS else o.tp_trigger) is not None)
        return next(mine, None)

    @counted_once
    def protection(self) -> tuple[Order, ...]:
        """Return live conditional orders that protect this part; what is stuck protects nothing."""
        live = (o for o in self.orders if o.purpose.protects and o.kind.rests_on_trigger and o.working)
        return tuple(order for order in live if order.client_order_id not in self.stuck)

    @counted_once
    def closes_working(self) -> tuple[Order, ...]:
        """Return live orders that close now, at market or at a limit."""
        return tuple(o for o in self.exits if not o.kind.rests_on_trigger and o.working)

    @counted_once
    def closing_at_market(self) -> bool:
        """Return whether an order at market that closes something of it is filling."""
        return any(order.kind is OrderKind.MARKET for order in self.closes_working)

    @counted_once
    def stop_covered(self) -> Contracts:
        """Return the contracts for which a stop-loss rests on the exchange."""
        covered = total(order.quantity - order.filled for order in self.protection if order.sl_trigger)
        return Contracts(min(covered, self.size))

    @counted_once
    def target_covered(self) -> Contracts:
        """Return the contracts for which a take-profit rests on the exchange."""
        covered = total(order.quantity - order.filled for order in self.protection if order.tp_trigger)
        return Contracts(min(covered, self.size))

    @property
    def protected(self) -> bool:
        """Return whether the whole size has a stop-loss resting on the exchange (or none was asked for)."""
        return self.size == NONE_HELD or self.targets[1] is None or self.stop_covered == self.size

    @counted_once
    def targets(self) -> tuple[Target | None, Target | None]:
        """Return take-profit and stop-loss that hold now: the trader's edit, else recovery's, else what was
        asked for.
        """
        intent, steps = self.intent, len(self.steps)
        if intent.edit is not None and intent.edit.step == steps:
            return intent.edit.take_profit, intent.edit.stop_loss
        if not steps:
            return intent.take_profit, intent.stop_loss
        recovery = intent.recovery or Recovery()
        by = (intent.stop_loss or intent.take_profit or Target(pnl_usdt=ZERO)).trigger_by
        return Target(pnl_usdt=recovery.tp_usdt, trigger_by=by), Target(pnl_usdt=-recovery.sl_usdt, trigger_by=by)

    @counted_once
    def target_base(self) -> Contracts:
        """Return the size that USDT targets are spread over: what was planned while entering, then what entered.

        Partial closes do not move TP and SL; recovery does, because it enters more: after a step it is what was
        held then.
        """
        if self.steps:
            since = self.steps[-1].created_at
            gone = [(order.filled, order.updated_at) for order in self.exits]
            gone += [(exit_.quantity, exit_.at) for exit_ in self.intent.external_exits]
            before = total(quantity for quantity, at in gone if since and at and at < since)
            return Contracts(max(self.entered - before, self.size))
        # between two pieces nothing works: what an entry plans holds until it is said to be over
        return Contracts(max(self.intent.contracts or NONE_HELD, self.entered))

    def stop_price(self, average: Price | None = None) -> Price | None:
        """Return where the stop-loss belongs, on the tick grid; None where none is wanted or nothing entered."""
        return self._level(self.targets[1], average, stop=True)

    def take_profit_price(self, average: Price | None = None) -> Price | None:
        """Return where the take-profit belongs, on the tick grid; None where none is wanted or nothing entered."""
        return self._level(self.targets[0], average, stop=False)

    def _level(self, target: Target | None, average: Price | None, *, stop: bool) -> Price | None:
        average = average or self.average_entry
        if target is None or average is None or not self.target_base:
            return None
        raw = target.raw_price(self.instrument, self.side, average, self.target_base)
        rounded = self.instrument.stop_price if stop else self.instrument.target_price
        # A small fill spreads USDT over so little that the price would lie below zero; no price does.
        return max(rounded(self.side, raw), Price(self.instrument.price_tick))

    @property
    def why_it_ended(self) -> ExitReason:
        """Return why the cycle ended, by the origin of the last closing order."""
        exits = [(order.updated_at or order.created_at, _reason(order)) for order in self.exits if order.filled]
        exits += [(gone.at, gone.reason) for gone in self.intent.external_exits]
        if not exits:
            return ExitReason.NOT_ENTERED if not self.entered else ExitReason.NOT_KNOWN
        return max(exits, key=lambda pair: (pair[0] is not None, pair[0]))[1]

    @property
    def status(self) -> PartStatus:
        """Return the status of the present cycle."""
        if not self.intent.living:
            return PartStatus.REFUSED if self.intent.exit_reason is ExitReason.NOT_ENTERED else PartStatus.CLOSED
        if self.intent.wanted.closes:
            return PartStatus.CLOSING
        if self.entered == NONE_HELD:
            return PartStatus.OPENING if self.orders else PartStatus.ASKED
        return PartStatus.OPEN


def _by_number(order: Order) -> tuple[int, str]:
    """Return the sort key of orders of one purpose by their numbers: 99 comes before 100."""
    return len(order.client_order_id), order.client_order_id


def _average(parts: Iterable[tuple[Contracts, Price | None]]) -> Price | None:
    quantity, value = ZERO, ZERO
    for filled, price in parts:
        if filled and price is not None:
            quantity += filled
            value += filled * price
    return Price(value / quantity) if quantity else None


def _reason(order: Order) -> ExitReason:
    if order.purpose is Purpose.CLOSE:
        return ExitReason.CLOSED_BY_US
    profit = order.triggered_leg is Leg.TAKE_PROFIT or order.purpose is Purpose.TAKE_PROFIT
    return ExitReason.TAKE_PROFIT if profit else ExitReason.STOP_LOSS
