"""The listen key of the Binance account: one for all who listen, good for an hour after it was last asked for.

It is kept by the engine, so that a restart does not forget it; the letters come with the command, because a run that
is repeated must find the same key.
"""

from decimal import Decimal
from typing import Any

from core.simulator.binance.engine.commands import BinanceDropListenKey, BinanceMakeListenKey, BinanceRenewListenKey
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.extension import Extension, Handlers
from core.simulator.engine.state import Refusal

HOUR_MS = 3_600_000


class BinanceListenKey(Extension):
    """The listen key and its end."""

    name = "binance_listen_key"

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange
        self.key, self.ends = "", 0

    @property
    def handlers(self) -> Handlers:
        """Return what carries out each command of the listen key."""
        return {
            BinanceMakeListenKey: self.make, BinanceRenewListenKey: self.renew, BinanceDropListenKey: self.drop
        }  # fmt: skip

    def begin(self, balance: Decimal | None) -> None:
        """Forget the key."""
        self.key, self.ends = "", 0

    def state(self) -> Any:
        """Return the key and its end (ms)."""
        return {"key": self.key, "ends": self.ends}

    def restore(self, state: Any) -> None:
        """Go on with that key."""
        self.key, self.ends = state["key"], state["ends"]

    def make(self, command: BinanceMakeListenKey) -> str:
        """Return the key that lives, good for another hour; the letters of the command where none does."""
        self.after_step(self.exchange.now)
        self.key = self.key or command.letters
        self.ends = self.exchange.now + HOUR_MS
        return self.key

    def renew(self, command: BinanceRenewListenKey) -> str:
        """Return the key, good for another hour; Refusal where none lives."""
        self.after_step(self.exchange.now)
        if not self.key:
            raise Refusal("listen_key")
        self.ends = self.exchange.now + HOUR_MS
        return self.key

    def drop(self, command: BinanceDropListenKey) -> None:
        """End the key, and tell nobody."""
        self.key = ""

    def after_step(self, now: int) -> None:
        """End the key where its hour is over at this time (ms)."""
        if self.key and self.ends <= now:
            ended, self.key = self.key, ""
            self.exchange.publish("listen_key_expired", ended)
