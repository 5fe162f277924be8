"""One running exchange: the engine with its journal, its clock, its keys, and what the wires share."""

import json
import os
import secrets
import string
from collections import Counter
from pathlib import Path
from typing import Any

from core.simulator.clock import Clock
from core.simulator.engine.engine import Engine
from core.simulator.journal import Journal

KEY_NAMES = {"okx": ("live", "read_only,trade"), "okx_read_only": ("live", "read_only"),
             "okx_withdraw": ("live", "read_only,trade,withdraw"), "okx_demo": ("demo", "read_only,trade")}  # fmt: skip

BINANCE_KEY_NAMES = ("binance", "binance_read_only")


class House:
    """What every wire and the controls work with."""

    def __init__(self, engine: Engine, journal: Journal, clock: Clock) -> None:
        self.engine, self.journal, self.clock = engine, journal, clock
        self.keys = _keys(journal.folder / "keys.json")
        self.requests: Counter[str] = Counter()
        self.delay_seconds = 0.0
        self.book_numbers: Counter[str] = Counter()  # how often each instrument's book has changed
        self.mirror: Any = None

    def now(self) -> int:
        """The exchange's time in ms."""
        return self.clock.now(self.engine.now)

    def shown_now(self) -> int:
        """The time that the exchange tells its clients, which may be off on purpose."""
        return self.now() + int(float(self.engine.switches["clock_offset_seconds"]) * 1000)

    def book_number(self, symbol: str) -> int:
        """The number of that instrument's book as it is now."""
        return 1_000_000 + self.book_numbers[symbol]

    def perform(self, command: dict[str, Any]) -> Any:
        """Bring the time up to now, then carry the command out; Refusal where the exchange says no."""
        self.tick()
        return self.journal.perform(command)

    def tick(self) -> None:
        """Let the time that has passed take effect."""
        to = self.now()
        if to > self.engine.now:
            self.journal.perform({"do": "advance", "to": to, "fine": to - self.engine.now <= 2000})


def _keys(file: Path) -> dict[str, dict[str, str]]:
    """The keys of this state folder, made up when they are first asked for."""
    known: dict[str, dict[str, str]] = json.loads(file.read_text()) if file.exists() else {}
    okx = [name for name in KEY_NAMES if name not in known]
    binance = [name for name in BINANCE_KEY_NAMES if name not in known]
    if not okx and not binance:
        return known
    for name in okx:
        known[name] = {
            "api_key": str(_uuid()),
            "secret": secrets.token_hex(16).upper(),
            "passphrase": secrets.token_urlsafe(12),
        }
    for name in binance:
        known[name] = {"api_key": _letters(64), "secret": _letters(64)}
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        json.dump(known, target)
    return known


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
