"""What makes a run survive a power cut: every command is written down before it is carried out and answered.

The folder holds a snapshot of the engine and the commands since then; the same commands on the same state give the
same state again. A last line that was torn is one that nobody was answered for.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from core.simulator.engine.engine import Engine
from core.simulator.engine.state import Refusal, pack, unpack

COMPACT_AFTER = 5000


class Occupied(Exception):
    """Another process works on this folder."""


class Journal:
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
            self.engine.restore(unpack(kept["state"]))
        written = self._commands.read_bytes() if self._commands.exists() else b""
        whole, _, torn = written.rpartition(b"\n")
        for line in whole.splitlines():
            serial, command = json.loads(line)
            if serial > self.serial:
                self.serial = serial
                self._carry_out(command)
        if torn:
            self._commands.write_bytes(whole + b"\n" if whole else b"")
        return bool(whole) or self._snapshot.exists()

    def _carry_out(self, command: dict[str, Any]) -> None:
        try:
            self.engine.perform(command)
        except Refusal:
            return  # it was refused the first time too, and changed nothing

    def perform(self, command: dict[str, Any]) -> Any:
        """Write the command down, then carry it out; raises what the engine raises."""
        self.serial += 1
        self._lines.write(json.dumps([self.serial, command], separators=(",", ":")).encode() + b"\n")
        try:
            return self.engine.perform(command)
        finally:
            if self.serial % COMPACT_AFTER == 0 or command["do"] == "reset":
                self.compact()

    def compact(self) -> None:
        """Write the state down whole and forget the commands that led to it."""
        fresh = self._snapshot.with_suffix(".fresh")
        fresh.write_text(json.dumps({"serial": self.serial, "state": pack(self.engine.state())}))
        os.replace(fresh, self._snapshot)
        self._lines.truncate(0)

    def close(self) -> None:
        self.compact()
        self._lines.close()
        self._lock.close()
