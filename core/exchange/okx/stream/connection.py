"""The protocol of WebSocket connections to OKX: log in, subscribe, the text ping, and events that are no pushes.

Knows requests and acknowledgements, not what the pushes mean. Source: OKX V5 docs, overview/websocket.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import orjson
from websockets.asyncio.client import ClientConnection

from core.exchange.connection import CONNECT, ConnectionListener, Lost, Message, Pace, WireProtocol, decoded
from core.exchange.port import Credentials
from core.exchange.throttle import Limit

log = logging.getLogger("perpdeck.stream")

Channel = Mapping[str, str]  #: the argument of a subscription

CONNECT_LIMITS: Mapping[str, Limit] = {CONNECT: Limit(3, 1.0)}  #: new connections per IP
LOGIN_REFUSED = {"60004", "60005", "60006", "60007", "60009", "60024", "60031", "60032"}
LOGIN_FAILED_CLOSE = 4001
NO_SUCH_CHANNEL = {"60012", "60018"}
NOTICE_OF_CLOSE = "64008"  #: the server is about to disconnect for an upgrade


class OKXProtocol(WireProtocol[Channel]):
    """The protocol of public, private or business connections. `credentials` None: nothing to log in to."""

    def __init__(
        self,
        name: str,
        socket: ClientConnection,
        wanted: Iterable[Channel],
        listener: ConnectionListener,
        *,
        credentials: Credentials | None,
        now: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        super().__init__(name, socket, wanted, listener)
        self._credentials, self._now, self._pace = credentials, now, pace
        self._subscribed: list[Channel] = []
        self._pending: dict[str, Channel] = {}
        self._numbers = itertools.count(1)
        self._open = False  #: subscriptions may be sent

    async def begin(self) -> None:
        """Log in and subscribe to what is wanted; returns when all of it is acknowledged."""
        if self._credentials is not None:
            await self._login(self._credentials)
        self._open = True
        await self._subscribe()
        while self._pending:
            await self.hear()

    async def want(self, channels: Iterable[Channel]) -> None:
        """Listen to these from now on, and to no others; also while it begins."""
        self.wanted = [dict(channel) for channel in channels]
        if self._open:
            await self._subscribe()

    async def _subscribe(self) -> None:
        """Bring the subscriptions to what is wanted."""
        gone = [channel for channel in self._subscribed if channel not in self.wanted]
        new = [channel for channel in self.wanted if channel not in self._subscribed]
        self._subscribed = list(self.wanted)
        for op, channels in (("unsubscribe", gone), ("subscribe", new)):
            for channel in channels:
                number = str(next(self._numbers))
                self._pending[number] = channel
                await self.socket.send(orjson.dumps({"id": number, "op": op, "args": [channel]}).decode())

    async def _login(self, credentials: Credentials) -> None:
        await self.socket.send(login_request(credentials, self._now()))
        while True:
            message = _decoded(await self.socket.recv())
            event = message.get("event")
            if event == "login" and message.get("code") == "0":
                return
            if event in ("login", "error"):
                raise self._refusal(message)

    async def still_there(self) -> None:
        """Send the text "ping", which OKX answers instead of the protocol's frames; any message counts as an answer."""
        await self.socket.send("ping")
        await self.hear()

    # -- what comes --------------------------------------------------------------------------------------------

    def take(self, text: str | bytes) -> None:
        """Handle one message: a push goes to the owner, an event is dealt with here. Raises Lost where that ends it."""
        message = _decoded(text)
        event = message.get("event")
        if event is None:
            if "arg" in message and "data" in message:
                self.listener.pushed(self.name, message)
        elif event in ("subscribe", "unsubscribe"):
            self._pending.pop(str(message.get("id", "")), None)
        elif event == "error":
            self._error(message)
        elif event == "notice" and message.get("code") == NOTICE_OF_CLOSE:
            raise Lost(f"the exchange is about to disconnect: {NOTICE_OF_CLOSE}", 0.0)
        elif event == "channel-conn-count-error":
            raise Lost(f"too many connections on channel {message.get('channel')}", self._pace.longest_back_off)

    def _error(self, message: Message) -> None:
        """Handle an error: a price that does not exist is dropped; anything else refused makes the connection
        useless.
        """
        channel = self._pending.pop(str(message.get("id", "")), None)
        if channel is None or self._credentials is not None or message.get("code") not in NO_SUCH_CHANNEL:
            raise self._refusal(message)
        log.warning("connection %s: no such channel %s: %s", self.name, dict(channel), message.get("msg"))

    def _refusal(self, message: Message) -> Lost:
        code, words = str(message.get("code", "")), str(message.get("msg", ""))
        if code in LOGIN_REFUSED:
            return Lost(f"login refused, code {code}: {words}", self._pace.after_refused_login)
        return Lost(f"refused, code {code}: {words}")

    def ended(self, code: int) -> Lost:
        """Return the loss for a connection that the exchange closed with this code."""
        refused = self._pace.after_refused_login if code == LOGIN_FAILED_CLOSE else None
        return Lost(f"closed by the exchange, code {code}", refused)


def login_request(credentials: Credentials, now: datetime) -> str:
    """Return the login message, signed for `now`; good for 30 seconds."""
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
    """Return a message as a mapping; the bare text pong is an empty one. Raises Lost for what is no JSON object."""
    return {} if text in ("pong", b"pong") else decoded(text)
