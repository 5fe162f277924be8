"""What is wrong just now, as the database tells it: no stop-loss, no answer, nobody at the bot, an old snapshot.

Asked again and again; whoever asks remembers since when it is so. True of a bot in any process, also of one that is
dead and cannot tell it itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.alerts.messages import where_of
from core.domain.alert import AlertKind, AlertSettings, Condition
from core.domain.ids import meaning
from core.domain.order import Purpose
from core.domain.reason import Reason, code_of
from core.domain.snapshot import AccountSnapshot
from db.store import Store

AT_ONCE = timedelta(0)
NOBODY_FOR = timedelta(seconds=15)  #: a lease that changes hands takes up to ten seconds
PICTURE_OLD = timedelta(seconds=60)
HEARTBEAT_OLD = timedelta(seconds=20)  #: it comes every 2 s


def standing(store: Store, settings: AlertSettings, now: datetime) -> Iterator[Condition]:
    """Yield everything that is wrong with any account. Raises Unavailable."""
    for account in store.accounts.all():
        found = store.snapshots.latest(account.id)
        if found is not None:
            yield from _bare(found, timedelta(seconds=settings.bare_seconds))
        yield from _bot(store, account.id, found.as_of if found else None, now)
    patience = timedelta(seconds=settings.unresolved_seconds)
    for key, part, order, since in store.alerts.unresolved_placements():
        known, where = meaning(order), where_of(key.symbol, key.side, part)
        purpose = Reason(code_of(known.purpose if known else Purpose.FOREIGN))
        words = Reason("alert.no_answer", where=where, purpose=purpose, order=order, since=f"{since:%H:%M:%S} UTC")
        yield Condition(
            f"unresolved/{order}", AlertKind.UNRESOLVED, key.account, words, patience, since=since, part=part
        )


def _bare(snapshot: AccountSnapshot, patience: timedelta) -> Iterator[Condition]:
    for part in snapshot.held:
        if part.protected:
            continue
        open_ = part.size - part.stop_loss.covered
        words = Reason("alert.bare", where=where_of(part.symbol, part.side, part.name), open=open_, size=part.size)
        subject = f"bare/{snapshot.account}/{part.name}/{part.cycle}"
        yield Condition(subject, AlertKind.BARE, snapshot.account, words, patience, part=part.name)


def _bot(store: Store, account: str, as_of: datetime | None, now: datetime) -> Iterator[Condition]:
    row = store.bots.get(account)
    if not row.running:
        return
    if store.leases.current(account) is None:
        words = Reason("alert.nobody_at_the_bot")
        yield Condition(f"lease/{account}", AlertKind.LEASE, account, words, NOBODY_FOR)
        return
    age = None if as_of is None else now - as_of
    if age is not None and age > PICTURE_OLD:
        words = Reason("alert.old_look", age=age)
        yield Condition(f"picture/{account}", AlertKind.SENTINEL, account, words, AT_ONCE)
    beat = row.heartbeat_at
    if beat is not None and now - beat > HEARTBEAT_OLD:
        words = Reason("alert.no_sign_of_life", age=now - beat)
        yield Condition(f"heartbeat/{account}", AlertKind.SENTINEL, account, words, NOBODY_FOR)
