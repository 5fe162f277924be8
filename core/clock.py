"""Clocks that are handed in: the real one, or one that a test moves by hand.

Everything that asks for the time gets a `Clock`; nothing else of ours reads it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The interface of a clock: calendar time for facts, monotonic seconds for spans."""

    def now(self) -> datetime:
        """Return the time in UTC, aware."""
        ...

    def monotonic(self) -> float:
        """Return the seconds since some moment; never goes back."""
        ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class SteppedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time")
        self._start = start.astimezone(UTC)
        self._passed = timedelta()

    def now(self) -> datetime:
        return self._start + self._passed

    def monotonic(self) -> float:
        return self._passed.total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the clock forward by this many seconds. Raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back: {seconds} s")
        self._passed += timedelta(seconds=seconds)
