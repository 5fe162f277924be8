"""Counts metrics that only the bot's own process knows: how long its passes take, since when a part is without its
stop.

Small enough to travel with every snapshot; counted from the start of this bot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime

from core.domain.snapshot import RuntimeMetrics

LOOP_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  #: upper bounds; a last class has none


class RuntimeCounter:
    """Counts for one account. Written by its worker alone."""

    def __init__(self) -> None:
        self._loops = [0] * (len(LOOP_SECONDS) + 1)
        self._seconds = 0.0
        self._bare: dict[str, datetime] = {}

    def looped(self, seconds: float) -> None:
        """Count a pass that has taken so long."""
        self._loops[bisect_left(LOOP_SECONDS, seconds)] += 1
        self._seconds += seconds

    def bare(self, parts: Iterable[str], now: datetime) -> None:
        """Note which parts hold something without its whole stop on the exchange, as far as the newest look tells."""
        self._bare = {part: self._bare.get(part, now) for part in parts}

    def metrics(self, failures: int) -> RuntimeMetrics:
        """Return passes that took up to each bound or longer, their sum, failures, and the oldest bare."""
        bare_since = min(self._bare.values()) if self._bare else None
        return RuntimeMetrics(tuple(self._loops), round(self._seconds, 6), failures, bare_since)
