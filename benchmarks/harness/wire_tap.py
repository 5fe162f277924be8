"""A tap on the wire: passes every byte on between the bot and the exchange, and notes when a few of them went by.

Those are the push that tells of a fill, on its way to the bot, and the request that answers it, on its way to the
exchange; both by the part they belong to. Knows nothing else of the traffic but that there is some.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.simulator_process import SimulatorProcess

ENTRY = re.compile(rb'"clOrdId":\s*"op([0-9a-z]{6})\d\dE\d\d"')
PROTECTION = re.compile(rb'"algoClOrdId":\s*"op([0-9a-z]{6})\d\dP\d\d"')
READS = 1 << 16
FILLED = re.compile(
    rb'"e":"ORDER_TRADE_UPDATE".{1,200}?"c":"op([0-9a-z]{6})\d\d([ET])\d\d".{1,300}?"X":"FILLED"', re.DOTALL
)
LEG = re.compile(rb"clientAlgoId=op([0-9a-z]{6})\d\d([ST])\d\d")
LINE = re.compile(rb"^(GET|POST|PUT|DELETE) (/fapi/\S+) HTTP")

Note = Callable[[bytes], None]


class Tap:
    """Listens on a port of its own from `with` to its end."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.filled: dict[str, float] = {}  #: part: when its fill was handed to the bot
        self.protected: dict[str, float] = {}  #: part: when its protection came from the bot
        self.last_request = time.perf_counter()
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tap", daemon=True)
        self._pumps: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def idle(self, seconds: float) -> bool:
        """No request has come for so long."""
        return time.perf_counter() - self.last_request >= seconds

    def seconds(self, part: str) -> float | None:
        """From the fill's push to the protection's request; None while one of them is missing."""
        if part not in self.filled or part not in self.protected:
            return None
        return self.protected[part] - self.filled[part]

    # -- its thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        self._loop.run_forever()
        server.close()
        for pump in self._pumps:
            pump.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._pumps, return_exceptions=True))
        self._loop.close()

    async def _connected(self, bot: asyncio.StreamReader, to_bot: asyncio.StreamWriter) -> None:
        exchange, to_exchange = await asyncio.open_connection("127.0.0.1", self._to)
        request, push = self._notes()
        for source, target, note in ((bot, to_exchange, request), (exchange, to_bot, push)):
            pump = self._loop.create_task(_pump(source, target, note))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    def _notes(self) -> tuple[Note, Note]:
        """What looks at the bytes of one connection: towards the exchange, and towards the bot."""
        return self._request, self._push

    def _request(self, data: bytes) -> None:
        now = time.perf_counter()
        if b" /api/v5/" in data:
            self.last_request = now
        for part in PROTECTION.findall(data):
            self.protected.setdefault(part.decode(), now)

    def _push(self, data: bytes) -> None:
        if b'"channel":"orders"' in data and b'"filled"' in data:
            now = time.perf_counter()
            for part in ENTRY.findall(data):
                self.filled.setdefault(part.decode(), now)


class BinanceTap(Tap):
    """The same on Binance: from a filled entry to its stop, and from a filled take-profit to the stop's cancel."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.won: dict[str, float] = {}  #: part: when the fill of its take-profit was handed to the bot
        self.let_go: dict[str, float] = {}  #: part: when the cancel of its stop was acknowledged

    def seconds_to_let_go(self, part: str) -> float | None:
        """From the push to the acknowledgement; None while one of them is missing."""
        if part not in self.won or part not in self.let_go:
            return None
        return self.let_go[part] - self.won[part]

    def _notes(self) -> tuple[Note, Note]:
        method, cancels = b"", list[bytes]()  # of this connection, which carries one request at a time

        def request(data: bytes) -> None:
            nonlocal method
            now = time.perf_counter()
            if line := LINE.match(data):
                method, self.last_request = line[1], now
            for part, leg in LEG.findall(data):
                if method == b"POST" and leg == b"S":
                    self.protected.setdefault(part.decode(), now)
                elif method == b"DELETE" and leg == b"S":
                    cancels.append(part)

        def push(data: bytes) -> None:
            now = time.perf_counter()
            while cancels:
                self.let_go.setdefault(cancels.pop().decode(), now)
            for part, leg in FILLED.findall(data):
                (self.filled if leg == b"E" else self.won).setdefault(part.decode(), now)

        return request, push


AnyTap = TypeVar("AnyTap", bound=Tap)


@contextmanager
def behind(home: Path, simulator: SimulatorProcess, kind: type[AnyTap]) -> Iterator[AnyTap]:
    """A tap before this simulator, in whose place it is found by whoever starts on the data in `home`."""
    port = simulator.base_url.rsplit(":", 1)[1]
    with kind(int(port)) as tap:
        ready = home / "simulator" / "ready.json"
        told = json.loads(ready.read_text())
        moved = {name: told[name].replace(port, str(tap.port)) for name in ("base_url", "ws_url")}
        ready.write_text(json.dumps(told | moved))
        yield tap


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, note: Callable[[bytes], None]) -> None:
    try:
        while data := await source.read(READS):
            note(data)
            target.write(data)
            await target.drain()
    except ConnectionError:
        return
    finally:
        target.close()
