"""A thread that does one thing again and again, whatever goes wrong with it, until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.domain.errors import PerpdeckError

log = logging.getLogger("perpdeck.alerts")


class Repeating:
    """Trouble is logged when it is new, and the work comes again after its pause."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._name, self._seconds, self._work = name, seconds, work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._trouble = ""

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stop.set()

    def stop(self, seconds: float = 1.0) -> None:
        """End it; work that waits for the wire is left behind, and ends there by itself."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._work()
                self._trouble = ""
            except PerpdeckError as trouble:
                if str(trouble) != self._trouble:
                    log.warning("%s: %s", self._name, trouble)
                self._trouble = str(trouble)
            except Exception as bug:  # a bug here must end neither the thread nor anything else
                if repr(bug) != self._trouble:
                    log.exception("%s failed", self._name)
                self._trouble = repr(bug)
            self._stop.wait(self._seconds)
