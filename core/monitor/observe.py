"""Reads an account consistently: positions, orders and prices in one look, laid beside our own book.

An order of ours that left the exchange's lists is asked for until the exchange tells how it ended; a command
without an outcome is asked for under its id. "Not found" is believed only after the request's lifetime, a
time to settle, and while nothing else speaks for it. A failed read raises; it never becomes an empty answer.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from core.clock import Clock
from core.decision.proposal import LEGS
from core.domain.account import AccountState, PositionKey
from core.domain.action import Action, Command, OutcomeKind, PlaceOrder, StartCycle
from core.domain.instrument import Instrument
from core.domain.intent import Desired, Wanted
from core.domain.money import NONE_HELD, Contracts, total
from core.domain.observation import Position, Seen, Ticker
from core.domain.order import GIVEN_UP, Fill, Order, OrderKind, OrderStatus, Purpose
from core.domain.part import Part
from core.domain.reason import Reason
from core.exchange.port import Reads
from core.monitor import attached_protection
from core.monitor.order_tracker import OrderTracker, further
from db.store import Store

log = logging.getLogger("perpdeck.observe")

SETTLE = timedelta(seconds=10)  #: an exchange may not show for so long what it has accepted
BELIEVED_AT_LAST = timedelta(seconds=60)  #: "not found" is the truth by then, whatever else the position shows
CONFIRM_AFTER = timedelta(milliseconds=300)  #: two reads closer than this are one
FRESH_PRICE = timedelta(seconds=5)
DAY_READ_EVERY = timedelta(seconds=5)  #: what the account was worth when the day began is read anew this often
MOVED_AWAY = Decimal("0.002")  #: between a position's mark price and the price we last heard: it is read anew
BOOK_BEHIND = Decimal("0.005")  #: between the mark and the book, which streams of their own tell: the book is old
LEFT_OUT = ("part", "cycle", "child_order_ids", "triggered_leg", "created_at")  #: of an order, by lists and pushes


@dataclass(frozen=True, slots=True)
class Look:
    """The result of reading the account once, with our book laid beside it."""

    account: str
    at: datetime
    positions: Mapping[PositionKey, Position]
    orders: tuple[Order, ...]  #: ours of the current cycles and everything live, foreign too
    commands: tuple[Command, ...]
    desired: Mapping[PositionKey, Desired]
    unsettled: frozenset[PositionKey]
    legs_to_come: Mapping[PositionKey, int] = field(default_factory=dict)  #: where an exchange counts them

    def keys(self) -> tuple[PositionKey, ...]:
        """Return every position that is held, wanted, or has orders."""
        found = set(self.positions) | set(self.desired)
        found |= {PositionKey(self.account, o.symbol, o.position_side) for o in self.orders if o.working}
        return tuple(sorted(found))


@dataclass(slots=True)
class _Size:
    """Consecutive readings of one position's size."""

    contracts: Contracts
    since: datetime
    confirmed: bool = False
    difference: Contracts = NONE_HELD  #: what our parts hold beyond it
    differs_since: datetime | None = None  #: by just this much


class Observer:
    """Reads one account. Used by one thread at a time."""

    def __init__(self, account: str, port: Reads, store: Store, tracker: OrderTracker, clock: Clock) -> None:
        self.account, self.port, self.store, self.tracker, self.clock = account, port, store, tracker, clock
        self.instruments: dict[str, Instrument] = {}
        self.state: AccountState | None = None
        self._sizes: dict[PositionKey, _Size] = {}
        self._entered: Counter[PositionKey] = Counter()  #: legs that will follow what was sent since the look
        self._begun: set[tuple[PositionKey, str]] = set()  #: parts that have begun since the look
        self._day: tuple[datetime, Decimal | None] | None = None  #: equity at the day's start, and when it was read
        self.maintenance = False

    def refresh_account(self) -> AccountState:
        """Read money and mode. Raises Unavailable."""
        self.state = self.port.account_state()
        self.maintenance = self.port.under_maintenance()
        return self.state

    def refresh_instruments(self) -> None:
        """Read the contracts' rules anew; they do change."""
        self.instruments = self.port.instruments()

    def look(self) -> Look:
        """Read the account once, with follow-up reads for what is unexplained. Raises Unavailable; nothing is half
        known then.
        """
        if not self.instruments:
            self.refresh_instruments()
        if self.state is None:
            self.refresh_account()
        desired = self.store.parts.desired(self.account)
        known = {order.client_order_id: order for order in self.store.orders.of_interest(self.account)}
        commands = self.store.orders.commands(self.account)
        held = {PositionKey(self.account, p.symbol, p.side): p for p in self.port.positions()}
        live = self.port.working_orders()
        now = self.clock.now()

        orders, unsettled = self._merge(known, live, now)
        commands = self._resolve(commands, orders, held, desired, now)
        if self.port.facts.attaches_protection:  # after the entries that have just been found
            unsettled |= self._ask_for_nets(orders, held, desired, now)
        changed = [order for order in orders.values() if order.part is not None and known.get(_name(order)) != order]
        if changed:
            self.store.orders.save(self.account, changed)
        self._entered.clear()
        self._begun.clear()
        look = Look(
            self.account,
            now,
            held,
            tuple(orders.values()),
            tuple(commands),
            desired,
            frozenset(unsettled),
            {} if self.port.facts.max_conditional is None else _legs_to_come(orders.values(), commands, desired),
        )
        for key in look.keys():  # noqa: SIM118 - a Look is no mapping
            self._note_size(key, look)
        return look

    def seen(self, key: PositionKey, look: Look) -> Seen:
        """Return the input of one position's rules. Raises Unavailable where a needed read fails."""
        size = self._sizes[key]
        ticker = self._ticker(key, look)
        foreign = self._foreign_fills(key, look)
        return Seen(
            key=key,
            instrument=self.instrument(key.symbol),
            facts=self.port.facts,
            position=look.positions.get(key),
            confirmed=size.confirmed,
            orders=tuple(
                order for order in look.orders if order.symbol == key.symbol and order.position_side is key.side
            ),
            commands=tuple(command for command in look.commands if command.key_text == str(key)),
            foreign_fills=foreign,
            booked=self.store.cycles.booked_of(self.account, [fill.exchange_fill_id for fill in foreign]),
            ticker=ticker,
            available=self.state.available if self.state else None,
            equity=self.state.equity if self.state else None,
            hedge_mode=bool(self.state and self.state.hedge_mode),
            healthy=not self.maintenance,
            as_of=look.at,
            differs_since=size.differs_since,
            day_start=self._day_start(look.at),
            parts_elsewhere=self._parts_elsewhere(key, look),
            settled=key not in look.unsettled,
            conditional_orders=sum(order.working and order.kind.rests_on_trigger for order in look.orders),
            legs_elsewhere=self._legs_elsewhere(key, look),
            other_side=self._other_side(key, look),
        )

    def note_done(self, key: PositionKey, done: Iterable[tuple[Action, OutcomeKind]]) -> None:
        """Note what was begun and sent since the look, so that positions decided later count it and leave
        room for it.
        """
        self._begun |= {(key, act.part) for act, _ in done if isinstance(act, StartCycle)}
        entered = {act.part for act, _ in done if isinstance(act, PlaceOrder) and act.purpose is Purpose.ENTRY}
        self._entered[key] += LEGS * len(entered)

    def _parts_elsewhere(self, key: PositionKey, look: Look) -> int:
        begun = {(one.key, one.part) for wanted in look.desired.values() for one in wanted.intents if one.begun}
        return sum(other != key for other, _ in begun | self._begun)

    def _day_start(self, now: datetime) -> Decimal | None:
        """Return the equity when the day began, or since a person lowered the level; None: not known."""
        if self._day is None or not timedelta() <= now - self._day[0] < DAY_READ_EVERY:
            self._day = now, self.store.equity.day_start(self.account, now)
        return self._day[1]

    def _legs_elsewhere(self, key: PositionKey, look: Look) -> int:
        every = Counter(look.legs_to_come) + self._entered
        return sum(legs for other, legs in every.items() if other != key)

    def _other_side(self, key: PositionKey, look: Look) -> Reason | None:
        """Return why a one-way account cannot open this side now; None where it can, or holds both apart."""
        if self.state is None or self.state.hedge_mode:
            return None
        other = PositionKey(key.account, key.symbol, key.side.other)
        if other in look.positions:
            return Reason("precondition.one_way_holds", symbol=key.symbol, side=other.side)
        wanted = {side: look.desired[side].intents for side in (key, other) if side in look.desired}
        living = [intent for intents in wanted.values() for intent in intents if intent.living]
        oldest = min(living, key=lambda intent: (intent.cycle_started_at or look.at, intent.part), default=None)
        if oldest is not None and oldest.key == other:
            return Reason("precondition.one_way_part", part=oldest.part, symbol=key.symbol, side=other.side)
        return None

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self.instruments:
            self.refresh_instruments()
        return self.instruments[symbol]

    # -- orders ----------------------------------------------------------------------------------------------

    def _merge(
        self, known: Mapping[str, Order], live: Iterable[Order], now: datetime
    ) -> tuple[dict[str, Order], set[PositionKey]]:
        """Merge our book's orders with the exchange's lists; orders that left the lists are looked up."""
        merged = dict(known)
        listed: set[str] = set()
        for order in live:
            name = _name(order)
            listed.add(name)
            merged[name] = _listed(merged.get(name), order)
        unsettled: set[PositionKey] = set()
        for name, order in known.items():
            if not order.working or name in listed:
                continue
            told = self._how_it_ended(order, now)
            merged[name] = told
            if told.working:
                unsettled.add(PositionKey(self.account, order.symbol, order.position_side))
        return merged, unsettled

    def _how_it_ended(self, order: Order, now: datetime) -> Order:
        pushed = self.tracker.order(order.client_order_id)
        if pushed is not None and pushed.status.ended and not order.kind.rests_on_trigger:
            return further(order, _with_past(order, pushed))
        found = self.port.find(order.client_order_id, order.symbol, order.kind)
        if found is not None:
            return further(order, _with_past(order, found))
        accepted = order.created_at or order.updated_at
        settle = self.port.facts.conditional_settle if order.kind.rests_on_trigger else SETTLE
        if accepted is None or now - accepted < settle:
            return order
        log.warning("order gone part=%s id=%s: the exchange no longer knows it", order.part, order.client_order_id)
        return order.but(status=OrderStatus.CANCELED, failure=GIVEN_UP, updated_at=now)

    def _ask_for_nets(
        self,
        orders: dict[str, Order],
        held: Mapping[PositionKey, Position],
        desired: Mapping[PositionKey, Desired],
        now: datetime,
    ) -> set[PositionKey]:
        """Look up attached protection that no list has shown; returns the positions about which one is still open."""
        current = {(i.part, i.cycle) for wanted in desired.values() for i in wanted.intents if i.living}
        entries = [order for order in orders.values() if (order.part, order.cycle) in current]
        unsettled: set[PositionKey] = set()

        def key_of(order: Order) -> PositionKey:
            return PositionKey(self.account, order.symbol, order.position_side)

        @cache
        def smaller(key: PositionKey) -> bool:
            return self._parts_total(key, orders.values(), desired) > _held(key, held)

        for net, entry, matters in list(attached_protection.unseen(entries, lambda order: smaller(key_of(order)), now)):
            found = self.port.find(net, entry.symbol, OrderKind.OCO)
            if found is not None:
                orders[net] = found
            elif matters:
                unsettled.add(key_of(entry))
        return unsettled

    # -- commands --------------------------------------------------------------------------------------------

    def _resolve(
        self,
        commands: Iterable[Command],
        orders: dict[str, Order],
        held: Mapping[PositionKey, Position],
        desired: Mapping[PositionKey, Desired],
        now: datetime,
    ) -> list[Command]:
        """Look up every command without an outcome, under its own id; returns those still without one."""
        answered: list[Command] = []
        for command in commands:
            answered.append(self._ask(command, orders, held, desired, now) if command.unresolved else command)
        return answered

    def _ask(
        self,
        command: Command,
        orders: dict[str, Order],
        held: Mapping[PositionKey, Position],
        desired: Mapping[PositionKey, Desired],
        now: datetime,
    ) -> Command:
        key = PositionKey.parse(command.key_text)
        found = orders.get(command.client_order_id)
        if found is None:
            found = self.port.find(command.client_order_id, key.symbol, command.kind)
        if found is not None:
            orders[command.client_order_id] = found
            self.store.orders.save(self.account, [found])  # before the command counts as done: no order is forgotten
            self.store.orders.settle(command.client_order_id, OutcomeKind.DONE, now=now)
            return replace(command, outcome=OutcomeKind.DONE)
        silent = now - command.recorded_at
        if silent < self.port.facts.request_lifetime + SETTLE:
            return command
        if silent < BELIEVED_AT_LAST and self._may_have_done(command, key, orders, held, desired):
            return command
        self.store.orders.settle(command.client_order_id, OutcomeKind.LOST, words="it never arrived", now=now)
        log.info("command lost part=%s id=%s: never arrived", command.part, command.client_order_id)
        return replace(command, outcome=OutcomeKind.LOST)

    def _may_have_done(
        self,
        command: Command,
        key: PositionKey,
        orders: Mapping[str, Order],
        held: Mapping[PositionKey, Position],
        desired: Mapping[PositionKey, Desired],
    ) -> bool:
        """Return whether the position differs from our parts in just the direction in which the command works."""
        unexplained = _held(key, held) - self._parts_total(key, orders.values(), desired)
        return unexplained > 0 if command.purpose.adds_risk else unexplained < 0

    def _parts_total(
        self, key: PositionKey, orders: Iterable[Order], desired: Mapping[PositionKey, Desired]
    ) -> Contracts:
        wanted = desired.get(key)
        if wanted is None:
            return NONE_HELD
        ours: dict[str, list[Order]] = defaultdict(list)
        for order in orders:
            if order.part is not None and order.symbol == key.symbol:
                ours[order.part].append(order)
        instrument = self.instrument(key.symbol)
        living = (Part.fold(intent, instrument, ours[intent.part]) for intent in wanted.intents if intent.living)
        return Contracts(total(part.size for part in living))

    # -- sizes, prices, foreign fills ------------------------------------------------------------------------

    def _note_size(self, key: PositionKey, look: Look) -> None:
        contracts = _held(key, look.positions)
        size = self._sizes.get(key)
        if size is None or size.contracts != contracts:
            known = (size.difference, size.differs_since) if size else (NONE_HELD, None)
            size = self._sizes[key] = _Size(contracts, look.at, False, *known)
        elif look.at - size.since >= CONFIRM_AFTER:
            size.confirmed = True
        difference = Contracts(self._parts_total(key, look.orders, look.desired) - contracts)
        if not difference:
            size.differs_since = None
        elif size.differs_since is None or size.difference != difference:
            size.differs_since = look.at
        size.difference = difference

    def _ticker(self, key: PositionKey, look: Look) -> Ticker | None:
        """Return the newest price; read over REST only where a decision needs one and the stream has none."""
        ticker = self.tracker.ticker(key.symbol)
        held = look.positions.get(key)
        if ticker is not None and look.at - ticker.at <= FRESH_PRICE and not _left_behind(ticker, held):
            return ticker
        wanted = look.desired.get(key)
        intents = wanted.intents if wanted is not None else ()
        if key in look.positions or any(i.living or i.wanted is not Wanted.CLOSED for i in intents):
            ticker = self.port.ticker(key.symbol)
            self.tracker.note_ticker(ticker)
        return ticker

    def _foreign_fills(self, key: PositionKey, look: Look) -> tuple[Fill, ...]:
        """Return closing fills that are not ours; read only while the exchange holds less than our parts."""
        wanted = look.desired.get(key)
        if wanted is None or self._sizes[key].differs_since is None or not self._sizes[key].confirmed:
            return ()
        if self._parts_total(key, look.orders, look.desired) <= _held(key, look.positions):
            return ()
        started = [i.cycle_started_at for i in wanted.intents if i.living and i.cycle_started_at is not None]
        if not started:
            return ()
        ours = {order.exchange_order_id for order in look.orders if order.part is not None}
        ours |= {child for order in look.orders if order.part is not None for child in order.child_order_ids}
        found = [
            fill
            for fill in self.port.fills(min(started))
            if (fill.symbol, fill.position_side) == (key.symbol, key.side) and fill.closing
            if fill.exchange_order_id not in ours
        ]
        ours = self._set_off(key, look) if found else ours  # lists may be late, and show it as resting still
        # What closed an earlier cycle, or a part that ended meanwhile, is ours as well and booked there.
        ended = self.store.orders.ours_among(self.account, [fill.exchange_order_id for fill in found])
        return tuple(fill for fill in found if fill.exchange_order_id not in ended | ours)

    def _set_off(self, key: PositionKey, look: Look) -> set[str]:
        """Return the orders that our conditional ones on a position have placed, each looked up under its own id."""
        mine = [o for o in look.orders if o.part is not None and o.working and o.kind.rests_on_trigger]
        here = [order for order in mine if (order.symbol, order.position_side) == (key.symbol, key.side)]
        asked = (self.port.find(order.client_order_id, order.symbol, order.kind) for order in here)
        return {child for order in asked if order is not None for child in order.child_order_ids}


def _legs_to_come(
    orders: Iterable[Order], commands: Iterable[Command], desired: Mapping[PositionKey, Desired]
) -> Mapping[PositionKey, int]:
    """Return how many conditional orders parts that enter or hold something have yet to place, by position."""
    entering = {(one.part, one.cycle) for one in commands if one.unresolved and one.purpose.adds_risk}
    resting: Counter[tuple[str | None, int | None]] = Counter()
    for order in orders:
        if order.purpose.adds_risk and (order.working or order.filled):
            entering.add((str(order.part), order.cycle or 0))
        resting[order.part, order.cycle] += order.working and order.kind.rests_on_trigger
    to_come: Counter[PositionKey] = Counter()
    for key, wanted in desired.items():
        for intent in wanted.intents:
            name = (intent.part, intent.cycle)
            if intent.living and name in entering:
                legs = sum(target is not None for target in (intent.take_profit, intent.stop_loss))
                to_come[key] += max(legs - resting[name], 0)
    return to_come


def _left_behind(ticker: Ticker, held: Position | None) -> bool:
    """Return whether one price tells that another has moved since it was received."""
    moved = held is not None and abs(held.mark_price / ticker.mark - 1) > MOVED_AWAY
    return moved or abs(ticker.mark - ticker.bid) > BOOK_BEHIND * ticker.mark


def _name(order: Order) -> str:
    return order.client_order_id or order.exchange_order_id


def _held(key: PositionKey, positions: Mapping[PositionKey, Position]) -> Contracts:
    position = positions.get(key)
    return position.contracts if position else NONE_HELD


def _listed(known: Order | None, listed: Order) -> Order:
    """Return an order as the exchange's list has it. One that was given up lives after all: a list is better than
    silence.
    """
    told = _with_past(known, listed)
    if known is not None and known.given_up:
        log.warning("order shown after all part=%s id=%s", known.part, known.client_order_id)
        return told
    return further(known, told)


def _with_past(known: Order | None, heard: Order) -> Order:
    """Return an order with what only our book or a look-up knows (our part, children, fees); lists and pushes
    omit it.
    """
    if known is None:
        return heard
    left_out = {name: past for name in LEFT_OUT if not getattr(heard, name) and (past := getattr(known, name))}
    return heard.but(**left_out) if left_out else heard
