"""A thread that goes on whatever goes wrong, says so once, and ends when it is told to."""

from __future__ import annotations

import logging

import pytest

from core.alerts.periodic_thread import Repeating
from core.domain.errors import Unavailable
from tests.eventually import eventually


def test_trouble_is_logged_when_it_is_new_and_the_work_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    turns: list[int] = []

    def work() -> None:
        turns.append(len(turns))
        if len(turns) in (2, 3, 4):
            raise Unavailable("the database does not answer")
        if len(turns) in (6, 7):
            raise ZeroDivisionError("an error of ours")

    thread = Repeating("alerts test", 0.001, work)
    thread.start()
    eventually(lambda: len(turns) > 9)
    thread.stop()
    after = len(turns)
    ours = (record for record in caplog.records if record.name == "perpdeck.alerts")
    assert [record.getMessage() for record in ours] == [
        "alerts test: the database does not answer",
        "alerts test failed",
    ]
    assert len(turns) == after


def test_one_that_was_never_started_can_be_stopped() -> None:
    Repeating("alerts test", 1, lambda: None).stop()
