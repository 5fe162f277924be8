"""The input of all rules: desired and observed state of one position, folded into parts once.

Everything is sorted, so the order in which facts came in changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.action import Command, Decision, OutcomeKind, RaiseAlarm, Rule
from core.domain.ids import client_order_id
from core.domain.instrument import OrderSide, TriggerBy
from core.domain.intent import Desired
from core.domain.money import ZERO, Contracts, Price, total
from core.domain.observation import PortFacts, Seen
from core.domain.order import Leg, Order, OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason

DEBOUNCE = timedelta(seconds=5)  #: no protective placement is repeated for a part sooner than this
FRESH = timedelta(seconds=10)  #: prices older than this decide nothing
STUCK_AFTER = timedelta(seconds=10)  #: a leg that was set off so long ago and has not filled protects nothing


@dataclass(frozen=True, slots=True)
class View:
    """The input of the rules. `now` is the time of the decision."""

    desired: Desired
    seen: Seen
    now: datetime
    parts: tuple[Part, ...]
    living: tuple[Part, ...]
    orphans: tuple[Order, ...]  #: live orders of ours that belong to no living part's current cycle
    parts_total: Contracts  #: what all living parts hold together
    _commands: Mapping[tuple[str, int], tuple[Command, ...]]
    _unanswered: Mapping[tuple[str, int], list[Command]]  #: those of them without a known outcome

    @classmethod
    def of(cls, desired: Desired, seen: Seen, now: datetime) -> View:
        orders: dict[tuple[str, int], list[Order]] = defaultdict(list)
        for order in seen.orders:
            if order.part is not None and order.cycle is not None:
                orders[order.part, order.cycle].append(order)
        commands: dict[tuple[str, int], list[Command]] = defaultdict(list)
        unanswered: dict[tuple[str, int], list[Command]] = {}
        for command in sorted(seen.commands, key=lambda command: (command.recorded_at, command.client_order_id)):
            commands[command.part, command.cycle].append(command)
            if command.unresolved:
                unanswered.setdefault((command.part, command.cycle), []).append(command)
        intents = sorted(desired.intents, key=lambda intent: intent.part)
        stuck = frozenset(order.client_order_id for order in seen.orders if _is_stuck(order, seen.facts, now))
        parts = tuple(
            Part.fold(intent, seen.instrument, orders.get((intent.part, intent.cycle), ()), stuck) for intent in intents
        )
        living = tuple(part for part in parts if part.intent.living)
        current = {(part.name, part.intent.cycle) for part in living}
        left_over = (order for key, group in orders.items() if key not in current for order in group if order.working)
        return cls(
            desired,
            seen,
            now,
            parts,
            living,
            tuple(sorted(left_over, key=lambda order: (order.client_order_id, order.exchange_order_id))),
            Contracts(total(part.size for part in living)),
            {key: tuple(group) for key, group in commands.items()},
            unanswered,
        )

    def commands(self, part: Part, purpose: Purpose | None = None) -> tuple[Command, ...]:
        """Return placements of this part's current cycle, oldest first."""
        found = self._commands.get((part.name, part.intent.cycle), ())
        return found if purpose is None else tuple(command for command in found if command.purpose is purpose)

    def unanswered(self, part: Part) -> Sequence[Command]:
        """Return all commands of this part's current cycle without a known outcome, oldest first."""
        return self._unanswered.get((part.name, part.intent.cycle), ())

    def unresolved(self, part: Part, *purposes: Purpose, resting: bool | None = None) -> Command | None:
        """Return the first command of these purposes (of any, where none is named) that has no known outcome.

        `resting` tells legs that wait for a trigger from orders that act now.
        """
        for command in self.unanswered(part):
            if (not purposes or command.purpose in purposes) and resting in (None, command.kind.rests_on_trigger):
                return command
        return None

    def filling(self, part: Part) -> bool:
        """Return whether a protection of this part has triggered and is being filled; see `is_stuck`."""
        return any(order.triggered_leg for order in part.protection)

    def is_stuck(self, order: Order) -> bool:
        """Return whether a leg triggered long ago and nothing of it has filled: it cannot be cancelled either.

        Seen on Binance demo, where TP and SL are orders of their own: it protects nothing, and nothing waits for it.
        """
        return _is_stuck(order, self.seen.facts, self.now)

    def risk_blocked(self, part: Part) -> Command | None:
        """Return an unresolved command of this part; while there is one, nothing that adds risk may be sent."""
        return self.unresolved(part)

    def newest(self, part: Part, *purposes: Purpose, resting: bool | None = None) -> Command | None:
        """Return the last command of these purposes; `resting` tells legs that wait for a trigger from market
        closes.
        """
        found = [
            command
            for command in self.commands(part)
            if command.purpose in purposes and resting in (None, command.kind.rests_on_trigger)
        ]
        return found[-1] if found else None

    def next_id(
        self, part: Part, purpose: Purpose, side: OrderSide, kind: OrderKind, quantity: Decimal, above: int = 0
    ) -> str:
        """Return the id of the next order of this purpose, numbered above `above`.

        A command that never arrived gives its id to the same request again; any other meaning gets a new one.
        """
        commands = self.commands(part, purpose)
        numbers = [above, *(_number(command.client_order_id) for command in commands)]
        numbers += [_number(order.client_order_id) for order in part.orders if order.purpose is purpose]
        if commands:
            last = commands[-1]
            same = (last.side, last.kind, last.quantity) == (side, kind, quantity)
            if last.outcome is OutcomeKind.LOST and same and _number(last.client_order_id) == max(numbers):
                return last.client_order_id
        return client_order_id(part.name, part.intent.cycle, purpose, max(numbers) + 1)

    def price_by(self, trigger_by: TriggerBy) -> Price | None:
        """Return the price that a trigger compares with, or None where none fresh is known."""
        seen = self.seen
        if trigger_by is TriggerBy.LAST:
            if seen.ticker is not None and self.now - seen.ticker.at <= FRESH:
                return seen.ticker.last
            if seen.position is not None and seen.position.last_price is not None:
                return seen.position.last_price
        return seen.mark

    @property
    def believed(self) -> bool:
        """Return whether a difference is more than momentary: size confirmed, nothing unresolved, nothing filling."""
        if not self.seen.confirmed or not self.seen.settled:
            return False
        return not any(self.unresolved(part) or part.closing_at_market or self.filling(part) for part in self.living)

    @property
    def residual(self) -> Contracts:
        """Return what the exchange holds beyond our parts; negative: it holds less."""
        return Contracts(self.seen.contracts - self.parts_total)

    def surely_held(self, part: Part) -> Contracts:
        """Return what is left of a part even where everything that the position lacks was its own."""
        return Contracts(max(part.size + min(self.residual, ZERO), ZERO))

    def alone(self, part: Part) -> bool:
        """Return whether the whole position belongs to this part, and no other part is there to enter."""
        return self.seen.contracts == part.size and all(other.name == part.name for other in self.living)

    @property
    def doubly_guarded(self) -> Part | None:
        """Return a part with more than one stop or target resting, or perhaps resting."""
        for part in self.living:
            if part.doubly_guarded or self._asked_twice(part) or (part.protection and self._perhaps_again(part)):
                return part
        return None

    def _asked_twice(self, part: Part) -> bool:
        """Return whether two placements of the same protection have no answer yet."""
        protecting = [command.purpose for command in self.unanswered(part) if command.kind.rests_on_trigger]
        return len(protecting) > len(set(protecting))

    def _perhaps_again(self, part: Part) -> bool:
        """Return whether a placement of what rests already has no answer yet."""
        if self.unresolved(part, Purpose.PROTECT) is not None:
            return True
        legs = ((Purpose.STOP_LOSS, Leg.STOP_LOSS), (Purpose.TAKE_PROFIT, Leg.TAKE_PROFIT))
        return any(self.unresolved(part, purpose) and part.resting(leg) for purpose, leg in legs)


def _is_stuck(order: Order, facts: PortFacts, now: datetime) -> bool:
    set_off = order.triggered_leg is not None and order.working and not facts.native_oco
    return set_off and order.updated_at is not None and now - order.updated_at > STUCK_AFTER


def stuck(order: Order, rule: Rule) -> Decision:
    """Return the alarm about a leg that is stuck: only a person at the exchange can do something about it."""
    why = Reason("protection.stuck", order=order.client_order_id)
    return Decision(order.part, rule, why, RaiseAlarm(order.part, f"stuck/{order.client_order_id}", why))


def skip(part: Part | None, rule: Rule, because: Reason) -> Decision:
    """Return a decision to do nothing, with its reason."""
    return Decision(part.name if part else None, rule, because)


def _number(client_id: str) -> int:
    """Return the running number at the end of one of our ids; 0 where it is not one of ours."""
    digits = client_id[len(client_id.rstrip("0123456789")) :]
    return int(digits) if digits else 0
