"""Switch, lease, settings, board, notes: what one process writes and another one acts on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from queue import Empty, Queue
from threading import Event as StopEvent
from threading import Thread
from typing import Any

import pytest
from sqlalchemy.exc import StatementError

from core.domain.account import Level
from core.domain.errors import Unavailable
from core.domain.intent import Wanted
from db.connection import CONNECTED
from db.records import Alarm, BotRow, Event
from db.store import Store
from tests.db.values import ACCOUNT, LONG, NOON, PAPER, draft

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
    assert store.bot(ACCOUNT) == BotRow(ACCOUNT, False, False, Level.RUN, None, "", "never started", None)


def test_the_switch_and_the_level_keep_who_and_why(store: Store) -> None:
    store.set_running(ACCOUNT, True, by="ayla", why="good morning", manually=False)
    store.set_level(ACCOUNT, Level.NO_NEW_ENTRIES, by="can", why="news at noon")
    store.heartbeat(ACCOUNT, NOON)
    bot = store.bot(ACCOUNT)
    assert (bot.running, bot.changed_by, bot.why) == (True, "ayla", "good morning")
    assert (bot.level, bot.level_by, bot.level_why) == (Level.NO_NEW_ENTRIES, "can", "news at noon")
    assert bot.heartbeat_at == NOON
    assert [(event.because, event.action) for event in store.events(ACCOUNT)] == [
        ("asked by can: news at noon", "level no_new_entries"),
        ("asked by ayla: good morning", "start the bot"),
    ]


def test_stopped_by_a_person_stays_noted_until_it_is_started(store: Store) -> None:
    store.set_running(ACCOUNT, False, by="ayla", why="", manually=True)
    store.set_running(ACCOUNT, False, by="restart", why="not started since the bot came up", manually=False)
    assert store.bot(ACCOUNT).manually_stopped
    store.set_running(ACCOUNT, True, by="ayla", why="", manually=True)
    assert not store.bot(ACCOUNT).manually_stopped


def test_a_lease_has_one_holder_and_a_new_epoch_each_time(store: Store) -> None:
    assert store.lease(ACCOUNT) is None
    assert store.acquire_lease(ACCOUNT, "here", 60) == 1
    assert store.acquire_lease(ACCOUNT, "there", 60) is None
    held = store.lease(ACCOUNT)
    assert held is not None
    assert (held.holder, held.epoch) == ("here", 1)
    assert store.renew_lease(ACCOUNT, "here", 1, 60)
    assert not store.renew_lease(ACCOUNT, "there", 1, 60)
    assert not store.renew_lease(ACCOUNT, "here", 2, 60)
    store.release_lease(ACCOUNT, "there", 1)
    assert store.lease(ACCOUNT) is not None
    store.release_lease(ACCOUNT, "here", 1)
    assert store.lease(ACCOUNT) is None
    assert store.acquire_lease(ACCOUNT, "there", 60) == 2
    assert not store.renew_lease(ACCOUNT, "here", 1, 60)


def test_a_lease_that_ran_out_by_the_databases_clock_is_free(store: Store) -> None:
    assert store.acquire_lease(ACCOUNT, "here", 0) == 1
    assert not store.renew_lease(ACCOUNT, "here", 1, 60)
    assert store.acquire_lease(ACCOUNT, "there", 60) == 2


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
        store.set_setting(key, value, by="ayla")
    store.set_setting("check_seconds", 30, by="ayla")
    found = store.settings()
    assert found == {**given, "check_seconds": 30}
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in given.items()}


def test_the_board_shows_the_newest_picture_of_each_account(store: Store) -> None:
    assert store.picture(ACCOUNT) is None
    store.put_picture(ACCOUNT, {"equity": "1"}, NOON)
    store.put_picture(ACCOUNT, {"equity": "2.50", "level": Level.RUN, "parts": []}, SOON)
    store.put_picture("demo", {}, NOON)
    shown = {"equity": "2.50", "level": "run", "parts": []}
    assert store.picture(ACCOUNT) == (shown, SOON)
    assert store.picture("demo") == ({}, NOON), "one account's picture leaves the other's alone"


def test_an_alarm_is_new_once_until_it_has_passed(store: Store) -> None:
    assert store.raise_alarm(ACCOUNT, "residual/x", "3 contracts more", NOON)
    assert not store.raise_alarm(ACCOUNT, "residual/x", "4 contracts more", SOON)
    assert store.raise_alarm(ACCOUNT, "sentinel-stale/x", "the last look was 40 s ago", SOON)
    assert store.raise_alarm("demo", "residual/x", "1 contract more", NOON)
    assert store.alarms(ACCOUNT) == [
        Alarm(ACCOUNT, "sentinel-stale/x", "the last look was 40 s ago", SOON),
        Alarm(ACCOUNT, "residual/x", "4 contracts more", NOON),
    ]
    store.clear_alarms(ACCOUNT, {"residual/x"}, SOON, but=("sentinel-",))
    assert len(store.alarms(ACCOUNT)) == 2
    store.clear_alarms(ACCOUNT, set(), SOON, only=("sentinel-",))
    assert [alarm.subject for alarm in store.alarms(ACCOUNT)] == ["residual/x"]
    store.clear_alarms(ACCOUNT, set(), SOON)
    assert store.alarms(ACCOUNT) == []
    assert len(store.alarms("demo")) == 1
    assert store.raise_alarm(ACCOUNT, "residual/x", "again", SOON)


def test_events_come_back_newest_first_and_by_part(store: Store) -> None:
    first = Event(NOON, ACCOUNT, "00a7k2", "protect", "held 0.99 and bare", "place oco 0.99", "done")
    second = Event(NOON, ACCOUNT, None, "restart", "found 1 open part", None, None)
    store.add_events(ACCOUNT, [first, second])
    store.add_events(ACCOUNT, [])
    assert store.events(ACCOUNT) == [second, first]
    assert store.events(part="00a7k2") == [first]
    assert store.events(limit=1) == [second]
    assert store.events("demo") == []


def test_a_listener_hears_of_everything_it_acts_on(store: Store, heard: Queue[dict[str, Any]]) -> None:
    intent, _ = store.open_part(draft(), "click")
    store.open_part(draft(), "click")
    store.change_part(intent.part, "click-2", "ayla", "", wanted=Wanted.CLOSED)
    store.change_part(intent.part, "click-2", "ayla", "", wanted=Wanted.CLOSED)
    store.set_running(ACCOUNT, True, by="ayla", why="", manually=False)
    store.put_picture(ACCOUNT, {}, NOON)
    store.save_account(PAPER, None)
    store.set_setting("check_seconds", 30, by="ayla")
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
    assert store.raise_level(ACCOUNT, Level.NO_ADDED_RISK, by="guard", why="daily loss")
    assert not store.raise_level(ACCOUNT, Level.NO_NEW_ENTRIES, by="guard", why="stale")
    assert not store.raise_level(ACCOUNT, Level.NO_ADDED_RISK, by="guard", why="again")
    bot = store.bot(ACCOUNT)
    assert (bot.level, bot.level_why, bot.level_lowered_at) == (Level.NO_ADDED_RISK, "daily loss", None)
    store.set_level(ACCOUNT, Level.RUN, by="ayla", why="seen")
    assert store.bot(ACCOUNT).level_lowered_at == store.bot(ACCOUNT).level_at


def test_several_settings_are_kept_together(store: Store) -> None:
    store.set_settings({"a": 1, "b": Decimal("0.1")}, by="ayla")
    assert store.settings() == {"a": 1, "b": Decimal("0.1")}
    with pytest.raises(StatementError):
        store.set_settings({"a": 2, "b": object()}, by="ayla")
    assert store.settings() == {"a": 1, "b": Decimal("0.1")}


def test_a_picture_crosses_the_wire_once_and_a_newer_one_is_never_missed(store: Store, database_url: str) -> None:
    another = Store.open(database_url)
    another.put_picture(ACCOUNT, {"equity": "1"}, NOON)
    first = store.picture(ACCOUNT)
    again = store.picture(ACCOUNT)
    assert first is not None
    assert again is not None
    assert again[0] is first[0], "nothing new was put up"
    another.put_picture(ACCOUNT, {"equity": "2"}, NOON)
    assert store.picture(ACCOUNT) == ({"equity": "2"}, NOON), "another process, at the same time of the look"
    another.put_picture(ACCOUNT, {"equity": "2"}, SOON)
    assert store.picture(ACCOUNT) == ({"equity": "2"}, SOON)
    another.close()


def test_the_newest_bars_replace_the_earlier_ones_of_their_contract(store: Store) -> None:
    assert store.candles(ACCOUNT, "BTC-USDT-PERP") is None
    store.put_candles(ACCOUNT, "BTC-USDT-PERP", [{"t": "1", "c": "100"}], NOON)
    store.put_candles(ACCOUNT, "ETH-USDT-PERP", [{"t": "1", "c": "3"}], NOON)
    store.put_candles(ACCOUNT, "BTC-USDT-PERP", [{"t": "2", "c": "101"}], SOON)
    assert store.candles(ACCOUNT, "BTC-USDT-PERP") == ([{"t": "2", "c": "101"}], SOON)
    assert store.candles(ACCOUNT, "ETH-USDT-PERP") == ([{"t": "1", "c": "3"}], NOON)
    assert store.candles("demo", "BTC-USDT-PERP") is None
