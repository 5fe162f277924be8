"""The product as processes of its own, and what the system tells about them: seconds of CPU, megabytes, ports.

Run as `python -m benchmarks.dashboard ARGUMENTS` it is the dashboard itself, but for one fact about the exchange:
TP and SL cannot travel with an entry. That is how a fill without protection comes about.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from tests.browser.product import REPOSITORY, free_port

T = TypeVar("T")
START_SECONDS = 90.0
STOP_SECONDS = 30.0
MEGABYTE = 1024 * 1024


def eventually(look: Callable[[], T], words: str, seconds: float = START_SECONDS) -> T:
    """The first true answer of `look`; AssertionError naming what never came."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"within {seconds:g} s never: {words}"
        time.sleep(0.02)
    return found


class Process:
    """One process of the product over the data in `home`."""

    def __init__(self, home: Path, command: Sequence[str]) -> None:
        self.log_file = home / "benchmark.log"
        dropped = ("DATABASE_URL", "SESSION_SECRET")
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=REPOSITORY,
                env=environment | {"PERPDECK_HOME": str(home)},
                stdout=log,
                stderr=log,
            )
        self._seen = psutil.Process(self._process.pid)

    def lives(self) -> bool:
        assert self._process.poll() is None, self.log_file.read_text(errors="replace")[-3000:]
        return True

    def cpu_seconds(self) -> float:
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def megabytes(self) -> float:
        return float(self._seen.memory_info().rss) / MEGABYTE

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()


class Dashboard(Process):
    """The dashboard with the bot in it."""

    def __init__(self, home: Path, *, bare_entries: bool = False) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        start = ["-m", "benchmarks.dashboard"] if bare_entries else ["-m", "streamlit"]
        where = ["--server.address", "127.0.0.1", "--server.port", str(port)]
        super().__init__(home, [*start, "run", "app.py", *where])

    def wait_until_up(self) -> None:
        eventually(lambda: self.lives() and self._well(), f"{self.url}/healthz is well")

    def _well(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2.0, trust_env=False, verify=False).is_success
        except httpx.HTTPError:
            return False


class Tabs:
    """Tabs open on one page, in a process beside."""

    def __init__(self, url: str, page: str, count: int, runs: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tabs", url, page, str(count), str(runs)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the tabs did not open"
        self.drawn: list[float] = json.loads(line)  #: seconds of each run of the whole page

    def close(self) -> list[float]:
        """Close them; the seconds that each refresh took."""
        told, _ = self._process.communicate(timeout=30)
        return [float(seconds) for seconds in json.loads(told)]


@contextmanager
def tabs_on(dashboard: Dashboard, page: str, count: int, runs: int = 1) -> Iterator[Tabs]:
    tabs = Tabs(dashboard.url, page, count, runs)
    try:
        yield tabs
    finally:
        if tabs._process.poll() is None:
            tabs.close()


def _without_attached_protection() -> None:
    """Have clients built with the one fact changed."""
    from core import venues
    from core.domain.observation import PortFacts
    from core.exchange.okx.client import OKXClient

    class BareEntries(OKXClient):
        """An exchange at which TP and SL are orders of their own, placed after the fill."""

        @property
        def facts(self) -> PortFacts:
            return replace(super().facts, attaches_protection=False)

    setattr(venues, "OKXClient", BareEntries)  # noqa: B010  an exchange that the product does not know


if __name__ == "__main__":
    from streamlit.web.cli import main

    _without_attached_protection()
    main()
