"""Decides protection for a pushed fill before the next look, from the last look and our own orders since.

Used where TP and SL cannot travel with an entry. It only ever places a missing stop and target, and cancels the
leg that is left when the other has closed its part; the look that follows sees the whole and puts right what this
could not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.decision.plan import decide
from core.decision.view import View
from core.domain.action import (
    Action,
    CancelOrder,
    Command,
    Decision,
    ExecutionOver,
    OutcomeKind,
    PlaceOco,
    PlaceOrder,
    Rule,
    StartCycle,
    StartStep,
)
from core.domain.intent import Adding, Desired
from core.domain.money import ZERO
from core.domain.observation import Position, Seen, Ticker
from core.domain.order import Order, OrderKind, Purpose
from core.monitor.order_tracker import newer

TOO_OLD = timedelta(seconds=10)  #: what was seen longer ago decides nothing


@dataclass(frozen=True, slots=True)
class Remembered:
    """A position as the last pass saw it, with what the pass itself has done since."""

    desired: Desired
    seen: Seen

    def after(self, done: Iterable[tuple[Action, OutcomeKind]], now: datetime) -> Remembered:
        """Return the position with our own actions added."""
        intents = {intent.part: intent for intent in self.desired.intents}
        commands = list(self.seen.commands)
        for action, outcome in done:
            if isinstance(action, StartCycle):
                intents[action.part] = intents[action.part].but(
                    contracts=action.contracts,
                    cycle_started_at=now,
                    cycle=action.cycle,
                    external_exits=(),
                    external_entries=(),
                    closing=None,
                    adding=None,
                    told=None,
                )
            elif isinstance(action, StartStep):
                adding = Adding(action.step, action.contracts, now)
                intents[action.part] = intents[action.part].but(adding=adding)
            elif isinstance(action, ExecutionOver):
                over = {"contracts": action.contracts} if action.purpose is Purpose.ENTRY else {"adding": None}
                intents[action.part] = intents[action.part].but(**over)
            elif isinstance(action, PlaceOrder | PlaceOco):
                commands.append(_command(str(self.seen.key), action, outcome, now))
        desired = replace(self.desired, intents=tuple(intents.values()))
        return Remembered(desired, replace(self.seen, commands=tuple(commands)))

    def with_orders(self, pushed: Iterable[Order]) -> Remembered:
        """Return the position with pushed states of its orders added."""
        orders = {order.client_order_id or order.exchange_order_id: order for order in self.seen.orders}
        for order in pushed:
            name = order.client_order_id or order.exchange_order_id
            orders[name] = newer(orders.get(name), order)
        return Remembered(self.desired, replace(self.seen, orders=tuple(orders.values())))

    def about(self, parts: Iterable[str | None]) -> Remembered:
        """Return the position with these parts alone, where no decision here depends on the others."""
        if self.seen.facts.native_oco:  # whether an OCO may die with the position depends on them
            return self
        names = set(parts)
        desired = replace(self.desired, intents=tuple(one for one in self.desired.intents if one.part in names))
        orders = tuple(order for order in self.seen.orders if order.part in names)
        commands = tuple(command for command in self.seen.commands if command.part in names)
        return Remembered(desired, replace(self.seen, orders=orders, commands=commands))

    def first_aid(self, ticker: Ticker | None, now: datetime) -> list[Decision]:
        """Return placements of protection for parts that hold something and have none, and cancels of leftover legs."""
        if now - self.seen.as_of > TOO_OLD or self.seen.facts.attaches_protection:
            return []
        # The position of the last look is older than the fill: it is taken to hold what our orders have filled.
        view = View.of(self.desired, replace(self.seen, confirmed=False, ticker=ticker or self.seen.ticker), now)
        presumed = replace(view, seen=replace(view.seen, position=_presumed(view)))
        unguarded = {part.name for part in view.living if not part.protection}
        return [
            decision
            for decision in decide(presumed).decisions
            if (decision.rule is Rule.PROTECT and isinstance(decision.action, PlaceOco) and decision.part in unguarded)
            or (decision.rule is Rule.FINISH and _is_leg(decision.action))
        ]


def _is_leg(action: Action | None) -> bool:
    """Return whether an action cancels a resting leg of a part that our own fills have closed; that can do no harm."""
    return isinstance(action, CancelOrder) and action.order.purpose in (Purpose.TAKE_PROFIT, Purpose.STOP_LOSS)


def _presumed(view: View) -> Position | None:
    """Return the position that our own orders add up to, at the newest price; None where there is none."""
    seen, ticker = view.seen, view.seen.ticker
    if seen.position is not None:
        return replace(
            seen.position, contracts=view.parts_total, mark_price=ticker.mark if ticker else seen.position.mark_price
        )
    if ticker is None:
        return None
    return Position(
        symbol=seen.key.symbol,
        side=seen.key.side,
        contracts=view.parts_total,
        average_price=ticker.mark,
        mark_price=ticker.mark,
        last_price=ticker.last,
        liquidation_price=None,
        leverage=Decimal(1),
        margin=ZERO,
        unrealised_pnl=ZERO,
        realised_pnl=ZERO,
        funding=ZERO,
        position_id="",
        opened_at=seen.as_of,
        updated_at=seen.as_of,
    )


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
