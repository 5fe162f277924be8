"""The stream of one OKX account: its order and account events and the prices it watches, pushed to the bot.

One thread with one event loop keeps three connections up: private, business (conditional orders) and public (prices).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from core.exchange.connection import Connection, ConnectionListener, Lost, Message, Pace, Sleep
from core.exchange.okx.stream.connection import CONNECT_LIMITS, Channel, OKXProtocol
from core.exchange.okx.stream.messages import OKXPrices, price_channels, pushes
from core.exchange.port import Credentials
from core.exchange.stream_thread import Stream
from core.exchange.throttle import Throttle

EVENTS_ONLY = '{"updateInterval":"0"}'  #: no pushes by the clock
PRIVATE: tuple[Channel, ...] = (
    {"channel": "orders", "instType": "SWAP"},
    {"channel": "positions", "instType": "SWAP", "extraParams": EVENTS_ONLY},
    {"channel": "account", "ccy": "USDT", "extraParams": EVENTS_ONLY},
)
BUSINESS: tuple[Channel, ...] = ({"channel": "orders-algo", "instType": "SWAP"},)


class OKXStream(Stream):
    """A `StreamPort`. `url` is what stands in front of /ws/v5/, for example ws://127.0.0.1:9700."""

    thread_name = "okx-stream"
    needed = ("private", "business")

    def __init__(
        self,
        credentials: Credentials,
        url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        exchange_now: Callable[[], datetime] | None = None,
        connect_limit: Throttle | None = None,
        pace: Pace | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take keys and address; `exchange_now` signs the login (OKX allows 30 s; ours if not given). Streams of one IP
        may share `connect_limit`.
        """
        super().__init__(now=now)
        self._credentials, self._url, self._exchange_now = credentials, url.rstrip("/"), exchange_now or now
        self._connect_limit, self._pace, self._sleep = connect_limit or Throttle(CONNECT_LIMITS), pace or Pace(), sleep
        self._prices = OKXPrices()

    def _make_connections(self, listener: ConnectionListener) -> Mapping[str, Connection[Channel]]:
        return {
            "private": self._connection("private", PRIVATE, listener, self._credentials),
            "business": self._connection("business", BUSINESS, listener, self._credentials),
            "public": self._connection("public", price_channels(self._watched), listener, None),
        }

    def _connection(
        self, name: str, channels: Iterable[Channel], listener: ConnectionListener, credentials: Credentials | None
    ) -> Connection[Channel]:
        async def address(after: Lost | None) -> str:
            return f"{self._url}/ws/v5/{name}"

        protocol = partial(OKXProtocol, credentials=credentials, now=self._exchange_now, pace=self._pace)
        return Connection(
            name,
            address,
            protocol,
            channels,
            listener,
            connect_limit=self._connect_limit,
            pace=self._pace,
            sleep=self._sleep,
        )

    def _price_channels(self, symbols: Iterable[str]) -> Mapping[str, Iterable[Channel]]:
        return {"public": price_channels(symbols)}

    def _pushed(self, name: str, message: Message) -> None:
        for push in pushes(message, self._prices, self._now()):
            self._ring(push)
