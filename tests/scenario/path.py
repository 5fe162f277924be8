"""A seeded price path, minute by minute and in whole ticks, that can be asked when it next leaves a span.

Knows no exchange and no bot. The same seed gives the same path, whoever asks and however often.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import exp
from random import Random

MINUTE_VOLATILITY = 0.0006  #: standard deviation of a minute's move: about 2.3 % a day
PULL = 0.0004  #: share of the way home that is made each minute, so that weeks stay within a fifth or so
JUMP_CHANCE, JUMP = 0.0003, 0.012  #: some minutes open with a gap


@dataclass(frozen=True, slots=True)
class Path:
    """The price of one instrument at the start of each minute."""

    tick: Decimal
    ticks: tuple[int, ...]

    @classmethod
    def drawn(cls, seed: int, name: str, start: Decimal, tick: Decimal, minutes: int) -> Path:
        """A walk of so many minutes from `start` (USDT)."""
        dice, away, home = Random(f"{seed}/{name}"), 0.0, float(start / tick)
        walked = [round(home)]
        for _ in range(minutes):
            away += dice.gauss(0, MINUTE_VOLATILITY) - PULL * away
            if dice.random() < JUMP_CHANCE:
                away += dice.choice((-1, 1)) * dice.uniform(JUMP / 3, JUMP)
            walked.append(round(home * exp(away)))
        return cls(tick, tuple(walked))

    def price(self, minute: int) -> Decimal:
        """USDT, at the start of that minute."""
        return self.ticks[minute] * self.tick

    def leaves(self, minute: int, until: int, levels: Iterable[Decimal]) -> int:
        """The first minute after `minute` at which a level has been reached; `until` where none is before it."""
        here = self.ticks[minute]
        marks = [int((level / self.tick).to_integral_value(ROUND_HALF_EVEN)) for level in levels]
        above = min((mark for mark in marks if mark > here), default=None)
        below = max((mark for mark in marks if mark < here), default=None)
        for at in range(minute + 1, until):
            now = self.ticks[at]
            if (above is not None and now >= above) or (below is not None and now <= below):
                return at
        return until
