"""OKXStream: what OKX pushes about one account and the prices it watches, as doorbells for the bot.

One thread with one event loop keeps three lines up: private, business (conditional orders) and public (prices).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from core.exchange.connection import Ear, Line, Lost, Message, Pace, Sleep
from core.exchange.okx.stream.connection import DOORS, Channel, OkxTalk
from core.exchange.okx.stream.messages import Prices, price_channels, pushes
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
        doors: Throttle | None = None,
        pace: Pace | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`exchange_now` signs the login (OKX allows 30 s; ours if not given). Streams of one IP may share `doors`."""
        super().__init__(now=now)
        self._credentials, self._url, self._exchange_now = credentials, url.rstrip("/"), exchange_now or now
        self._doors, self._pace, self._sleep = doors or Throttle(DOORS), pace or Pace(), sleep
        self._prices = Prices()

    def _make_lines(self, ear: Ear) -> Mapping[str, Line[Channel]]:
        return {
            "private": self._line("private", PRIVATE, ear, self._credentials),
            "business": self._line("business", BUSINESS, ear, self._credentials),
            "public": self._line("public", price_channels(self._watched), ear, None),
        }

    def _line(self, name: str, channels: Iterable[Channel], ear: Ear, credentials: Credentials | None) -> Line[Channel]:
        async def address(after: Lost | None) -> str:
            return f"{self._url}/ws/v5/{name}"

        talk = partial(OkxTalk, credentials=credentials, now=self._exchange_now, pace=self._pace)
        return Line(name, address, talk, channels, ear, doors=self._doors, pace=self._pace, sleep=self._sleep)

    def _price_channels(self, symbols: Iterable[str]) -> Mapping[str, Iterable[Channel]]:
        return {"public": price_channels(symbols)}

    def _pushed(self, name: str, message: Message) -> None:
        for push in pushes(message, self._prices, self._now()):
            self._ring(push)
