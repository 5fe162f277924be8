"""The listen key of the Binance account: one for all who listen, good for an hour after it was last asked for.

It lives in the engine, so that a restart does not forget it; the letters come with the command, because a run that is
repeated must find the same key.
"""

from collections.abc import Callable
from typing import Any

from core.simulator.engine.extension import Annex
from core.simulator.engine.state import Refusal

HOUR_MS = 3_600_000


class BinanceListen(Annex):
    """The key and its end."""

    name = "binance_listen"

    def begin(self) -> None:
        self.key = ""
        self.ends = 0

    def state(self) -> Any:
        return {"key": self.key, "ends": self.ends}

    def restore(self, state: Any) -> None:
        self.key, self.ends = state["key"], state["ends"]

    @property
    def commands(self) -> dict[str, Callable[..., Any]]:
        return {
            "binance_listen": self.make, "binance_listen_on": self.renew, "binance_listen_no_more": self.drop,
        }  # fmt: skip

    def make(self, letters: str) -> str:
        """The key that lives, good for another hour; these letters where none does."""
        self.moved_on(self.engine.now)
        self.key = self.key or letters
        self.ends = self.engine.now + HOUR_MS
        return self.key

    def renew(self) -> str:
        self.moved_on(self.engine.now)
        if not self.key:
            raise Refusal("listen_key")
        self.ends = self.engine.now + HOUR_MS
        return self.key

    def drop(self) -> None:
        """The key ends, and nobody is told."""
        self.key = ""

    def moved_on(self, now: int) -> None:
        if self.key and self.ends <= now:
            ended, self.key = self.key, ""
            self.engine.tell("listen_key_expired", ended)
