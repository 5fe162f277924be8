"""One running exchange: the engine with both sides, its journal, clock and keys, and what the wires share."""

import json
import os
import secrets
import string
from collections import Counter
from pathlib import Path

from core.simulator.binance.engine.context import BinanceContext
from core.simulator.clock import SimulatorClock
from core.simulator.engine.commands import Advance, EngineCommand, Result
from core.simulator.engine.components import Components
from core.simulator.engine.engine import Engine
from core.simulator.engine.exchange import Setup
from core.simulator.journal import CommandJournal
from core.simulator.okx.engine.context import OkxContext

KEY_NAMES = {"okx": ("live", "read_only,trade"), "okx_read_only": ("live", "read_only"),
             "okx_withdraw": ("live", "read_only,trade,withdraw"), "okx_demo": ("demo", "read_only,trade")}  # fmt: skip

BINANCE_KEY_NAMES = ("binance", "binance_read_only")


class PutOff(Exception):
    """A command was put off by a fault, so that its request is never answered."""


class Sides:
    """The engine of a new run, composed with what each wire adds to it."""

    def __init__(self, setup: Setup) -> None:
        components = Components.of(setup)
        self.okx, self.binance = OkxContext(components), BinanceContext(components)
        self.engine = Engine(components, (*self.okx.extensions, *self.binance.extensions))


class Runtime:
    """The parts that every wire and the controls share: both sides of the engine, journal, clock, keys and counters."""

    def __init__(self, sides: Sides, journal: CommandJournal, clock: SimulatorClock) -> None:
        self.okx, self.binance, self.exchange = sides.okx, sides.binance, sides.engine.exchange
        self.journal, self.clock = journal, clock
        self.keys = _keys(journal.folder / "keys.json")
        self.requests: Counter[str] = Counter()
        self.delay_seconds = 0.0
        self.book_numbers: Counter[str] = Counter()  # how often each instrument's book has changed

    def now(self) -> int:
        """Return the exchange's time (ms)."""
        return self.clock.now(self.exchange.now)

    def shown_now(self) -> int:
        """Return the time (ms) that the exchange tells its clients, which may be off on purpose."""
        return self.now() + int(float(self.exchange.behaviour["clock_offset_seconds"]) * 1000)

    def book_number(self, symbol: str) -> int:
        """Return the number of that instrument's book as it is now."""
        return 1_000_000 + self.book_numbers[symbol]

    def perform(self, command: EngineCommand[Result]) -> Result:
        """Bring the time up to now, carry the command out and return its answer; Refusal where the exchange says no."""
        self.tick()
        return self.journal.perform(command)

    def tick(self) -> None:
        """Let the time that has passed take effect."""
        to = self.now()
        if to > self.exchange.now:
            self.journal.perform(Advance(to, fine=to - self.exchange.now <= 2000))


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
