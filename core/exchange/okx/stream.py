"""OKXStream: what OKX pushes about one account and the prices it watches, as doorbells for the bot.

One thread with one event loop keeps three lines up: private, business (conditional orders) and public (prices).
Orders have no snapshot on OKX, so every return of a line is told as `reconnected`: read everything anew.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime

from core.exchange.okx.line import DOORS, Channel, Ear, Line, Message, Pace
from core.exchange.okx.pushes import Prices, price_channels, pushes
from core.exchange.port import Credentials, OnPush, Push
from core.exchange.throttle import Throttle

log = logging.getLogger("perpdeck.stream")

EVENTS_ONLY = '{"updateInterval":"0"}'  #: no pushes by the clock
PRIVATE: tuple[Channel, ...] = (
    {"channel": "orders", "instType": "SWAP"},
    {"channel": "positions", "instType": "SWAP", "extraParams": EVENTS_ONLY},
    {"channel": "account", "ccy": "USDT", "extraParams": EVENTS_ONLY},
)
BUSINESS: tuple[Channel, ...] = ({"channel": "orders-algo", "instType": "SWAP"},)
STOP_SECONDS = 2.0


class OKXStream:
    """A `StreamPort`. `url` is what stands in front of /ws/v5/, for example ws://127.0.0.1:9700."""

    def __init__(
        self,
        credentials: Credentials,
        url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        exchange_now: Callable[[], datetime] | None = None,
        doors: Throttle | None = None,
        pace: Pace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`exchange_now` signs the login (OKX allows 30 s; ours if not given). Streams of one IP may share `doors`."""
        self._credentials, self._url = credentials, url.rstrip("/")
        self._now, self._exchange_now = now, exchange_now or now
        self._doors, self._pace, self._sleep = doors or Throttle(DOORS), pace or Pace(), sleep
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._on_push: OnPush = _nobody
        self._lines: dict[str, Line] = {}
        self._down: dict[str, str] = {}
        self._been_up: set[str] = set()
        self._watched: frozenset[str] = frozenset()
        self._prices = Prices()
        self._last_heard: datetime | None = None

    # -- the port ----------------------------------------------------------------------------------------------

    def start(self, on_push: OnPush) -> None:
        """Begin to listen; returns at once. Started already, it does nothing."""
        with self._lock:
            if self._thread is not None:
                return
            self._on_push = on_push
            ready = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._listen(ready)), name="okx-stream", daemon=True
            )
            self._thread.start()
            ready.wait()

    def watch(self, symbols: frozenset[str]) -> None:
        """Prices of these symbols from now on."""
        with self._lock:
            if symbols == self._watched:
                return
            self._watched = symbols
            if self._loop is not None:
                wanting = self._lines["public"].want(price_channels(symbols))
                asyncio.run_coroutine_threadsafe(wanting, self._loop).add_done_callback(_tell_trouble)

    def stop(self) -> None:
        """Close all lines and end the thread, within two seconds."""
        with self._lock:
            if self._thread is None or self._loop is None:
                return
            self._loop.call_soon_threadsafe(self._ended.set)
            thread, self._thread, self._loop = self._thread, None, None
        if thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    @property
    def connected(self) -> bool:
        """Every line that is needed is up, with all its subscriptions acknowledged."""
        return self._thread is not None and not self._down

    @property
    def last_heard(self) -> datetime | None:
        """When anything last came, on any line."""
        return self._last_heard

    # -- the thread --------------------------------------------------------------------------------------------

    async def _listen(self, ready: threading.Event) -> None:
        """The life of the thread: all lines up until `stop`."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._down, self._been_up = dict.fromkeys(("private", "business"), "not connected yet"), set()
        self._lines = {
            "private": self._line("private", PRIVATE, self._credentials),
            "business": self._line("business", BUSINESS, self._credentials),
            "public": self._line("public", price_channels(self._watched), None),
        }
        tasks = [asyncio.create_task(line.keep_up(), name=name) for name, line in self._lines.items()]
        ready.set()
        await self._ended.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _line(self, name: str, channels: Iterable[Channel], credentials: Credentials | None) -> Line:
        return Line(
            name,
            f"{self._url}/ws/v5/{name}",
            channels,
            Ear(self._is_up, self._is_down, self._heard, self._pushed),
            credentials=credentials,
            now=self._exchange_now,
            doors=self._doors,
            pace=self._pace,
            sleep=self._sleep,
        )

    # -- what the lines tell -----------------------------------------------------------------------------------

    def _is_up(self, name: str) -> None:
        """Tell a return always; the first time, once nothing is missing any more."""
        returned = name in self._been_up
        self._been_up.add(name)
        if self._down.pop(name, None) is None:
            return
        log.info("stream up line=%s", name)
        if returned:
            self._ring(Push("connection", words=f"reconnected{self._missing()}"))
        elif not self._down:
            self._ring(Push("connection", words="connected"))

    def _is_down(self, name: str, words: str) -> None:
        if self._down.get(name) != words:
            self._down[name] = words
            log.warning("stream lost line=%s: %s", name, words)
            self._ring(Push("connection", words=f"lost: {name}: {words}"))

    def _missing(self) -> str:
        return "".join(f"; still lost: {name}: {words}" for name, words in self._down.items())

    def _heard(self) -> None:
        self._last_heard = self._now()

    def _pushed(self, message: Message) -> None:
        for push in pushes(message, self._prices, self._now()):
            self._ring(push)

    def _ring(self, push: Push) -> None:
        try:
            self._on_push(push)
        except Exception:
            # Whoever listens may fail; the doorbell goes on ringing for the next push.
            log.exception("a listener failed on a push of %s", push.channel)


def _nobody(push: Push) -> None:
    """Who listens before `start`."""


def _tell_trouble(future: Future[None]) -> None:
    if not future.cancelled() and future.exception() is not None:
        log.error("watching other prices failed", exc_info=future.exception())
