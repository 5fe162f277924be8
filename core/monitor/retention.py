"""Deletes events and risk checks that are older than the settings say.

Facts never go: orders, fills, cycles, funding and what persons have asked for stay.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from core.domain.settings.trader import TraderSettings
from db.store import Store

log = logging.getLogger("perpdeck.retention")

BATCH = 5_000  #: rows of one statement: nobody waits long for it
MOST_BATCHES = 200  #: of one sweep; the rest goes with the next
EVERY_SECONDS = 3_600  #: often, so that one who starts anew each day lets go too


def sweep(store: Store, now: datetime, batch: int = BATCH) -> int:
    """Delete what is older than the settings say, batch by batch; returns how much. Raises Unavailable."""
    settings = TraderSettings.of_stored(store.settings.all())
    before, gone = now - timedelta(days=settings.events_keep_days), 0
    for _ in range(MOST_BATCHES):
        went = store.risk_checks.forget_events(before, batch)
        gone += went
        if not went:
            break
    if gone:
        log.info("let go of %s events and verdicts from before %s", gone, before.date())
    return gone
