"""The daily summary: one sentence for each account, at a time of day of the trader's choice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.domain.alert import Alert, AlertKind, AlertSettings
from core.domain.intent import ExitReason
from core.domain.money import total
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot
from db.records import Only
from db.store import Store

LATE = timedelta(hours=6)  #: a bot that was away tells it afterwards, but not the next day
MOST_CYCLES = 10_000


def due(settings: AlertSettings, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the time of the newest summary where it has come and is not long past; it may lie before midnight."""
    if settings.summary_at is None:
        return None
    today = now.astimezone(zone).date()
    moments = (datetime.combine(day, settings.summary_at, zone) for day in (today, today - timedelta(days=1)))
    return next((at for at in moments if at <= now < at + LATE), None)


def summaries(store: Store, at: datetime) -> Iterator[Alert]:
    """Yield one summary for each account, of the day that ends at this moment. Raises Unavailable."""
    for account in store.accounts.all():
        found = store.snapshots.latest(account.id)
        cycles = store.history.cycles(account.id, limit=MOST_CYCLES, only=Only(since=at - timedelta(days=1), until=at))
        ended = [cycle for cycle in cycles if cycle.reason is not ExitReason.NOT_ENTERED]
        if found is None and not ended:
            continue
        won, net = sum(cycle.net > 0 for cycle in ended), total(cycle.net for cycle in ended)
        fees = total(cycle.fees for cycle in ended)
        past = Reason("summary.past", ended=len(ended), won=won, net=net, fees=fees)
        words = past if found is None else Reason("summary.past_and_now", past=past, now=_now(found))
        key = f"summary/{account.id}/{at:%Y-%m-%d}"
        yield Alert(key, AlertKind.SUMMARY, account.id, key, words, at)


def _now(snapshot: AccountSnapshot) -> Reason:
    """Return the account's present state from its snapshot."""
    guarded = snapshot.protection
    if snapshot.money is None:
        return Reason("summary.now_without_equity", protected=guarded.protected, parts=guarded.parts)
    return Reason("summary.now", equity=snapshot.money.equity, protected=guarded.protected, parts=guarded.parts)
