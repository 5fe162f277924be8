"""The smallest shell around `plan`: look, decide, write down, do; with a book that survives a crash and nothing else.

It keeps the same promises as the real loop: a placement is in the book before it is sent; silence is asked for
under its id and believed "never arrived" only after the request's lifetime and a time to settle, later still where
the position differs on the side the command would explain; an order that left the lists is asked for until the
exchange tells how it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from core.decision.plan import plan
from core.decision.rules.differences import Difference, differences
from core.decision.view import View
from core.domain.account import Level, PositionKey
from core.domain.action import (
    Action,
    AmendOrder,
    BookExit,
    CancelOrder,
    Command,
    EndCycle,
    ExecutionOver,
    ForgetAnswer,
    LetGo,
    OutcomeKind,
    PlaceOco,
    PlaceOrder,
    Plan,
    RaiseAlarm,
    ReductionDone,
    StartCycle,
    StartStep,
)
from core.domain.difference import DifferenceAnswer, DifferenceKind, Division
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.ids import PIECES, part_name
from core.domain.intent import Adding, Desired, ExternalEntry, ExternalExit, Intent, Wanted
from core.domain.money import NONE_HELD, ZERO, Contracts, total
from core.domain.observation import Position, Seen
from core.domain.order import Fill, Order, OrderKind, OrderStatus, Purpose
from core.domain.part import Part
from core.monitor import attached_protection
from tests.decision.stress.adversary import Adversary

SETTLE = timedelta(seconds=10)
BELIEVED_ANYWAY = timedelta(seconds=60)
CONFIRM_AFTER = timedelta(milliseconds=300)

Check = Callable[[Desired, Seen, Plan], None]


class Crash(Exception):
    """The process is gone; only what was in the book remains."""


@dataclass(slots=True)
class Book:
    """What is committed."""

    intents: dict[str, Intent] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    level: Level = Level.RUN
    planned: dict[tuple[str, int], Contracts] = field(default_factory=dict)
    steps: dict[tuple[str, int, int], Contracts] = field(default_factory=dict)  #: planned, of steps worked in pieces
    ended: list[EndCycle] = field(default_factory=list)
    alarms: set[str] = field(default_factory=set)
    division: Division = Division.NEWEST
    booked: dict[str, Contracts] = field(default_factory=dict)  #: of each fill of others, over all parts
    answers: list[DifferenceAnswer] = field(default_factory=list)  #: of the trader, to contracts that are not ours
    given: set[str] = field(default_factory=set)  #: differences that were adopted or assigned

    def open(self, asked: Intent) -> None:
        """Write a new part into the book under a name of its own."""
        name = part_name(len(self.intents) + 1)
        self.intents[name] = asked.but(part=name)

    def adopt(self, asked: Intent, entry: ExternalEntry) -> str:
        """A new part of what others opened; "" where that difference was given away already."""
        if entry.entry_id in self.given:
            return ""
        self.given.add(entry.entry_id)
        self.open(asked.but(external_entries=(entry,)))
        return part_name(len(self.intents))

    def assign(self, part: str, entry: ExternalEntry) -> str:
        """Add what others opened to a part; "" as above."""
        if entry.entry_id in self.given:
            return ""
        self.given.add(entry.entry_id)
        before = self.intents[part]
        enlarged = Contracts((before.contracts or NONE_HELD) + entry.quantity)
        self.change(part, contracts=enlarged, external_entries=(*before.external_entries, entry))
        self.planned[part, before.cycle] = enlarged
        return part

    def answer(self, key: PositionKey, answer: DifferenceAnswer) -> None:
        self.answers = [one for one in self.answers if one.kind is not answer.kind] + [answer]

    def forget(self, kind: DifferenceKind, mark: str) -> None:
        self.answers = [one for one in self.answers if (one.kind, one.mark) != (kind, mark)]

    def change(self, part: str, **changes: object) -> None:
        self.intents[part] = self.intents[part].but(**changes)

    def begin(self, action: StartCycle, now: datetime) -> None:
        """The cycle that was asked for, or the next one after an ended one."""
        started = {"contracts": action.contracts, "cycle_started_at": now}
        if action.cycle > self.intents[action.part].cycle:
            started |= {"cycle": action.cycle, "wanted": Wanted.OPEN, "cycle_ended_at": None, "exit_reason": None}
            started |= {"reduce_to": None, "edit": None, "reopen_at": None}
            started |= {"closing": None, "adding": None, "told": None}
            started |= {"external_exits": (), "external_entries": ()}
        self.change(action.part, **started)
        self.planned[action.part, action.cycle] = action.contracts

    def cycle_of(self, part: str) -> int:
        return self.intents[part].cycle

    @property
    def living(self) -> list[Intent]:
        return [intent for intent in self.intents.values() if intent.living]

    @property
    def waiting(self) -> bool:
        """Some placement has no known ending yet."""
        return any(command.unresolved for command in self.commands.values())


class SmallestBot:
    """One life of the process, from a start to a crash."""

    def __init__(self, book: Book, port: Adversary, dice: Random, crashes: float, check: Check) -> None:
        self.book, self.port, self.dice, self.crashes, self.check = book, port, dice, crashes, check
        self.differences: tuple[Difference, ...] = ()  #: as of the last look
        self._contracts: Contracts | None = None
        self._since = port.now
        self._confirmed = False
        self._differs_since: datetime | None = None
        self._difference = NONE_HELD

    def turn(self) -> Plan:
        """One pass. Raises Unavailable where a read fails and Crash where the process ends."""
        seen = self._look()
        shown, answers = tuple(self._shown()), tuple(self.book.answers)
        division = self.book.division
        desired = Desired(self.port.key, shown, self.book.level, answers=answers, division=division)
        decided = plan(desired, seen, self.port.now)
        self.differences = differences(View.of(desired, seen, self.port.now))
        self.check(desired, seen, decided)
        stuck: set[str | None] = set()
        for decision in decided.decisions:
            if decision.action is None or decision.part in stuck:
                continue
            self._may_crash()
            outcome = self._perform(decision.action)
            if outcome is OutcomeKind.UNKNOWN:
                break
            if outcome is not OutcomeKind.DONE:
                stuck.add(decision.part)
        return decided

    def _shown(self) -> list[Intent]:
        """Parts that live, that may be opened again, or whose last cycle has live orders; in no particular order."""
        live = {order.part for order in self.book.orders.values() if order.working}
        intents = self.book.intents.values()
        found = [one for one in intents if one.living or one.wanted is not Wanted.CLOSED or one.part in live]
        self.dice.shuffle(found)
        return found

    # -- look ----------------------------------------------------------------------------------------------------

    def _look(self) -> Seen:
        book, port = self.book, self.port
        known = {
            name: order
            for name, order in book.orders.items()
            if order.working or self._current(order.part, order.cycle)
        }
        held = next(iter(port.positions()), None)
        live = port.working_orders()
        now = port.now
        merged, settled = self._merge(known, live, now)
        commands = [
            self._ask(command, merged, held, now) if command.unresolved else command
            for command in book.commands.values()
            if command.unresolved or self._current(command.part, command.cycle)
        ]
        settled = self._ask_for_nets(merged, held, now) and settled
        book.orders.update({name: order for name, order in merged.items() if order.part is not None})
        self._note_size(held.contracts if held else NONE_HELD, merged, now)
        return Seen(
            key=port.key,
            instrument=port.instrument,
            facts=port.facts,
            position=held,
            confirmed=self._confirmed,
            orders=tuple(merged.values()),
            commands=tuple(commands),
            foreign_fills=self._foreign_fills(held, merged),
            booked=self.book.booked,
            ticker=port.ticker(port.key.symbol),
            available=port.account_state().available,
            hedge_mode=True,
            healthy=True,
            as_of=now,
            differs_since=self._differs_since,
            settled=settled,
        )

    def _current(self, part: str | None, cycle: int | None) -> bool:
        intent = self.book.intents.get(part or "")
        return intent is not None and intent.living and intent.cycle == cycle

    def _merge(self, known: dict[str, Order], live: list[Order], now: datetime) -> tuple[dict[str, Order], bool]:
        merged, settled = dict(known), True
        listed = set()
        for order in live:
            name = order.client_order_id or order.exchange_order_id
            listed.add(name)
            merged[name] = _further(merged.get(name), order)
        for name, order in known.items():
            if not order.working or name in listed:
                continue
            found = self.port.find(name, order.symbol, order.kind)
            if found is not None:
                merged[name] = _further(order, found)
            elif order.created_at is not None and now - order.created_at >= SETTLE:
                merged[name] = order.but(status=OrderStatus.CANCELED, failure="no longer known")
            settled = settled and merged[name].status.ended
        return merged, settled

    def _ask(self, command: Command, orders: dict[str, Order], held: Position | None, now: datetime) -> Command:
        found = orders.get(command.client_order_id)
        if found is None:
            found = self.port.find(command.client_order_id, self.port.key.symbol, command.kind)
        if found is not None:
            orders[command.client_order_id] = self.book.orders[command.client_order_id] = found
            return self._settle(command.client_order_id, OutcomeKind.DONE)
        waited = now - command.recorded_at
        residual = (held.contracts if held else NONE_HELD) - self._parts_total(orders)
        may_explain = residual > 0 if command.purpose.adds_risk else residual < 0
        if waited < self.port.facts.request_lifetime + SETTLE or (may_explain and waited < BELIEVED_ANYWAY):
            return command
        return self._settle(command.client_order_id, OutcomeKind.LOST)

    def _ask_for_nets(self, orders: dict[str, Order], held: Position | None, now: datetime) -> bool:
        """TP and SL that came with an entry may have been set off before they were ever listed: ask under their id."""
        settled = True
        smaller = self._parts_total(orders) > (held.contracts if held else NONE_HELD)
        ours = [order for order in orders.values() if self._current(order.part, order.cycle)]
        for net, entry, matters in list(attached_protection.unseen(ours, lambda _: smaller, now)):
            found = self.port.find(net, entry.symbol, OrderKind.OCO)
            if found is not None:
                orders[net] = found
            settled = settled and (found is not None or not matters)
        return settled

    def _parts_total(self, orders: dict[str, Order]) -> Contracts:
        living = (Part.fold(intent, self.port.instrument, orders.values()) for intent in self.book.living)
        return Contracts(total(part.size for part in living))

    def _note_size(self, held: Contracts, orders: dict[str, Order], now: datetime) -> None:
        if held != self._contracts:
            self._contracts, self._since, self._confirmed = held, now, False
        elif now - self._since >= CONFIRM_AFTER:
            self._confirmed = True
        difference = Contracts(self._parts_total(orders) - held)
        if not difference:
            self._differs_since = None
        elif self._differs_since is None or self._difference != difference:
            self._differs_since = now
        self._difference = difference

    def _foreign_fills(self, held: Position | None, orders: dict[str, Order]) -> tuple[Fill, ...]:
        missing = self._parts_total(orders) > (held.contracts if held else NONE_HELD)
        started = [i.cycle_started_at for i in self.book.living if i.cycle_started_at is not None]
        if not missing or not self._confirmed or not started:
            return ()
        known = [*self.book.orders.values(), *(order for order in orders.values() if order.part is not None)]
        ours = {order.exchange_order_id for order in known}
        ours |= {child for order in known for child in order.child_order_ids}
        for order in [one for one in orders.values() if one.working and one.kind.rests_on_trigger]:
            told = self.port.find(order.client_order_id, order.symbol, order.kind)  # a list may show it resting still
            ours |= set(told.child_order_ids) if told is not None else set()
        fills = self.port.fills(min(started))
        return tuple(fill for fill in fills if fill.closing and fill.exchange_order_id not in ours)

    # -- do ------------------------------------------------------------------------------------------------------

    def _perform(self, action: Action) -> OutcomeKind:
        book, now = self.book, self.port.now
        match action:
            case PlaceOrder() | PlaceOco():
                return self._place(action)
            case AmendOrder() | CancelOrder():
                return self._change(action)
            case StartCycle():
                book.begin(action, now)
            case StartStep():
                book.change(action.part, adding=Adding(action.step, action.contracts, now))
                book.steps[action.part, action.cycle, action.step * PIECES] = action.contracts
            case ExecutionOver(purpose=Purpose.ENTRY):
                book.change(action.part, contracts=action.contracts)
            case ExecutionOver():
                book.change(action.part, adding=None)
            case BookExit():
                self._book_exit(action)
            case EndCycle():
                book.change(action.part, cycle_ended_at=now, exit_reason=action.reason, reduce_to=None, closing=None)
                book.ended.append(action)
            case ReductionDone():
                if book.intents[action.part].reduce_to == action.goal:
                    book.change(action.part, reduce_to=None, closing=None)
            case ForgetAnswer():
                book.forget(action.kind, action.mark)
            case LetGo():
                book.change(action.part, wanted=Wanted.CLOSED)
            case RaiseAlarm():
                book.alarms.add(action.subject.split("/")[0])
        return OutcomeKind.DONE

    def _place(self, action: PlaceOrder | PlaceOco) -> OutcomeKind:
        conditional = isinstance(action, PlaceOco)
        both = conditional and action.tp_trigger is not None and action.sl_trigger is not None
        kind = (OrderKind.OCO if both else OrderKind.CONDITIONAL) if isinstance(action, PlaceOco) else action.kind
        known = self.book.commands.get(action.client_order_id)
        if known is not None:
            same = (known.side, known.kind, known.quantity) == (action.side, kind, action.quantity)
            assert known.outcome is OutcomeKind.LOST, f"{action.client_order_id} is sent again after {known.outcome}"
            assert same, f"{action.client_order_id} is sent with two meanings"
        self.book.commands.pop(action.client_order_id, None)
        self.book.commands[action.client_order_id] = Command(
            client_order_id=action.client_order_id,
            key_text=str(self.port.key),
            part=action.part,
            cycle=action.cycle,
            purpose=action.purpose,
            side=action.side,
            kind=kind,
            quantity=action.quantity,
            recorded_at=self.port.now,
        )
        self._may_crash()
        try:
            exchange_id = self.port.place_oco(action) if isinstance(action, PlaceOco) else self.port.place(action)
        except Refused as refusal:
            outcome = OutcomeKind.LOST if refusal.transient else OutcomeKind.REFUSED
            self._settle(action.client_order_id, outcome, refusal.exchange_code, refusal.exchange_words)
            return outcome
        except OutcomeUnknown:
            self._settle(action.client_order_id, OutcomeKind.UNKNOWN)
            return OutcomeKind.UNKNOWN
        self._may_crash()
        now = self.port.now
        self.book.orders[action.client_order_id] = Order(
            client_order_id=action.client_order_id,
            exchange_order_id=exchange_id,
            symbol=action.symbol,
            position_side=action.position_side,
            part=action.part,
            cycle=action.cycle,
            purpose=action.purpose,
            side=action.side,
            kind=kind,
            quantity=action.quantity,
            status=OrderStatus.WORKING,
            price=None if isinstance(action, PlaceOco) else action.price,
            tp_trigger=action.tp_trigger if isinstance(action, PlaceOco) else None,
            sl_trigger=action.sl_trigger if isinstance(action, PlaceOco) else None,
            trigger_by=action.trigger_by if isinstance(action, PlaceOco) else None,
            reduce_only=True if isinstance(action, PlaceOco) else action.reduce_only,
            dies_with_position=action.dies_with_position if isinstance(action, PlaceOco) else False,
            created_at=now,
            updated_at=now,
        )
        self._may_crash()
        self._settle(action.client_order_id, OutcomeKind.DONE)
        return OutcomeKind.DONE

    def _change(self, action: AmendOrder | CancelOrder) -> OutcomeKind:
        try:
            if isinstance(action, AmendOrder):
                self.port.amend(action)
            else:
                self.port.cancel(action)
        except Refused:
            return OutcomeKind.REFUSED
        except OutcomeUnknown:
            return OutcomeKind.UNKNOWN
        return OutcomeKind.DONE

    def _settle(self, client_id: str, outcome: OutcomeKind, code: str = "", words: str = "") -> Command:
        settled = replace(self.book.commands[client_id], outcome=outcome, code=code, words=words)
        self.book.commands[client_id] = settled
        return settled

    def _book_exit(self, action: BookExit) -> None:
        gone = ExternalExit(
            action.quantity, action.price, action.fee, action.reason, action.at, action.exchange_fill_id
        )
        booked = self.book.intents[action.part].external_exits
        if gone.exchange_fill_id not in {exit_.exchange_fill_id for exit_ in booked}:
            fill = gone.exchange_fill_id.split("/")[0]
            self.book.booked[fill] = Contracts(self.book.booked.get(fill, ZERO) + gone.quantity)
            self.book.change(action.part, external_exits=(*booked, gone))

    def _may_crash(self) -> None:
        if self.crashes and self.dice.random() < self.crashes:
            raise Crash


def _further(known: Order | None, heard: Order) -> Order:
    """An ended order never comes back to life, and what was filled never shrinks."""
    if known is None:
        return heard
    if (known.status.ended and not heard.status.ended) or heard.filled < known.filled:
        return known
    return heard
