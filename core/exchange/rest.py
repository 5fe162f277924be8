"""Makes REST requests to any exchange: reads with retries, writes sent once, and three outcomes.

A read returns what the exchange sent or raises Unavailable. A write returns its row or raises Refused (nothing
happened) or OutcomeUnknown (go and look); it is sent again only where the exchange said for certain that our clock was
off and that it did nothing. What the codes of one exchange mean is its adapter's `RestPolicy`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.reason import Reason
from core.exchange.clock import ExchangeClock
from core.exchange.fields import Fields, Row

log = logging.getLogger("perpdeck.exchange")

GOOD = "0"  #: the code of a request that was carried out
NOT_SENT = "not_sent"  #: the connection never opened, or the deadline had passed before
NO_ANSWER = "no_answer"  #: sent, and then silence, a reset or a page that makes no sense
BUDGET = "budget"  #: held back here, because the exchange would have refused it for haste
CLOCK_GOOD_FOR_SECONDS = 300.0  #: the exchange's clock is measured again after this long

Call = Callable[[], Any]
Value = TypeVar("Value")


class Priority(Enum):
    """The priority of a request; an adapter's budget keeps room for the urgent ones."""

    HISTORY = auto()  #: can wait: history, candles, contracts
    LOOK = auto()  #: what a decision needs to see
    WRITE = auto()  #: orders and cancels, and what must be known before one is sent


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """The terms of one request: its priority, and until when it may be executed (by the exchange's clock)."""

    priority: Priority = Priority.LOOK
    protects: bool = False  #: it guards what is held, so it may use what is kept in reserve
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """The answer to one request."""

    code: str  #: GOOD: it was carried out; the exchange's own code, or one of ours where it sent none
    words: str
    body: Any = None
    by_server: bool = False  #: a failure of the server (HTTP 5xx), which may lie about what happened

    @property
    def good(self) -> bool:
        """Return whether the request was carried out."""
        return self.code == GOOD


@dataclass(frozen=True, slots=True)
class RestPolicy:
    """The meaning of one exchange's codes for reads and writes."""

    fields: Fields  #: names the exchange, and reads its time
    time_field: str  #: where its clock stands in the answer to "what time is it"
    read_again: frozenset[str]  #: after these a read is tried again
    pauses_seconds: tuple[float, ...]  #: before each further try of a read
    clock_off: frozenset[str]  #: our idea of its time is wrong: measure it and ask once more
    failed_write: Callable[[str, RestAnswer], Refused | OutcomeUnknown]  #: what was asked, the answer -> what to raise
    too_fast: frozenset[str] = frozenset()  #: refused for haste; a read waits longer before it is tried again
    too_fast_pause_seconds: float = 1.0
    already: frozenset[str] = frozenset()  #: what was asked for is so already: as good as done
    never_passes: frozenset[str] = frozenset()  #: a read refused so would be refused again
    request_lifetime: timedelta | None = (
        None  #: every write ends so long after it was sent; None: by its deadline alone
    )
    write_has_row: bool = False  #: a write that was carried out always answers with a row


_terms: ContextVar[RequestTerms] = ContextVar("terms")  #: of the call being made in this thread


def terms_of_call() -> RequestTerms:
    """Return the terms of the request being made in this thread; an adapter's session asks when it sends."""
    return _terms.get()


@contextmanager
def _under(terms: RequestTerms) -> Iterator[None]:
    token = _terms.set(terms)
    try:
        yield
    finally:
        _terms.reset(token)


class RestCaller:
    """Makes the requests of one account. Thread-safe.

    A call is one method of the adapter's session, which sends once and returns an `Answer` whatever happens.
    """

    def __init__(
        self,
        policy: RestPolicy,
        clock: ExchangeClock,
        server_time: Call,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy, self.clock = policy, clock
        self._server_time, self._sleep, self._monotonic = server_time, sleep, monotonic
        self._name = policy.fields.exchange
        self.closed = False  #: nothing is sent any more

    # -- reads

    def read(self, what: str, call: Call, priority: Priority = Priority.LOOK) -> Any:
        """Return what the exchange sent, after as many tries as the policy allows. Raises Unavailable."""
        policy, terms = self.policy, RequestTerms(priority, protects=priority is not Priority.HISTORY)
        answer = self._once(call, terms)
        for pause in policy.pauses_seconds:
            if answer.good or answer.code not in policy.read_again or self.closed:
                break
            log.info("%s: read again %r code=%s %s", self._name, what, answer.code, answer.words)
            self._sleep(policy.too_fast_pause_seconds if answer.code in policy.too_fast else pause)
            if answer.code in policy.clock_off:
                self.measure_clock()
            answer = self._once(call, terms)
        if not answer.good:
            raise Unavailable(
                Reason("exchange.answered", what=what, words=answer.words, code=answer.code),
                exchange_code=answer.code,
                exchange_words=answer.words,
            )
        return answer.body

    def rows(self, what: str, call: Call, priority: Priority = Priority.LOOK) -> list[Any]:
        """Return the rows of the answer. Raises Unavailable, also where it is no list."""
        body = self.read(what, call, priority)
        if not isinstance(body, list):
            raise Unavailable(Reason("exchange.no_list", what=what, exchange=self._name), exchange_code=NO_ANSWER)
        return body

    def row(self, what: str, call: Call, priority: Priority = Priority.LOOK) -> Row:
        """Return the one row of the answer. Raises Unavailable, also where there is none."""
        row = _first_row(self.read(what, call, priority))
        if not row:
            raise Unavailable(Reason("exchange.no_answer", what=what, exchange=self._name), exchange_code=NO_ANSWER)
        return row

    # -- writes

    def write(self, what: str, call: Call, *, protects: bool = False, deadline: datetime | None = None) -> Row:
        """Send once for effect and return the row of the answer; empty where it was so already.

        Raises Refused or OutcomeUnknown.
        """
        policy = self.policy
        answer = self._once(call, self._write_terms(what, protects, deadline))
        in_time = deadline is None or self.clock.local() < deadline
        if answer.code in policy.clock_off and in_time and self._clock_measured():
            answer = self._once(call, self._write_terms(what, protects, deadline))
        if answer.code in policy.already:
            log.info("%s: nothing to change %r code=%s %s", self._name, what, answer.code, answer.words)
            return {}
        if not answer.good:
            raise policy.failed_write(what, answer)
        row = _first_row(answer.body)
        if not row and policy.write_has_row:
            raise OutcomeUnknown(
                Reason("exchange.yes_and_nothing", what=what, exchange=self._name), exchange_code=NO_ANSWER
            )
        return row

    def first(self, what: str, read: Callable[[], Value]) -> Value:
        """Return something that a write needs to know before it is sent; a failure is a refusal of the write.

        Raises Refused where it cannot be read: transient, unless the exchange said that it never will be.
        """
        try:
            return read()
        except Unavailable as silence:
            message, passes = (
                Reason("exchange.not_sent", what=what, why=silence.reason),
                silence.exchange_code not in self.policy.never_passes,
            )
            code = NOT_SENT if passes else silence.exchange_code
            raise Refused(
                message, exchange_code=code, exchange_words=silence.exchange_words, transient=passes
            ) from silence

    def _write_terms(self, what: str, protects: bool, deadline: datetime | None) -> RequestTerms:
        """Return the terms of a write: it may be executed for its lifetime from now, or until the deadline if that is
        sooner.
        """
        if self.clock.measured_at is None or self._monotonic() - self.clock.measured_at > CLOCK_GOOD_FOR_SECONDS:
            self.first(what, self.measure_clock)
        ends = [] if deadline is None else [self.clock.of(deadline)]
        if self.policy.request_lifetime is not None:
            ends.append(self.clock.now() + self.policy.request_lifetime)
        return RequestTerms(Priority.WRITE, protects, min(ends, default=None))

    # -- both

    def _once(self, call: Call, terms: RequestTerms) -> RestAnswer:
        if self.closed:
            return RestAnswer(NOT_SENT, "the client has been closed")
        with _under(terms):
            answer: RestAnswer = call()
        return answer

    def measure_clock(self) -> datetime:
        """Ask the exchange for its time, remember how far ours is off, return the exchange's. Raises Unavailable."""
        asked = self.clock.local()
        row = self.row("the exchange's time", self._server_time, Priority.WRITE)
        told = self.policy.fields.moment(row, self.policy.time_field)
        self.clock.measured(asked, told, self._monotonic())
        return told

    def _clock_measured(self) -> bool:
        """Measure the clock; False where the exchange does not tell, so that the refusal stands as it is."""
        try:
            self.measure_clock()
        except Unavailable as silence:
            log.warning("the exchange's time could not be read: %s", silence)
            return False
        return True


def _first_row(body: Any) -> Row:
    """Return the row of an answer that is one, or a list of one; empty where there is none."""
    if isinstance(body, list):
        body = body[0] if body else None
    return body if isinstance(body, dict) else {}
