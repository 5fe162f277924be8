"""The process around the exchange: one port for REST, streams and controls, the ticking clock, a clean end."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from core.simulator.binance.http import BinanceHttp
from core.simulator.binance.websocket import BinanceWebsockets
from core.simulator.control.routes import Control
from core.simulator.okx.http import OkxHttp
from core.simulator.okx.websocket import OkxWebsockets
from core.simulator.runtime import BINANCE_KEY_NAMES, KEY_NAMES, Runtime

TICK_SECONDS = 0.5
Websockets = OkxWebsockets | BinanceWebsockets
log = logging.getLogger(__name__)


async def serve(runtime: Runtime, port: int) -> None:
    """Serve on the loopback until SIGTERM or SIGINT; prints the ready line once everything answers."""
    okx, binance = OkxHttp(runtime), BinanceHttp(runtime)
    sockets = (OkxWebsockets(runtime, okx), BinanceWebsockets(runtime, binance))
    control = Control(runtime, okx, binance)
    app = web.Application(client_max_size=4 * 1024 * 1024)
    for part in (control, sockets[0], binance, sockets[1], okx):  # the address of okx matches whatever ends like it
        app.add_routes(part.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    ready = _ready(runtime, runner.addresses[0][1])
    file = runtime.journal.folder / "ready.json"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(ready)
    print(ready, flush=True)
    try:
        await _tick(runtime, sockets, ending)
    finally:
        control.mirror.stop()
        for each in sockets:
            await each.close()
        await runner.cleanup()
        file.unlink(missing_ok=True)
        runtime.journal.close()


async def _tick(runtime: Runtime, sockets: Sequence[Websockets], ending: asyncio.Event) -> None:
    while not ending.is_set():
        runtime.tick()
        for each in sockets:
            each.tick()
        try:
            await asyncio.wait_for(ending.wait(), TICK_SECONDS)
        except TimeoutError:
            continue


def _ready(runtime: Runtime, port: int) -> str:
    line: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{port}", "ws_url": f"ws://127.0.0.1:{port}",
        "control_url": f"http://127.0.0.1:{port}/sim", "pid": os.getpid(),
    }  # fmt: skip
    return json.dumps(line | {name: runtime.keys[name] for name in (*KEY_NAMES, *BINANCE_KEY_NAMES)})
