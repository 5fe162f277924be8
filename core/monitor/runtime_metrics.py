"""What only the bot's own process knows of how it runs: how long its passes take, and since when a part is bare.

Small enough to travel with every picture; counted from the start of this bot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import Any

LOOP_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  #: upper bounds; a last class has none


class Vitals:
    """Of one account. Written by its worker alone."""

    def __init__(self) -> None:
        self._loops = [0] * (len(LOOP_SECONDS) + 1)
        self._seconds = 0.0
        self._bare: dict[str, datetime] = {}

    def looped(self, seconds: float) -> None:
        """One pass has come to its end after so long."""
        self._loops[bisect_left(LOOP_SECONDS, seconds)] += 1
        self._seconds += seconds

    def bare(self, parts: Iterable[str], now: datetime) -> None:
        """These parts hold something without its whole stop on the exchange, as far as the newest look tells."""
        self._bare = {part: self._bare.get(part, now) for part in parts}

    def told(self, failures: int) -> dict[str, Any]:
        """As it travels: passes that took up to each bound or longer, their sum, failures, the oldest bare."""
        return {
            "loops": list(self._loops),
            "loop_seconds": round(self._seconds, 6),
            "failures": failures,
            "bare_since": min(self._bare.values()).isoformat() if self._bare else None,
        }
