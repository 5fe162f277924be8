"""Reports: the newest snapshot with its age, and the ledger, each kept apart by account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.reason import text
from core.services.reporting.snapshot import Reports
from db.records import Event
from tests.services.conftest import DEMO, NOW, PAPER, show


@pytest.fixture
def reports(store, clock):
    return Reports(store, clock)


def test_before_the_first_look_there_is_no_snapshot(reports):
    assert reports.snapshot(PAPER.id) is None


def test_the_newest_snapshot_knows_its_age(reports, store):
    show(store, as_of=NOW - timedelta(seconds=9))
    show(store, running=True, as_of=NOW)
    snapshot = reports.snapshot(PAPER.id)
    assert snapshot.bot.running
    assert snapshot.as_of == NOW
    assert snapshot.age(NOW + timedelta(seconds=3)) == timedelta(seconds=3)
    assert snapshot.age(NOW - timedelta(seconds=3)) == timedelta()


@pytest.mark.parametrize(
    ("watch", "seconds", "stale"), [(5, 15, False), (5, 16, True), (30, 60, False), (30, 91, True)]
)
def test_a_snapshot_is_stale_after_three_looks_that_did_not_come(reports, store, watch, seconds, stale):
    store.settings.set("order_watch_seconds", watch, "operator")
    show(store)
    assert reports.snapshot(PAPER.id).stale(NOW + timedelta(seconds=seconds)) is stale


def test_events_are_newest_first_and_kept_apart(reports, store):
    lines = [
        Event(NOW + timedelta(seconds=n), PAPER.id, part, "protect", text(f"line {n}"), None, None)
        for n, part in enumerate(("00a7k2", "00a7k3", "00a7k2"))
    ]
    store.events.add(PAPER.id, lines)
    store.events.add(DEMO.id, [Event(NOW, DEMO.id, None, "restart", text("elsewhere"), None, None)])
    assert [str(event.because) for event in reports.events(PAPER.id)] == ["line 2", "line 1", "line 0"]
    assert [str(event.because) for event in reports.events(PAPER.id, part="00a7k2", limit=1)] == ["line 2"]


def test_an_empty_ledger_is_empty_lists(reports):
    assert reports.cycles(PAPER.id, 10) == reports.fills(PAPER.id, 10) == reports.funding(PAPER.id, 10) == []


def test_alarms_are_those_still_true(reports, store):
    for subject in ("bare/00a7k2", "bare/00a7k3"):
        store.alarms.raise_alarm(PAPER.id, subject, "no stop", NOW)
    store.alarms.clear(PAPER.id, {"bare/00a7k3"}, NOW)
    assert [alarm.subject for alarm in reports.alarms(PAPER.id)] == ["bare/00a7k3"]
