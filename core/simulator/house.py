"""One running exchange: the engine with its journal, its clock, its keys, and what the wires share."""

import json
import os
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

from core.simulator.clock import Clock
from core.simulator.engine import Engine
from core.simulator.journal import Journal

KEY_NAMES = {"okx": ("live", "read_only,trade"), "okx_read_only": ("live", "read_only"),
             "okx_withdraw": ("live", "read_only,trade,withdraw"), "okx_demo": ("demo", "read_only,trade")}  # fmt: skip


class House:
    """What every wire and the controls work with."""

    def __init__(self, engine: Engine, journal: Journal, clock: Clock) -> None:
        self.engine, self.journal, self.clock = engine, journal, clock
        self.keys = _keys(journal.folder / "keys.json")
        self.requests: Counter[str] = Counter()
        self.delay_seconds = 0.0
        self.mirror: Any = None

    def now(self) -> int:
        """The exchange's time in ms."""
        return self.clock.now(self.engine.now)

    def shown_now(self) -> int:
        """The time that the exchange tells its clients, which may be off on purpose."""
        return self.now() + int(float(self.engine.switches["clock_offset_seconds"]) * 1000)

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
    if file.exists():
        return dict(json.loads(file.read_text()))
    made = {
        name: {
            "api_key": str(_uuid()),
            "secret": secrets.token_hex(16).upper(),
            "passphrase": secrets.token_urlsafe(12),
        }
        for name in KEY_NAMES
    }
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        json.dump(made, target)
    return made


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
