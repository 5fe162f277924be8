"""The thread of a stream: one event loop that keeps several connections up and passes their messages to one listener.

Orders have no snapshot on any exchange, so every return of a connection is told as `reconnected`: read everything anew.
Knows connections, not what is said on them; an exchange brings its connections and reads its own messages.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from core.exchange.connection import Connection, ConnectionListener, Message
from core.exchange.port import OnPush, Push

log = logging.getLogger("perpdeck.stream")

STOP_SECONDS = 2.0


class Stream(ABC):
    """The base class of streams: a `StreamPort` without its connections and their messages."""

    thread_name = "stream"
    needed: tuple[str, ...] = ()  #: connections without which the account is not heard

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._on_push: OnPush = _nobody
        self._connections: Mapping[str, Connection[Any]] = {}
        self._down: dict[str, str] = {}
        self._been_up: set[str] = set()
        self._watched: frozenset[str] = frozenset()
        self._last_heard: datetime | None = None

    # -- what an exchange brings -------------------------------------------------------------------------------

    @abstractmethod
    def _make_connections(self, listener: ConnectionListener) -> Mapping[str, Connection[Any]]:
        """Return the stream's connections by name, for one run of the thread; prices of the watched symbols belong to
        them.
        """

    @abstractmethod
    def _price_channels(self, symbols: Iterable[str]) -> Mapping[str, Iterable[Any]]:
        """Return what to subscribe to for the prices of these symbols, by connection."""

    @abstractmethod
    def _pushed(self, name: str, message: Message) -> None:
        """Handle a message of that connection."""

    def _beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        """Return the tasks that run beside the connections until the thread stops."""
        return ()

    # -- the port ----------------------------------------------------------------------------------------------

    def start(self, on_push: OnPush) -> None:
        """Start to listen; returns at once. Started already, it does nothing."""
        with self._lock:
            if self._thread is not None:
                return
            self._on_push = on_push
            ready = threading.Event()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._listen(ready)), name=self.thread_name, daemon=True
            )
            self._thread.start()
            ready.wait()

    def watch(self, symbols: frozenset[str]) -> None:
        """Watch the prices of these symbols from now on."""
        with self._lock:
            if symbols == self._watched:
                return
            self._watched = symbols
            if self._loop is not None:
                for name, channels in self._price_channels(symbols).items():
                    wanting = self._connections[name].want(channels)
                    asyncio.run_coroutine_threadsafe(wanting, self._loop).add_done_callback(_tell_trouble)

    def stop(self) -> None:
        """Close all connections and end the thread, within two seconds."""
        with self._lock:
            if self._thread is None or self._loop is None:
                return
            self._loop.call_soon_threadsafe(self._ended.set)
            thread, self._thread, self._loop = self._thread, None, None
        if thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    @property
    def connected(self) -> bool:
        """Return whether every connection that is needed is up, with all its subscriptions acknowledged."""
        return self._thread is not None and not self._down

    @property
    def last_heard(self) -> datetime | None:
        """Return when anything last came, a ping's answer included, on any connection."""
        return self._last_heard

    # -- the thread --------------------------------------------------------------------------------------------

    async def _listen(self, ready: threading.Event) -> None:
        """Run the thread: keep all connections up until `stop`."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._down, self._been_up = dict.fromkeys(self.needed, "not connected yet"), set()
        self._connections = self._make_connections(
            ConnectionListener(self._is_up, self._is_down, self._heard, self._pushed)
        )
        tasks = [asyncio.create_task(connection.keep_up(), name=name) for name, connection in self._connections.items()]
        tasks += [asyncio.create_task(work) for work in self._beside()]
        ready.set()
        await self._ended.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what the connections tell -----------------------------------------------------------------------------------

    def _is_up(self, name: str) -> None:
        """Push that a connection is up: after each reconnect, and the first time once none is missing any more."""
        self._heard(name)
        returned = name in self._been_up
        self._been_up.add(name)
        if self._down.pop(name, None) is None:
            return
        log.info("stream up connection=%s", name)
        if returned:
            self._ring(Push("connection", words=f"reconnected{self._missing()}"))
        elif not self._down:
            self._ring(Push("connection", words="connected"))

    def _is_down(self, name: str, words: str) -> None:
        if self._down.get(name) != words:
            self._down[name] = words
            log.warning("stream lost connection=%s: %s", name, words)
            self._ring(Push("connection", words=f"lost: {name}: {words}"))

    def _missing(self) -> str:
        return "".join(f"; still lost: {name}: {words}" for name, words in self._down.items())

    def _heard(self, name: str) -> None:
        self._last_heard = self._now()

    def _ring(self, push: Push) -> None:
        try:
            self._on_push(push)
        except Exception:
            # Whoever listens may fail; the doorbell goes on ringing for the next push.
            log.exception("a listener failed on a push of %s", push.channel)


def _nobody(push: Push) -> None:
    """Do nothing: the listener before `start`."""


def _tell_trouble(future: Future[None]) -> None:
    if not future.cancelled() and future.exception() is not None:
        log.error("watching other prices failed", exc_info=future.exception())
