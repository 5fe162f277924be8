"""Makes alerts of new facts and present conditions.

It reads what the bot has written and nothing of the bot itself, so trading never waits for it, and a fact that was
written is told even if everything dies in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.alerts.conditions import standing
from core.alerts.messages import alerts_of
from core.alerts.summary import due, summaries
from core.clock import Clock
from core.domain.alert import AlertSettings
from db.store import Store

KEPT_FOR = timedelta(days=30)
TIDIED_EVERY = timedelta(hours=1)
BATCH = 1_000  #: that are let go of in one turn: none waits for them


class AlertGenerator:
    """Makes alerts, one turn after the other; in several processes at once each fact still becomes one alert."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._summed: datetime | None = None
        self._tidied: datetime | None = None

    def turn(self) -> int:
        """Make alerts of everything that is new; returns how many. Raises Unavailable."""
        now, kept = self._clock.now(), self._store.settings.all()
        settings = AlertSettings.of(kept)
        day = due(settings, now, zone_of(kept.get("time_zone")))
        wanted = [] if day is None or day == self._summed else list(summaries(self._store, day))
        stands = list(standing(self._store, settings, now))
        new = self._store.alerts.tell(alerts_of, stands, now, wanted)
        if new is None:
            return 0
        self._summed = day
        tidied = self._tidied is not None and now - self._tidied <= TIDIED_EVERY
        if not tidied and self._store.alerts.forget(now - KEPT_FOR, BATCH) < BATCH:
            self._tidied = now
        return new


def zone_of(name: object) -> ZoneInfo:
    """Return the dashboard's time zone; UTC where none is chosen, which on pages means the browser's."""
    try:
        return ZoneInfo(str(name)) if name else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
