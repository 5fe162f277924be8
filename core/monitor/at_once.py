"""A pushed fill answered with protection before the next look, from what the last look and our own acts tell.

Used where TP and SL cannot travel with an entry. It only ever places a missing stop and target; the look that
follows sees the whole and puts right what this could not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.decision.plan import plan
from core.domain.action import Action, Command, Decision, OutcomeKind, PlaceOco, PlaceOrder, Rule, StartCycle
from core.domain.intent import Desired
from core.domain.order import Order, OrderKind
from core.domain.seen import Seen, Ticker
from core.monitor.tracker import newer

TOO_OLD = timedelta(seconds=10)  #: what was seen longer ago decides nothing


@dataclass(frozen=True, slots=True)
class Remembered:
    """One position as the last pass saw it, with what the pass itself has done since."""

    desired: Desired
    seen: Seen

    def after(self, done: Iterable[tuple[Action, OutcomeKind]], now: datetime) -> Remembered:
        """The same with our own acts in it."""
        intents = {intent.part: intent for intent in self.desired.intents}
        commands = list(self.seen.commands)
        for action, outcome in done:
            if isinstance(action, StartCycle):
                intents[action.part] = intents[action.part].but(
                    contracts=action.contracts, cycle_started_at=now, cycle=action.cycle
                )
            elif isinstance(action, PlaceOrder | PlaceOco):
                commands.append(_command(str(self.seen.key), action, outcome, now))
        desired = replace(self.desired, intents=tuple(intents.values()))
        return Remembered(desired, replace(self.seen, commands=tuple(commands)))

    def with_orders(self, pushed: Iterable[Order]) -> Remembered:
        """The same with what a push told of its orders."""
        orders = {order.client_order_id or order.exchange_order_id: order for order in self.seen.orders}
        for order in pushed:
            name = order.client_order_id or order.exchange_order_id
            orders[name] = newer(orders.get(name), order)
        return Remembered(self.desired, replace(self.seen, orders=tuple(orders.values())))

    def missing_protection(self, ticker: Ticker | None, now: datetime) -> list[Decision]:
        """Placements of protection for parts that hold something and have none."""
        if now - self.seen.as_of > TOO_OLD or self.seen.facts.attaches_protection:
            return []
        # The position of the last look is older than the fill, so nothing may be concluded from it.
        seen = replace(self.seen, position=None, confirmed=False, ticker=ticker or self.seen.ticker)
        return [
            decision
            for decision in plan(self.desired, seen, now).decisions
            if decision.rule is Rule.PROTECT and isinstance(decision.action, PlaceOco)
        ]


def _command(key_text: str, action: PlaceOrder | PlaceOco, outcome: OutcomeKind, now: datetime) -> Command:
    if isinstance(action, PlaceOrder):
        kind = action.kind
    else:
        kind = OrderKind.OCO if action.tp_trigger and action.sl_trigger else OrderKind.CONDITIONAL
    return Command(
        action.client_order_id,
        key_text,
        action.part,
        action.cycle,
        action.purpose,
        action.side,
        kind,
        action.quantity,
        now,
        outcome,
    )
