"""The journal that makes a run survive a power cut: each command is written down before it is carried out and answered.

The folder holds a snapshot of the engine and the commands since then; the same commands on the same state give the
same state again. A last line that was torn is one that nobody was answered for.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from core.simulator.engine.commands import EngineCommand, Reset, Result, read_command
from core.simulator.engine.engine import Engine
from core.simulator.engine.state import Refusal, pack, unpack

COMPACT_AFTER = 5000


class Occupied(Exception):
    """Raised where another process works on this folder."""


class CommandJournal:
    """The engine's commands on disk, in a folder that one process owns at a time."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.engine = folder, engine
        self._lock = (folder / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Occupied(f"another simulator already works on the state in {folder}") from None
        self.serial = 0
        self.resumed = self._load()
        self._lines: BinaryIO = self._commands.open("ab", buffering=0)

    @property
    def _commands(self) -> Path:
        return self.folder / "commands.jsonl"

    @property
    def _snapshot(self) -> Path:
        return self.folder / "snapshot.json"

    def _load(self) -> bool:
        if self._snapshot.exists():
            kept = json.loads(self._snapshot.read_text())
            self.serial = kept["serial"]
            self.engine.restore(upgraded(unpack(kept["state"])))
        written = self._commands.read_bytes() if self._commands.exists() else b""
        whole, _, torn = written.rpartition(b"\n")
        for line in whole.splitlines():
            serial, row = json.loads(line)
            if serial > self.serial:
                self.serial = serial
                self._carry_out(read_command(row, self.engine.kinds))
        if torn:
            self._commands.write_bytes(whole + b"\n" if whole else b"")
        return bool(whole) or self._snapshot.exists()

    def _carry_out(self, command: EngineCommand[Any]) -> None:
        try:
            self.engine.perform(command)
        except Refusal:
            return  # it was refused the first time too, and changed nothing

    def perform(self, command: EngineCommand[Result]) -> Result:
        """Write the command down, carry it out and return its answer; raises what the engine raises."""
        self.serial += 1
        line = json.dumps([self.serial, command.written()], separators=(",", ":"))
        self._lines.write(line.encode() + b"\n")
        try:
            return self.engine.perform(command)
        finally:
            if self.serial % COMPACT_AFTER == 0 or isinstance(command, Reset):
                self.compact()

    def compact(self) -> None:
        """Write the state down whole and forget the commands that led to it."""
        fresh = self._snapshot.with_suffix(".fresh")
        fresh.write_text(json.dumps({"serial": self.serial, "state": pack(self.engine.state())}))
        os.replace(fresh, self._snapshot)
        self._lines.truncate(0)

    def close(self) -> None:
        """Write the state down and let the folder go."""
        self.compact()
        self._lines.close()
        self._lock.close()


EXTENSIONS_BEFORE = {
    "binance_orders": "binance_orders",
    "binance_algos": "binance_algo_orders",
    "binance_listen": "binance_listen_key",
}


def upgraded(state: dict[str, Any]) -> dict[str, Any]:
    """Return a snapshot's state in the present layout; in the first one OKX's algos lay beside the engine's own."""
    if "extensions" in state:
        return state
    before = state.get("annexes", {})
    extensions = {now: before[name] for name, now in EXTENSIONS_BEFORE.items() if name in before}
    extensions |= {"okx_orders": {"countdowns": state["dead_man"]}, "okx_algo_orders": {"algos": state["algos"]}}
    delayed = [{"do": "later", "at": at, "command": command} for at, command in state["delayed"]]
    return state | {"behaviour": state["switches"], "delayed": delayed, "extensions": extensions}
