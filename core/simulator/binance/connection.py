"""One Binance stream connection, and what stands between an event and it: delays, faults, the form of its address.

Bare events under /ws, events wrapped as {stream, data} under /stream. Nothing is kept for a client that is away.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from core.simulator.binance.format import Row
from core.simulator.faults import STREAM_KINDS
from core.simulator.runtime import Runtime

PUBLIC_STREAMS = ("bookTicker", "depth", "trade")  # the rest of the market's streams lives under /market
WENT_AWAY, TOO_MANY = 1001, 1008


@dataclass(frozen=True, slots=True)
class PingFrame:
    """A ping frame in the line."""

    words: bytes


class BinanceConnection:
    """A client's connection. Messages are sent in the order in which they were queued, none before its time."""

    def __init__(self, socket: web.WebSocketResponse, kind: str, wrapped: bool, opened: int) -> None:
        self.socket, self.kind, self.wrapped, self.opened = socket, kind, wrapped, opened
        self.streams: dict[str, float] = {}  # what it subscribed to, and when that last spoke (monotonic seconds)
        self.bars: dict[str, int] = {}  # by candle stream, which candle was told last
        self.in_path: set[str] = set()  # names that came in the path of its address
        self.events: set[str] = set()  # of the user stream only these; empty: all
        self.properties: dict[str, Any] = {"combined": wrapped}
        self.line: asyncio.Queue[tuple[float, bytes | int | PingFrame]] = asyncio.Queue()
        self.held: tuple[bytes, str] | None = None  # an event that waits, and the kind it comes behind ("": any)
        self.pinged = self.ponged = time.monotonic()
        self.message_times: deque[float] = deque(maxlen=11)

    def send(self, message: Any, after: float = 0.0) -> None:
        """Send a message once everything before is sent, and not before so many seconds have passed."""
        body = message if isinstance(message, bytes) else orjson.dumps(message)
        self.line.put_nowait((time.monotonic() + after, body))

    def ping(self, words: bytes) -> None:
        """Send a ping frame once everything before is sent."""
        self.line.put_nowait((0.0, PingFrame(words)))

    def end(self, code: int = WENT_AWAY) -> None:
        """Close once everything before is sent."""
        self.line.put_nowait((0.0, code))

    def floods(self) -> bool:
        """Count a message from the client, and return whether they come faster than ten in a second."""
        self.message_times.append(time.monotonic())
        return len(self.message_times) == 11 and self.message_times[-1] - self.message_times[0] < 1.0

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
                await (
                    self.socket.ping(body.words) if isinstance(body, PingFrame) else self.socket.send_str(body.decode())
                )
            except ConnectionError:
                return


def home(stream: str) -> str:
    """Return where a stream lives: public, market or private (a listen key)."""
    if "@" not in stream and not stream.startswith("!"):
        return "private"
    name = stream.lstrip("!").split("@")[0] if stream.startswith("!") else stream.split("@")[1]
    return "public" if name.startswith(PUBLIC_STREAMS) else "market"


class BinanceSockets:
    """All open connections of the Binance side."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.open: set[BinanceConnection] = set()

    def delivers(self, connection: BinanceConnection, stream: str) -> bool:
        """Return whether that stream ever comes by the address of that connection.

        Before the split there was one address for all streams; what it gives now is public data alone, or, as the
        behaviour says, everything, or everything but a key in its path.
        """
        lives = home(stream)
        if connection.kind != "legacy":
            return connection.kind == lives
        behaviour = self.runtime.exchange.behaviour
        if behaviour["binance_legacy_streams"] == "public_only":
            return lives == "public"
        live = behaviour["binance_legacy_streams"] == "mixed" and behaviour["binance_flavour"] == "live"
        return not (live and lives == "private" and stream in connection.in_path)

    def listening(self, stream: str) -> list[BinanceConnection]:
        """Return the connections that the events of a stream go to."""
        return [one for one in list(self.open) if stream in one.streams and self.delivers(one, stream)]

    def send(self, connection: BinanceConnection, stream: str, event: Any, about: Row) -> None:
        """Send one event, or what a fault makes of it; `about` describes it to the faults."""
        wrapped = connection.properties["combined"]
        body = orjson.dumps({"stream": stream, "data": event} if wrapped else event)
        fault = self.runtime.exchange.faults.strike(STREAM_KINDS, {"exchange": "binance", **about})
        delay, kind = self.runtime.delay_seconds, fault.kind if fault is not None else ""
        if kind == "push_withheld":
            return
        if kind == "stream_cut":
            connection.end()
            return
        if kind == "stream_reorder":
            assert fault is not None
            connection.held = body, str(fault.asked.get("behind", ""))
            return
        if fault is not None and kind == "stream_delay":
            delay += float(fault.asked.get("seconds", 1))
        connection.send(body, delay)
        if kind == "stream_double":
            connection.send(body, delay)
        if connection.held is not None and connection.held[1] in ("", about.get("channel")):
            connection.send(connection.held[0], delay)
            connection.held = None
