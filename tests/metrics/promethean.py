"""Debian's real Prometheus: found or fetched by `scripts/prometheus`, run on a free port, asked over HTTP.

Promises that no server outlives its `with` block. Where it cannot be had the tests that want it are skipped.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

from tests.browser.product import free_port
from tests.eventually import eventually

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy" / "prometheus"
START_SECONDS = 30.0


@pytest.fixture(scope="session")
def prometheus_programs() -> Path:
    """The folder with `prometheus` and `promtool`."""
    script = REPOSITORY / "scripts" / "prometheus"
    found = subprocess.run([script, REPOSITORY / ".venv"], capture_output=True, text=True, timeout=300, check=False)
    if found.returncode:
        pytest.skip(f"without Prometheus: {found.stderr.strip().splitlines()[-1]}")
    return REPOSITORY / found.stdout.strip()


class Prometheus:
    """One server over the rules that ship, which scrapes one address twice a second."""

    def __init__(self, programs: Path, target: str, *, every: str = "500ms") -> None:
        self._program, self._every = programs / "prometheus", every
        self._target = target.removeprefix("http://")
        self._folder = tempfile.TemporaryDirectory(prefix="prometheus-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        home, port = Path(self._folder.name), free_port()
        (home / "prometheus.yml").write_text(shipped(self._target, self._every))
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=30)
        with (home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={home / 'prometheus.yml'}",
                    f"--storage.tsdb.path={home / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            eventually(self._ready, START_SECONDS, f"Prometheus is ready; {self._log()}", every=0.1)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._http.close()
        self._folder.cleanup()

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log()
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _log(self) -> str:
        return (Path(self._folder.name) / "log").read_text(errors="replace")[-2000:]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What this expression gives now. AssertionError with the server's words where it cannot be read."""
        answer = self._http.post("/api/v1/query", data={"query": expression}).json()
        assert answer["status"] == "success", f"{answer.get('error')}: {expression}"
        result = answer["data"]["result"]
        return result if isinstance(result, list) else [result]

    def number(self, expression: str) -> float | None:
        """The one value of an expression; None where it gives nothing."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def rules(self) -> dict[str, dict[str, Any]]:
        """Every alert of the rules that ship, by its name."""
        groups = self._http.get("/api/v1/rules").json()["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"}

    def scraped(self, times: int = 2) -> None:
        """Wait until it has scraped so many times from now on."""
        count = 'count_over_time(up{job="perpdeck"}[1h])'
        before = self.number(count) or 0
        eventually(lambda: (self.number(count) or 0) >= before + times, 30, f"{times} scrapes", every=0.1)


def shipped(target: str, every: str) -> str:
    """The configuration that ships, for another address and in more of a hurry."""
    text = (DEPLOY / "prometheus.yml").read_text()
    changes = {"127.0.0.1:8501": target, "interval: 15s": f"interval: {every}", "rules/": f"{DEPLOY}/rules/"}
    for old, new in changes.items():
        assert old in text, f"prometheus.yml says {old} no more"
        text = text.replace(old, new)
    return text
