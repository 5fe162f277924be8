"""A WebSocket connection that keeps itself up: connect, log in, receive, ping, and reconnect after a loss.

Says `up` only when the protocol has begun (log-in and every subscription acknowledged), so that a read made after it
misses nothing. An old connection can hand over to a new one without a gap. What is said is a `WireProtocol`, of one
exchange.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from core.exchange.loopback import is_loopback
from core.exchange.throttle import Throttle

log = logging.getLogger("perpdeck.stream")
_wire_log = logging.getLogger("perpdeck.stream.wire")
_wire_log.setLevel(logging.INFO)  # at DEBUG the library would write log-ins and keys

Message = dict[str, Any]
C = TypeVar("C")  #: what a subscription names: a channel, a stream
Sleep = Callable[[float], Awaitable[None]]

CONNECT = "connect"  #: the name under which a `Throttle` counts new connections
ABNORMAL = 1006  #: the code of a connection that ended without a word


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits of a connection, in seconds."""

    open: float = 5.0
    answer: float = 5.0  #: to a login and to subscriptions
    silence: float = 15.0  #: then a sign of life is asked for; OKX closes after 30
    pong: float = 10.0
    first_back_off: float = 0.2  #: doubles
    longest_back_off: float = 10.0  #: a connection that held for longer starts again from the first
    after_refused_login: float = 30.0
    close: float = 0.5
    handover: float | None = None  #: after so long a new connection takes over from the old one; None: never
    handover_retry: float = 60.0  #: after one that did not come up


class Lost(Exception):
    """The loss of a connection: why, and how long to wait before the next if not the usual time."""

    def __init__(self, words: str, stay_away_seconds: float | None = None) -> None:
        super().__init__(words)
        self.stay_away_seconds = stay_away_seconds


class TurnedAway(Lost):
    """Raised where the exchange refuses the opening of a connection."""


@dataclass(frozen=True, slots=True)
class ConnectionListener:
    """The interface of a connection's owner, called in the connection's own thread, with the connection's
    name first.
    """

    up: Callable[[str], None]
    down: Callable[[str, str], None]
    heard: Callable[[str], None]
    pushed: Callable[[str, Message], None]


class WireProtocol(ABC, Generic[C]):
    """The messages of one exchange over one open connection. Ends it by raising Lost."""

    def __init__(self, name: str, socket: ClientConnection, wanted: Iterable[C], listener: ConnectionListener) -> None:
        self.name, self.socket, self.wanted, self.listener = name, socket, list(wanted), listener

    @abstractmethod
    async def begin(self) -> None:
        """Log in and subscribe to what is wanted; returns when all of it is acknowledged."""

    @abstractmethod
    async def want(self, channels: Iterable[C]) -> None:
        """Listen to these from now on, and to no others; also while it begins."""

    @abstractmethod
    def take(self, text: str | bytes) -> None:
        """Handle one message. Raises Lost where it ends the connection."""

    @abstractmethod
    async def still_there(self) -> None:
        """Send a ping and wait for its answer."""

    async def hear(self) -> None:
        """Wait for the next message and take it."""
        text = await self.socket.recv()
        self.listener.heard(self.name)
        self.take(text)

    def ended(self, code: int) -> Lost:
        """Return the loss for a connection that the exchange closed with this code."""
        return Lost(f"closed by the exchange, code {code}")


@dataclass(slots=True, eq=False)
class _OpenConnection(Generic[C]):
    """One connection from its opening to its end."""

    up: asyncio.Event = field(default_factory=asyncio.Event)
    protocol: WireProtocol[C] | None = None
    close_reason: Lost | None = None  #: why its owner ended it


class Connection(Generic[C]):
    """Keeps one connection after the other. All methods run in one event loop.

    `address` is told why the last connection ended (None: there is none to tell of), may take its time (a key must
    be asked for) and raises Lost where there is none to be had. Without channels there is no connection and none is
    missed, unless it is `always` wanted.
    """

    def __init__(
        self,
        name: str,
        address: Callable[[Lost | None], Awaitable[str]],
        protocol: Callable[[str, ClientConnection, Iterable[C], ConnectionListener], WireProtocol[C]],
        channels: Iterable[C],
        listener: ConnectionListener,
        *,
        connect_limit: Throttle,
        pace: Pace,
        sleep: Sleep = asyncio.sleep,
        always: bool = False,
    ) -> None:
        self.name, self.listener = name, listener
        self._address, self._protocol, self._always = address, protocol, always
        self._connect_limit, self._pace, self._sleep = connect_limit, pace, sleep
        self._wanted = list(channels)
        self._open: list[_OpenConnection[C]] = []  #: the one that is up, and for a moment its successor
        self._after: Lost | None = None
        self._needed, self._handover = asyncio.Event(), asyncio.Event()
        self._note_need()

    @property
    def needed(self) -> bool:
        return self._needed.is_set()

    def _note_need(self) -> None:
        if self._wanted or self._always:
            self._needed.set()
        else:
            self._needed.clear()

    # -- what its owner asks for -------------------------------------------------------------------------------

    async def want(self, channels: Iterable[C]) -> None:
        """Listen to these channels from now on, and to no others."""
        self._wanted = list(channels)
        self._note_need()
        for life in list(self._open):
            if life.protocol is not None:
                try:
                    await life.protocol.want(self._wanted)
                except ConnectionClosed:
                    log.debug("connection %s closed while subscribing; it subscribes when it is back", self.name)

    def lose(self, lost: Lost) -> None:
        """Close the present connection, for a reason that only its owner can know; one being opened is left alone."""
        for life in self._open:
            if life.protocol is not None:
                life.close_reason = lost
                life.protocol.socket.transport.abort()

    def hand_over(self) -> None:
        """Replace the present connection by a new one, without a gap."""
        self._handover.set()

    # -- keeping it up -----------------------------------------------------------------------------------------

    async def keep_up(self) -> None:
        """Run until cancelled: connect, receive, and reconnect after every loss with growing waits."""
        back_off = self._pace.first_back_off
        loop = asyncio.get_running_loop()
        while True:
            await self._needed.wait()
            began = loop.time()
            lost = self._after = await self._until_lost()
            if loop.time() - began > self._pace.longest_back_off:
                back_off = self._pace.first_back_off
            stay_away = lost.stay_away_seconds
            if stay_away is None:
                stay_away, back_off = back_off, min(back_off * 2, self._pace.longest_back_off)
            self.listener.down(self.name, str(lost))
            await self._sleep(stay_away)

    async def _until_lost(self) -> Lost:
        """Keep one connection open, replacing it as often as its age or owner asks; returns why the last ended."""
        self._handover.clear()
        task = asyncio.create_task(self._live(_OpenConnection[C]()))
        successor_task: asyncio.Task[Lost] | None = None
        patience = self._pace.handover
        try:
            while not await _first_of(task, self._handover.wait(), seconds=patience):
                self._handover.clear()
                successor = _OpenConnection[C]()
                successor_task = asyncio.create_task(self._live(successor))
                await _first_of(task, successor_task, successor.up.wait())
                if task.done():
                    break
                if successor.up.is_set() and not successor_task.done():
                    await _end(task)
                    task, successor_task, patience = successor_task, None, self._pace.handover
                    log.info("connection %s handed over", self.name)
                else:
                    log.warning("connection %s: the successor did not come up: %s", self.name, await successor_task)
                    patience = self._pace.handover_retry
            return task.result()
        finally:
            await _end(task)
            if successor_task is not None:
                await _end(successor_task)

    async def _live(self, life: _OpenConnection[C]) -> Lost:
        """Connect and receive until the connection is lost; returns why it was."""
        self._open.append(life)
        try:
            await self._connect_and_listen(life)
        except Lost as lost:
            return lost
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else ABNORMAL
            return life.close_reason or (
                life.protocol.ended(code) if life.protocol else Lost(f"closed by the exchange, code {code}")
            )
        except TimeoutError:
            return Lost("no answer in time")
        except InvalidStatus as answer:
            return TurnedAway(f"no connection: HTTP {answer.response.status_code}")
        except OSError as trouble:
            return life.close_reason or Lost(f"no connection: {type(trouble).__name__}: {trouble}")
        except WebSocketException as trouble:  # its words may hold the address, and that a key
            return life.close_reason or Lost(f"no connection: {type(trouble).__name__}")
        except Exception as bug:
            # A message that we cannot bear must not silence us for good: it is logged whole and tried again.
            log.exception("connection %s failed", self.name)
            return Lost(f"an error of ours: {bug!r}")
        finally:
            self._open.remove(life)
        raise AssertionError("listening ends only by a loss")

    async def _connect_and_listen(self, life: _OpenConnection[C]) -> None:
        while not self._connect_limit.take(CONNECT, protection=True, patience_seconds=0):
            await asyncio.sleep(0.1)
        url = await self._address(self._after)
        opening = connect(
            url,
            proxy=None if is_loopback(url) else True,
            open_timeout=self._pace.open,
            close_timeout=self._pace.close,
            ping_interval=None,  # the connection asks for signs of life itself, in the exchange's own way
            max_size=16 * 1024 * 1024,
            logger=_wire_log,
        )
        async with opening as socket:
            life.protocol = self._protocol(self.name, socket, self._wanted, self.listener)
            async with asyncio.timeout(self._pace.answer):
                await life.protocol.begin()
            self._after = None
            life.up.set()
            self.listener.up(self.name)
            while True:
                await self._next(life.protocol)

    async def _next(self, protocol: WireProtocol[C]) -> None:
        """Handle the next message; after a silence send a ping."""
        try:
            async with asyncio.timeout(self._pace.silence):
                await protocol.hear()
            return
        except TimeoutError:
            log.debug("connection %s is silent: asking whether it is still there", self.name)
        try:
            async with asyncio.timeout(self._pace.pong):
                await protocol.still_there()
        except TimeoutError:
            raise Lost("silent, and no answer to a ping") from None
        self.listener.heard(self.name)


async def _first_of(task: asyncio.Task[Lost], *others: Any, seconds: float | None = None) -> bool:
    """Wait for the task, any of the others, or the time; True: the task is over."""
    waiting = {other if isinstance(other, asyncio.Task) else asyncio.ensure_future(other) for other in others}
    try:
        await asyncio.wait({task, *waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for other in waiting - {one for one in others if isinstance(one, asyncio.Task)}:
            other.cancel()
    return task.done()


async def _end(task: asyncio.Task[Lost]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def decoded(text: str | bytes) -> Message:
    """Return a message as a mapping. Raises Lost for what is no JSON object."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict):
        raise Lost("a message that is no JSON object")
    return message
