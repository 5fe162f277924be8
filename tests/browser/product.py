"""The real product for browser stories: started as `make run` starts it, with a data folder of its own.

Promises that nothing outlives `stop`: not the dashboard, not its paper exchange, not its database server.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from tests.eventually import eventually
from tests.simulator_process import SimulatorControl

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = ("app.py", "pyproject.toml", ".streamlit", "core", "db", "locale", "pages")
START_SECONDS = 60.0
STOP_SECONDS = 20.0
T = TypeVar("T")


def in_time(look: Callable[[], T], words: str, seconds: float = 20.0) -> T:
    """What `look` returns once that is true; looks ten times a second, since each look goes over the wire."""
    return eventually(look, seconds, words, every=0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is removed afterwards. Everybody may pass it: for root the database runs under another user."""
    made = Path(tempfile.mkdtemp(prefix="perpdeck-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


def copy_of_the_product(target: Path) -> Path:
    """The files that run, in a folder where a test may edit them."""
    target.mkdir()
    for name in SHIPPED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    return target


class Product:
    """One dashboard process on a free port, over the data in `home`."""

    def __init__(self, home: Path, tree: Path = REPOSITORY, log: Path | None = None) -> None:
        self.home, self.tree = home, tree
        self.log_file = log or home.with_suffix(".log")
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    # -- the process

    def start(self) -> Self:
        """Start it and wait until it says that it is well; AssertionError with the end of its log otherwise."""
        self.home.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        streamlit = [sys.executable, "-m", "streamlit", "run", "app.py"]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*streamlit, "--server.address", "127.0.0.1", "--server.port", str(port)],
                cwd=self.tree,
                env=self._environment(port),
                stdout=log,
                stderr=log,
            )
        in_time(self._up_or_dead, f"{self.url}/healthz says ok", START_SECONDS)
        return self

    def _environment(self, port: int) -> dict[str, str]:
        ours = ("DATABASE_URL", "SESSION_SECRET", "PERPDECK_PASSWORD")
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return kept | {"PERPDECK_HOME": str(self.home), "PERPDECK_PORT": str(port)}

    def _up_or_dead(self) -> bool:
        assert self.returncode is None, f"the dashboard ended with {self.returncode}: {self.log()[-3000:]}"
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False, verify=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def returncode(self) -> int | None:
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def health(self) -> dict[str, Any]:
        """What `/healthz` answers."""
        answer = httpx.get(f"{self.url}/healthz", trust_env=False, verify=False, timeout=10)
        return dict(answer.json())

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def terminate(self) -> int:
        """End it politely and tell its exit code; killed, and AssertionError, where it does not end in time."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"SIGTERM did not end the dashboard within {STOP_SECONDS:g} s") from None

    def kill9(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_database(self) -> None:
        """End its database server as a power cut would."""
        pid = self._postgres_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        in_time(lambda: not alive(pid), f"process {pid} ended")

    def stop(self) -> None:
        """End everything that lives on this data folder."""
        if self._process is not None and self.returncode is None:
            self.terminate()
        self._process = None
        for pid in (self._simulator_pid(), self._postgres_pid()):
            if pid is not None and str(self.home) in command_of(pid):
                end(pid)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what it started

    def simulator(self) -> SimulatorControl:
        """The controls of its paper exchange."""
        ready = in_time(self._ready, "the paper exchange says that it is ready")
        return SimulatorControl(ready["base_url"])

    def _ready(self) -> dict[str, Any]:
        file = self.home / "simulator" / "ready.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def _simulator_pid(self) -> int | None:
        return self._ready().get("pid")

    def _postgres_pid(self) -> int | None:
        file = self.home / "postgres" / "data" / "postmaster.pid"
        return int(file.read_text().split()[0]) if file.exists() else None


def end(pid: int) -> None:
    """SIGINT, which PostgreSQL takes for a fast stop and the simulator for a clean one; then wait."""
    try:
        os.kill(pid, signal.SIGINT)
        in_time(lambda: not alive(pid), f"process {pid} ended", STOP_SECONDS)
    except ProcessLookupError:
        return


def command_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        return ""


def alive(pid: int) -> bool:
    """True while the process runs; one that only waits to be reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
