"""OKX V5 over websockets: login, subscriptions, order operations (OKX V5 docs, overview)."""

import asyncio
import json
import time
from collections.abc import Callable

import orjson
from aiohttp import WSMsgType, web

from core.simulator.okx import trade
from core.simulator.okx.channels import BUSINESS, BY_INSTRUMENT, COUNTED, PRIVATE, home, period_of
from core.simulator.okx.connection import OkxConnection, OkxSockets
from core.simulator.okx.endpoints import OkxCall, Row
from core.simulator.okx.errors import OkxError
from core.simulator.okx.http import OkxHttp, clean, sign, top
from core.simulator.okx.market_stream import OkxMarketStream
from core.simulator.okx.user_stream import OkxUserStream
from core.simulator.runtime import KEY_NAMES, Runtime

OPERATIONS: dict[str, tuple[Callable[[OkxCall, Row], Row], Callable[[Row], Row]]] = {
    "order": (trade.place_one, trade.empty), "batch-orders": (trade.place_one, trade.empty),
    "cancel-order": (trade.cancel_one, trade.empty),
    "batch-cancel-orders": (trade.cancel_one, trade.empty),
    "amend-order": (trade.amend_one, trade.empty), "batch-amend-orders": (trade.amend_one, trade.empty),
}  # fmt: skip


class OkxWebsockets:
    """Every websocket of the OKX side."""

    def __init__(self, runtime: Runtime, http: OkxHttp) -> None:
        self.runtime, self.http = runtime, http
        self.sockets = OkxSockets(runtime)
        self.user, self.market = OkxUserStream(self.sockets), OkxMarketStream(self.sockets)
        http.before_call = self.user.about

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses that `serve` answers."""
        return [web.get("/ws/v5/{kind:public|private|business}", self.serve)]

    # -- streams

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until a side ends it."""
        kind = request.match_info["kind"]
        socket = web.WebSocketResponse(autoping=True, max_msg_size=65536, compress=False)
        await socket.prepare(request)
        connection = OkxConnection(socket, kind)
        self.sockets.open.add(connection)
        sender = asyncio.create_task(connection.run())
        try:
            async for message in socket:
                connection.active = time.monotonic()
                if message.type is WSMsgType.TEXT:
                    self._answer(connection, message.data)
        finally:
            self.sockets.open.discard(connection)
            sender.cancel()
        return socket

    def _answer(self, connection: OkxConnection, text: str) -> None:
        if text == "ping":
            connection.send("pong", self.runtime.delay_seconds)
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

    def _refuse(self, connection: OkxConnection, identity: Row, code: str, words: str) -> None:
        connection.send(
            {"event": "error", **identity, "code": code, "msg": words, "connId": connection.id},
            self.runtime.delay_seconds,
        )

    def _login(self, connection: OkxConnection, asked: Row) -> None:
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
            connection.send(
                {"event": "login", "code": "0", "msg": "", "connId": connection.id}, self.runtime.delay_seconds
            )

    def _subscription(self, connection: OkxConnection, op: str, argument: Row, identity: Row) -> None:
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
            connection.send(
                {**identity, "event": "unsubscribe", "arg": argument, "connId": connection.id},
                self.runtime.delay_seconds,
            )
        else:
            connection.subscriptions[name] = argument
            connection.send(
                {**identity, "event": "subscribe", "arg": argument, "connId": connection.id}, self.runtime.delay_seconds
            )
            if channel in COUNTED:
                count = sum(channel in (a["channel"] for a in c.subscriptions.values()) for c in self.sockets.open)
                counted = {
                    "event": "channel-conn-count",
                    "channel": channel,
                    "connCount": str(count),
                    "connId": connection.id,
                }
                connection.send(counted, self.runtime.delay_seconds)
            self._first(connection, name, argument)

    def _first(self, connection: OkxConnection, name: str, argument: Row) -> None:
        connection.kept.pop(name, None)
        if argument["channel"] in PRIVATE | BUSINESS:
            self.user.begin(connection, argument)
        else:
            self.market.begin(connection, name, argument)
        connection.spoke.setdefault(name, time.monotonic())

    def _known(self, channel: str, argument: Row) -> bool:
        if channel == "index-tickers":
            return argument.get("instId") in {c.index for c in self.runtime.exchange.setup.contracts.values()}
        if channel in BY_INSTRUMENT or "candle" in channel:
            return argument.get("instId") in self.runtime.exchange.markets
        return True

    def _operate(self, connection: OkxConnection, op: str, arguments: list[Row], asked: Row) -> None:
        began = time.time_ns() // 1000
        answer: Row = {"id": str(asked.get("id", "")), "op": op}
        if connection.account is None or connection.kind != "private":
            self._refuse(connection, {"id": answer["id"]}, "60011", "Please log in")
            return
        exchange = self.runtime.exchange
        codes = {contract.code: symbol for symbol, contract in exchange.setup.contracts.items()}
        call = OkxCall(self.runtime, "", "", {}, connection.account, op=op)
        limit = 20 if op.startswith("batch") else 1
        words, data = "", []
        if "trade" not in KEY_NAMES[connection.key][1]:
            code, words = "50120", "This API key doesn't have permission to use this function"
        elif len(arguments) > limit:
            code, words = "60012", "Illegal request"
        elif str(asked.get("expTime") or "9" * 15) < str(self.runtime.shown_now()):
            code, words = "50036", "The expTime can't be earlier than the current system time."
        elif any(str(row.get("instIdCode", "")) not in map(str, codes) for row in arguments):
            code, words = "51000", "Parameter instIdCode error"
        else:
            sent = [clean(row) | {"instId": codes[int(row["instIdCode"])]} for row in arguments]
            self.user.about(call)
            data = call.rows(sent, *OPERATIONS[op])
            code, words = top(data)
        answer |= {
            "code": code,
            "msg": words,
            "data": data,
            "inTime": str(began),
            "outTime": str(time.time_ns() // 1000),
        }
        connection.send(answer, self.runtime.delay_seconds)

    # -- by the clock

    def tick(self) -> None:
        """Twice a second: close silent connections, and repeat what a channel repeats."""
        now, idle = time.monotonic(), float(self.runtime.exchange.behaviour["ws_idle_close_seconds"])
        for connection in list(self.sockets.open):
            if now - connection.active > idle:
                connection.end(4004)
                continue
            for name, argument in list(connection.subscriptions.items()):
                period = period_of(argument)
                if period and now - connection.spoke.get(name, now) >= period:
                    connection.spoke[name] = now
                    if argument["channel"] in PRIVATE:
                        self.user.repeat(connection, argument)
                    else:
                        self.market.repeat(connection, name, argument)

    async def close(self) -> None:
        """Close every connection: the exchange is ending."""
        for connection in list(self.sockets.open):
            await connection.socket.close(code=1001)
