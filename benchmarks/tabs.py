"""Browser tabs without a browser: they speak the page's own WebSocket and refresh as the page asks them to.

A process of its own, so that a tab's work is not counted as the dashboard's. Run as
`python -m benchmarks.tabs URL PAGE TABS RUNS`: each tab draws the whole page so often; prints the seconds of
each run as JSON, refreshes until its input is closed, then prints the seconds of each refresh.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

FIRST_RUN_SECONDS = 60.0


class Tab:
    """One visit of one page."""

    def __init__(self, socket: ClientConnection, page: str) -> None:
        self.socket, self.page = socket, page
        self.refreshes: list[float] = []
        self._page_hash = ""
        self._finished = asyncio.Event()
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._asked: float | None = None  #: when the newest refresh that is not answered yet was asked for

    async def run(self) -> float:
        """Ask for the whole page; returns after how many seconds its script had finished."""
        self._finished.clear()
        began = time.perf_counter()
        await self._ask("")
        await asyncio.wait_for(self._finished.wait(), FIRST_RUN_SECONDS)
        return time.perf_counter() - began

    async def listen(self) -> None:
        async for raw in self.socket:
            message = ForwardMsg.FromString(raw if isinstance(raw, bytes) else raw.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._page_hash = message.new_session.page_script_hash
            elif kind == "auto_rerun":
                fragment = message.auto_rerun.fragment_id
                if fragment not in self._timers:
                    self._timers[fragment] = asyncio.create_task(self._refresh(fragment, message.auto_rerun.interval))
            elif kind == "script_finished":
                if self._asked is not None and message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
                    self.refreshes.append(time.perf_counter() - self._asked)
                    self._asked = None
                self._finished.set()

    async def _refresh(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            self._asked = time.perf_counter()
            await self._ask(fragment)

    async def _ask(self, fragment: str) -> None:
        wish = BackMsg()
        wish.rerun_script.query_string = ""
        wish.rerun_script.page_script_hash = self._page_hash if fragment else ""
        wish.rerun_script.page_name = self.page
        wish.rerun_script.fragment_id = fragment
        wish.rerun_script.is_auto_rerun = bool(fragment)
        wish.rerun_script.context_info.timezone = "UTC"
        await self.socket.send(wish.SerializeToString())

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        await self.socket.close()


async def visit(url: str, page: str, tabs: int, runs: int) -> None:
    """Open the tabs one after the other, keep them open until the input ends, and tell what was measured."""
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    opened: list[Tab] = []
    listeners: list[asyncio.Task[None]] = []
    drawn: list[float] = []
    for _ in range(tabs):
        socket = await connect(address, origin=url, subprotocols=["streamlit"], max_size=None)  # type: ignore[arg-type,list-item]
        tab = Tab(socket, page)
        opened.append(tab)
        listeners.append(asyncio.create_task(tab.listen()))
        drawn += [await tab.run() for _ in range(runs)]
    print(json.dumps(drawn), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps([seconds for tab in opened for seconds in tab.refreshes]), flush=True)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, *(tab.close() for tab in opened), return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(visit(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
