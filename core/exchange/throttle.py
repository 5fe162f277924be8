"""Limits our own requests per endpoint, so that the exchange never has to refuse them for their rate.

Counts what was sent in a sliding window and keeps the last part of each window back for protection: a stop-loss
finds its way while a page or a history is asking. Knows no exchange; the adapter brings its table of limits.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

RESERVE_PERCENT = 30  #: of each window, for requests that protect what is held
PATIENCE_SECONDS = 2.0  #: the longest wait for a free place; every window of OKX but one is as long


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate limit: so many requests in so many seconds."""

    requests: int
    seconds: float

    @property
    def ordinary(self) -> int:
        """Return what is left for requests that protect nothing; at least one."""
        return max(1, self.requests * (100 - RESERVE_PERCENT) // 100)


class Throttle:
    """Limits requests per endpoint. Thread-safe. `monotonic` and `sleep` are in seconds; a test brings its own."""

    def __init__(
        self,
        limits: Mapping[str, Limit],
        *,
        otherwise: Limit = Limit(5, 2.0),  #: for endpoints that the table does not name
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits, self._otherwise = limits, otherwise
        self._monotonic, self._sleep = monotonic, sleep
        self._lock = threading.Lock()
        self._sent: dict[str, deque[float]] = {}
        self._counts: Counter[str] = Counter()

    def take(self, endpoint: str, *, protection: bool = False, patience_seconds: float = PATIENCE_SECONDS) -> bool:
        """Take a place for one request, waiting for it if need be; True: send it now.

        False: no place comes free within the patience, so nothing may be sent. Requests for protection may use
        the whole window, all others leave the reserve untouched.
        """
        gives_up_at = self._monotonic() + patience_seconds
        while (wait_seconds := self._try(endpoint, protection)) > 0:
            if self._monotonic() + wait_seconds > gives_up_at:
                return False
            self._sleep(wait_seconds)
        return True

    def _try(self, endpoint: str, protection: bool) -> float:
        """Take a place if there is one; otherwise return the seconds until the next may come free."""
        limit = self._limits.get(endpoint, self._otherwise)
        most = limit.requests if protection else limit.ordinary
        with self._lock:
            now = self._monotonic()
            sent = self._recent(endpoint, limit, now)
            if len(sent) >= most:
                return sent[len(sent) - most] + limit.seconds - now
            sent.append(now)
            self._counts[endpoint] += 1
            return 0.0

    def _recent(self, endpoint: str, limit: Limit, now: float) -> deque[float]:
        sent = self._sent.setdefault(endpoint, deque())
        while sent and sent[0] + limit.seconds <= now:
            sent.popleft()
        return sent

    def usage(self) -> dict[str, tuple[int, int]]:
        """Return for each endpoint in use the requests in the present window, and its limit."""
        with self._lock:
            now = self._monotonic()
            limits = {endpoint: self._limits.get(endpoint, self._otherwise) for endpoint in self._sent}
            return {
                endpoint: (len(self._recent(endpoint, limit, now)), limit.requests)
                for endpoint, limit in sorted(limits.items())
            }

    def counts(self) -> dict[str, int]:
        """Return the number of requests per endpoint since the start."""
        with self._lock:
            return dict(sorted(self._counts.items()))
