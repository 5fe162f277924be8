"""Market streams: trades, prices, candles, tickers and the book, told when a price moves and again by the clock.

The book is told in differences; each names as `pu` the number at which the one before ended, which is also what REST
calls lastUpdateId, so that a client can join the two. What differs between all-market and single streams is the list.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from core.simulator.binance.connection import BinanceConnection, BinanceSockets
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.format import Row, text
from core.simulator.binance.rows import market
from core.simulator.engine.candles import Candle
from core.simulator.engine.state import BookedFill, BookOrder

WINDOW = 1000  # levels of the book on each side that are followed
TAIL: Row = {"st": 1}  # USD-M, since both kinds of futures share the all-market streams
PERIODS = {"markPrice": 3.0, "kline": 1.0, "continuousKline": 1.0, "ticker": 1.0, "miniTicker": 1.0, "depth": 1.0,
           "bookTicker": 5.0}  # fmt: skip
Book = tuple[list[list[str]], list[list[str]]]  # bids, asks


class BinanceMarketStream:
    """The listener that turns prices into events."""

    def __init__(self, sockets: BinanceSockets) -> None:
        self.sockets, self.runtime = sockets, sockets.runtime
        self.exchange, self.context = sockets.runtime.exchange, sockets.runtime.binance
        self._moved: set[str] = set()
        self._books: dict[str, tuple[int, Book]] = {}  # what was told last, and under which number
        self._lasts = {symbol: one.prices.last for symbol, one in self.exchange.markets.items()}
        self._trades: dict[str, tuple[int, bool]] = {}  # the number of the latest trade, and whether it was a sale
        self.exchange.listeners.append(self.on_event)

    def contracts(self) -> list[BinanceContract]:
        """Return every contract as it is listed now."""
        return [one for one in self.context.owner.contracts.values() if isinstance(one, BinanceContract)]

    def _contract(self, stream: str) -> BinanceContract | None:
        name = stream.split("@")[0].split("_")[0].upper()
        return next((one for one in self.contracts() if one.wire == name), None)

    # -- when

    def on_event(self, what: str, about: Any) -> None:
        """Take note of prices that moved, for the end of the step, and tell liquidations."""
        if what == "price":
            self.runtime.book_numbers[about] += 1
            last, before = self.exchange.prices(about).last, self._lasts[about]
            if last != before:
                number = self._trades.get(about, (0, False))[0] + 1
                self._trades[about], self._lasts[about] = (number, last < before), last
            if self.sockets.open:
                self._moved.add(about)
                if len(self._moved) == 1:
                    asyncio.get_running_loop().call_soon(self._push_moved)
        elif what == "order" and about[1] is not None and about[1].kind == "liquidation":
            self._forced(*about)

    def _push_moved(self) -> None:
        moved, self._moved = self._moved, set()
        now = time.monotonic()
        followed = {one: self._difference(one) for one in moved if self._is_followed(one)}
        for connection in list(self.sockets.open):
            for stream in list(connection.streams):
                contract = None if stream.startswith("!") else self._contract(stream)
                if contract is not None and contract.symbol in moved:
                    connection.streams[stream] = now
                    self._push(connection, stream, followed.get(contract.symbol))
                elif stream.startswith("!bookTicker"):
                    for symbol in moved:
                        self._send(connection, stream, book_ticker(self, self.context.order_checks.contract(
                            self.context.owner, symbol)))  # fmt: skip

    def begin(self, connection: BinanceConnection, stream: str) -> None:
        """Tell a stream that was subscribed to how things stand."""
        connection.streams[stream] = time.monotonic()
        self._lasts = {symbol: one.prices.last for symbol, one in self.exchange.markets.items()}
        if kind_of(stream) not in ("aggTrade", "trade"):
            self._push(connection, stream, None)

    def tick(self) -> None:
        """Repeat the streams that have been quiet for their period."""
        now = time.monotonic()
        for connection in list(self.sockets.open):
            for stream, spoke in list(connection.streams.items()):
                period = 1.0 if stream.endswith("@1s") else PERIODS.get(kind_of(stream), 0.0)
                if period and now - spoke >= period:
                    connection.streams[stream] = now
                    self._push(connection, stream, None)

    # -- what

    def _send(self, connection: BinanceConnection, stream: str, event: Any) -> None:
        if self.sockets.delivers(connection, stream):
            about = {"channel": kind_of(stream)}
            if isinstance(event, dict) and "s" in event:
                about["symbol"] = str(event["s"])
                about["instId"] = next((one.symbol for one in self.contracts() if one.wire == event["s"]), "")
            self.sockets.send(connection, stream, event, about)

    def _push(self, connection: BinanceConnection, stream: str, difference: Row | None) -> None:
        """Push the present event of that stream; nothing where there is no such stream."""
        kind = kind_of(stream)
        if stream.startswith("!"):
            maker = ALL.get(kind)
            if maker is not None:
                self._send(connection, stream, [maker(self, contract) for contract in self.contracts()])
            return
        contract = self._contract(stream)
        if contract is None:
            return
        if kind in ("kline", "continuousKline"):
            interval = stream.rpartition("_")[2]
            if interval in market.INTERVALS:
                self._candles(connection, stream, contract, interval)
        elif kind == "depth":
            depth = stream.split("@")[1].removeprefix("depth")
            self._send(connection, stream, self._partial(contract, int(depth)) if depth.isdigit() else
                      difference or self._restated(contract))  # fmt: skip
        elif kind in ONE:
            self._send(connection, stream, ONE[kind](self, contract))

    def _candles(self, connection: BinanceConnection, stream: str, contract: BinanceContract, interval: str) -> None:
        """The candle that is being made; before the first of a new one, the one that has ended."""
        bars = market.bars(self.exchange, contract, interval)[-2:]
        seen = connection.bars.get(stream, bars[-1][0])
        connection.bars[stream] = bars[-1][0]
        for bar in bars if bars[-1][0] > seen else bars[-1:]:
            self._send(connection, stream, candle(self, contract, interval, kind_of(stream), bar, bar is not bars[-1]))

    def trade_of(self, contract: BinanceContract) -> Row:
        """Return aggTrade: the trade that made the present price."""
        (number, was_sale), size = self._trades.get(contract.symbol, (0, False)), contract.lot * 10
        quantity = text(size, contract.quantity_precision)
        return event(self, "aggTrade", contract) | {
            "a": number, "p": text(self.exchange.prices(contract.symbol).last, 2), "q": quantity, "nq": quantity,
            "f": number, "l": number, "T": self.exchange.now, "m": was_sale,
        }  # fmt: skip

    def plain_trade_of(self, contract: BinanceContract) -> Row:
        """Return trade: the same trade on the stream that the documentation no longer names."""
        row = self.trade_of(contract)
        return event(self, "trade", contract) | {"T": row["T"], "t": row["a"], "p": row["p"], "q": row["q"],
                                                 "X": "MARKET", "m": row["m"]}  # fmt: skip

    def _forced(self, order: BookOrder, fill: BookedFill) -> None:
        """A liquidation is told to the whole market."""
        contract = self.context.owner.contracts.get(order.instrument)
        if order.account != "binance" or not isinstance(contract, BinanceContract):
            return
        size, price = text(fill.size, contract.quantity_precision), text(fill.price, 2)
        row = {"s": contract.wire, "S": order.side.upper(), "o": "LIMIT", "f": "IOC", "q": size, "p": price,
               "ap": price, "X": "FILLED", "l": size, "z": size, "T": self.exchange.now}  # fmt: skip
        told = {"e": "forceOrder", "E": self.exchange.now, "o": row, **TAIL}
        for connection in list(self.sockets.open):
            for stream in (f"{contract.wire.lower()}@forceOrder", "!forceOrder@arr"):
                if stream in connection.streams:
                    self._send(connection, stream, told)

    # -- the book

    def _is_followed(self, symbol: str) -> bool:
        wire = self.context.order_checks.contract(self.context.owner, symbol).wire.lower()
        followed = any(s.startswith(f"{wire}@depth") for one in self.sockets.open for s in one.streams)
        if not followed:
            self._books.pop(symbol, None)
        return followed

    def _followed(self, contract: BinanceContract) -> tuple[int, Book]:
        if contract.symbol not in self._books:
            number = self.runtime.book_number(contract.symbol)
            self._books[contract.symbol] = number, market.book(self.exchange, contract, WINDOW)
        return self._books[contract.symbol]

    def _difference(self, symbol: str) -> Row:
        """Return the levels that have changed since the book was pushed last; a level that is gone has quantity 0."""
        contract = self.context.order_checks.contract(self.context.owner, symbol)
        before, old = self._followed(contract)
        number, new = self.runtime.book_number(symbol), market.book(self.exchange, contract, WINDOW)
        self._books[symbol] = number, new
        changed = [changes(was, now) for was, now in zip(old, new, strict=True)]
        return self._depth(contract, before, number, changed[0], changed[1])

    def _restated(self, contract: BinanceContract) -> Row:
        number, (bids, asks) = self._followed(contract)
        return self._depth(contract, number, number, bids[:5], asks[:5])

    def _partial(self, contract: BinanceContract, depth: int) -> Row:
        bids, asks = market.book(self.exchange, contract, depth)
        number = self.runtime.book_number(contract.symbol)
        return self._depth(contract, number - 1, number, bids, asks)

    def _depth(
        self, contract: BinanceContract, before: int, number: int, bids: list[list[str]], asks: list[list[str]]
    ) -> Row:
        numbers = {"U": before, "u": number, "pu": before}
        return event(self, "depthUpdate", contract) | {"T": self.exchange.now, **numbers, "b": bids, "a": asks}


def kind_of(stream: str) -> str:
    """Return the stream's kind without depth, interval or speed: kline, depth, markPrice, ..."""
    name = stream.lstrip("!").split("@")[0] if stream.startswith("!") else f"{stream}@".split("@")[1]
    return name.split("_")[0].rstrip("0123456789")


def changes(before: list[list[str]], after: list[list[str]]) -> list[list[str]]:
    """Return the levels that differ; a level that is gone has quantity 0."""
    known, wanted = ({level[0]: level[1] for level in levels} for levels in (before, after))
    gone = [[price, "0"] for price in known if price not in wanted]
    return gone + [[price, size] for price, size in wanted.items() if known.get(price) != size]


def event(stream: BinanceMarketStream, name: str, contract: BinanceContract) -> Row:
    """Return the fields that every event of an instrument begins with."""
    return {"e": name, "E": stream.exchange.now, "s": contract.wire, "ps": contract.wire, **TAIL}


def mark_price(stream: BinanceMarketStream, contract: BinanceContract) -> Row:
    """Return markPriceUpdate."""
    row = market.premium(stream.exchange, contract)
    return event(stream, "markPriceUpdate", contract) | {
        "p": row["markPrice"], "ap": row["markPrice"], "i": row["indexPrice"], "P": row["estimatedSettlePrice"],
        "r": row["lastFundingRate"], "T": row["nextFundingTime"],
    }  # fmt: skip


def book_ticker(stream: BinanceMarketStream, contract: BinanceContract) -> Row:
    """Return bookTicker: the best bid and ask."""
    row = market.book_ticker(stream.exchange, contract)
    return event(stream, "bookTicker", contract) | {
        "u": stream.runtime.book_number(contract.symbol), "T": stream.exchange.now, "b": row["bidPrice"],
        "B": row["bidQty"], "a": row["askPrice"], "A": row["askQty"],
    }  # fmt: skip


def mini_ticker(stream: BinanceMarketStream, contract: BinanceContract) -> Row:
    """Return 24hrMiniTicker."""
    row = market.day(stream.exchange, contract)
    return event(stream, "24hrMiniTicker", contract) | {
        "c": row["lastPrice"], "o": row["openPrice"], "h": row["highPrice"], "l": row["lowPrice"],
        "v": row["volume"], "q": row["quoteVolume"],
    }  # fmt: skip


def ticker(stream: BinanceMarketStream, contract: BinanceContract) -> Row:
    """Return 24hrTicker."""
    row = market.day(stream.exchange, contract)
    return mini_ticker(stream, contract) | {
        "e": "24hrTicker", "p": row["priceChange"], "P": row["priceChangePercent"], "w": row["weightedAvgPrice"],
        "Q": row["lastQty"], "O": row["openTime"], "C": row["closeTime"], "F": row["firstId"], "L": row["lastId"],
        "n": row["count"],
    }  # fmt: skip


def candle(
    stream: BinanceMarketStream, contract: BinanceContract, interval: str, kind: str, bar: Candle, ended: bool
) -> Row:
    """Return kline or continuous_kline of that candle."""
    row = market.kline(bar, market.INTERVALS[interval] * market.MINUTE)
    inner = {
        "t": row[0], "T": row[6], "s": contract.wire, "i": interval, "f": 1, "L": row[8], "o": row[1], "c": row[4],
        "h": row[2], "l": row[3], "v": row[5], "n": row[8], "x": ended, "q": row[7], "V": row[9], "Q": row[10],
        "B": "0",
    }  # fmt: skip
    if kind == "kline":
        return event(stream, "kline", contract) | {"k": inner}
    inner.pop("s")
    base = event(stream, "continuous_kline", contract)
    base.pop("s")
    return base | {"ps": contract.wire, "ct": "PERPETUAL", "k": inner}


Maker = Callable[[BinanceMarketStream, BinanceContract], Row]
ALL: dict[str, Maker] = {"markPrice": mark_price, "ticker": ticker, "miniTicker": mini_ticker}
ONE: dict[str, Maker] = ALL | {
    "bookTicker": book_ticker, "aggTrade": BinanceMarketStream.trade_of,
    "trade": BinanceMarketStream.plain_trade_of,
}  # fmt: skip
