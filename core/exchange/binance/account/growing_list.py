"""A list of the exchange that only grows at its new end, read once and remembered: trades of a contract, income.

What was read is a span of time without holes. It is made longer at either end as needed; the newest stretch is read
again each time, because an exchange may tell of something a little after it happened.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from core.exchange.fields import MILLISECOND

log = logging.getLogger("perpdeck.binance")

WINDOW = timedelta(days=7) - MILLISECOND  #: the longest span that one request may ask for
KEPT_FOR = timedelta(days=90)  #: Binance keeps no more
AHEAD = timedelta(seconds=10)  #: beyond our idea of Binance's present


class Dated(Protocol):
    """A fact with a time and an id."""

    @property
    def at(self) -> datetime: ...

    @property
    def key(self) -> Hashable: ...


Fact = TypeVar("Fact", bound=Dated)
Page = Callable[[datetime, datetime], Sequence[Fact]]  #: everything between two times, or the first `most` of it


class GrowingList(Generic[Fact]):
    """Remembers the rows of one list of the exchange, as far as they were read. Thread-safe."""

    def __init__(self, *, most: int, overlap: timedelta) -> None:
        """Make an empty list; an answer of `most` facts may be cut short, at either end."""
        self._most, self._overlap = most, overlap
        self._lock = threading.Lock()
        self._facts: dict[Hashable, Fact] = {}
        self._sorted: list[Fact] | None = None
        self.begins: datetime | None = None  #: of the span that is known; None: nothing was read yet
        self.ends: datetime | None = None

    def reach(self, page: Page[Fact], since: datetime, now: datetime, until: datetime | None = None) -> None:
        """Read with `page` until everything from `since` (three months at most) to `until` (None: now) is known.

        Raises Unavailable where `page` does, and keeps what was read until then.
        """
        since = max(since, now - KEPT_FOR)
        with self._lock:
            if self.begins is None or self.ends is None:
                begin = max(since, now + AHEAD - WINDOW)
                self._read(page, begin, now + AHEAD)
                self.begins, self.ends = begin, now
            elif until is None or until > self.ends - self._overlap:
                self._catch_up(page, self.begins, self.ends, now)
            while self.begins > since:
                begin = max(since, self.begins - WINDOW)
                self._read(page, begin, self.begins)
                self.begins = begin

    def _catch_up(self, page: Page[Fact], begins: datetime, ends: datetime, now: datetime) -> None:
        """Read on from a little before the end, in as many steps as the time since the last read needs."""
        begin = max(ends - self._overlap, begins)
        while begin + WINDOW < now + AHEAD:
            self._read(page, begin, begin + WINDOW)
            begin = self.ends = begin + WINDOW
        self._read(page, begin, now + AHEAD)
        self.ends = max(now, ends)

    def _read(self, page: Page[Fact], begin: datetime, end: datetime) -> None:
        """Read everything between two times; a full answer is asked for again in halves."""
        found = page(begin, end)
        fresh = {fact.key: fact for fact in found if fact.key not in self._facts}
        if fresh:
            self._facts |= fresh
            self._sorted = None
        if len(found) < self._most:
            return
        if end - begin <= MILLISECOND:
            log.warning("more than %d facts in one millisecond at %s: the rest is not told", self._most, begin)
            return
        middle = begin + (end - begin) // 2
        self._read(page, begin, middle)
        self._read(page, middle, end)

    def known(self, since: datetime | None = None, until: datetime | None = None) -> list[Fact]:
        """Return what was read of that time (both ends belong to it), oldest first. Sends no request."""
        with self._lock:
            if self._sorted is None:
                self._sorted = sorted(self._facts.values(), key=lambda fact: (fact.at, fact.key))
            return [
                fact
                for fact in self._sorted
                if (since is None or fact.at >= since) and (until is None or fact.at <= until)
            ]
