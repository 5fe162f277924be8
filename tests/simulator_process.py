"""A simulator as a process of its own, for tests: started, steered through /sim, killed, started again.

Knows the command line and the control addresses of `core.simulator` and nothing else of ours. Promises that
`start` returns only when the exchange answers, and that no process outlives its `with` block.
"""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class SimulatorControl:
    """The /sim addresses of a running simulator, whoever started it."""

    def __init__(self, base_url: str | None = None) -> None:
        self._http: httpx.Client | None = None
        if base_url is not None:
            self.connect(base_url)

    def connect(self, base_url: str) -> None:
        """Speak to the simulator at this address from now on."""
        self.disconnect()  # nothing is encrypted on this machine: reading the certificates would take longest of all
        self._http = httpx.Client(base_url=base_url, trust_env=False, verify=False, timeout=60)

    def disconnect(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call under /sim; the decoded answer, or AssertionError with what the simulator said."""
        assert self._http is not None, "the simulator is not running"
        answer = self._http.request(method, f"/sim/{path}", json=body)
        assert answer.status_code == 200, f"/sim/{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def price(
        self,
        instrument: str,
        last: str | Decimal,
        mark: str | Decimal | None = None,
        index: str | Decimal | None = None,
    ) -> None:
        """Walk the price to `last`; mark and index follow unless they are given (USDT)."""
        body = {"instId": instrument, "last": str(last)}
        body |= {name: str(price) for name, price in (("mark", mark), ("index", index)) if price is not None}
        self.control("POST", "price", body)

    def market(self, source: str, instrument: str | None = None, **more: Any) -> None:
        """What moves the price from now on: walk, hold, script or mirror."""
        body = {"source": source, **more}
        self.control("POST", "market", body if instrument is None else body | {"instId": instrument})

    def clock(self, advance_seconds: float | None = None) -> str:
        """The exchange's time in ISO form, after moving it on by that many seconds."""
        if advance_seconds is None:
            return str(self.control("GET", "clock")["now"])
        return str(self.control("POST", "clock", {"advance_seconds": advance_seconds})["now"])

    def faults(self, *faults: dict[str, Any]) -> None:
        """Replace the active faults by these; none clears them."""
        if faults:
            self.control("POST", "faults", list(faults))
        else:
            self.control("DELETE", "faults")

    def fault_hits(self) -> list[int]:
        """How often each active fault struck, in the order they were given."""
        answer = self.control("GET", "faults")
        return [int(fault["hits"]) for fault in (answer["faults"] if isinstance(answer, dict) else answer)]

    def state(self) -> dict[str, Any]:
        """The whole truth, as no client sees it."""
        return dict(self.control("GET", "state"))

    def reset(self, **fresh: Any) -> None:
        """Everything fresh under the same keys; `seed` and `balance` may be given."""
        self.control("POST", "reset", fresh)

    def intervene(self, do: str, **what: Any) -> dict[str, Any]:
        """A person's hand in the account: close, cancel, place, place_algo, amend_algo, deposit, liquidate, adl."""
        return dict(self.control("POST", "intervene", {"do": do, **what}))

    def switches(self, **values: Any) -> dict[str, Any]:
        """Set these behaviours; the answer is the state of all of them."""
        if values:
            self.control("POST", "switches", values)
        return dict(self.control("GET", "switches"))

    def requests(self) -> dict[str, int]:
        """How many REST requests came in, by method and path, since the counters were last reset."""
        return dict(self.state()["requests"])

    def delay(self, milliseconds: int) -> None:
        """Hold every answer and push back by this much."""
        self.control("POST", "delay", {"ms": milliseconds})


class SimulatorProcess(SimulatorControl):
    """One running exchange on the loopback. Attributes after `start`: base_url, ws_url, okx (a dict of keys)."""

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: str = "stepped",
        state_dir: Path | str | None = None,
        candles: Mapping[str, Path | str] | None = None,
        balance: str | None = None,
        delay_ms: int = 0,
        start_at: str | None = None,
        speed: int | None = None,
        port: int = 0,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._own_state: tempfile.TemporaryDirectory[str] | None = None
        if state_dir is None:
            self._own_state = tempfile.TemporaryDirectory(prefix="simulator-")
            state_dir = self._own_state.name
        self.state_dir = Path(state_dir)
        self._arguments = ["--seed", str(seed), "--clock", clock, "--delay-ms", str(delay_ms)]
        if balance is not None:
            self._arguments += ["--balance", balance]
        if start_at is not None:
            self._arguments += ["--start", start_at]
        if speed is not None:
            self._arguments += ["--speed", str(speed)]
        for symbol, file in (candles or {}).items():
            self._arguments += ["--candles", f"{symbol}={file}"]
        self._arguments += list(options)
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    # -- the process

    def start(self) -> Self:
        """Start it and wait for its one line of JSON; RuntimeError with the end of its log where none comes."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "core.simulator", "--port", str(self._port)]
        command += ["--state", str(self.state_dir), *self._arguments]
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log)
        self.ready = json.loads(self._first_line())
        self._port = int(self.base_url.rsplit(":", 1)[1])  # a restart keeps the address its clients know
        self.connect(self.base_url)
        return self

    def _first_line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor, line, deadline = self._process.stdout.fileno(), b"", time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                waited_out = not selector.select(max(0.0, deadline - time.monotonic()))
                chunk = b"" if waited_out else os.read(descriptor, 65536)
                if not chunk:
                    self.kill9()
                    raise RuntimeError(f"the simulator did not start: {self.log()[-2000:]}")
                line += chunk
        return line

    @property
    def _log_file(self) -> Path:
        return self.state_dir / "simulator.log"

    def log(self) -> str:
        """Everything it wrote on standard error so far."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    def stop(self) -> None:
        """End it politely, or by force after ten seconds; the state folder stays unless it was made here."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reap()
        if self._own_state is not None:
            self._own_state.cleanup()

    def kill9(self) -> None:
        """End it as a power cut would: no warning, nothing flushed."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        self.disconnect()

    def restart(self) -> Self:
        """Start again on the same state folder and the same port (stop it first, where it still runs)."""
        if self._process is not None:
            self._process.terminate()
            self._reap()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what the ready line says

    @property
    def base_url(self) -> str:
        """http://127.0.0.1:PORT, where REST is served under /api/v5."""
        return str(self.ready["base_url"])

    @property
    def ws_url(self) -> str:
        """ws://127.0.0.1:PORT; streams are at /ws/v5/public, /private and /business under it."""
        return str(self.ready["ws_url"])

    @property
    def okx(self) -> dict[str, str]:
        """The trading key: api_key, secret, passphrase."""
        return dict(self.ready["okx"])

    @property
    def binance(self) -> dict[str, str]:
        """The trading key of the Binance account: api_key, secret."""
        return dict(self.ready["binance"])
