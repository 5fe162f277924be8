"""Request weights of Binance's endpoints, and the budget of weight and orders.

Weight is counted per IP address and minute, orders per account. Binance tells its own count with every answer, and
that count is believed. Whoever is told to stop stops altogether: going on turns a pause into a ban.
Source: Binance USD-M docs, general info (limits) and the page of each endpoint.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from core.exchange.rest import Priority
from core.exchange.throttle import Limit

MINUTE_SECONDS = 60
USUAL_WEIGHT = 2400  #: a minute, live; demo allows more. The true one is read with the contracts
SHORT_STOP = timedelta(seconds=10)  #: the window in which orders are counted; also after a firewall's refusal
PATIENCE_SECONDS = 2.0  #: the longest wait for weight; what needs longer is asked for another time
TRICKLE = 1.0  #: weight a second that looks may take of what is kept for orders, so that nobody goes blind
TRICKLE_MOST = 20  #: as much as that at once: a look, with money and settings of the account
FIRST_STOP = timedelta(seconds=60)  #: where a refusal for haste does not say until when

ORDER_LIMITS = {"orders 10s": Limit(300, 10), "orders 1m": Limit(1200, 60)}  #: per account
PLACES = frozenset({"POST order", "PUT order", "POST algoOrder"})  #: what counts as an order


#: how much of a minute's weight requests of a priority may use up, in per cent; looks go on beyond their share, slowly
SHARE_PERCENT: Mapping[Priority, int] = {Priority.HISTORY: 50, Priority.LOOK: 85, Priority.WRITE: 100}

_WITH_AND_WITHOUT_SYMBOL: Mapping[str, tuple[int, int]] = {
    "GET openOrders": (1, 40),
    "GET openAlgoOrders": (1, 40),
    "GET premiumIndex": (1, 10),
    "GET ticker/price": (1, 2),
    "GET ticker/bookTicker": (2, 5),
    "GET ticker/24hr": (1, 40),
}
_WEIGHT: Mapping[str, int] = {
    "POST order": 0,
    "POST order/test": 0,
    "PUT order": 0,
    "POST algoOrder": 0,
    "GET account": 5,
    "GET positionRisk": 5,
    "GET accountConfig": 5,
    "GET symbolConfig": 5,
    "GET userTrades": 5,
    "GET allOrders": 5,
    "GET allAlgoOrders": 5,
    "GET commissionRate": 20,
    "GET income": 30,
}  #: all others weigh 1
_CANDLES = ((99, 1), (499, 2), (1000, 5))  #: up to so many bars, so much


def weight_of(endpoint: str, parameters: Mapping[str, Any]) -> int:
    """Return the weight of one request, `endpoint` as "GET openOrders"."""
    if endpoint in _WITH_AND_WITHOUT_SYMBOL:
        return _WITH_AND_WITHOUT_SYMBOL[endpoint]["symbol" not in parameters]
    if endpoint == "GET klines":
        bars = int(parameters.get("limit", 500))
        return next((weight for most, weight in _CANDLES if bars <= most), 10)
    return _WEIGHT.get(endpoint, 1)


class Budget:
    """The weight budget of one IP address; clients of several accounts share it. Thread-safe.

    Times are Binance's, which each client knows; its minutes begin at :00.
    """

    def __init__(self, most: int = USUAL_WEIGHT, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.most = most
        self._sleep = sleep
        self._lock = threading.Lock()
        self._minute = 0
        self._used = 0
        self._under_way = 0
        self._trickle, self._trickled_at = float(TRICKLE_MOST), 0.0
        self._stopped_until: datetime | None = None

    def take(self, weight: int, priority: Priority, now: Callable[[], datetime]) -> float:
        """Take that much, waiting a little if need be; returns 0: send now, else the seconds after which to try again.

        Every request that was let through ends with `answered`.
        """
        waited = 0.0
        while (wait_seconds := self._try(weight, priority, now())) > 0:
            if waited + wait_seconds > PATIENCE_SECONDS:
                return wait_seconds
            self._sleep(wait_seconds)
            waited += wait_seconds
        return 0.0

    def _try(self, weight: int, priority: Priority, now: datetime) -> float:
        with self._lock:
            if self._stopped_until is not None and now < self._stopped_until:
                return (self._stopped_until - now).total_seconds()
            self._turn(now)
            if weight and self._used + self._under_way + weight > self.most * SHARE_PERCENT[priority] // 100:
                wait_seconds = MINUTE_SECONDS - now.timestamp() % MINUTE_SECONDS
                if priority is Priority.LOOK:
                    wait_seconds = min(wait_seconds, self._trickles(weight, now.timestamp()))
                if wait_seconds > 0:
                    return wait_seconds
            self._under_way += weight
            return 0.0

    def _trickles(self, weight: int, now: float) -> float:
        """Take from what is reserved for orders, at a slow rate; returns 0, or the seconds until there is so much of
        it.
        """
        self._trickle = min(self._trickle + max(now - self._trickled_at, 0.0) * TRICKLE, float(TRICKLE_MOST))
        self._trickled_at = now
        if weight > self._trickle:
            return (weight - self._trickle) / TRICKLE
        self._trickle -= weight
        return 0.0

    def _turn(self, now: datetime) -> None:
        minute = int(now.timestamp()) // MINUTE_SECONDS
        if minute != self._minute:
            self._minute, self._used = minute, 0

    def answered(self, weight: int, told: int | None, now: datetime) -> None:
        """Note that a request is over. `told`: what Binance says was used in this minute, None where it said
        nothing.
        """
        with self._lock:
            self._turn(now)
            self._under_way -= weight
            self._used = self._used + weight if told is None else told

    def stop(self, until: datetime) -> None:
        """Send nothing before `until`; a later end that was set already stands."""
        with self._lock:
            if self._stopped_until is None or until > self._stopped_until:
                self._stopped_until = until

    def has_room(self, weight: int, now: datetime) -> bool:
        """Return whether looks may use so much at once now without going beyond their share."""
        return self.used(now) + weight <= self.most * SHARE_PERCENT[Priority.LOOK] // 100

    def used(self, now: datetime) -> int:
        """Return the weight used in this minute, requests under way included."""
        with self._lock:
            self._turn(now)
            return self._used + self._under_way
