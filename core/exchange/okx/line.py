"""One WebSocket line to OKX that keeps itself up: log in, subscribe, listen, ping, and come back after a loss.

Says `up` only when the login and every subscription are acknowledged, so that a read made after it misses nothing.
Knows requests and acknowledgements, not what the pushes mean. Source: OKX V5 docs, overview/websocket.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from core.exchange.okx.session import is_loopback
from core.exchange.port import Credentials
from core.exchange.throttle import Limit, Throttle

log = logging.getLogger("perpdeck.stream")
_wire_log = logging.getLogger("perpdeck.stream.wire")
_wire_log.setLevel(logging.INFO)  # at DEBUG the library would write the login, passphrase included

Channel = Mapping[str, str]  #: the argument of a subscription
Message = dict[str, Any]

DOOR = "connect"
DOORS: Mapping[str, Limit] = {DOOR: Limit(3, 1.0)}  #: new connections per IP
LOGIN_REFUSED = {"60004", "60005", "60006", "60007", "60009", "60024", "60031", "60032"}
LOGIN_FAILED_CLOSE = 4001
NO_SUCH_CHANNEL = {"60012", "60018"}
NOTICE_OF_CLOSE = "64008"  #: the server is about to disconnect for an upgrade


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits of a line, in seconds."""

    open: float = 5.0
    answer: float = 5.0  #: to a login and to subscriptions
    silence: float = 15.0  #: then a ping; OKX closes after 30
    pong: float = 10.0
    first_back_off: float = 0.2  #: doubles
    longest_back_off: float = 10.0  #: a line that held for longer starts again from the first
    after_refused_login: float = 30.0
    close: float = 0.5


class Lost(Exception):
    """Why a line went down, and how long to stay away if not the usual time."""

    def __init__(self, words: str, stay_away_seconds: float | None = None) -> None:
        super().__init__(words)
        self.stay_away_seconds = stay_away_seconds


@dataclass(frozen=True, slots=True)
class Ear:
    """What a line tells its owner, in the line's own thread; first its name, then what there is to say."""

    up: Callable[[str], None]
    down: Callable[[str, str], None]
    heard: Callable[[], None]
    pushed: Callable[[Message], None]


class Line:
    """One of public, private, business. All methods run in one event loop."""

    def __init__(
        self,
        name: str,
        url: str,
        channels: Iterable[Channel],
        ear: Ear,
        *,
        credentials: Credentials | None,
        now: Callable[[], datetime],
        doors: Throttle,
        pace: Pace,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name, self.url, self.ear = name, url, ear
        self._credentials, self._now, self._doors, self._pace, self._sleep = credentials, now, doors, pace, sleep
        self._wanted = [dict(channel) for channel in channels]
        self._subscribed: list[Channel] = []
        self._pending: dict[str, Channel] = {}
        self._numbers = itertools.count(1)
        self._socket: ClientConnection | None = None  #: while subscriptions may be sent
        self._needed = asyncio.Event()
        if self._wanted:
            self._needed.set()

    @property
    def needed(self) -> bool:
        """False: nothing to subscribe to, so there is no connection and none is missed."""
        return self._needed.is_set()

    # -- what it listens to ------------------------------------------------------------------------------------

    async def want(self, channels: Iterable[Channel]) -> None:
        """Listen to these channels from now on, and to no others."""
        self._wanted = [dict(channel) for channel in channels]
        if self._wanted:
            self._needed.set()
        else:
            self._needed.clear()
        if self._socket is not None:
            try:
                await self._subscribe(self._socket)
            except ConnectionClosed:
                log.debug("line %s closed while subscribing; it subscribes when it is back", self.name)

    async def _subscribe(self, socket: ClientConnection) -> None:
        """Bring the subscriptions to what is wanted."""
        gone = [channel for channel in self._subscribed if channel not in self._wanted]
        new = [channel for channel in self._wanted if channel not in self._subscribed]
        self._subscribed = list(self._wanted)
        for op, channels in (("unsubscribe", gone), ("subscribe", new)):
            for channel in channels:
                number = str(next(self._numbers))
                self._pending[number] = channel
                await socket.send(orjson.dumps({"id": number, "op": op, "args": [channel]}).decode())

    # -- keeping it up -----------------------------------------------------------------------------------------

    async def keep_up(self) -> None:
        """Until cancelled: connect, listen, and after every loss come back with growing patience."""
        back_off = self._pace.first_back_off
        loop = asyncio.get_running_loop()
        while True:
            await self._needed.wait()
            began = loop.time()
            lost = await self._one_life()
            if loop.time() - began > self._pace.longest_back_off:
                back_off = self._pace.first_back_off
            stay_away = lost.stay_away_seconds
            if stay_away is None:
                stay_away, back_off = back_off, min(back_off * 2, self._pace.longest_back_off)
            self.ear.down(self.name, str(lost))
            await self._sleep(stay_away)

    async def _one_life(self) -> Lost:
        """Connect and listen until the connection is lost; says why it was."""
        try:
            await self._connect_and_listen()
        except Lost as lost:
            return lost
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else 1006
            refused = self._pace.after_refused_login if code == LOGIN_FAILED_CLOSE else None
            return Lost(f"closed by the exchange, code {code}", refused)
        except TimeoutError:
            return Lost("no answer in time")
        except (OSError, WebSocketException) as trouble:
            return Lost(f"no connection: {type(trouble).__name__}: {trouble}")
        except Exception as bug:
            # A message that we cannot bear must not silence the line for good: it is logged whole and tried again.
            log.exception("line %s failed", self.name)
            return Lost(f"an error of ours: {bug!r}")
        finally:
            self._socket, self._subscribed, self._pending = None, [], {}
        raise AssertionError("listening ends only by a loss")

    async def _connect_and_listen(self) -> None:
        while not self._doors.take(DOOR, protection=True, patience_seconds=0):
            await asyncio.sleep(0.1)
        opening = connect(
            self.url,
            proxy=None if is_loopback(self.url) else True,
            open_timeout=self._pace.open,
            close_timeout=self._pace.close,
            ping_interval=None,  # OKX answers the text "ping", not the protocol's frames
            max_size=16 * 1024 * 1024,
            logger=_wire_log,
        )
        async with opening as socket:
            async with asyncio.timeout(self._pace.answer):
                if self._credentials is not None:
                    await self._login(socket, self._credentials)
                self._socket = socket
                await self._subscribe(socket)
                while self._pending:
                    self._take(await socket.recv())
            self.ear.up(self.name)
            while True:
                self._take(await self._next(socket))

    async def _login(self, socket: ClientConnection, credentials: Credentials) -> None:
        await socket.send(login_request(credentials, self._now()))
        while True:
            message = _decoded(await socket.recv())
            event = message.get("event")
            if event == "login" and message.get("code") == "0":
                return
            if event in ("login", "error"):
                raise self._refusal(message)

    async def _next(self, socket: ClientConnection) -> str | bytes:
        """The next message; after a silence a ping must be answered."""
        try:
            async with asyncio.timeout(self._pace.silence):
                return await socket.recv()
        except TimeoutError:
            await socket.send("ping")
        try:
            async with asyncio.timeout(self._pace.pong):
                return await socket.recv()
        except TimeoutError:
            raise Lost("silent, and no answer to a ping") from None

    # -- what comes --------------------------------------------------------------------------------------------

    def _take(self, text: str | bytes) -> None:
        """One message: a push goes to the owner, an event is dealt with here. Raises Lost where it ends the line."""
        self.ear.heard()
        message = _decoded(text)
        event = message.get("event")
        if event is None:
            if "arg" in message and "data" in message:
                self.ear.pushed(message)
        elif event in ("subscribe", "unsubscribe"):
            self._pending.pop(str(message.get("id", "")), None)
        elif event == "error":
            self._error(message)
        elif event == "notice" and message.get("code") == NOTICE_OF_CLOSE:
            raise Lost(f"the exchange is about to disconnect: {NOTICE_OF_CLOSE}", 0.0)
        elif event == "channel-conn-count-error":
            raise Lost(f"too many connections on channel {message.get('channel')}", self._pace.longest_back_off)

    def _error(self, message: Message) -> None:
        """A price that does not exist costs that price; anything else refused means that the line is of no use."""
        channel = self._pending.pop(str(message.get("id", "")), None)
        if channel is None or self._credentials is not None or message.get("code") not in NO_SUCH_CHANNEL:
            raise self._refusal(message)
        log.warning("line %s: no such channel %s: %s", self.name, dict(channel), message.get("msg"))

    def _refusal(self, message: Message) -> Lost:
        code, words = str(message.get("code", "")), str(message.get("msg", ""))
        if code in LOGIN_REFUSED:
            return Lost(f"login refused, code {code}: {words}", self._pace.after_refused_login)
        return Lost(f"refused, code {code}: {words}")


def login_request(credentials: Credentials, now: datetime) -> str:
    """The login message, signed for `now`; good for 30 seconds."""
    timestamp = str(int(now.timestamp()))
    signed = hmac.new(credentials.api_secret.encode(), f"{timestamp}GET/users/self/verify".encode(), hashlib.sha256)
    argument = {
        "apiKey": credentials.api_key,
        "passphrase": credentials.passphrase,
        "timestamp": timestamp,
        "sign": base64.b64encode(signed.digest()).decode(),
    }
    return orjson.dumps({"op": "login", "args": [argument]}).decode()


def _decoded(text: str | bytes) -> Message:
    """A message as a mapping; the bare text pong is an empty one. Raises Lost for what is no JSON object."""
    if text in ("pong", b"pong"):
        return {}
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict):
        raise Lost("a message that is no JSON object")
    return message
