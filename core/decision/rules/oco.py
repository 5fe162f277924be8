"""The rule *protect*: one take-profit and one stop-loss for exactly what a part holds.

Where the exchange has no OCO each leg is an order of its own, the stop first. How each is kept is `protection`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from core.decision.rules.protection import ProtectionRule
from core.decision.view import View, skip, stuck
from core.domain.action import Decision, PlaceOrder, RaiseAlarm, Rule
from core.domain.money import NONE_HELD
from core.domain.order import Leg
from core.domain.part import Part
from core.domain.reason import Reason


class OCOManager:
    """The rule *protect* for one part. Decides; sends nothing."""

    def __init__(self, part: Part, view: View) -> None:
        self.part, self.view = part, view

    def decide(self) -> Iterator[Decision]:
        part = self.part
        if not part.intent.living or part.size == NONE_HELD:
            return
        for order in part.orders if part.stuck else ():
            if order.client_order_id in part.stuck:
                yield stuck(order, Rule.PROTECT)
        if not any(part.targets) and not part.protection:
            yield skip(part, Rule.PROTECT, Reason("protection.none_asked"))
            return
        smallest = part.instrument.min_quantity
        if part.size < smallest:
            why = Reason("protection.too_small", size=part.size, smallest=smallest)
            yield Decision(part.name, Rule.PROTECT, why, RaiseAlarm(part.name, f"too-small/{part.name}", why))
            return
        if part.closing_at_market:
            yield skip(part, Rule.PROTECT, Reason("protection.closing"))
            return
        if self.view.filling(part):
            yield skip(part, Rule.PROTECT, Reason("protection.filling"))
            return
        if self.view.seen.facts.native_oco:
            yield from ProtectionRule(part, self.view).decide()
            return
        yield from self._legs()

    def _legs(self) -> Iterator[Decision]:
        """Decide each leg, the stop first; reasons for doing nothing are joined in one line."""
        idle: dict[Reason, None] = {}
        for leg in (Leg.STOP_LOSS, Leg.TAKE_PROFIT):
            for decision in ProtectionRule(self.part, self.view, leg).decide():
                if decision.action is None:
                    idle[decision.because] = None
                    continue
                yield decision
                if isinstance(decision.action, PlaceOrder):
                    return  # it is closed at market now
        if idle:
            yield skip(self.part, Rule.PROTECT, reduce(_both, idle))


def _both(first: Reason, second: Reason) -> Reason:
    return Reason("protection.both", first=first, second=second)
