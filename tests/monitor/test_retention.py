"""What was told long ago goes while a bot of the house is there, and facts stay."""

from __future__ import annotations

from datetime import timedelta

from core.alerts import Alerts
from core.monitor.position_monitor import PositionMonitor
from db.records import EventKind, EventsOnly
from tests.stack import Stack


def test_the_monitor_lets_go_of_what_is_too_old(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    monitor = PositionMonitor(stack.store, Alerts([]), stack.clock, lambda: None)
    monitor._retention()  # nobody acts here yet
    stack.store.settings.set_all({"events_keep_days": 7}, "trader")
    stack.clock.advance(timedelta(days=8).total_seconds())
    monitor._retention()
    assert facts(stack) > 0
    monitor.add(stack.guard)
    stack.look()  # which renews the lease
    monitor._retention()
    assert facts(stack) == 0
    assert stack.store.risk_checks.find(stack.name) == []
    (cycle,) = stack.store.history.cycles(stack.name, part)
    assert cycle.net != 0
    assert len(stack.store.fills.find(stack.name, part=part)) == 2
    assert [order.client_order_id for order in stack.store.history.cycle_facts(part, 1).orders] != []
    assert [event.action for event in stack.store.events.find(stack.name, part, rule="asked")] != []
    monitor.guards.clear()


def test_it_is_asked_for_by_the_scheduler(stack: Stack) -> None:
    monitor = PositionMonitor(stack.store, Alerts([]), stack.clock, lambda: None)
    monitor.start()
    try:
        assert monitor._scheduler is not None
        job = monitor._scheduler.get_job("retention")
        assert job is not None
        assert job.trigger.interval == timedelta(hours=1)
    finally:
        monitor.stop()


def facts(stack: Stack) -> int:
    page = stack.store.pages.events(stack.name, EventsOnly(), None, 500)
    return sum(event.kind != EventKind.DECISION for _, event in page)
