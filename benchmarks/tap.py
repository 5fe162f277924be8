"""A tap on the wire: passes every byte on between the bot and the exchange, and notes when two of them went by.

Those are the push that tells of a filled entry, on its way to the bot, and the request that places its protection,
on its way to the exchange; both by the part they belong to. Knows nothing else of the traffic but that there is some.
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
from typing import Self

from tests.simulator_process import SimulatorProcess

ENTRY = re.compile(rb'"clOrdId":\s*"op([0-9a-z]{6})\d\dE\d\d"')
PROTECTION = re.compile(rb'"algoClOrdId":\s*"op([0-9a-z]{6})\d\dP\d\d"')
READS = 1 << 16


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
        for source, target, note in ((bot, to_exchange, self._request), (exchange, to_bot, self._push)):
            pump = self._loop.create_task(_pump(source, target, note))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

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


@contextmanager
def behind(home: Path, simulator: SimulatorProcess) -> Iterator[Tap]:
    """A tap before this simulator, in whose place it is found by whoever starts on the data in `home`."""
    port = simulator.base_url.rsplit(":", 1)[1]
    with Tap(int(port)) as tap:
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
