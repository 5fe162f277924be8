"""Limits on callers: requests in a time, bytes in a body, seconds until the body is there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.problems import Problem, about

LONGEST_BODY = 64 * 1024  #: bytes
BODY_SECONDS = 10.0
MOST_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit: so many requests at once, and so many a second after that."""

    burst: int
    per_second: float


TOKEN_RATE = Rate(60, 20.0)
STRANGER_RATE = Rate(10, 0.2)  #: failed attempts of one address


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Limiter:
    """A token bucket for each caller. Thread-safe; forgets the quietest where there are too many."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self.rate, self._monotonic = rate, monotonic
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, caller: str, cost: int = 1) -> float:
        """Take `cost` requests; returns 0, or the seconds until there is one again, and then nothing was taken."""
        now = self._monotonic()
        with self._lock:
            bucket = self._buckets.pop(caller, None) or _Bucket(self.rate.burst, now)
            bucket.left = min(self.rate.burst, bucket.left + (now - bucket.at) * self.rate.per_second)
            bucket.at = now
            self._buckets[caller] = bucket  # the newest stands last
            if len(self._buckets) > MOST_CALLERS:
                del self._buckets[next(iter(self._buckets))]
            if bucket.left < 1:
                return (1 - bucket.left) / self.rate.per_second
            bucket.left -= cost
            return 0.0


def too_many(seconds: float, rate: Rate) -> Problem:
    """Return the response to a caller who has used up its requests."""
    whole = max(1, ceil(seconds))
    allowed = f"{rate.burst} at once and {rate.per_second:g} a second"
    return Problem(
        429, f"too many requests: {allowed} are allowed; wait {whole} s", headers={"retry-after": str(whole)}
    )


class BodyLimit:
    """Reads the whole body before the app sees the request; what is too long or too slow goes no further."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _whole(scope, receive)
        except TimeoutError:
            return await Problem(408, f"the body did not come within {BODY_SECONDS:g} s").response()(
                scope, receive, send
            )
        if body is None:
            return None  # the caller has gone
        if len(body) > LONGEST_BODY:
            problem = about("body", None, f"{LONGEST_BODY} bytes at most")
            words = f"the body is longer than {LONGEST_BODY} bytes"
            return await Problem(413, words, [problem], {"connection": "close"}).response()(scope, receive, send)
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        return await self.app(scope, replay, send)


async def _whole(scope: Scope, receive: Receive) -> bytes | None:
    """Return the body, or the first bytes of one that is too long; None where the caller went away."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    if said.isdigit() and int(said) > LONGEST_BODY:
        return b" " * (LONGEST_BODY + 1)
    body, more = b"", True
    while more and len(body) <= LONGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
