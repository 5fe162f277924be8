"""How a request is asked: reads with retries, writes once, both by OKX's clock.

A read returns rows or raises Unavailable. A write returns its row or raises Refused or OutcomeUnknown; it is sent
again only where OKX said for certain that our clock was off and that it did nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.exchange.clock import ExchangeClock
from core.exchange.okx.codes import CLOCK_OFF, NO_ANSWER, NOT_SENT, READ_AGAIN, TOO_FAST, failed_write
from core.exchange.okx.fields import Row, moment
from core.exchange.okx.rest_session import Answer, Session, Terms

log = logging.getLogger("perpdeck.okx")

PAUSES_SECONDS = (0.1, 0.4)  #: before the second and the third try of a read
PAUSE_WHEN_TOO_FAST_SECONDS = 1.0
CLOCK_GOOD_FOR_SECONDS = 300.0  #: OKX's clock is measured again after this long

Call = Callable[[], Any]


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

    # -- reads

    def read(self, what: str, call: Call, *, protection: bool = False) -> list[Any]:
        """The rows of the answer; up to three tries. Raises Unavailable."""
        answer = self._once(call, Terms(protection))
        for pause in PAUSES_SECONDS:
            if answer.good or answer.code not in READ_AGAIN or self.closed:
                break
            log.info("read again %r code=%s %s", what, answer.code, answer.words)
            self._sleep(PAUSE_WHEN_TOO_FAST_SECONDS if answer.code in TOO_FAST else pause)
            if answer.code in CLOCK_OFF:
                self.measure_clock()
            answer = self._once(call, Terms(protection))
        if not answer.good:
            raise Unavailable(
                f"{what}: {answer.words} ({answer.code})", exchange_code=answer.code, exchange_words=answer.words
            )
        return answer.rows

    def read_one(self, what: str, call: Call, *, protection: bool = False) -> Row:
        """The one row of the answer. Raises Unavailable."""
        rows = self.read(what, call, protection=protection)
        if not rows:
            raise Unavailable(f"{what}: OKX answered with nothing", exchange_code=NO_ANSWER)
        row: Row = rows[0]
        return row

    def read_all(
        self,
        what: str,
        call: Callable[[str], Any],
        cursor: str,
        *,
        most: int = 100,
        oldest: str = "",
        identity: tuple[str, ...] = (),
        protection: bool = False,
    ) -> list[Any]:
        """All pages, newest first, each row once; `call` gets the cursor of the last row seen. Raises Unavailable.

        `identity` names the fields that tell rows apart where the cursor alone does not. Where the row `oldest` is
        known to have nothing older behind it, a full page that ends with it is the last.
        """
        seen: dict[tuple[str, ...], Any] = {}
        after = ""

        def name(row: Any) -> tuple[str, ...]:
            return tuple(str(row[field]) for field in identity or (cursor,))

        while True:
            page = self.read(what, lambda: call(after), protection=protection)
            fresh = {name(row): row for row in page if name(row) not in seen}
            seen |= fresh
            if len(page) < most or not fresh or (after := str(page[-1][cursor])) == oldest:
                return list(seen.values())

    # -- writes

    def write(self, what: str, call: Call, *, protection: bool = False, deadline: datetime | None = None) -> Row:
        """The row of the answer, sent at most once for effect. Raises Refused or OutcomeUnknown."""
        answer = self._once(call, self._terms(what, protection, deadline))
        if answer.code in CLOCK_OFF and (deadline is None or self.clock.local() < deadline) and self._clock_measured():
            answer = self._once(call, self._terms(what, protection, deadline))
        if not answer.good:
            raise failed_write(what, answer.code, answer.words)
        if not answer.rows:
            raise OutcomeUnknown(f"{what}: OKX said yes and nothing else", exchange_code=NO_ANSWER)
        row: Row = answer.rows[0]
        return row

    def first(self, what: str, read: Callable[[], Any]) -> Any:
        """Something a write needs to know before it is sent. Raises Refused (passing) where it cannot be read."""
        try:
            return read()
        except Unavailable as silence:
            raise Refused(
                f"{what} was not sent: {silence}",
                exchange_code=NOT_SENT,
                exchange_words=silence.exchange_words,
                transient=True,
            ) from silence

    def _terms(self, what: str, protection: bool, deadline: datetime | None) -> Terms:
        """Until when this write may be carried out: its lifetime from now, or the deadline, whichever comes first."""
        if self.clock.measured_at is None or self._monotonic() - self.clock.measured_at > CLOCK_GOOD_FOR_SECONDS:
            self.first(what, self.measure_clock)
        until = self.clock.now() + self.lifetime
        return Terms(protection, until if deadline is None else min(until, self.clock.of(deadline)))

    # -- both

    def _once(self, call: Call, terms: Terms) -> Answer:
        if self.closed:
            return Answer(NOT_SENT, "the client has been closed", [])
        return self.session.ask(call, terms)

    def measure_clock(self) -> datetime:
        """Ask OKX for its time and remember the difference. Raises Unavailable."""
        asked = self.clock.local()
        told = moment(self.read_one("the exchange's time", self.session.get_system_time, protection=True), "ts")
        self.clock.measured(asked, told, self._monotonic())
        return told

    def _clock_measured(self) -> bool:
        """Measure; False where OKX does not tell, so that the refusal stands as it is."""
        try:
            self.measure_clock()
        except Unavailable as silence:
            log.warning("the exchange's time could not be read: %s", silence)
            return False
        return True
