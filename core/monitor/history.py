"""Reads the exchange's history into the database: fills, funding and closed positions, window by window, from a stored
cursor.

The cursor moves only after a window is wholly in the ledger, so an end in the middle costs one window and nothing
else. Each fact is kept once, however often it is read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from core.domain.errors import PerpdeckError
from core.monitor.guard import AccountGuard

log = logging.getLogger("perpdeck.history")

AS_FAR_BACK = timedelta(days=89)  #: three months at their shortest; the exchange keeps no more
WINDOW = timedelta(days=7)
OVERLAP = timedelta(hours=1)  #: an exchange may tell of something a while after it happened

Window = tuple[datetime, datetime | None]  #: None: up to now


def windows(reached: datetime | None, now: datetime) -> Iterator[Window]:
    """Return the spans of time that are to be read, oldest first; the last one is open at its end."""
    earliest = now - AS_FAR_BACK
    begin = earliest if reached is None else max(reached - OVERLAP, earliest)
    while now - begin > WINDOW:
        yield begin, begin + WINDOW
        begin += WINDOW
    yield begin, None


def bring_home(guard: AccountGuard) -> None:
    """Read what is new since the last time. Raises Unavailable; what was read until then is kept, and so is why."""
    account, store, clock = guard.account.id, guard.store, guard.clock
    began = clock.now()
    spans = list(windows(store.history.sync_state(account).reached, began))
    store.history.note_sync(account, began_at=began, done=0, of=len(spans), trouble=None)
    try:
        for done, (since, until) in enumerate(spans, 1):
            new = _bring(guard, since, until)
            store.history.note_sync(account, done=done, reached=min(until or began, began))
            log.info("history account=%s since=%s new=%d", account, since.isoformat(), new)
    except PerpdeckError as trouble:
        store.history.note_sync(account, trouble=trouble.reason)
        raise
    store.history.note_sync(account, ended_at=clock.now())


def _bring(guard: AccountGuard, since: datetime, until: datetime | None) -> int:
    """Read one window into the database; returns how many facts were new."""
    account, port = guard.account.id, guard.port
    new = guard.recorder.record_fills(account, port.fills(since, until))
    new += guard.recorder.record_funding(account, port.funding(since, until))
    return new + guard.store.history.record_lives(account, port.closed_positions(since, until))
