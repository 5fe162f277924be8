"""Actions on single orders: list them, cancel an entry, and hold TP and SL of a part by hand.

Each is a wish in the book like any other; the bot carries it out, and does not repair it back until the trader
returns the part to automatic. What somebody else placed is never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.decision.executions import run_name
from core.decision.order_terms import trigger_by
from core.domain.errors import Misconfigured
from core.domain.history.holding import Pair, ProtectionLevels, moved_by_hand
from core.domain.ids import meaning
from core.domain.intent import Instruction, Intent, Target, TargetEdit
from core.domain.money import Price
from core.domain.order import Leg, Order, OrderKind, Purpose
from core.domain.part import Part
from core.domain.reason import Reason
from core.domain.snapshot import OrderSnapshot
from core.services.reporting.snapshot_reader import instrument_of, newest_snapshot
from core.services.trading.requests import Asked
from db.store import Store

INSTEAD = {
    Purpose.PROTECT: "order.protects",
    Purpose.SAFETY_NET: "order.protects_while_it_fills",
    Purpose.TAKE_PROFIT: "order.is_take_profit",
    Purpose.STOP_LOSS: "order.is_stop_loss",
    Purpose.CLOSE: "order.closes",
    Purpose.BALANCE: "order.balances",
    Purpose.RECOVERY: "order.recovers",
}  #: what an order is for that is not withdrawn by itself, and what to do instead


@dataclass(frozen=True, slots=True)
class ByHand:
    """TP and SL of one part: the levels that hold, who set them, and what somebody set at the exchange."""

    part: str
    take_profit: Price | None
    stop_loss: Price | None
    edited: bool  #: the trader's own word holds, not the rules'
    at_exchange: Pair | None  #: levels that somebody set there since, put back or about to be; None: nobody did
    at_exchange_since: datetime | None = None


class OrderManager:
    """Lists and cancels orders, and holds TP and SL by hand. Raises Misconfigured where something may not be done."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def working(self, account: str) -> list[OrderSnapshot]:
        """Return every live order last seen, ours and foreign; none where the bot has not looked yet."""
        found = self.store.snapshots.latest(account)
        return list(found.orders) if found else []

    def cancel(self, account: str, client_order_id: str, token: str, by: str) -> Asked:
        """Cancel the unfilled rest of an entry; what has filled stays and stays protected."""
        before = self.store.parts.of_token(token)
        if before is not None:
            return Asked(before, False, Reason("trade.asked_already"))
        order, intent = self._own(account, client_order_id)
        if order.purpose in INSTEAD:
            raise Misconfigured(Reason(INSTEAD[order.purpose], order=client_order_id, part=intent.part))
        if order.kind is OrderKind.MARKET:
            raise Misconfigured(Reason("order.enters_at_market", order=client_order_id))
        if not order.working:
            raise Misconfigured(Reason("order.ended", order=client_order_id, status=order.status))
        self.store.parts.change(
            intent.part,
            token,
            by,
            Reason("order.rest_to_cancel", order=client_order_id),
            told=Instruction(run_name(intent.cycle, Purpose.ENTRY), finish=False, asked_at=self.clock.now()),
        )
        running = self.store.bots.get(account).running
        words = Reason("order.withdrawn_now") if running else Reason("order.withdrawn_once_started")
        return Asked(intent.part, True, words)

    # -- TP and SL by hand ----------------------------------------------------------------------------------

    def by_hand(self, part: str) -> ByHand:
        """Return how TP and SL of a living part stand. Raises Misconfigured for one that has ended."""
        folded = self._living(part)
        foreign = self._foreign(folded)
        return ByHand(
            part,
            folded.take_profit_price(),
            folded.stop_price(),
            folded.intent.edit is not None and folded.intent.edit.step == len(folded.steps),
            foreign.was if foreign is not None else None,
            foreign.at if foreign is not None else None,
        )

    def remove_leg(self, part: str, leg: Leg, token: str, by: str) -> Asked:
        """Remove one leg; the other stays. It stays away until the part is automatic again."""
        folded = self._living(part)
        take_profit, stop_loss = folded.targets
        if (take_profit if leg is Leg.TAKE_PROFIT else stop_loss) is None:
            raise Misconfigured(Reason("order.no_leg", part=part, leg=leg))
        gone = leg is Leg.TAKE_PROFIT
        edit = TargetEdit(None if gone else take_profit, stop_loss if gone else None, len(folded.steps))
        return self._write(folded, edit, Reason("order.leg_taken_away", leg=leg), token, by)

    def keep_levels(self, part: str, token: str, by: str) -> Asked:
        """Adopt the levels that somebody set at the exchange. Raises Misconfigured where nobody set anything."""
        folded = self._living(part)
        foreign = self._foreign(folded)
        if foreign is None or foreign.was is None:
            raise Misconfigured(Reason("order.nobody_moved", part=part))
        trigger = trigger_by(folded)
        tp, sl = (None if price is None else Target(price=price, trigger_by=trigger) for price in foreign.was)
        edit = TargetEdit(tp, sl, len(folded.steps))
        return self._write(folded, edit, Reason("order.levels_kept"), token, by)

    def to_automatic(self, part: str, token: str, by: str) -> Asked:
        """Let TP and SL follow the part's own targets, or recovery's, again."""
        return self._write(self._living(part), None, Reason("order.automatic_again"), token, by)

    def _write(self, part: Part, edit: TargetEdit | None, why: Reason, token: str, by: str) -> Asked:
        changed = self.store.parts.change(part.name, token, by, why, edit=edit)
        running = self.store.bots.get(part.intent.key.account).running
        words = Reason("order.changed_now") if running else Reason("order.changed_once_started")
        return Asked(part.name, changed.version != part.intent.version, words)

    def _foreign(self, part: Part) -> ProtectionLevels | None:
        """Return the levels that somebody set at the exchange in this cycle, after the trader's own last change."""
        facts = self.store.history.cycle_facts(part.name, part.intent.cycle)
        resting = [
            ProtectionLevels(
                self.clock.now(), order.client_order_id, (None, None), (order.tp_trigger, order.sl_trigger)
            )
            for order in part.protection
            if not order.triggered_leg
        ]
        found = moved_by_hand([*facts.levels, *resting])
        spoken = max((edit.at for edit in facts.edits), default=None)
        return None if found is None or (spoken is not None and spoken > found.at) else found

    def _living(self, part: str) -> Part:
        intent = self.store.parts.intent(part)
        if intent is None:
            raise Misconfigured(Reason("trade.part_unknown", part=part))
        if not intent.living:
            raise Misconfigured(Reason("trade.part_ended", part=part, why=intent.exit_reason))
        rules = instrument_of(newest_snapshot(self.store, intent.key.account), intent.key.symbol)
        return Part.fold(intent, rules, self.store.orders.of_interest(intent.key.account))

    def _own(self, account: str, client_order_id: str) -> tuple[Order, Intent]:
        """Return the order and its part. Raises Misconfigured where it is not one of ours on this account."""
        said = meaning(client_order_id)
        intent = self.store.parts.intent(said.part) if said else None
        if said is None or intent is None or intent.key.account != account:
            raise Misconfigured(Reason("order.not_ours", order=client_order_id or Reason("order.without_id")))
        if not intent.living or intent.cycle != said.cycle:
            raise Misconfigured(Reason("order.of_ended_cycle", order=client_order_id))
        for order in self.store.orders.of_interest(account):
            if order.client_order_id == client_order_id:
                return order, intent
        raise Misconfigured(Reason("order.not_seen", order=client_order_id))
