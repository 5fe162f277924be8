"""After a move to another server by a dump: rows bear numbers of transactions that the new one reaches in years."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from core.alerts.messages import alerts_of
from db import migrate
from db.store import Store
from tests.db.repositories.test_history import ended
from tests.db.values import NOON, PAPER

HOUR = timedelta(hours=1)
FAR = 10**12


def move(store: Store) -> None:
    """A dump is brought here from a server that has seen far more transactions."""
    with store.transaction() as connection:
        for table in ("positions", "cycles", "orders", "execution_events", "alarms"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER mark_changed"))
            connection.execute(text(f"UPDATE {table} SET changed = {FAR} WHERE changed > 0"))
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER mark_changed"))
        connection.execute(text(f"UPDATE alert_cursors SET changed = {FAR}"))


def test_lives_that_ended_elsewhere_are_counted_once_and_for_all(store: Store, database_url: str) -> None:
    store.accounts.save(PAPER, None)
    part = ended(store, "a", NOON)
    move(store)
    migrate.upgrade(database_url)  # as at each start
    lives = store.metrics.counted_lives()
    assert ([one.part for one in lives.settled], lives.moving) == ([part], ())
    assert store.metrics.counted_lives(lives.cursor).settled == ()
    later = ended(store, "b", NOON + HOUR)
    assert [one.part for one in store.metrics.counted_lives(lives.cursor).settled] == [later]


def test_what_was_told_elsewhere_is_no_news_and_what_comes_is(store: Store, database_url: str) -> None:
    assert store.alerts.tell(alerts_of, (), NOON - HOUR) == 0
    ended(store, "a", NOON)
    assert store.alerts.tell(alerts_of, (), NOON) == 1
    assert store.alerts.forget(NOON + HOUR, 100) == 1, "a month has passed"
    move(store)
    assert store.alerts.tell(alerts_of, (), NOON + 2 * HOUR) == 0
    migrate.upgrade(database_url)  # or the backup marks the rows anew, while another process tells on
    assert store.alerts.tell(alerts_of, (), NOON + 2 * HOUR) == 0
    ended(store, "b", NOON + 3 * HOUR)
    assert store.alerts.tell(alerts_of, (), NOON + 3 * HOUR) == 1
