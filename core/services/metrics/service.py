"""Reads everything that `/metrics` shows at the time of the request: the past from the records, the present from the
bot's rows and snapshots. So it is true of a bot in any process, and over restarts.

Ended lives are counted once and remembered; reading on is cheap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from core.clock import Clock
from core.domain.account import Level
from core.domain.money import ZERO
from core.monitor.kill_switch import Facts
from core.services.metrics.counters import count
from core.services.metrics.gauges import told_by
from core.services.metrics.series import Bounded, Samples
from db.repositories.bots import SnapshotRepository
from db.repositories.equity import EquityRepository
from db.repositories.metrics import BEGINNING, MetricRepository, Standing

BATCH = 1000  #: ended lives that are read at once


class Metrics:
    """Reads the values of all metrics. Thread-safe. Raises Unavailable where the database does not answer."""

    def __init__(
        self,
        metrics: MetricRepository,
        snapshots: SnapshotRepository,
        equity: EquityRepository,
        clock: Clock,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._metrics, self._snapshots, self._equity, self.clock, self._stopwatch = (
            metrics,
            snapshots,
            equity,
            clock,
            stopwatch,
        )
        self._settled, self._cursor, self._bounded = Samples(), BEGINNING, Bounded()
        self._checked: dict[str, int] = {}  #: the newest risk check that was counted, by account
        self._peaks: dict[str, tuple[datetime | None, datetime, Decimal]] = {}  #: since, newest sample, highest
        self._lock = threading.Lock()

    def read(self) -> Samples:
        """Return all values of this moment."""
        with self._lock:
            began, standings = self._stopwatch(), self._metrics.standings()
            for one in standings:
                self._check(one)
            told = self._past()
            for one in standings:
                self._present(one, told)
            told.most("perpdeck_read_seconds", (), self._stopwatch() - began)
            return told

    def _past(self) -> Samples:
        while True:
            lives = self._metrics.counted_lives(self._cursor, BATCH)
            for life in lives.settled:
                count(life, self._settled, self._bounded)
            self._cursor = lives.cursor
            if not lives.more:
                break
        told = self._settled.copy()
        for life in lives.moving:
            count(life, told, self._bounded)
        return told

    def _check(self, one: Standing) -> None:
        """Count the risk checks that are new."""
        for name, times, newest in self._metrics.verdicts(one.account, self._checked.get(one.account, 0)):
            result = (self._bounded("check", name), "refused") if name else ("all", "passed")
            self._settled.add("perpdeck_risk_checks_total", (one.account, one.exchange, *result), times)
            self._checked[one.account] = max(newest, self._checked.get(one.account, 0))

    def _present(self, one: Standing, told: Samples) -> None:
        now, where = self.clock.now(), (one.account, one.exchange)
        found = self._snapshots.latest(one.account)
        equity = None
        if found is not None:
            told_by(found, where, now, told, self._bounded)
            told.most("perpdeck_picture_age_seconds", where, _age(found.as_of, now) or 0)
            equity = found.money.equity if found.money else None
        for name, value in self._figures(one, equity, now):
            if value is not None:
                told.most(name, where, value)
        for subject in one.alarms:
            told.add("perpdeck_alarms_open", (*where, self._bounded("kind", subject.partition("/")[0])))

    def _figures(
        self, one: Standing, equity: Decimal | None, now: datetime
    ) -> Iterator[tuple[str, Decimal | float | None]]:
        yield "perpdeck_level", Level(one.level).rank
        yield "perpdeck_bot_running", int(one.running)
        yield "perpdeck_heartbeat_age_seconds", _age(one.heartbeat_at, now)
        yield "perpdeck_lease_held", int(one.lease_held)
        yield "perpdeck_lease_epoch", one.epoch
        yield "perpdeck_unresolved_commands", one.unresolved
        yield "perpdeck_unresolved_age_seconds", _age(one.unresolved_since, now) or 0
        known = self._equity_facts(one, equity, now)
        yield "perpdeck_drawdown_ratio", None if known.drawdown is None else max(known.drawdown, ZERO)
        yield "perpdeck_daily_loss_ratio", known.daily_loss

    def _equity_facts(self, one: Standing, equity: Decimal | None, now: datetime) -> Facts:
        """Return what the loss guards know of the equity; the peak is carried on from the last read."""
        lowered, midnight = one.level_lowered_at, now.replace(hour=0, minute=0, second=0, microsecond=0)
        kept = self._peaks.get(one.account)
        if kept is not None and kept[0] != lowered:
            kept = None
        newer = self._metrics.highest_equity(one.account, kept[1] if kept else lowered)
        if newer is not None:
            kept = (lowered, newer[0], max(newer[1], kept[2]) if kept else newer[1])
            self._peaks[one.account] = kept
        day_start = self._equity.first(one.account, midnight if lowered is None else max(midnight, lowered))
        return Facts(equity, day_start, kept[2] if kept else None, 0, None, "", False)


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())
