"""A thread that repeats one function, whatever errors it raises, until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.domain.errors import PerpdeckError

log = logging.getLogger("perpdeck.alerts")


class Repeating:
    """Repeats a function in a thread: an error is logged when it is new, and the call is repeated after its pause."""

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
        """Stop the thread; a call that waits for the network is left to end by itself."""
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
