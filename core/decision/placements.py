"""The placements of one protection order so far, and how soon the next may follow."""

from __future__ import annotations

from datetime import timedelta

from core.decision.view import DEBOUNCE, View
from core.domain.action import Command, OutcomeKind
from core.domain.money import Contracts
from core.domain.order import Purpose
from core.domain.part import Part

RULES_AGAIN = timedelta(minutes=5)  #: a request that the contract's rules refuse twice is not computed anew sooner


class Placements:
    """The placements of one purpose for one part in its current cycle."""

    def __init__(self, part: Part, view: View, purpose: Purpose) -> None:
        self.view = view
        self.sent = tuple(one for one in view.commands(part, purpose) if one.kind.rests_on_trigger)

    @property
    def newest(self) -> Command | None:
        return self.sent[-1] if self.sent else None

    def too_soon_after(self, last: Command, quantity: Contracts) -> bool:
        """Return whether it is too soon to repeat a placement; one for more contracts than the last does not wait."""
        grown = last.outcome is OutcomeKind.DONE and quantity > last.quantity
        return not grown and self.view.now - last.recorded_at < DEBOUNCE

    @property
    def refused_for(self) -> timedelta:
        """Return how long the exchange has been refusing this protection without a break."""
        since = self.view.now
        for command in reversed(self.sent):
            if command.outcome is not OutcomeKind.REFUSED:
                break
            since = command.recorded_at
        return self.view.now - since

    def against_the_rules(self, last: Command, quantity: Contracts) -> bool:
        """Return whether the contract's own rules (lot, tick) have refused this size twice: a third try says the same.

        After the first refusal the rules were read again and TP and SL computed with them.
        """
        codes = self.view.seen.facts.precision_codes
        refused = [
            command
            for command in self.sent[-2:]
            if command.outcome is OutcomeKind.REFUSED and command.code in codes and command.quantity == quantity
        ]
        return len(refused) == 2 and self.view.now - last.recorded_at < RULES_AGAIN
