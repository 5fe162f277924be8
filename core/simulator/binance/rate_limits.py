"""The rate limits of the Binance side: request weight per minute, new orders per 10 s and minute, 429 and then 418.

Counts by the exchange's time where time is stepped, else by the machine's. With the switch `rate_limits` off nothing
is refused and the header tells the weight of the one request.
"""

import time
from collections import deque
from typing import Any

from core.simulator.binance.errors import BinanceError
from core.simulator.runtime import Runtime

MINUTE_MS, TEN_SECONDS_MS = 60_000, 10_000


def weight_limit(behaviour: dict[str, Any]) -> int:
    """Return the request weight of a minute: as chosen, else what the live or the demo side has."""
    return int(behaviour["binance_weight_limit"] or {"live": 2400, "demo": 6000}[behaviour["binance_flavour"]])


class BinanceLimits:
    """The counters of one address and one account."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.total = 0  # all weight ever spent, for measurements
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self._weights: deque[tuple[float, int]] = deque()
        self._orders: deque[tuple[float, int]] = deque()
        self._refused = 0
        self._banned_until = 0.0

    def _now(self) -> float:
        return float(self.runtime.exchange.now) if self.runtime.clock.kind == "stepped" else time.time() * 1000

    def _spent(self, window: deque[tuple[float, int]], milliseconds: int) -> int:
        now = self._now()
        while window and window[0][0] <= now - MINUTE_MS:
            window.popleft()
        return sum(amount for at, amount in window if at > now - milliseconds)

    def admit(self, weight: int, remote: str) -> dict[str, str]:
        """Count a request and return the headers its answer bears; BinanceError 429 or 418 where there are too many."""
        self.total += weight
        behaviour, now = self.runtime.exchange.behaviour, self._now()
        if not behaviour["rate_limits"]:
            return {"X-MBX-USED-WEIGHT-1M": str(weight)}
        if now < self._banned_until:
            raise self._banned(remote)
        self._weights.append((now, weight))
        used, most = self._spent(self._weights, MINUTE_MS), weight_limit(behaviour)
        if used <= most:
            self._refused = 0
            return {"X-MBX-USED-WEIGHT-1M": str(used)}
        self._refused += 1
        if self._refused > int(behaviour["binance_ban_after"]):
            self._banned_until = now + float(behaviour["binance_ban_seconds"]) * 1000
            raise self._banned(remote)
        words = (
            f"Too many requests; current limit of IP({remote}) is {most} requests per minute. Please use the websocket"
        )
        raise BinanceError(-1003, f"{words} for live updates to avoid polling the API.", 429)

    def header(self) -> dict[str, str]:
        """Return the weight header of an answer that was refused before it was counted."""
        used = self._spent(self._weights, MINUTE_MS) if self.runtime.exchange.behaviour["rate_limits"] else 0
        return {"X-MBX-USED-WEIGHT-1M": str(used)}

    def _banned(self, remote: str) -> BinanceError:
        words = (
            f"Way too many requests; IP({remote}) banned until {int(self._banned_until)}. Please use the websocket for"
        )
        return BinanceError(-1003, f"{words} live updates to avoid bans.", 418)

    def counts(self) -> tuple[int, int, int]:
        """Return the weight spent in a minute, and the new orders in 10 s and in a minute."""
        short, long = self._spent(self._orders, TEN_SECONDS_MS), self._spent(self._orders, MINUTE_MS)
        return self._spent(self._weights, MINUTE_MS), short, long

    def admit_orders(self, count: int) -> dict[str, str]:
        """Count new orders and return the headers; BinanceError -1015 where there are too many."""
        behaviour = self.runtime.exchange.behaviour
        self._orders.append((self._now(), count))
        short, long = self._spent(self._orders, TEN_SECONDS_MS), self._spent(self._orders, MINUTE_MS)
        if behaviour["rate_limits"]:
            for used, name, words in (
                (short, "binance_orders_10s", "10 SECOND"), (long, "binance_orders_1m", "1 MINUTE")
            ):  # fmt: skip
                if used > int(behaviour[name]):
                    self._orders.pop()
                    raise BinanceError(
                        -1015, f"Too many new orders; current limit is {behaviour[name]} orders per {words}.", 429
                    )
        return {"X-MBX-ORDER-COUNT-10S": str(short), "X-MBX-ORDER-COUNT-1M": str(long)}
