"""One OKX websocket connection: its subscriptions, and the queue of messages to send."""

import asyncio
import itertools
import time
from typing import Any

import orjson
from aiohttp import web

from core.simulator.faults import STREAM_KINDS
from core.simulator.okx.format import Row
from core.simulator.runtime import KEY_NAMES, Runtime


class OkxConnection:
    """A client's socket. Messages leave in the order they were said, none before its time."""

    numbers = itertools.count(1)

    def __init__(self, socket: web.WebSocketResponse, kind: str) -> None:
        self.socket, self.kind = socket, kind
        self.id = f"{next(self.numbers):08x}"
        self.key = ""
        self.subscriptions: dict[str, Row] = {}
        self.kept: dict[str, Any] = {}  # by subscription: the price, book or candle that it has seen
        self.spoke: dict[str, float] = {}  # by subscription: when it last repeated itself (monotonic seconds)
        self.line: asyncio.Queue[tuple[float, bytes | int]] = asyncio.Queue()
        self.held: bytes | None = None
        self.active = time.monotonic()

    @property
    def account(self) -> str | None:
        """Return the account that the connection is logged in to; None before the login."""
        return KEY_NAMES[self.key][0] if self.key else None

    def send(self, message: Any, after: float = 0.0) -> None:
        """Send a message once everything before is sent, and not before so many seconds have passed."""
        body = message.encode() if isinstance(message, str) else orjson.dumps(message)
        self.line.put_nowait((time.monotonic() + after, body))

    def end(self, code: int = 1000) -> None:
        """Close once everything before is sent."""
        self.line.put_nowait((0.0, code))

    async def run(self) -> None:
        """Send the queued messages, each not before its time."""
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


class OkxSockets:
    """All open connections of the OKX side."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.open: set[OkxConnection] = set()

    def subscribed(self, channel: str, account: str | None = None) -> list[tuple[OkxConnection, str, Row]]:
        """Return the subscriptions to a channel (of that account): connection, name and argument."""
        return [
            (connection, name, argument)
            for connection in list(self.open) for name, argument in list(connection.subscriptions.items())
            if argument["channel"] == channel and (account is None or connection.account == account)
        ]  # fmt: skip

    def send(self, connection: OkxConnection, argument: Row, message: Row) -> None:
        """Send one push, or what a fault makes of it."""
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
                connection.send({"event": "notice", "code": "64008", "msg": words, "connId": connection.id})
            connection.end(1001)
            return
        if kind == "stream_reorder":
            connection.held = orjson.dumps(message)
            return
        if kind == "stream_delay":
            assert fault is not None
            delay += float(fault.asked.get("seconds", 1))
        connection.send(message, delay)
        if kind == "stream_double":
            connection.send(message, delay)
        if connection.held is not None:
            connection.line.put_nowait((0.0, connection.held))
            connection.held = None
