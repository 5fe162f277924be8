"""Pushes the market's channels: prices, trades, books and candles once per step, and again by the clock.

Books are told in differences with a checksum, or as the five best levels. Source: OKX V5 docs, each channel's page.
"""

import asyncio
import itertools
import zlib
from typing import Any

from core.simulator.okx.channels import BOOK_DEPTH, BUSINESS, PRIVATE
from core.simulator.okx.connection import OkxConnection, OkxSockets
from core.simulator.okx.format import Row, text
from core.simulator.okx.public import BARS, maintenance
from core.simulator.okx.rows import market as market_rows


class OkxMarketStream:
    """The listener that turns prices into pushes."""

    def __init__(self, sockets: OkxSockets) -> None:
        self.sockets, self.runtime, self.exchange = sockets, sockets.runtime, sockets.runtime.exchange
        self._prices: set[str] = set()  # instruments whose price has moved in this step
        self._sequence = itertools.count(1)
        self.exchange.listeners.append(self.on_event)

    # -- when

    def on_event(self, what: str, about: Any) -> None:
        """Push a price once per step, and behaviours that concern everybody."""
        if not self.sockets.open:
            return
        if what == "price":
            self._prices.add(about)
            if len(self._prices) == 1:
                asyncio.get_running_loop().call_soon(self._push_prices)
        elif what == "behaviour":
            self._behaviour_changed(about)

    def begin(self, connection: OkxConnection, name: str, argument: Row) -> None:
        """Push how things stand to a subscription that has begun."""
        channel = argument["channel"]
        if channel == "instruments":
            self._push_instruments(connection, argument, list(self.exchange.markets))
        elif channel not in ("status", "trades", "trades-all"):
            self.repeat(connection, name, argument)

    def _behaviour_changed(self, names: list[str]) -> None:
        if "suspended" in names:
            for connection, _, argument in self.sockets.subscribed("instruments"):
                self._push_instruments(connection, argument, list(self.exchange.markets))
        if "maintenance" in names:
            windows = maintenance(self.exchange.behaviour["maintenance"], self.runtime.now())
            for connection, _, argument in self.sockets.subscribed("status"):
                if windows:
                    self.sockets.send(connection, argument, {"data": windows})

    # -- what

    def _push_prices(self) -> None:
        changed, self._prices = self._prices, set()
        indexes = {self.exchange.setup.contracts[symbol].index for symbol in changed}
        for connection in list(self.sockets.open):
            for name, argument in list(connection.subscriptions.items()):
                concerned = indexes if argument["channel"] == "index-tickers" else changed
                silent = PRIVATE | BUSINESS | {"funding-rate"}
                if argument.get("instId") in concerned and argument["channel"] not in silent:
                    self.repeat(connection, name, argument)

    def repeat(self, connection: OkxConnection, name: str, argument: Row) -> None:
        """Push what the subscription is about as it is now."""
        exchange, channel, symbol = self.exchange, argument["channel"], argument.get("instId", "")
        if channel in BOOK_DEPTH:
            self._push_book(connection, name, argument)
        elif "candle" in channel:
            self._push_candle(connection, name, argument)
        elif channel in ("trades", "trades-all"):
            price = exchange.prices(symbol).last
            before = connection.kept.get(name, price)
            connection.kept[name] = price
            number = str(next(self._sequence))
            row = {"instId": symbol, "tradeId": number, "px": text(price), "sz": "1",
                   "side": "buy" if price >= before else "sell", "ts": str(exchange.now),
                   "count": "1", "source": "0", "seqId": int(number)}  # fmt: skip
            self.sockets.send(connection, argument, {"data": [row]})
        elif channel == "index-tickers":
            found = next(s for s, c in exchange.setup.contracts.items() if c.index == symbol)
            self.sockets.send(connection, argument, {"data": [market_rows.index_ticker(exchange, found)]})
        else:
            makers = {
                "tickers": market_rows.ticker,
                "mark-price": market_rows.mark_price,
                "price-limit": market_rows.price_limit,
                "funding-rate": market_rows.funding,
            }
            if channel in makers:
                self.sockets.send(connection, argument, {"data": [makers[channel](exchange, symbol)]})

    def _push_book(self, connection: OkxConnection, name: str, argument: Row) -> None:
        exchange, channel, symbol = self.exchange, argument["channel"], argument["instId"]
        asks, bids = market_rows.book(exchange, symbol, BOOK_DEPTH[channel])
        number, whole = next(self._sequence), {"asks": asks, "bids": bids}
        base = {"ts": str(exchange.now), "seqId": number}
        if channel in ("books5", "bbo-tbt"):
            self.sockets.send(
                connection, argument, {"data": [whole | base | ({"instId": symbol} if channel == "books5" else {})]}
            )
            return
        before, prior = connection.kept.get(name, (None, -1))
        connection.kept[name] = (whole, number)
        levels = itertools.chain(*itertools.zip_longest(bids[:25], asks[:25]))
        text = ":".join(f"{level[0]}:{level[1]}" for level in levels if level)
        checksum = zlib.crc32(text.encode())
        base |= {"prevSeqId": prior, "checksum": checksum - (1 << 32) if checksum >= 1 << 31 else checksum}
        data = whole if before is None else {side: changes(before[side], whole[side]) for side in whole}
        self.sockets.send(
            connection, argument, {"action": "snapshot" if before is None else "update", "data": [data | base]}
        )

    def _push_candle(self, connection: OkxConnection, name: str, argument: Row) -> None:
        market = self.exchange.markets[argument["instId"]]
        bar = argument["channel"].partition("candle")[2]
        hour = 3_600_000
        offset = 16 * hour if BARS[bar] >= 6 * hour and not bar.endswith("utc") else 0
        bars = market.tape.bars(BARS[bar], offset)[-2:]
        seen = connection.kept.get(name, bars[-1][0])
        connection.kept[name] = bars[-1][0]
        for candle in bars if bars[-1][0] > seen else bars[-1:]:
            row = market_rows.candle(candle, candle is bars[-1], market.contract.value)
            self.sockets.send(connection, argument, {"data": [row]})

    def _push_instruments(self, connection: OkxConnection, argument: Row, symbols: list[str]) -> None:
        exchange = self.exchange
        contracts, suspended = exchange.setup.contracts, exchange.behaviour["suspended"]
        made = [market_rows.instrument(contracts[symbol], symbol in suspended, exchange.now) for symbol in symbols]
        if argument.get("instType") == "SWAP" and made:
            self.sockets.send(connection, argument, {"data": made})


def changes(before: list[list[str]], after: list[list[str]]) -> list[list[str]]:
    """Return the levels that differ; a level that is gone has size 0."""
    known, wanted = {level[0]: level for level in before}, {level[0]: level for level in after}
    gone = [[price, "0", "0", "0"] for price in known if price not in wanted]
    return gone + [level for price, level in wanted.items() if known.get(price) != level]
