"""How a request is asked: reads with retries, writes once, both by Binance's clock.

A read returns what Binance sent or raises Unavailable. A write returns it or raises Refused or OutcomeUnknown; it is
sent again only where Binance said for certain that our clock was off and that it did nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from core.domain.errors import Refused, Unavailable
from core.exchange.binance.codes import (
    ALREADY,
    CLOCK_OFF,
    GOOD,
    NEVER_PASSES,
    NO_ANSWER,
    NOT_SENT,
    READ_AGAIN,
    failed_write,
)
from core.exchange.binance.fields import Row, moment
from core.exchange.binance.limits import Need
from core.exchange.binance.rest_session import Answer, Session, Terms
from core.exchange.clock import ExchangeClock

log = logging.getLogger("perpdeck.binance")

PAUSES_SECONDS = (0.2, 0.4)  #: before the second and the third try of a read
CLOCK_GOOD_FOR_SECONDS = 300.0  #: Binance's clock is measured again after this long

Call = Callable[[], Any]
Value = TypeVar("Value")


class Calls:
    """Asks on behalf of one account. Thread-safe."""

    def __init__(
        self,
        session: Session,
        clock: ExchangeClock,
        *,
        lifetime: timedelta,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session, self.clock, self.lifetime = session, clock, lifetime
        self._sleep, self._monotonic = sleep, monotonic
        self.closed = False  #: nothing is sent any more
        self.last_answer = GOOD  #: the code of the newest answer

    # -- reads

    def read(self, what: str, call: Call, need: Need = Need.LOOK) -> Any:
        """What Binance sent; up to three tries. Raises Unavailable."""
        answer = self._once(call, Terms(need))
        for pause in PAUSES_SECONDS:
            if answer.good or answer.code not in READ_AGAIN or self.closed:
                break
            log.info("read again %r code=%s %s", what, answer.code, answer.words)
            self._sleep(pause)
            if answer.code in CLOCK_OFF:
                self.measure_clock()
            answer = self._once(call, Terms(need))
        if not answer.good:
            raise Unavailable(
                f"{what}: {answer.words} ({answer.code})", exchange_code=answer.code, exchange_words=answer.words
            )
        return answer.body

    def rows(self, what: str, call: Call, need: Need = Need.LOOK) -> list[Any]:
        """The rows of the answer. Raises Unavailable, also where it is no list."""
        body = self.read(what, call, need)
        if not isinstance(body, list):
            raise Unavailable(f"{what}: Binance sent no list", exchange_code=NO_ANSWER)
        return body

    def row(self, what: str, call: Call, need: Need = Need.LOOK) -> Row:
        """The one row of the answer. Raises Unavailable, also where it is none."""
        body = self.read(what, call, need)
        if not isinstance(body, dict) or not body:
            raise Unavailable(f"{what}: Binance answered with nothing", exchange_code=NO_ANSWER)
        return body

    # -- writes

    def write(self, what: str, call: Call, *, protects: bool = False, deadline: datetime | None = None) -> Row:
        """The row of the answer, sent at most once for effect; empty where it was so already.

        Raises Refused or OutcomeUnknown.
        """
        answer = self._once(call, self._terms(what, protects, deadline))
        if answer.code in CLOCK_OFF and (deadline is None or self.clock.local() < deadline) and self._clock_measured():
            answer = self._once(call, self._terms(what, protects, deadline))
        if answer.code in ALREADY:
            log.info("nothing to change %r code=%s %s", what, answer.code, answer.words)
            return {}
        if not answer.good:
            raise failed_write(what, answer.code, answer.words, by_server=answer.by_server)
        return answer.body if isinstance(answer.body, dict) else {}

    def first(self, what: str, read: Callable[[], Value]) -> Value:
        """Something a write needs to know before it is sent. Raises Refused where it cannot be read; passing, unless
        Binance said that it never will be."""
        try:
            return read()
        except Unavailable as silence:
            words, passes = f"{what} was not sent: {silence}", silence.exchange_code not in NEVER_PASSES
            code = NOT_SENT if passes else silence.exchange_code
            raise Refused(
                words, exchange_code=code, exchange_words=silence.exchange_words, transient=passes
            ) from silence

    def _terms(self, what: str, protects: bool, deadline: datetime | None) -> Terms:
        """Until when this write may be carried out: its lifetime from now, or the deadline, whichever comes first."""
        if self.clock.measured_at is None or self._monotonic() - self.clock.measured_at > CLOCK_GOOD_FOR_SECONDS:
            self.first(what, self.measure_clock)
        return Terms(Need.WRITE, protects, None if deadline is None else self.clock.of(deadline))

    # -- both

    def _once(self, call: Call, terms: Terms) -> Answer:
        if self.closed:
            return Answer(NOT_SENT, "the client has been closed")
        answer = self.session.ask(call, terms)
        self.last_answer = answer.code
        return answer

    def measure_clock(self) -> datetime:
        """Ask Binance for its time and remember the difference. Raises Unavailable."""
        asked = self.clock.local()
        told = moment(self.row("the exchange's time", self.session.futures_time, Need.WRITE), "serverTime")
        self.clock.measured(asked, told, self._monotonic())
        return told

    def _clock_measured(self) -> bool:
        """Measure; False where Binance does not tell, so that the refusal stands as it is."""
        try:
            self.measure_clock()
        except Unavailable as silence:
            log.warning("the exchange's time could not be read: %s", silence)
            return False
        return True
