"""Each alert reaches each channel once: over failures, restarts, quiet hours and floods, and never with its address."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from core.alerts import alert_generator, dispatcher
from core.alerts.dispatcher import AGAIN_AFTER, TAKEN_FOR
from core.clock import SteppedClock
from core.domain.account import Account, Environment, Exchange
from core.domain.alert import AlertKind, DeliveryState, QuietHours
from core.domain.errors import Unavailable
from core.vault import Vault
from db.repositories.alerting import alert_channels
from db.store import Store
from tests.alerts.conftest import Desk
from tests.alerts.receiver import Receiver

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
#: a process that sends what waits for a channel: database, data folder, channel and time are given
CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from core.alerts.dispatcher import AlertDispatcher
from core.clock import SteppedClock
from core.domain.errors import Unavailable
from core.vault import Vault
from db.store import Store

store, vault = Store.open(sys.argv[1]), Vault.open(Path(sys.argv[2]), None)
AlertDispatcher(store, SteppedClock(datetime.fromisoformat(sys.argv[4])), vault.unseal, lambda: str).work(sys.argv[3])
"""


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOON)


@pytest.fixture
def desk(store: Store, clock: SteppedClock, vault: Vault) -> Desk:
    store.accounts.save(Account("paper-okx", "Paper", Exchange.OKX, Environment.PAPER, "", ""), None)
    return Desk(store, clock, vault)


def states(desk: Desk) -> list[DeliveryState]:
    return [
        state for one in reversed(desk.store.alert_channels.recent_alerts(100)) for state in one.deliveries.values()
    ]


def test_an_alert_is_heard_once_on_each_channel_that_wants_it(desk: Desk, phone: Receiver) -> None:
    desk.channel(phone.address("first"), "first")
    desk.channel(phone.address("second"), "second")
    desk.channel(phone.address("third"), "third", kinds=frozenset({AlertKind.FILL}))
    desk.channel(phone.address("fourth"), "fourth", on=False)
    for _ in range(3):
        desk.tell("level/1")
        desk.send()
        desk.restart()
    assert sorted(phone.requests) == ["POST /first", "POST /second"]
    assert phone.titles == ["Level · paper-okx"] * 2
    assert phone.bodies == ["words of level/1"] * 2
    assert states(desk) == [DeliveryState.SENT] * 2


def test_killed_after_sending_it_is_sent_again_and_that_is_the_only_way(
    desk: Desk, phone: Receiver, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: nobody can know whether a message that was never confirmed has arrived."""
    channel = desk.channel(phone.address())
    desk.tell("level/1")

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(desk.store.alert_channels, "message_sent", die)
    with pytest.raises(Killed):
        desk.dispatcher.work(channel)
    monkeypatch.undo()
    desk.restart()
    desk.send()
    assert len(phone.heard) == 1, "what another process has taken is its own until its time is over"
    clock.advance(TAKEN_FOR.total_seconds() + 1)
    desk.send()
    assert len(phone.heard) == 2
    clock.advance(TAKEN_FOR.total_seconds() + 1)
    desk.send()
    assert len(phone.heard) == 2


def test_a_process_killed_while_it_sends(
    desk: Desk, phone: Receiver, clock: SteppedClock, database_url: str, tmp_path: Path
) -> None:
    """SIGKILL in the very moment in which the message has arrived and its answer has not."""
    channel = desk.channel(phone.address())
    desk.tell("level/1")
    arrived, may_answer = Event(), Event()

    def hold() -> None:
        arrived.set()
        may_answer.wait(20)

    phone.before_answering = hold
    child = subprocess.Popen([sys.executable, "-c", CHILD, database_url, str(tmp_path), channel, NOON.isoformat()])
    try:
        assert arrived.wait(30)
    finally:
        child.kill()
        child.wait(10)
        may_answer.set()
    phone.before_answering = lambda: None
    assert states(desk) == [DeliveryState.SENDING]
    desk.send()
    assert len(phone.heard) == 1
    clock.advance(TAKEN_FOR.total_seconds() + 1)
    desk.send()
    desk.send()
    assert phone.bodies == ["words of level/1"] * 2
    assert states(desk) == [DeliveryState.SENT]


def test_a_database_that_is_away_for_a_moment_makes_no_second_message(
    desk: Desk, phone: Receiver, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = desk.channel(phone.address())
    desk.tell("level/1")
    real, away = desk.store.alert_channels.message_sent, iter([True, True])

    def sent(*about: Any) -> None:
        if next(away, False):
            raise Unavailable("the database does not answer")
        real(*about)

    monkeypatch.setattr(desk.store.alert_channels, "message_sent", sent)
    monkeypatch.setattr(dispatcher, "SETTLE_AGAIN", 0.01)
    desk.dispatcher.work(channel)
    clock.advance(TAKEN_FOR.total_seconds() + 1)
    desk.send()
    assert len(phone.heard) == 1
    assert states(desk) == [DeliveryState.SENT]


def test_killed_before_sending_nothing_is_lost(
    desk: Desk, phone: Receiver, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = desk.channel(phone.address())
    desk.tell("level/1")

    def die(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk.dispatcher, "_address", die)
    with pytest.raises(KeyboardInterrupt):
        desk.dispatcher.work(channel)
    desk.restart()
    clock.advance(TAKEN_FOR.total_seconds() + 1)
    desk.send()
    assert phone.bodies == ["words of level/1"]


def test_two_processes_send_each_alert_once(desk: Desk, phone: Receiver, vault: Vault) -> None:
    desk.channel(phone.address())
    other = Desk(desk.store, desk.clock, vault)
    for number in range(12):
        desk.tell(f"level/{number}")
    futures = [*desk.dispatcher.turn(), *other.dispatcher.turn()]
    for future in futures:
        future.result(20)
    desk.send()
    assert phone.bodies == [f"words of level/{number}" for number in range(12)]


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(
    desk: Desk, phone: Receiver, clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channel = desk.channel(phone.address("a-secret-path-9f2c"))
    phone.status = 500
    desk.tell("level/1")
    desk.send()
    desk.send()
    assert len(phone.requests) == 1, "not again before its time"
    for pause in AGAIN_AFTER:
        clock.advance(pause.total_seconds())
        desk.send()
    clock.advance(3600)
    desk.send()
    assert len(phone.requests) == 1 + len(AGAIN_AFTER)
    assert states(desk) == [DeliveryState.GIVEN_UP]
    (shown,) = desk.store.alert_channels.all()
    assert "Internal server error" in str(shown.failure)
    (alarm,) = desk.store.alarms.open("paper-okx")
    assert alarm.subject == f"alerts/{channel}"
    assert str(alarm.words).startswith("what was to be told over phone could not be sent: Failed to send JSON")
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "apprise")
    assert logging.getLogger("apprise").propagate is False, "what apprise says of addresses reaches no file"
    for words in (str(shown.failure), str(alarm.words), logged):
        assert "a-secret-path" not in words
        assert phone.place not in words

    phone.status = 200
    desk.tell("level/2")
    desk.send()
    assert phone.bodies == ["words of level/2"]
    (shown,) = desk.store.alert_channels.all()
    assert shown.failure is None
    assert shown.failed_at is not None
    assert desk.store.alarms.open("paper-okx") == []


def test_a_channel_is_not_told_of_its_own_trouble(desk: Desk, phone: Receiver, clock: SteppedClock) -> None:
    broken = desk.channel("json://127.0.0.1:9/nobody", "broken")
    desk.channel(phone.address(), "whole")
    desk.generator.turn()
    clock.advance(1)
    words = "what was to be told over broken could not be sent: why"
    desk.store.alarms.raise_alarm("paper-okx", f"alerts/{broken}", words, clock.now())
    desk.turn()
    assert phone.bodies == [words]
    (told,) = desk.store.alert_channels.recent_alerts(5)
    assert list(told.deliveries.values()) == [DeliveryState.SENT]


def test_a_channel_that_does_not_answer_keeps_no_other_waiting(desk: Desk, phone: Receiver) -> None:
    desk.channel("json://127.0.0.1:9/nobody", "broken")
    desk.channel(phone.address(), "whole")
    desk.tell("level/1")
    desk.send()
    assert phone.bodies == ["words of level/1"]
    broken, whole = sorted(desk.store.alert_channels.all(), key=lambda channel: channel.name)
    assert "Connection error" in str(broken.failure)
    assert whole.failure is None


def test_a_flood_is_folded_when_the_minute_is_full(desk: Desk, phone: Receiver, clock: SteppedClock) -> None:
    desk.channel(phone.address(), per_minute=5)
    for number in range(30):
        desk.tell(f"level/{number}")
    desk.send()
    assert len(phone.heard) == 5
    assert phone.bodies[:4] == [f"words of level/{number}" for number in range(4)]
    assert phone.titles[4] == "Perpdeck: 26 alerts"
    lines = phone.bodies[4].splitlines()
    assert lines[0] == "Level · paper-okx: words of level/4"
    assert lines[-1] == "and 17 more"
    assert len(lines) == 10
    desk.tell("level/again")
    desk.send()
    assert len(phone.heard) == 5
    clock.advance(61)
    desk.send()
    assert phone.bodies[5:] == ["words of level/again"]
    assert states(desk) == [DeliveryState.SENT] * 31


def test_quiet_hours_hold_back_what_is_not_severe(desk: Desk, phone: Receiver, clock: SteppedClock) -> None:
    """Noon in UTC is three in the afternoon in Istanbul, where this trader sleeps then."""
    desk.store.settings.set("time_zone", "Europe/Istanbul", "test")
    desk.channel(phone.address(), quiet=QuietHours(time(14, 30), time(16)))
    for number in range(3):
        desk.tell(f"level/{number}")
    desk.tell("bare/1", AlertKind.BARE)
    desk.send()
    assert phone.titles == ["Without a stop-loss · paper-okx"]
    assert phone.heard[0]["type"] == "failure"
    clock.advance(timedelta(minutes=59).total_seconds())
    desk.send()
    assert len(phone.heard) == 1
    clock.advance(60)
    desk.send()
    assert phone.titles[1:] == ["Perpdeck: 3 alerts"]
    assert phone.bodies[1].splitlines() == [f"Level · paper-okx: words of level/{number}" for number in range(3)]


def test_what_is_severe_comes_through_however_much_waits_for_the_morning(
    desk: Desk, phone: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_channels, "WAITING_AT_MOST", 3)
    desk.channel(phone.address(), quiet=QuietHours(time(11), time(13)))
    for number in range(4):
        desk.tell(f"level/{number}")
    desk.tell("bare/1", AlertKind.BARE)
    desk.send()
    assert phone.titles == ["Without a stop-loss · paper-okx"]


def test_what_is_said_again_and_again_is_said_twice_and_then_summed_up(
    desk: Desk, phone: Receiver, clock: SteppedClock
) -> None:
    desk.channel(phone.address())
    for number in range(10):
        desk.tell(f"alarm/{number}", AlertKind.ALARM, subject="stuck/1", words=f"it is stuck since {number}")
        desk.send()
        clock.advance(60)
    assert phone.bodies == ["it is stuck since 0", "it is stuck since 1"]
    desk.tell("level/1")
    desk.send()
    assert phone.bodies[2:] == ["words of level/1"], "another subject is not kept waiting"
    clock.advance(1800)
    desk.send()
    assert phone.bodies[3:] == ["it is stuck since 9 (8 ×)"]


def test_a_channel_switched_off_hears_nothing_of_what_waited(desk: Desk, phone: Receiver, clock: SteppedClock) -> None:
    desk.channel(phone.address(), quiet=QuietHours(time(11), time(13)))
    desk.tell("level/1")
    desk.send()
    (channel,) = desk.store.alert_channels.all()
    desk.store.alert_channels.save(replace(channel, on=False), None, clock.now())
    desk.tell("level/2")
    desk.store.alert_channels.save(replace(channel, on=True), None, clock.now())
    clock.advance(7200)
    desk.send()
    assert phone.heard == []
    desk.tell("level/3")
    desk.send()
    assert phone.bodies == ["words of level/3"]


def test_what_nobody_looks_for_any_more_goes_piece_by_piece(
    desk: Desk, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_generator, "BATCH", 2)
    for number in range(3):
        desk.tell(f"level/{number}")
    clock.advance(timedelta(days=31).total_seconds())
    desk.tell("level/new")
    left = []
    for _ in range(3):
        desk.generator.turn()
        left.append(len(desk.store.alert_channels.recent_alerts(100)))
    assert left == [2, 1, 1]


def test_it_is_written_in_the_language_of_the_dashboard(desk: Desk, phone: Receiver) -> None:
    turkish = {"Level": "Seviye", "words of level/1": "seviye 1"}
    desk.language = lambda words: turkish.get(str(words), str(words))  # type: ignore[assignment]
    desk.channel(phone.address())
    desk.tell("level/1")
    desk.send()
    assert (phone.titles, phone.bodies) == (["Seviye · paper-okx"], ["seviye 1"])
