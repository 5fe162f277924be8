"""The protocol of WebSocket connections to Binance USD-M, and the listen key of the user stream.

The user stream needs no words at all: its address carries the key. Market streams are subscribed to by name.
Sources: Binance USD-M docs, user data streams and websocket market streams, with the address split of April 2026.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping

import orjson
from websockets.asyncio.client import ClientConnection

from core.domain.errors import PerpdeckError
from core.exchange.connection import CONNECT, ConnectionListener, Lost, Message, TurnedAway, WireProtocol, decoded
from core.exchange.throttle import Limit

log = logging.getLogger("perpdeck.stream")

#: new connections; Binance allows 300 in five minutes and IP
CONNECT_LIMITS: Mapping[str, Limit] = {CONNECT: Limit(20, 20.0)}
USER_ADDRESSES = ("{base}/private/ws?listenKey={key}", "{base}/ws/{key}")  #: the present form; the one before the split
MARKET_ADDRESS = "{base}/{connection}/stream"
EXPIRED = "listenKeyExpired"
KEY_REFUSED = {"-2014", "-2015", "-2017"}  #: of a request for a listen key: this API key is not taken
NO_SUCH_KEY = "-1125"


class Silent(Lost):
    """The connection's loss where it is open, but does not tell what must have happened."""


class ListenKey:
    """The key of the user stream, and the form of address it is put into.

    `make` and `renew` are REST calls; they raise our errors and run in a thread of their own. The key is never
    deleted: an account has one, and every process that listens to the account shares it.
    """

    def __init__(
        self, base: str, make: Callable[[], str], renew: Callable[[str], None], *, after_refused_seconds: float
    ) -> None:
        self._base, self._make, self._renew, self._after_refused = base, make, renew, after_refused_seconds
        self._form = 0
        self._key = ""

    async def address(self, after: Lost | None) -> str:
        """Return the user stream's address, with a key that is valid for an hour. Raises Lost where there is no key.

        Another form than last time where the exchange turned us away there, or let us in and kept silent.
        """
        if isinstance(after, TurnedAway | Silent):
            self._form = (self._form + 1) % len(USER_ADDRESSES)
        try:
            self._key = await asyncio.to_thread(self._make)
        except PerpdeckError as trouble:
            if trouble.exchange_code in KEY_REFUSED:
                words = f"login refused, code {trouble.exchange_code}: {trouble.exchange_words}"
                raise Lost(words, self._after_refused) from None
            raise Lost(f"no listen key: {trouble}") from None
        return USER_ADDRESSES[self._form].format(base=self._base, key=self._key)

    async def renew(self) -> None:
        """Renew the present key for another hour. Raises PerpdeckError, NO_SUCH_KEY as its code if it is gone."""
        if self._key:
            await asyncio.to_thread(self._renew, self._key)


class _BinanceProtocol(WireProtocol[str]):
    """The protocol of all connections: events come bare or wrapped with the name of their stream."""

    async def still_there(self) -> None:
        """Send a ping frame; Binance sends its own every three minutes, which the library answers."""
        await (await self.socket.ping())

    def take(self, text: str | bytes) -> None:
        message = decoded(text)
        event = message.get("data") if "stream" in message else message
        if isinstance(event, dict) and "e" in event:
            self.event(event)
        elif isinstance(event, dict):
            self.answer(event)

    def event(self, event: Message) -> None:
        self.listener.pushed(self.name, event)

    def answer(self, message: Message) -> None:
        """Ignore a message that is no event; nothing was asked here."""


class UserStreamProtocol(_BinanceProtocol):
    """The protocol of the user stream, where nothing is sent."""

    async def begin(self) -> None:
        """Do nothing: the address says what is wanted."""

    async def want(self, channels: Iterable[str]) -> None:
        """Do nothing: the user stream always sends everything."""

    def event(self, event: Message) -> None:
        """Handle an event; an expired key leaves the connection open but silent, so it is given up at once."""
        if event["e"] == EXPIRED:
            raise Lost("the listen key has expired", 0.0)
        super().event(event)


class MarketStreamProtocol(_BinanceProtocol):
    """The protocol of market streams; Binance takes ten messages a second, so all names go into one."""

    def __init__(
        self, name: str, socket: ClientConnection, wanted: Iterable[str], listener: ConnectionListener
    ) -> None:
        super().__init__(name, socket, wanted, listener)
        self._subscribed: list[str] = []
        self._pending: set[int] = set()
        self._numbers = itertools.count(1)

    async def begin(self) -> None:
        """Subscribe to what is wanted; returns when it is acknowledged."""
        await self.want(self.wanted)
        while self._pending:
            await self.hear()

    async def want(self, channels: Iterable[str]) -> None:
        """Listen to these streams from now on, and to no others; also while it begins."""
        self.wanted = list(channels)
        gone = [stream for stream in self._subscribed if stream not in self.wanted]
        new = [stream for stream in self.wanted if stream not in self._subscribed]
        self._subscribed = list(self.wanted)
        for method, streams in (("UNSUBSCRIBE", gone), ("SUBSCRIBE", new)):
            if streams:
                number = next(self._numbers)
                self._pending.add(number)
                await self.socket.send(orjson.dumps({"method": method, "params": streams, "id": number}).decode())

    def answer(self, message: Message) -> None:
        """Handle an acknowledgement; a refusal means that the connection is of no use."""
        trouble = message.get("error") or ("code" in message and message)
        if isinstance(trouble, dict):
            raise Lost(f"refused, code {trouble.get('code')}: {trouble.get('msg')}")
        self._pending.discard(message.get("id", 0))
