"""OKX V5 over websockets: login, subscriptions, order operations, and what each change of the exchange pushes.

Orders and algos are pushed at once and in order; positions and account are gathered for 50 ms; prices are told once
per step. Sources: OKX V5 docs, overview of websocket, and each channel's page.
"""

import asyncio
import itertools
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from core.simulator import okx_rows as rows
from core.simulator import okx_trade
from core.simulator.faults import STREAM_KINDS
from core.simulator.house import KEY_NAMES, House
from core.simulator.okx_api import Call, Row
from core.simulator.okx_codes import OkxError
from core.simulator.okx_http import OkxHttp, clean, sign, top
from core.simulator.okx_public import BARS, maintenance

GATHER_SECONDS = 0.05
PERIOD_SECONDS = 5.0
BOOK_DEPTH = {"books": 50, "books5": 5, "bbo-tbt": 1, "books50-l2-tbt": 50, "books-l2-tbt": 50}
BY_INSTRUMENT = {"tickers", "mark-price", "trades", "trades-all", "price-limit", "funding-rate", *BOOK_DEPTH}
PUBLIC = BY_INSTRUMENT | {"index-tickers", "instruments", "status", "estimated-price", "open-interest"}
PRIVATE = {"orders", "positions", "account", "balance_and_position", "liquidation-warning", "account-greeks"}
COUNTED = PRIVATE
BUSINESS = {"orders-algo", "algo-advance"}
OPERATIONS: dict[str, tuple[Callable[[Call, Row], Row], Callable[[Row], Row]]] = {
    "order": (okx_trade.place_one, okx_trade.empty), "batch-orders": (okx_trade.place_one, okx_trade.empty),
    "cancel-order": (okx_trade.cancel_one, okx_trade.empty), "batch-cancel-orders": (okx_trade.cancel_one, okx_trade.empty),
    "amend-order": (okx_trade.amend_one, okx_trade.empty), "batch-amend-orders": (okx_trade.amend_one, okx_trade.empty),
}  # fmt: skip


def home(channel: str) -> set[str]:
    """Which addresses a channel lives on; empty where there is no such channel."""
    if channel.startswith(("candle", "mark-price-candle", "index-candle")):
        return {"business"} if channel.partition("candle")[2] in BARS else set()
    kinds = {"public": PUBLIC, "private": PRIVATE, "business": BUSINESS}
    return {kind for kind, names in kinds.items() if channel in names}


class Connection:
    """One client's socket: what it is subscribed to, and the line of messages on their way to it."""

    numbers = itertools.count(1)

    def __init__(self, socket: web.WebSocketResponse, kind: str) -> None:
        self.socket, self.kind = socket, kind
        self.id = f"{next(self.numbers):08x}"
        self.key = ""
        self.subscriptions: dict[str, Row] = {}
        self.kept: dict[
            str, Any
        ] = {}  # per subscription: the book or candle it has seen, when it last got a period push
        self.line: asyncio.Queue[tuple[float, bytes | int]] = asyncio.Queue()
        self.held: bytes | None = None
        self.active = time.monotonic()

    @property
    def account(self) -> str | None:
        return KEY_NAMES[self.key][0] if self.key else None

    def say(self, message: Any, after: float = 0.0) -> None:
        body = message.encode() if isinstance(message, str) else orjson.dumps(message)
        self.line.put_nowait((time.monotonic() + after, body))

    def end(self, code: int = 1000) -> None:
        """Close once everything before is sent."""
        self.line.put_nowait((0.0, code))

    async def run(self) -> None:
        """Send what is in the line, each message not before its time."""
        while not self.socket.closed:
            due, body = await self.line.get()
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            if isinstance(body, int):
                await self.socket.close(code=body)
                return
            try:
                await self.socket.send_str(body.decode())
            except ConnectionError:
                return
            self.active = time.monotonic()


class OkxPush:
    """All sockets, and the listener that turns what happens into pushes."""

    def __init__(self, house: House, http: OkxHttp) -> None:
        self.house, self.http = house, http
        self.connections: set[Connection] = set()
        self._notes: Row = {}
        self._positions: dict[str, set[tuple[str, str]]] = {}
        self._balances: set[str] = set()
        self._prices: set[str] = set()
        self._sequence = itertools.count(1)
        http.notes = self
        house.engine.listeners.append(self.heard)

    def about(self, call: Call) -> None:
        """The call that is about to be carried out; its notes go onto the pushes it causes."""
        self._notes = call.notes

    # -- the front door

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        kind = request.match_info["kind"]
        socket = web.WebSocketResponse(autoping=True, max_msg_size=65536, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, kind)
        self.connections.add(connection)
        sender = asyncio.create_task(connection.run())
        try:
            async for message in socket:
                connection.active = time.monotonic()
                if message.type is WSMsgType.TEXT:
                    self._answer(connection, message.data)
        finally:
            self.connections.discard(connection)
            sender.cancel()
        return socket

    def _answer(self, connection: Connection, text: str) -> None:
        if text == "ping":
            connection.say("pong", self.house.delay_seconds)
            return
        try:
            asked = orjson.loads(text)
            op, arguments = asked["op"], asked["args"]
            usable = isinstance(arguments, list) and arguments and all(isinstance(row, dict) for row in arguments)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            usable, asked, op, arguments = False, {}, "", []
        identity = {"id": str(asked["id"])} if isinstance(asked, dict) and "id" in asked else {}
        if not usable or not (op in ("login", "subscribe", "unsubscribe") or op in OPERATIONS):
            self._refuse(connection, identity, "60012", f"Illegal request: {text[:200]}")
        elif op == "login":
            self._login(connection, arguments[0])
        elif op in OPERATIONS:
            self._operate(connection, op, arguments, asked)
        else:
            for argument in arguments:
                self._subscription(connection, op, argument, identity)

    def _refuse(self, connection: Connection, identity: Row, code: str, words: str) -> None:
        connection.say(
            {"event": "error", **identity, "code": code, "msg": words, "connId": connection.id},
            self.house.delay_seconds,
        )

    def _login(self, connection: Connection, asked: Row) -> None:
        if connection.key:
            self._refuse(connection, {}, "60031", "The WebSocket endpoint does not allow multiple or repeated logins.")
            return
        stamp = str(asked.get("timestamp", ""))
        try:
            seconds = float(stamp)
        except ValueError:
            self._refuse(connection, {}, "60004", "Invalid timestamp")
            return
        if not self.http.close_enough(seconds * 1000):
            self._refuse(connection, {}, "60006", "Timestamp request expired")
            return
        try:
            name, key = self.http.key(str(asked.get("apiKey", "")))
        except OkxError:
            self._refuse(connection, {}, "60032", "API key doesn't exist.")
            return
        if asked.get("passphrase") != key["passphrase"]:
            self._refuse(connection, {}, "60024", "Wrong passphrase")
        elif asked.get("sign") != sign(key["secret"], f"{stamp}GET/users/self/verify"):
            self._refuse(connection, {}, "60007", "Invalid sign")
        else:
            connection.key = name
            connection.say(
                {"event": "login", "code": "0", "msg": "", "connId": connection.id}, self.house.delay_seconds
            )

    def _subscription(self, connection: Connection, op: str, argument: Row, identity: Row) -> None:
        channel, where = str(argument.get("channel", "")), home(str(argument.get("channel", "")))
        name = json.dumps({key: argument[key] for key in sorted(argument) if key != "extraParams"}, sort_keys=True)
        if connection.kind not in where:
            code = {"business": "64001"}.get("".join(where), "64002" if where else "60018")
            words = f"Wrong URL or channel:{channel},instId:{argument.get('instId', '')} doesn't exist."
            self._refuse(connection, identity, code, words)
        elif channel in PRIVATE | BUSINESS and not connection.key:
            self._refuse(connection, identity, "60011", "Please log in")
        elif not self._known(channel, argument):
            words = f"Wrong URL or channel:{channel},instId:{argument.get('instId', '')} doesn't exist."
            self._refuse(connection, identity, "60018", words)
        elif op == "unsubscribe":
            connection.subscriptions.pop(name, None)
            connection.say(
                {**identity, "event": "unsubscribe", "arg": argument, "connId": connection.id}, self.house.delay_seconds
            )
        else:
            connection.subscriptions[name] = argument
            connection.say(
                {**identity, "event": "subscribe", "arg": argument, "connId": connection.id}, self.house.delay_seconds
            )
            if channel in COUNTED:
                count = sum(channel in (a["channel"] for a in c.subscriptions.values()) for c in self.connections)
                counted = {
                    "event": "channel-conn-count",
                    "channel": channel,
                    "connCount": str(count),
                    "connId": connection.id,
                }
                connection.say(counted, self.house.delay_seconds)
            self._first(connection, name, argument)

    def _known(self, channel: str, argument: Row) -> bool:
        if channel == "index-tickers":
            return argument.get("instId") in {c.index for c in self.house.engine.setup.contracts.values()}
        if channel in BY_INSTRUMENT or "candle" in channel:
            return argument.get("instId") in self.house.engine.markets
        return True

    def _operate(self, connection: Connection, op: str, arguments: list[Row], asked: Row) -> None:
        began = time.time_ns() // 1000
        answer: Row = {"id": str(asked.get("id", "")), "op": op}
        if connection.account is None or connection.kind != "private":
            self._refuse(connection, {"id": answer["id"]}, "60011", "Please log in")
            return
        engine = self.house.engine
        codes = {contract.code: symbol for symbol, contract in engine.setup.contracts.items()}
        call = Call(self.house, "", "", {}, connection.account, op=op)
        limit = 20 if op.startswith("batch") else 1
        words, data = "", []
        if "trade" not in KEY_NAMES[connection.key][1]:
            code, words = "50120", "This API key doesn't have permission to use this function"
        elif len(arguments) > limit:
            code, words = "60012", "Illegal request"
        elif str(asked.get("expTime") or "9" * 15) < str(self.house.now()):
            code, words = "50036", "The expTime can't be earlier than the current system time."
        elif any(str(row.get("instIdCode", "")) not in map(str, codes) for row in arguments):
            code, words = "51000", "Parameter instIdCode error"
        else:
            sent = [clean(row) | {"instId": codes[int(row["instIdCode"])]} for row in arguments]
            self.about(call)
            data = call.rows(sent, *OPERATIONS[op])
            code, words = top(data)
        answer |= {
            "code": code,
            "msg": words,
            "data": data,
            "inTime": str(began),
            "outTime": str(time.time_ns() // 1000),
        }
        connection.say(answer, self.house.delay_seconds)

    # -- pushing

    def _send(self, connection: Connection, argument: Row, message: Row) -> None:
        """One push, or what a fault makes of it."""
        message = {"arg": {key: value for key, value in argument.items() if key != "extraParams"}, **message}
        data = message.get("data") or [{}]
        first = data[0] if isinstance(data[0], dict) else {}
        about = {"channel": argument["channel"], "instId": str(first.get("instId", argument.get("instId", "")))}
        about["clOrdId"] = ",".join(filter(None, (first.get("clOrdId", ""), first.get("algoClOrdId", ""))))
        fault = self.house.engine.faults.strike(STREAM_KINDS, about)
        delay, kind = self.house.delay_seconds, fault.kind if fault is not None else ""
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
                lambda: rows.algo_push(self.house.engine, about) | self._noted(("reqId", "amendResult")),
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
        elif what == "switches":
            self._switched(about)

    def _noted(self, names: tuple[str, ...] = ()) -> Row:
        return {name: value for name, value in self._notes.items() if name in names}

    def _order(self, order: Any, fill: Any) -> None:
        note = self._noted(("reqId", "amendResult", "amendSource")) if fill is None else {}
        self._row("orders", order.account, lambda: rows.order_push(self.house.engine, order, fill, note))

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
        row = rows.balance(self.house.engine, self.house.engine.accounts[account])
        return row | {
            "details": [detail for detail in row["details"] if argument.get("ccy") in (None, "", detail["ccy"])]
        }

    def _position_rows(self, account: str, keys: list[tuple[str, str]] | None) -> list[Row]:
        engine, owner = self.house.engine, self.house.engine.accounts[account]
        found = []
        for key in list(owner.positions) if keys is None else keys:
            position = owner.positions.get(key)
            if position is None and keys is not None and engine.switches["flat_push"]:
                position = owner.flat_position(key, engine.now, engine.retention_ms)
            if position is not None:
                found.append(rows.position(engine, position) | {"pTime": str(engine.now)})
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
        engine, owner = self.house.engine, self.house.engine.accounts[account]
        names = ("posId", "tradeId", "instId", "instType", "mgnMode", "posSide", "pos", "ccy", "posCcy", "avgPx", "nonSettleAvgPx",
                 "settledPnl", "uTime")  # fmt: skip
        held = [{name: row[name] for name in names} for row in self._position_rows(account, keys)]
        cash = {"ccy": "USDT", "cashBal": rows.text(owner.balance), "uTime": str(engine.now)}
        trades = [{"instId": row["instId"], "tradeId": row["tradeId"]} for row in held] if reason == "filled" else []
        return {"pTime": str(engine.now), "eventType": reason, "balData": [cash], "posData": held, "trades": trades}

    # -- what a subscription begins with, and what comes by the clock

    def _first(self, connection: Connection, name: str, argument: Row) -> None:
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
            self._tell_instruments(connection, argument, list(self.house.engine.markets))
        elif channel not in BUSINESS | {"orders", "status", "trades", "trades-all"}:
            self._tell_price(connection, name, argument)
        connection.kept.setdefault(("period", name), time.monotonic())  # type: ignore[call-overload]

    def every_moment(self) -> None:
        """By the clock: close silent sockets, push positions and account again, say funding now and then."""
        now = time.monotonic()
        idle = float(self.house.engine.switches["ws_idle_close_seconds"])
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
        indexes = {self.house.engine.setup.contracts[symbol].index for symbol in changed}
        for connection in list(self.connections):
            for name, argument in list(connection.subscriptions.items()):
                if argument.get("instId") in (indexes if argument["channel"] == "index-tickers" else changed):
                    if argument["channel"] != "funding-rate" and argument["channel"] not in PRIVATE | BUSINESS:
                        self._tell_price(connection, name, argument)

    def _tell_price(self, connection: Connection, name: str, argument: Row) -> None:
        engine, channel, symbol = self.house.engine, argument["channel"], argument.get("instId", "")
        if channel in BOOK_DEPTH:
            self._tell_book(connection, name, argument)
        elif "candle" in channel:
            self._tell_candle(connection, name, argument)
        elif channel in ("trades", "trades-all"):
            price = engine.prices(symbol).last
            before = connection.kept.get(name, price)
            connection.kept[name] = price
            number = str(next(self._sequence))
            row = {"instId": symbol, "tradeId": number, "px": rows.text(price), "sz": "1", "side": "buy" if price >= before else "sell",
                   "ts": str(engine.now), "count": "1", "source": "0", "seqId": int(number)}  # fmt: skip
            self._send(connection, argument, {"data": [row]})
        elif channel == "index-tickers":
            found = next(s for s, c in engine.setup.contracts.items() if c.index == symbol)
            self._send(connection, argument, {"data": [rows.index_ticker(engine, found)]})
        else:
            makers = {
                "tickers": rows.ticker,
                "mark-price": rows.mark_price,
                "price-limit": rows.price_limit,
                "funding-rate": rows.funding,
            }
            if channel in makers:
                self._send(connection, argument, {"data": [makers[channel](engine, symbol)]})

    def _tell_book(self, connection: Connection, name: str, argument: Row) -> None:
        engine, channel, symbol = self.house.engine, argument["channel"], argument["instId"]
        asks, bids = rows.book(engine, symbol, BOOK_DEPTH[channel])
        number, whole = next(self._sequence), {"asks": asks, "bids": bids}
        base = {"ts": str(engine.now), "seqId": number}
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
        market = self.house.engine.markets[argument["instId"]]
        bar = argument["channel"].partition("candle")[2]
        hour = 3_600_000
        offset = 16 * hour if BARS[bar] >= 6 * hour and not bar.endswith("utc") else 0
        bars = market.tape.bars(BARS[bar], offset)[-2:]
        seen = connection.kept.get(name, bars[-1][0])
        connection.kept[name] = bars[-1][0]
        for candle in bars if bars[-1][0] > seen else bars[-1:]:
            row = rows.candle(candle, candle is bars[-1], market.contract.value)
            self._send(connection, argument, {"data": [row]})

    def _tell_instruments(self, connection: Connection, argument: Row, symbols: list[str]) -> None:
        engine = self.house.engine
        contracts, suspended = engine.setup.contracts, engine.switches["suspended"]
        made = [rows.instrument(contracts[symbol], symbol in suspended, engine.now) for symbol in symbols]
        if argument.get("instType") == "SWAP" and made:
            self._send(connection, argument, {"data": made})

    def _switched(self, names: list[str]) -> None:
        if "suspended" in names:
            for connection, _, argument in self._each("instruments"):
                self._tell_instruments(connection, argument, list(self.house.engine.markets))
        if "maintenance" in names:
            windows = maintenance(self.house.engine.switches["maintenance"], self.house.now())
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
