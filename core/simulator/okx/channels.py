"""What each change of the exchange pushes to whom, in OKX V5 words.

Orders and algos are pushed at once and in order; positions and account are gathered for 50 ms; prices are told once
per step. Sources: OKX V5 docs, each channel's page.
"""

import asyncio
import itertools
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

import orjson

from core.simulator.faults import STREAM_KINDS
from core.simulator.okx.connection import Connection
from core.simulator.okx.endpoints import Call, Row
from core.simulator.okx.format import text
from core.simulator.okx.public import BARS, maintenance
from core.simulator.okx.rows import account as account_rows
from core.simulator.okx.rows import algo as algo_rows
from core.simulator.okx.rows import market as market_rows
from core.simulator.okx.rows import orders
from core.simulator.runtime import Runtime

GATHER_SECONDS = 0.05
PERIOD_SECONDS = 5.0
BOOK_DEPTH = {"books": 50, "books5": 5, "bbo-tbt": 1, "books50-l2-tbt": 50, "books-l2-tbt": 50}
BY_INSTRUMENT = {"tickers", "mark-price", "trades", "trades-all", "price-limit", "funding-rate", *BOOK_DEPTH}
PUBLIC = BY_INSTRUMENT | {"index-tickers", "instruments", "status", "estimated-price", "open-interest"}
PRIVATE = {"orders", "positions", "account", "balance_and_position", "liquidation-warning", "account-greeks"}
COUNTED = PRIVATE
BUSINESS = {"orders-algo", "algo-advance"}


class OkxStream:
    """The listener that turns what happens into pushes."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.connections: set[Connection] = set()
        self._notes: Row = {}
        self._positions: dict[str, set[tuple[str, str]]] = {}
        self._balances: set[str] = set()
        self._prices: set[str] = set()
        self._sequence = itertools.count(1)
        runtime.exchange.listeners.append(self.heard)

    def about(self, call: Call) -> None:
        """The call that is about to be carried out; its notes go onto the pushes it causes."""
        self._notes = call.notes

    def _send(self, connection: Connection, argument: Row, message: Row) -> None:
        """One push, or what a fault makes of it."""
        message = {"arg": {key: value for key, value in argument.items() if key != "extraParams"}, **message}
        data = message.get("data") or [{}]
        first = data[0] if isinstance(data[0], dict) else {}
        about = {
            "exchange": "okx",
            "channel": argument["channel"],
            "instId": str(first.get("instId", argument.get("instId", ""))),
        }
        about["clOrdId"] = ",".join(filter(None, (first.get("clOrdId", ""), first.get("algoClOrdId", ""))))
        fault = self.runtime.exchange.faults.strike(STREAM_KINDS, about)
        delay, kind = self.runtime.delay_seconds, fault.kind if fault is not None else ""
        if kind == "push_withheld":
            return
        if kind == "stream_cut":
            assert fault is not None
            if fault.asked.get("notice"):
                words = "The connection will soon be closed for a service upgrade. Please reconnect."
                connection.say({"event": "notice", "code": "64008", "msg": words, "connId": connection.id})
            connection.end(1001)
            return
        if kind == "stream_reorder":
            connection.held = orjson.dumps(message)
            return
        if kind == "stream_delay":
            assert fault is not None
            delay += float(fault.asked.get("seconds", 1))
        connection.say(message, delay)
        if kind == "stream_double":
            connection.say(message, delay)
        if connection.held is not None:
            connection.line.put_nowait((0.0, connection.held))
            connection.held = None

    def _each(self, channel: str, account: str | None = None) -> list[tuple[Connection, str, Row]]:
        """The subscriptions to a channel (of that account)."""
        return [
            (connection, name, argument)
            for connection in list(self.connections) for name, argument in list(connection.subscriptions.items())
            if argument["channel"] == channel and (account is None or connection.account == account)
        ]  # fmt: skip

    def heard(self, what: str, about: Any) -> None:
        """Something happened in the exchange."""
        if not self.connections:
            return
        if what == "order":
            self._order(*about)
        elif what == "algo":
            channel = "algo-advance" if about.kind == "move_order_stop" else "orders-algo"
            self._row(
                channel,
                about.account,
                lambda: algo_rows.algo_push(self.runtime.exchange, about) | self._noted(("reqId", "amendResult")),
            )
        elif what == "position":
            account, symbol, side = about
            self._positions.setdefault(account, set()).add((symbol, side))
            self._gather()
        elif what == "balance":
            account, reason, key = about
            self._balances.add(account)
            self._gather()
            self._balance_and_position(account, reason, key)
        elif what == "price":
            self._prices.add(about)
            if len(self._prices) == 1:
                asyncio.get_running_loop().call_soon(self._tell_prices)
        elif what == "behaviour":
            self._switched(about)

    def _noted(self, names: tuple[str, ...] = ()) -> Row:
        return {name: value for name, value in self._notes.items() if name in names}

    def _order(self, order: Any, fill: Any) -> None:
        note = self._noted(("reqId", "amendResult", "amendSource")) if fill is None else {}
        self._row("orders", order.account, lambda: orders.order_push(self.runtime.exchange, order, fill, note))

    def _row(self, channel: str, account: str, row: Callable[[], Row]) -> None:
        made: Row | None = None
        for connection, _, argument in self._each(channel, account):
            made = made or row()
            if fits(argument, made):
                self._send(connection, argument, {"data": [made]})

    def _gather(self) -> None:
        if len(self._balances) + sum(map(len, self._positions.values())) == 1:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._tell_gathered)

    def _tell_gathered(self) -> None:
        positions, self._positions = self._positions, {}
        balances, self._balances = self._balances, set()
        for account, keys in positions.items():
            self._tell_positions(account, sorted(keys))
        for account in balances:
            for connection, _, argument in self._each("account", account):
                self._send(
                    connection, argument, {"eventType": "event_update", "data": [self._account(account, argument)]}
                )

    def _account(self, account: str, argument: Row) -> Row:
        row = account_rows.balance(self.runtime.okx, self.runtime.exchange.accounts[account])
        return row | {
            "details": [detail for detail in row["details"] if argument.get("ccy") in (None, "", detail["ccy"])]
        }

    def _position_rows(self, account: str, keys: list[tuple[str, str]] | None) -> list[Row]:
        exchange, owner = self.runtime.exchange, self.runtime.exchange.accounts[account]
        found = []
        for key in list(owner.positions) if keys is None else keys:
            position = owner.positions.get(key)
            if position is None and keys is not None and exchange.behaviour["flat_push"]:
                position = owner.flat_position(key, exchange.now, exchange.retention_ms)
            if position is not None:
                found.append(account_rows.position(self.runtime.okx, position) | {"pTime": str(exchange.now)})
        return found

    def _tell_positions(self, account: str, keys: list[tuple[str, str]]) -> None:
        for connection, _, argument in self._each("positions", account):
            data = [row for row in self._position_rows(account, keys) if fits(argument, row)]
            if data:
                self._send(connection, argument, {"eventType": "event_update", "data": data})

    def _balance_and_position(self, account: str, reason: str, key: tuple[str, str] | None) -> None:
        subscribed = self._each("balance_and_position", account)
        if subscribed:
            row = self._balance_row(account, reason, [key] if key else [])
            for connection, _, argument in subscribed:
                self._send(connection, argument, {"data": [row]})

    def _balance_row(self, account: str, reason: str, keys: list[tuple[str, str]] | None) -> Row:
        exchange, owner = self.runtime.exchange, self.runtime.exchange.accounts[account]
        names = """posId tradeId instId instType mgnMode posSide pos ccy posCcy avgPx nonSettleAvgPx settledPnl
            uTime""".split()  # noqa: SIM905 - one name a line would hide the rest
        held = [{name: row[name] for name in names} for row in self._position_rows(account, keys)]
        cash = {"ccy": "USDT", "cashBal": text(owner.balance), "uTime": str(exchange.now)}
        trades = [{"instId": row["instId"], "tradeId": row["tradeId"]} for row in held] if reason == "filled" else []
        return {"pTime": str(exchange.now), "eventType": reason, "balData": [cash], "posData": held, "trades": trades}

    # -- what a subscription begins with, and what comes by the clock

    def first(self, connection: Connection, name: str, argument: Row) -> None:
        channel, account = argument["channel"], connection.account
        connection.kept.pop(name, None)
        if channel == "positions" and account:
            data = [row for row in self._position_rows(account, None) if fits(argument, row)]
            snapshot = {"eventType": "snapshot", "curPage": 1, "lastPage": True, "data": data}
            self._send(connection, argument, snapshot)
        elif channel == "account" and account:
            snapshot = {
                "eventType": "snapshot",
                "curPage": 1,
                "lastPage": True,
                "data": [self._account(account, argument)],
            }
            self._send(connection, argument, snapshot)
        elif channel == "balance_and_position" and account:
            self._send(connection, argument, {"data": [self._balance_row(account, "snapshot", None)]})
        elif channel == "instruments":
            self._tell_instruments(connection, argument, list(self.runtime.exchange.markets))
        elif channel not in BUSINESS | {"orders", "status", "trades", "trades-all"}:
            self._tell_price(connection, name, argument)
        connection.kept.setdefault(("period", name), time.monotonic())  # type: ignore[call-overload]

    def every_moment(self) -> None:
        """By the clock: close silent sockets, push positions and account again, say funding now and then."""
        now = time.monotonic()
        idle = float(self.runtime.exchange.behaviour["ws_idle_close_seconds"])
        for connection in list(self.connections):
            if now - connection.active > idle:
                connection.end(4004)
                continue
            for name, argument in list(connection.subscriptions.items()):
                period = period_of(argument)
                if period and now - connection.kept.get(("period", name), now) >= period:  # type: ignore[call-overload]
                    connection.kept["period", name] = now  # type: ignore[index]
                    self._again(connection, name, argument)

    def _again(self, connection: Connection, name: str, argument: Row) -> None:
        channel, account = argument["channel"], connection.account
        if channel == "positions" and account:
            data = [row for row in self._position_rows(account, None) if fits(argument, row)]
            if data:
                self._send(connection, argument, {"eventType": "event_update", "data": data})
        elif channel == "account" and account:
            self._send(connection, argument, {"eventType": "event_update", "data": [self._account(account, argument)]})
        else:
            self._tell_price(connection, name, argument)

    # -- market data

    def _tell_prices(self) -> None:
        changed, self._prices = self._prices, set()
        indexes = {self.runtime.exchange.setup.contracts[symbol].index for symbol in changed}
        for connection in list(self.connections):
            for name, argument in list(connection.subscriptions.items()):
                concerned = indexes if argument["channel"] == "index-tickers" else changed
                silent = PRIVATE | BUSINESS | {"funding-rate"}
                if argument.get("instId") in concerned and argument["channel"] not in silent:
                    self._tell_price(connection, name, argument)

    def _tell_price(self, connection: Connection, name: str, argument: Row) -> None:
        exchange, channel, symbol = self.runtime.exchange, argument["channel"], argument.get("instId", "")
        if channel in BOOK_DEPTH:
            self._tell_book(connection, name, argument)
        elif "candle" in channel:
            self._tell_candle(connection, name, argument)
        elif channel in ("trades", "trades-all"):
            price = exchange.prices(symbol).last
            before = connection.kept.get(name, price)
            connection.kept[name] = price
            number = str(next(self._sequence))
            row = {"instId": symbol, "tradeId": number, "px": text(price), "sz": "1",
                   "side": "buy" if price >= before else "sell", "ts": str(exchange.now),
                   "count": "1", "source": "0", "seqId": int(number)}  # fmt: skip
            self._send(connection, argument, {"data": [row]})
        elif channel == "index-tickers":
            found = next(s for s, c in exchange.setup.contracts.items() if c.index == symbol)
            self._send(connection, argument, {"data": [market_rows.index_ticker(exchange, found)]})
        else:
            makers = {
                "tickers": market_rows.ticker,
                "mark-price": market_rows.mark_price,
                "price-limit": market_rows.price_limit,
                "funding-rate": market_rows.funding,
            }
            if channel in makers:
                self._send(connection, argument, {"data": [makers[channel](exchange, symbol)]})

    def _tell_book(self, connection: Connection, name: str, argument: Row) -> None:
        exchange, channel, symbol = self.runtime.exchange, argument["channel"], argument["instId"]
        asks, bids = market_rows.book(exchange, symbol, BOOK_DEPTH[channel])
        number, whole = next(self._sequence), {"asks": asks, "bids": bids}
        base = {"ts": str(exchange.now), "seqId": number}
        if channel in ("books5", "bbo-tbt"):
            self._send(
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
        self._send(connection, argument, {"action": "snapshot" if before is None else "update", "data": [data | base]})

    def _tell_candle(self, connection: Connection, name: str, argument: Row) -> None:
        market = self.runtime.exchange.markets[argument["instId"]]
        bar = argument["channel"].partition("candle")[2]
        hour = 3_600_000
        offset = 16 * hour if BARS[bar] >= 6 * hour and not bar.endswith("utc") else 0
        bars = market.tape.bars(BARS[bar], offset)[-2:]
        seen = connection.kept.get(name, bars[-1][0])
        connection.kept[name] = bars[-1][0]
        for candle in bars if bars[-1][0] > seen else bars[-1:]:
            row = market_rows.candle(candle, candle is bars[-1], market.contract.value)
            self._send(connection, argument, {"data": [row]})

    def _tell_instruments(self, connection: Connection, argument: Row, symbols: list[str]) -> None:
        exchange = self.runtime.exchange
        contracts, suspended = exchange.setup.contracts, exchange.behaviour["suspended"]
        made = [market_rows.instrument(contracts[symbol], symbol in suspended, exchange.now) for symbol in symbols]
        if argument.get("instType") == "SWAP" and made:
            self._send(connection, argument, {"data": made})

    def _switched(self, names: list[str]) -> None:
        if "suspended" in names:
            for connection, _, argument in self._each("instruments"):
                self._tell_instruments(connection, argument, list(self.runtime.exchange.markets))
        if "maintenance" in names:
            windows = maintenance(self.runtime.exchange.behaviour["maintenance"], self.runtime.now())
            for connection, _, argument in self._each("status"):
                if windows:
                    self._send(connection, argument, {"data": windows})


def fits(argument: Row, row: Row) -> bool:
    """Whether a row is what the subscription asked for."""
    if argument.get("instType", "ANY") not in ("ANY", row.get("instType")):
        return False
    family = argument.get("instFamily") or argument.get("uly")
    if family and not str(row.get("instId", "")).startswith(f"{family}-"):
        return False
    return argument.get("instId") in (None, "", row.get("instId"))


def changes(before: list[list[str]], after: list[list[str]]) -> list[list[str]]:
    """The levels that differ; a level that is gone has size 0."""
    known, wanted = {level[0]: level for level in before}, {level[0]: level for level in after}
    gone = [[price, "0", "0", "0"] for price in known if price not in wanted]
    return gone + [level for price, level in wanted.items() if known.get(price) != level]


def period_of(argument: Row) -> float:
    """After how many seconds a channel speaks again by itself; 0 for never."""
    if argument["channel"] in ("positions", "account"):
        extra = argument.get("extraParams")
        try:
            interval = float(json.loads(extra)["updateInterval"]) if extra else PERIOD_SECONDS * 1000
        except (ValueError, KeyError, TypeError):
            interval = PERIOD_SECONDS * 1000
        return interval / 1000
    return {"funding-rate": 60.0, "mark-price": 10.0, "price-limit": 30.0}.get(argument["channel"], 0.0)
