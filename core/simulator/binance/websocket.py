"""The websockets of the Binance side: addresses, subscriptions, pings, and how long a connection lives.

Addresses: /public, /market and /private since the split of April 2026, and the ones without them from before; under
each /ws (bare events) and /stream (wrapped), with stream names or a listen key in the path, in the query (`streams`,
`listenKey`) or in a SUBSCRIBE. Sources: Binance USD-M documentation, Websocket Market Streams and User Data Streams.
"""

import asyncio
import time
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from core.simulator.binance.connection import TOO_MANY, BinanceConnection, BinanceSockets, home
from core.simulator.binance.http import BinanceHttp
from core.simulator.binance.market_stream import BinanceMarketStream
from core.simulator.binance.user_stream import BinanceUserStream
from core.simulator.binance.ws_api import BinanceWsApi
from core.simulator.runtime import Runtime

PING_SECONDS, PONG_SECONDS = 180.0, 600.0
MOST_STREAMS = 1024
KINDS = "{kind:public|market|private}"


class BinanceWebsockets:
    """Every websocket of the Binance side."""

    def __init__(self, runtime: Runtime, http: BinanceHttp) -> None:
        self.runtime, self.http = runtime, http
        self.sockets = BinanceSockets(runtime)
        self.user, self.market = BinanceUserStream(self.sockets), BinanceMarketStream(self.sockets)
        self.api = BinanceWsApi(runtime, http)
        self._others: set[BinanceConnection] = set()  # connections to the trading API

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses of the streams and of the trading API."""
        forms = [
            f"{prefix}/{form}" for prefix in (f"/{KINDS}", "") for form in ("{form:ws|stream}", "{form:ws}/{names:.+}")
        ]
        return [web.get(form, self.serve) for form in forms] + [web.get("/ws-fapi/v1", self.serve_api)]

    # -- streams

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection to the streams until a side ends it."""
        known = request.match_info
        in_path, query = [name for name in known.get("names", "").split("/") if name], request.query
        names = in_path + [name for name in query.get("streams", "").split("/") if name]
        names += [query["listenKey"]] if query.get("listenKey") else []
        socket = web.WebSocketResponse(autoping=False, max_msg_size=262144, compress=False)
        await socket.prepare(request)
        connection = BinanceConnection(
            socket, known.get("kind", "legacy"), known["form"] == "stream", self.runtime.now()
        )
        connection.in_path, connection.events = set(in_path), {one for one in query.get("events", "").split("/") if one}
        self.sockets.open.add(connection)
        for name in names:
            self._subscribe(connection, name)
        try:
            await self._serve_messages(connection, self._answer)
        finally:
            self.sockets.open.discard(connection)
        return socket

    async def _serve_messages(self, connection: BinanceConnection, answer: Any) -> None:
        """Answer the client's messages until one side ends it; a task beside sends what is queued for it."""
        sender = asyncio.create_task(connection.run())
        try:
            async for message in connection.socket:
                if message.type is WSMsgType.PONG:
                    connection.ponged = time.monotonic()
                elif message.type is WSMsgType.PING:
                    await connection.socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    if self.runtime.exchange.behaviour["rate_limits"] and connection.floods():
                        connection.end(TOO_MANY)
                    else:
                        answer(connection, message.data)
        except ConnectionError:
            return  # gone while it was being answered
        finally:
            sender.cancel()

    def _subscribe(self, connection: BinanceConnection, name: str) -> None:
        connection.streams[name] = time.monotonic()
        if home(name) != "private":
            self.market.begin(connection, name)

    def _answer(self, connection: BinanceConnection, text: str) -> None:
        try:
            asked = orjson.loads(text)
        except orjson.JSONDecodeError:
            self._refuse(connection, None, 3, "Invalid JSON: expected value at line 1 column 1")
            return
        if not isinstance(asked, dict):
            self._refuse(connection, None, 2, "Invalid request: request must be an object")
            return
        identity, method, wanted = asked.get("id"), asked.get("method"), asked.get("params", [])
        if identity is not None and not isinstance(identity, int | str):
            self._refuse(connection, None, 2, "Invalid request: request ID must be an unsigned integer or a string")
        elif method == "LIST_SUBSCRIPTIONS":
            self._reply(connection, identity, list(connection.streams))
        elif (
            method == "SET_PROPERTY"
            and wanted[:1] == ["combined"]
            and isinstance(wanted[1:], list)
            and len(wanted) == 2
        ):
            connection.properties["combined"] = bool(wanted[1])
            self._reply(connection, identity, None)
        elif method == "GET_PROPERTY" and wanted == ["combined"]:
            self._reply(connection, identity, connection.properties["combined"])
        elif method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            words = (
                "unknown variant, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, "
            )
            self._refuse(connection, identity, 2, f"Invalid request: {words}`GET_PROPERTY`")
        elif not isinstance(wanted, list) or not wanted or not all(isinstance(name, str) for name in wanted):
            self._refuse(connection, identity, 2, "Invalid request: params must be an array of stream names")
        elif method == "UNSUBSCRIBE":
            for name in wanted:
                connection.streams.pop(name, None)
            self._reply(connection, identity, None)
        elif len(connection.streams.keys() | set(wanted)) > MOST_STREAMS:
            self._refuse(connection, identity, 2, f"Invalid request: more than {MOST_STREAMS} streams")
        else:
            self._reply(connection, identity, None)
            for name in wanted:
                self._subscribe(connection, name)

    def _reply(self, connection: BinanceConnection, identity: Any, result: Any) -> None:
        connection.send({"result": result, "id": identity}, self.runtime.delay_seconds)

    def _refuse(self, connection: BinanceConnection, identity: Any, code: int, words: str) -> None:
        connection.send({"error": {"code": code, "msg": words}, "id": identity}, self.runtime.delay_seconds)

    # -- the trading API

    async def serve_api(self, request: web.Request) -> web.StreamResponse:
        """Serve one session of the trading API; the handshake itself has a weight."""
        turned_away = self.api.turned_away(request.remote or "")
        if turned_away is not None:
            return turned_away
        socket = web.WebSocketResponse(autoping=False, max_msg_size=262144, compress=False)
        await socket.prepare(request)
        connection = BinanceConnection(socket, "api", False, self.runtime.now())
        self._others.add(connection)
        try:
            await self._serve_messages(connection, lambda one, text: self.api.answer(one, text, request.remote or ""))
        finally:
            self._others.discard(connection)
        return socket

    # -- by the clock

    def tick(self) -> None:
        """Twice a second: ping, close what is old or dead, and repeat what a market stream repeats."""
        now, life = time.monotonic(), float(self.runtime.exchange.behaviour["binance_stream_life_seconds"]) * 1000
        for connection in [*self.sockets.open, *self._others]:
            if self.runtime.now() - connection.opened >= life or now - connection.ponged > PONG_SECONDS:
                connection.end()
            elif now - connection.pinged >= PING_SECONDS:
                connection.pinged = now
                connection.ping(str(self.runtime.now()).encode())
        self.market.tick()

    async def close(self) -> None:
        """Close every connection: the exchange is ending."""
        for connection in [*self.sockets.open, *self._others]:
            await connection.socket.close(code=1001)
