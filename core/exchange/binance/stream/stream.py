"""The stream of one Binance account: its order and account events and the prices it watches, pushed to the bot.

Three connections in one thread: private (the user stream), public (best bid and ask) and market (mark and last prices).
The listen key is renewed, a dumb socket is found out by our own orders, and none grows as old as Binance's 24 h cut.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from core.domain.errors import PerpdeckError
from core.exchange.binance.stream.connection import (
    CONNECT_LIMITS,
    MARKET_ADDRESS,
    NO_SUCH_KEY,
    ListenKey,
    MarketStreamProtocol,
    Silent,
    UserStreamProtocol,
)
from core.exchange.binance.stream.messages import Pushes
from core.exchange.binance.stream.prices import BinancePrices, price_streams
from core.exchange.connection import Connection, ConnectionListener, Lost, Message, Pace, Sleep
from core.exchange.port import Push
from core.exchange.stream_thread import Stream
from core.exchange.throttle import Throttle

log = logging.getLogger("perpdeck.stream")

HANDOVER_SECONDS = 23.5 * 3600  #: Binance ends every connection after 24 hours


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The waits of tasks beside the connections, in seconds."""

    renew: float = 1800.0  #: a listen key lives an hour
    silent_after: float = 5.0  #: after an order of ours was accepted there must have been an event
    watch: float = 1.0
    prices: float = 0.1  #: at most one price of a contract in so long; Binance pushes each change of the book


class StreamRest(Protocol):
    """The part of the account's client that the stream uses."""

    @property
    def last_write(self) -> datetime | None:
        """Return when the newest order or cancel that was accepted had been sent, by our clock."""
        ...

    def make_listen_key(self) -> str: ...

    def renew_listen_key(self, key: str) -> None: ...

    def forget_settings(self, symbol: str | None) -> None:
        """Forget settings that somebody changed: the leverage of that contract, or (None) the account's modes."""
        ...


class BinanceStream(Stream):
    """A `StreamPort`. `url` is what stands in front of /private, /public and /market, e.g. ws://127.0.0.1:9700."""

    thread_name = "binance-stream"
    needed = ("private",)

    def __init__(
        self,
        rest: StreamRest,
        url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        connect_limit: Throttle | None = None,
        pace: Pace | None = None,
        upkeep: Upkeep | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take the client and address; streams of one IP may share `connect_limit`. A `pace` without a handover gets
        Binance's.
        """
        super().__init__(now=now)
        self._rest, self._url = rest, url.rstrip("/")
        pace = pace or Pace()
        self._pace = pace if pace.handover is not None else replace(pace, handover=HANDOVER_SECONDS)
        self._upkeep, self._connect_limit, self._sleep = (
            upkeep or Upkeep(),
            connect_limit or Throttle(CONNECT_LIMITS),
            sleep,
        )
        self._key = ListenKey(
            self._url, rest.make_listen_key, rest.renew_listen_key, after_refused_seconds=pace.after_refused_login
        )
        self._pushes = Pushes(rest.forget_settings)
        self._prices = BinancePrices()
        self._pausing: dict[str, bool] = {}  #: contracts whose price has just rung; True: there is a newer one
        self._private_heard = now()

    @property
    def ignored(self) -> Mapping[str, int]:
        """Return how often came what is not used: unknown events, unknown reasons, contracts we do not trade."""
        return dict(self._pushes.ignored)

    # -- the connections ---------------------------------------------------------------------------------------------

    def _make_connections(self, listener: ConnectionListener) -> Mapping[str, Connection[str]]:
        self._pausing.clear()
        connections = {
            name: Connection(
                name, self._market_address(name), MarketStreamProtocol, streams, listener,
                connect_limit=self._connect_limit, pace=self._pace, sleep=self._sleep,
            )
            for name, streams in self._price_channels(self._watched).items()
        }  # fmt: skip
        private: Connection[str] = Connection(
            "private", self._key.address, UserStreamProtocol, (), listener,
            connect_limit=self._connect_limit, pace=self._pace, sleep=self._sleep, always=True,
        )  # fmt: skip
        return {"private": private, **connections}

    def _market_address(self, connection: str) -> Callable[[Lost | None], Coroutine[Any, Any, str]]:
        async def address(after: Lost | None) -> str:
            return MARKET_ADDRESS.format(base=self._url, connection=connection)

        return address

    def _price_channels(self, symbols: Iterable[str]) -> Mapping[str, Iterable[str]]:
        return price_streams(symbols)

    def _beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        return self._keep_the_key(), self._watch_for_silence()

    async def _keep_the_key(self) -> None:
        """Renew the key at intervals; where that fails a new connection with a new key takes over."""
        while True:
            await asyncio.sleep(self._upkeep.renew)
            try:
                await self._key.renew()
            except PerpdeckError as trouble:
                log.warning("listen key not renewed: %s", trouble)
                if trouble.exchange_code == NO_SUCH_KEY:  # nothing has come for we do not know how long
                    self._connections["private"].lose(Lost("the listen key is gone", 0.0))
                else:
                    self._connections["private"].hand_over()

    async def _watch_for_silence(self) -> None:
        """Watch for an open but silent connection: each accepted order of ours makes an event, so that none means it
        is.
        """
        patience = timedelta(seconds=self._upkeep.silent_after)
        while True:
            await asyncio.sleep(self._upkeep.watch)
            wrote = self._rest.last_write
            if wrote is None or wrote <= self._private_heard:
                continue
            if self._now() - wrote > patience:
                seconds = f"{self._upkeep.silent_after:g}"
                self._connections["private"].lose(
                    Silent(f"connected, but no event {seconds} s after our own order", 0.0)
                )

    # -- what comes --------------------------------------------------------------------------------------------

    def _is_up(self, name: str) -> None:
        if name == "private":
            self._private_heard = self._now()  # what was to be heard before is told by the look that follows
        super()._is_up(name)

    def _is_down(self, name: str, words: str) -> None:
        self._prices.forget(name)
        super()._is_down(name, words)

    def _pushed(self, name: str, message: Message) -> None:
        if name == "private":
            self._private_heard = self._now()
            for push in self._pushes.read(message):
                self._ring(push)
            return
        symbol = self._prices.take(message, self._now())
        if symbol is None:
            return
        if symbol in self._pausing:
            self._pausing[symbol] = True
        else:
            self._ring_price(symbol)

    def _ring_price(self, symbol: str) -> None:
        """Push the newest price now, and after a pause what has come meanwhile."""
        self._pausing[symbol] = False
        ticker = self._prices.ticker(symbol)
        if ticker is not None:
            self._ring(Push("prices", symbol, ticker=ticker))
        asyncio.get_running_loop().call_later(self._upkeep.prices, self._pause_over, symbol)

    def _pause_over(self, symbol: str) -> None:
        if self._pausing.pop(symbol):
            self._ring_price(symbol)
