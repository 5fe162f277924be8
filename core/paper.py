"""Keeps the paper exchange's process running: starts it, finds a running one, restarts it after a crash, stops it.

Knows the command line and the files of `core.simulator`, never its code: it is an exchange on the loopback.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.domain.account import Exchange
from core.domain.errors import Unavailable
from core.domain.reason import Reason
from core.exchange.port import Credentials

log = logging.getLogger("perpdeck.paper")

ROOT = Path(__file__).parents[1]
#: the wires that the simulator speaks, and id and name of the paper account behind each
PAPER_ACCOUNTS: Mapping[Exchange, tuple[str, str]] = {
    Exchange.OKX: ("paper-okx", "Paper OKX"),
    Exchange.BINANCE: ("paper-binance", "Paper Binance"),
}
START_SECONDS = 20.0
STOP_SECONDS = 5.0
CHECK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PaperAddress:
    """The addresses of the paper exchange, and the made-up keys of its accounts, by exchange API."""

    rest_url: str
    stream_url: str
    control_url: str
    pid: int
    keys: Mapping[Exchange, Credentials]

    def __repr__(self) -> str:
        return f"PaperAddress({self.rest_url}, pid={self.pid})"


class PaperExchange:
    """The simulator process of one data folder. Several dashboards on one folder share it."""

    def __init__(self, folder: Path, on_moved: Callable[[PaperAddress], None] = lambda address: None) -> None:
        self.folder, self.on_moved = folder, on_moved
        self.address: PaperAddress | None = None
        self.restarts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> PaperAddress:
        """Find it or start it, and watch over it from now on. Raises Unavailable where it does not start."""
        self.address = self._find() or self._launch()
        self._thread = threading.Thread(target=self._watch, name="paper-exchange", daemon=True)
        self._thread.start()
        return self.address

    def stop(self) -> None:
        """Stop watching, and the process where it is ours. Its state stays on disk."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CHECK_SECONDS + START_SECONDS)
        self._end(self._process)

    @property
    def control_url(self) -> str | None:
        return self.address.control_url if self.address else None

    def _watch(self) -> None:
        while not self._stop.wait(CHECK_SECONDS):
            known = self.address
            found = self._find()
            if found is None:
                try:
                    found = self._launch()
                except Unavailable as trouble:
                    log.error("%s", trouble)
                    continue
                self.restarts += 1
                log.warning("the paper exchange was gone and has been started again at %s", found.rest_url)
            if found != known:
                self.address = found
                if known is None or (found.rest_url, found.keys) != (known.rest_url, known.keys):
                    self.on_moved(found)

    def _find(self) -> PaperAddress | None:
        """Return the running one, as its own file tells; None where nothing healthy answers there."""
        try:
            told = read_ready(self.folder)
        except (OSError, ValueError, KeyError):
            return None
        try:  # in the clear on this machine: reading the certificates first would take longer than the answer
            answer = httpx.get(f"{told.control_url}/health", timeout=2.0, trust_env=False, verify=False)
        except httpx.TimeoutException:
            return told  # busy, not gone: only a closed door means that nobody is there
        except httpx.HTTPError:
            return None
        return told if answer.is_success else None

    def _launch(self) -> PaperAddress:
        self._end(self._process)
        try:
            port = int(read_ready(self.folder).rest_url.rsplit(":", 1)[1])
        except (OSError, ValueError, KeyError):
            port = 0
        started = self._spawn(port)
        if started is None and port:
            started = self._spawn(0)
        if started is None:
            raise Unavailable(Reason("paper.does_not_start", log=str(self.folder / "simulator.log")))
        return started

    def _spawn(self, port: int) -> PaperAddress | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "core.simulator", "--port", str(port), "--state", str(self.folder)]
        with (self.folder / "simulator.log").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the dashboard, which ends the exchange after the bot
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self._stop.is_set():
            found = self._find()
            if found is not None:
                return found
            if self._process.poll() is not None and self._find() is None:
                return None
            time.sleep(0.05)
        self._end(self._process)
        return None

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_ready(folder: Path) -> PaperAddress:
    """Return what the simulator wrote when it was ready. Raises OSError, ValueError or KeyError where it has not."""
    told = json.loads((folder / "ready.json").read_text())
    keys = {one: told[one] for one in PAPER_ACCOUNTS}
    return PaperAddress(
        told["base_url"],
        told["ws_url"],
        told["control_url"],
        int(told["pid"]),
        {one: Credentials(of["api_key"], of["secret"], of.get("passphrase", "")) for one, of in keys.items()},
    )
