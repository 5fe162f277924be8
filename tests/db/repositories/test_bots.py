"""Switch, lease, settings, board, notes: what one process writes and another one acts on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from queue import Empty, Queue
from threading import Event as StopEvent
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text as sa_text
from sqlalchemy.exc import StatementError

from core.domain.account import Level
from core.domain.action import Rule
from core.domain.errors import Unavailable
from core.domain.intent import Wanted
from core.domain.reason import Reason, text
from core.domain.snapshot import Explanation
from db.connection import CONNECTED
from db.records import Alarm, BotRow, Event
from db.repositories.bots import NEVER_STARTED
from db.store import Store
from tests.db.values import ACCOUNT, LONG, NOON, PAPER, draft
from tests.pages.samples.snapshot import DEMO, empty_snapshot, sample_snapshot, with_part

SOON = NOON + timedelta(seconds=5)


@pytest.fixture
def heard(store: Store) -> Iterator[Queue[dict[str, Any]]]:
    """Notes as a listener in a thread of its own hears them; it is connected already."""
    notes: Queue[dict[str, Any]] = Queue()
    stop = StopEvent()
    thread = Thread(target=store.listen, args=(notes.put, stop))
    thread.start()
    assert notes.get(timeout=5) == CONNECTED
    yield notes
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_bot_that_was_never_started_says_so(store: Store) -> None:
    assert store.bots.get(ACCOUNT) == BotRow(ACCOUNT, False, False, Level.RUN, None, "", NEVER_STARTED, None)


def test_the_switch_and_the_level_keep_who_and_why(store: Store) -> None:
    store.bots.set_running(ACCOUNT, True, by="ayla", why="good morning", manually=False)
    store.bots.set_level(ACCOUNT, Level.NO_NEW_ENTRIES, by="can", why="news at noon")
    store.bots.heartbeat(ACCOUNT, NOON)
    bot = store.bots.get(ACCOUNT)
    assert (bot.running, bot.changed_by, str(bot.why)) == (True, "ayla", "good morning")
    assert (bot.level, bot.level_by, str(bot.level_why)) == (Level.NO_NEW_ENTRIES, "can", "news at noon")
    assert bot.heartbeat_at == NOON
    assert [(str(event.because), str(event.action)) for event in store.events.find(ACCOUNT)] == [
        ("asked by can: news at noon", "level no new entries"),
        ("asked by ayla: good morning", "start the bot"),
    ]


def test_stopped_by_a_person_stays_noted_until_it_is_started(store: Store) -> None:
    store.bots.set_running(ACCOUNT, False, by="ayla", why="", manually=True)
    store.bots.set_running(ACCOUNT, False, by="restart", why="not started since the bot came up", manually=False)
    assert store.bots.get(ACCOUNT).manually_stopped
    store.bots.set_running(ACCOUNT, True, by="ayla", why="", manually=True)
    assert not store.bots.get(ACCOUNT).manually_stopped


def test_a_lease_has_one_holder_and_a_new_epoch_each_time(store: Store) -> None:
    assert store.leases.current(ACCOUNT) is None
    assert store.leases.acquire(ACCOUNT, "here", 60) == 1
    assert store.leases.acquire(ACCOUNT, "there", 60) is None
    held = store.leases.current(ACCOUNT)
    assert held is not None
    assert (held.holder, held.epoch) == ("here", 1)
    assert store.leases.renew(ACCOUNT, "here", 1, 60)
    assert not store.leases.renew(ACCOUNT, "there", 1, 60)
    assert not store.leases.renew(ACCOUNT, "here", 2, 60)
    store.leases.release(ACCOUNT, "there", 1)
    assert store.leases.current(ACCOUNT) is not None
    store.leases.release(ACCOUNT, "here", 1)
    assert store.leases.current(ACCOUNT) is None
    assert store.leases.acquire(ACCOUNT, "there", 60) == 2
    assert not store.leases.renew(ACCOUNT, "here", 1, 60)


def test_a_lease_that_ran_out_by_the_databases_clock_is_free(store: Store) -> None:
    assert store.leases.acquire(ACCOUNT, "here", 0) == 1
    assert not store.leases.renew(ACCOUNT, "here", 1, 60)
    assert store.leases.acquire(ACCOUNT, "there", 60) == 2


def test_settings_come_back_with_their_types(store: Store) -> None:
    given = {
        "check_seconds": 60,
        "max_order_value": Decimal("2500.50"),
        "recovery_enabled": False,
        "recovery_max_steps": None,
        "reopen_after": ["take_profit", "stop_loss"],
        "tiny": Decimal("1E-30"),
    }
    for key, value in given.items():
        store.settings.set(key, value, by="ayla")
    store.settings.set("check_seconds", 30, by="ayla")
    found = store.settings.all()
    assert found == {**given, "check_seconds": 30}
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in given.items()}


def test_the_newest_snapshot_of_each_account_is_read_back_exactly(store: Store, database_url: str) -> None:
    assert store.snapshots.latest(ACCOUNT) is None
    why = Reason("range.outside", value=Decimal("1.50"), field=Reason("field.contracts"), allowed=(NOON, SOON - NOON))
    explained = (Explanation(Rule.PROTECT, why, None),)
    newest, other = with_part(sample_snapshot(), "00a7k2", why=explained), empty_snapshot(DEMO, as_of=NOON)
    store.snapshots.put(replace(newest, as_of=NOON, parts=()))
    store.snapshots.put(newest)
    store.snapshots.put(other)
    another = Store.open(database_url)  # a process of its own has to decode what it reads
    for reader in (store, another):
        assert reader.snapshots.latest(newest.account) == newest
        assert reader.snapshots.latest(other.account) == other, "one account's snapshot leaves the other's alone"
    another.close()


@pytest.mark.parametrize(
    "of_another_version",
    ["'{}'", "'[]'", "picture - 'parts'", "jsonb_set(picture, '{parts,0,size}', '\"much\"')"],
    ids=["empty", "no object", "a field that is missing", "a value that is not known"],
)
def test_a_snapshot_of_another_version_counts_as_none_until_the_bot_writes_a_new_one(
    store: Store, of_another_version: str, caplog: pytest.LogCaptureFixture
) -> None:
    snapshot = sample_snapshot()
    assert not store.snapshots.unreadable(snapshot.account)
    store.snapshots.put(snapshot)
    with store.one_statement() as connection:
        connection.execute(sa_text(f"UPDATE board SET picture = {of_another_version}"))
    assert store.snapshots.latest(snapshot.account) is None
    assert store.snapshots.unreadable(snapshot.account)
    assert f"the snapshot of {snapshot.account} is of another version" in caplog.text
    store.snapshots.put(snapshot)
    assert store.snapshots.latest(snapshot.account) == snapshot


def test_a_field_that_a_newer_version_has_added_is_passed_over(store: Store) -> None:
    snapshot = sample_snapshot()
    store.snapshots.put(snapshot)
    with store.one_statement() as connection:
        connection.execute(sa_text("UPDATE board SET picture = picture || '{\"news\": 1}'"))
    assert store.snapshots.latest(snapshot.account) == snapshot


def test_an_alarm_is_new_once_until_it_has_passed(store: Store) -> None:
    assert store.alarms.raise_alarm(ACCOUNT, "residual/x", "3 contracts more", NOON)
    assert not store.alarms.raise_alarm(ACCOUNT, "residual/x", "4 contracts more", SOON)
    assert store.alarms.raise_alarm(ACCOUNT, "sentinel-stale/x", "the last look was 40 s ago", SOON)
    assert store.alarms.raise_alarm("demo", "residual/x", "1 contract more", NOON)
    assert store.alarms.open(ACCOUNT) == [
        Alarm(ACCOUNT, "sentinel-stale/x", text("the last look was 40 s ago"), SOON),
        Alarm(ACCOUNT, "residual/x", text("4 contracts more"), NOON),
    ]
    store.alarms.clear(ACCOUNT, {"residual/x"}, SOON, but=("sentinel-",))
    assert len(store.alarms.open(ACCOUNT)) == 2
    store.alarms.clear(ACCOUNT, set(), SOON, only=("sentinel-",))
    assert [alarm.subject for alarm in store.alarms.open(ACCOUNT)] == ["residual/x"]
    store.alarms.clear(ACCOUNT, set(), SOON)
    assert store.alarms.open(ACCOUNT) == []
    assert len(store.alarms.open("demo")) == 1
    assert store.alarms.raise_alarm(ACCOUNT, "residual/x", "again", SOON)


def test_events_come_back_newest_first_and_by_part(store: Store) -> None:
    first = Event(NOON, ACCOUNT, "00a7k2", "protect", text("held 0.99 and bare"), text("place oco 0.99"), "done")
    second = Event(NOON, ACCOUNT, None, "restart", text("found 1 open part"), None, None)
    store.events.add(ACCOUNT, [first, second])
    store.events.add(ACCOUNT, [])
    assert store.events.find(ACCOUNT) == [second, first]
    assert store.events.find(part="00a7k2") == [first]
    assert store.events.find(limit=1) == [second]
    assert store.events.find("demo") == []


def test_a_listener_hears_of_everything_it_acts_on(store: Store, heard: Queue[dict[str, Any]]) -> None:
    intent, _ = store.parts.open(draft(), "click")
    store.parts.open(draft(), "click")
    store.parts.change(intent.part, "click-2", "ayla", "", wanted=Wanted.CLOSED)
    store.parts.change(intent.part, "click-2", "ayla", "", wanted=Wanted.CLOSED)
    store.bots.set_running(ACCOUNT, True, by="ayla", why="", manually=False)
    store.snapshots.put(empty_snapshot(PAPER))
    store.accounts.save(PAPER, None)
    store.settings.set("check_seconds", 30, by="ayla")
    store.notify({"wake": str(LONG)})
    assert [heard.get(timeout=5) for _ in range(7)] == [
        {"wake": str(LONG)},
        {"wake": str(LONG)},
        {"bot": ACCOUNT},
        {"board": ACCOUNT},
        {"accounts": ACCOUNT},
        {"settings": "check_seconds"},
        {"wake": str(LONG)},
    ]
    with pytest.raises(Empty):
        heard.get_nowait()


def test_a_listener_that_lost_its_connection_says_so_and_goes_on(store: Store, heard: Queue[dict[str, Any]]) -> None:
    with store.one_statement() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'")
    assert heard.get(timeout=5) == CONNECTED
    store.notify({"bot": ACCOUNT})
    assert heard.get(timeout=5) == {"bot": ACCOUNT}


def test_a_listener_whose_callback_failed_looks_at_everything_again(store: Store) -> None:
    notes: Queue[dict[str, Any]] = Queue()
    stop = StopEvent()

    def hear(note: dict[str, Any]) -> None:
        notes.put(note)
        if notes.qsize() == 1:
            raise Unavailable("the database does not answer")

    thread = Thread(target=store.listen, args=(hear, stop))
    thread.start()
    assert [notes.get(timeout=5), notes.get(timeout=5)] == [CONNECTED, CONNECTED]
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_ping_measures_a_round_trip(store: Store) -> None:
    assert 0 < store.ping() < 1


def test_a_guard_raises_the_level_and_never_lowers_it(store: Store) -> None:
    assert store.bots.raise_level(ACCOUNT, Level.NO_ADDED_RISK, by="guard", why="daily loss")
    assert not store.bots.raise_level(ACCOUNT, Level.NO_NEW_ENTRIES, by="guard", why="stale")
    assert not store.bots.raise_level(ACCOUNT, Level.NO_ADDED_RISK, by="guard", why="again")
    bot = store.bots.get(ACCOUNT)
    assert (bot.level, str(bot.level_why), bot.level_lowered_at) == (Level.NO_ADDED_RISK, "daily loss", None)
    store.bots.set_level(ACCOUNT, Level.RUN, by="ayla", why="seen")
    assert store.bots.get(ACCOUNT).level_lowered_at == store.bots.get(ACCOUNT).level_at


def test_several_settings_are_kept_together(store: Store) -> None:
    store.settings.set_all({"a": 1, "b": Decimal("0.1")}, by="ayla")
    assert store.settings.all() == {"a": 1, "b": Decimal("0.1")}
    with pytest.raises(StatementError):
        store.settings.set_all({"a": 2, "b": object()}, by="ayla")
    assert store.settings.all() == {"a": 1, "b": Decimal("0.1")}


def test_a_snapshot_crosses_the_wire_once_and_a_newer_one_is_never_missed(store: Store, database_url: str) -> None:
    another = Store.open(database_url)
    snapshot = empty_snapshot(PAPER, as_of=NOON)
    another.snapshots.put(snapshot)
    first = store.snapshots.latest(ACCOUNT)
    assert first == snapshot
    assert store.snapshots.latest(ACCOUNT) is first, "nothing new was stored"
    assert another.snapshots.latest(ACCOUNT) is snapshot, "who has stored it decodes nothing"
    for newer in (replace(snapshot, published_at=SOON), replace(snapshot, as_of=SOON)):
        another.snapshots.put(newer)
        assert store.snapshots.latest(ACCOUNT) == newer, "another process, also at the same time of the look"
    another.close()


def test_the_newest_bars_replace_the_earlier_ones_of_their_contract(store: Store) -> None:
    assert store.candles.read(ACCOUNT, "BTC-USDT-PERP") is None
    store.candles.put(ACCOUNT, "BTC-USDT-PERP", [{"t": "1", "c": "100"}], NOON)
    store.candles.put(ACCOUNT, "ETH-USDT-PERP", [{"t": "1", "c": "3"}], NOON)
    store.candles.put(ACCOUNT, "BTC-USDT-PERP", [{"t": "2", "c": "101"}], SOON)
    assert store.candles.read(ACCOUNT, "BTC-USDT-PERP") == ([{"t": "2", "c": "101"}], SOON)
    assert store.candles.read(ACCOUNT, "ETH-USDT-PERP") == ([{"t": "1", "c": "3"}], NOON)
    assert store.candles.read("demo", "BTC-USDT-PERP") is None
