"""Idempotency of API requests: one answer for each request of a program, however often it is sent with the same key.

What is asked for is done under a click of its own, so that it happens once even where its answer was lost.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.clock import Clock
from core.domain.errors import Misconfigured, Unavailable
from core.domain.reason import Reason
from db.repositories.api_tokens import ApiAnswerRepository

AT_ONCE = 4  #: requests that may be under way together; each holds a connection
PATIENCE_SECONDS = 5
KEPT_FOR = timedelta(days=30)
SWEPT_EVERY = timedelta(hours=6)
BATCH = 500  #: that are let go of beside one request, which is kept waiting for them

#: does what was asked under this click; status and body of the answer
Work = Callable[[str], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to a request: status and body, and whether they were made just now."""

    status: int
    body: str  #: as it goes out
    new: bool


class Answers:
    """Keeps one answer for each idempotency key. Raises Misconfigured where a key is used for two requests, Unavailable
    where the database does not answer.
    """

    def __init__(self, api_answers: ApiAnswerRepository, clock: Clock) -> None:
        self._api_answers, self._clock = api_answers, clock
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._swept: datetime | None = None

    def once(self, token: str, key: str, asked: Mapping[str, Any], work: Work) -> KeptAnswer:
        """Return the answer to the request `asked` under this key of a token, made by `work` now or stored before.

        What `work` raises is not kept: the same may be asked again.
        """
        if not self._room.acquire(timeout=PATIENCE_SECONDS):
            raise Unavailable(Reason("api.too_many_under_way"))
        try:
            mark, now = fingerprint(asked), self._clock.now()
            self._sweep(now)
            found = self._api_answers.once(token, key, mark, now, lambda: work(click(token, key)))
        finally:
            self._room.release()
        return _same(mark, key, KeptAnswer(*found[1:]), found[0])

    def kept(self, token: str, key: str, asked: Mapping[str, Any]) -> KeptAnswer | None:
        """Return the answer that was given before; None: the key is new."""
        found = self._api_answers.kept(token, key)
        return (
            None if found is None else _same(fingerprint(asked), key, KeptAnswer(found[1], found[2], False), found[0])
        )

    def _sweep(self, now: datetime) -> None:
        swept = self._swept is not None and now - self._swept <= SWEPT_EVERY
        if not swept and self._api_answers.forget(now - KEPT_FOR, BATCH) < BATCH:
            self._swept = now


def click(token: str, key: str) -> str:
    """Return the token of the click that this request counts as, for services that recognise repeated clicks."""
    return f"api/{token}/{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def fingerprint(asked: Mapping[str, Any]) -> str:
    """Return a hash of a request, the same for the same request however its text was laid out."""
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _same(mark: str, key: str, answer: KeptAnswer, first: str) -> KeptAnswer:
    if mark != first:
        raise Misconfigured(Reason("api.key_reused", value=key, field=Reason("field.key")))
    return answer
