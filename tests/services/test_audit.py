"""The audit trail over a real database: every kind of act, who it was, newest first, narrowed and kept apart."""

from __future__ import annotations

import pytest

from core.clock import SteppedClock
from core.domain.account import Level
from core.domain.instrument import Side
from core.domain.intent import ExecutionStyle
from core.domain.reason import text
from core.services.access.login import Login
from core.services.reporting.audit import Audit, AuditKind
from core.services.trading.positions import PositionManager
from db.records import Event
from tests.services.conftest import DEMO, NOW, PAPER, open_part

KEY = b"a key of the tests"


@pytest.fixture
def audit(store):
    return Audit(store.events)


def told(audit, *kinds):
    acts = audit.acts(PAPER.id, frozenset(kinds) or frozenset(AuditKind))
    return [(act.kind, act.who, str(act.what), act.outcome) for act in acts]


def test_every_log_in_is_on_record_and_so_is_what_it_came_to(audit, store):
    login = Login(store.secrets, store.events, SteppedClock(NOW), KEY, "the right password")
    for _ in range(5):
        login.come_in("wrong", "10.0.0.7")
    assert login.come_in("the right password", "10.0.0.7").locked
    answer = login.come_in("the right password", "127.0.0.1")
    login.leave(answer.token, "127.0.0.1")
    assert told(audit, AuditKind.LOGIN) == [
        (AuditKind.LOGIN, "127.0.0.1", "log out", "done"),
        (AuditKind.LOGIN, "127.0.0.1", "log in", "done"),
        (AuditKind.LOGIN, "10.0.0.7", "lock out", "for 15 minutes"),
        *[(AuditKind.LOGIN, "10.0.0.7", "log in", "wrong password")] * 5,
    ]


def test_what_is_asked_of_the_bot_is_told_with_who_and_why(audit, store):
    store.bots.set_running(PAPER.id, True, by="ayla", why="", manually=False)
    part = open_part(store, ExecutionStyle())
    PositionManager(store, SteppedClock(NOW)).close(part, "click", by="ayla")
    store.bots.set_level(PAPER.id, Level.REDUCE_ONLY, by="guard", why="daily loss: 10.0% are lost")
    store.settings.set_all({"recovery_max_steps": 3}, by="ayla")
    acts = audit.acts(PAPER.id)
    assert [(act.kind, act.who, str(act.why or ""), act.part) for act in acts] == [
        (AuditKind.SETTINGS, "ayla", "", ""),
        (AuditKind.SWITCH, "guard", "daily loss: 10.0% are lost", ""),
        (AuditKind.POSITIONS, "ayla", "close for good asked for", part),
        (AuditKind.POSITIONS, "operator", "", part),
        (AuditKind.SWITCH, "ayla", "", ""),
    ]
    assert str(acts[0].what) == "recovery_max_steps = 3"
    assert str(Side.LONG) in str(acts[3].what)


def test_what_the_rules_decide_and_other_accounts_do_is_not_in_it(audit, store):
    store.events.add(
        PAPER.id, [Event(NOW, PAPER.id, "00a7k2", "protect", text("held and bare"), text("place OCO"), "done")]
    )
    store.bots.set_level(DEMO.id, Level.REDUCE_ONLY, by="ayla", why="")
    assert told(audit) == []
