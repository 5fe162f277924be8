"""Storms over executions that are worked piece by piece, long enough for them to come to their end.

Every entry, recovery step and close has a style of its own, TP and SL lie far away, and the price wanders rather than
jumps; what goes wrong is what goes wrong in every storm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.domain.account import Level
from core.domain.intent import AtEnd, Recovery, Target
from tests.decision.stress.stress import MOST_STEPS, Storm

TURNS = 70
WISHES = 0.12  #: chance per turn that somebody wants something


class Pieces(Storm):
    """A storm in which nearly everything is sliced."""

    turns = TURNS

    def _something_happens(self) -> None:
        dice = self.dice
        if dice.random() < WISHES:
            wishes = (self._open, self._open, self._edit, self._reduce, self._reduce, self._close, self._tell)
            dice.choice((*wishes, self._tell, self._set_level))()
        if dice.random() < self.meddling / 5:
            self._meddle()
        self._answer()

    def _set_level(self) -> None:
        """Limited for a while, and run again."""
        limited = self.book.level is not Level.RUN
        self.book.level = Level.RUN if limited else self.dice.choice((Level.NO_ADDED_RISK, Level.REDUCE_ONLY))

    def _rules(self, again: bool) -> dict[str, object]:
        dice = self.dice
        losing = Recovery(
            Decimal(dice.choice((-2, -8))),
            Decimal(dice.choice((100, 400))),
            max_steps=dice.randint(1, MOST_STEPS),
            pause=timedelta(seconds=dice.choice((1, 15))),
            style=replace(self._sliced(), at_end=AtEnd.MARKET),
        )
        return super()._rules(again) | {"recovery": losing if dice.random() < 0.8 else None}

    def _targets(self, *, moving: bool = False) -> dict[str, Target | None]:
        dice = self.dice
        return {
            "take_profit": Target(percent=Decimal(dice.choice((8, 25)))),
            "stop_loss": Target(percent=Decimal(dice.choice((-8, -25)))) if dice.random() < 0.95 else None,
        }
