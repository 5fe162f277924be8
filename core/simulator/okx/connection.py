"""One OKX websocket connection: what it is subscribed to, and the line of messages on their way to it."""

import asyncio
import itertools
import time
from typing import Any

import orjson
from aiohttp import web

from core.simulator.runtime import KEY_NAMES

Row = dict[str, Any]


class Connection:
    """A client's socket. Messages leave in the order they were said, none before its time."""

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
