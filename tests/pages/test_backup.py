"""The backup's card on Safety: there only where there is a backup, with its lag and its trouble."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.services.settings.backup import BackupStatus
from tests.pages.conftest import words
from tests.pages.samples.services import full
from tests.pages.samples.snapshot import now

WELL = BackupStatus("mysql book at db.example:3306", 0, timedelta(0), now(), "", None)


def test_without_a_backup_nothing_is_said_of_one(open_page):
    tab = open_page(full(), "safety.py")
    assert not tab.exception
    assert "Backup" not in words(tab)


def test_a_backup_that_is_up_to_date_says_so(open_page):
    standin = full()
    standin.world.backup = WELL
    tab = open_page(standin, "safety.py")
    assert not tab.exception
    told = words(tab)
    assert "Backup" in told
    assert "Behind" in told
    assert "**nothing**" in told
    assert WELL.place in told
    assert "could not be written" not in told


def test_a_lag_and_its_reason_are_on_the_page(open_page):
    standin = full()
    trouble = "connection refused"
    standin.world.backup = replace(WELL, rows=3, behind_for=timedelta(minutes=4), trouble=trouble, trouble_since=now())
    told = words(open_page(standin, "safety.py"))
    assert "**3 rows**" in told
    assert "4 min" in told
    assert f"could not be written: {trouble}. Trading does not wait" in told


def test_a_backup_that_was_never_reached_is_not_complete(open_page):
    standin = full()
    standin.world.backup = replace(WELL, rows=1, behind_for=None, succeeded_at=None, trouble="connection refused")
    told = words(open_page(standin, "safety.py"))
    assert "**1 row**" in told
    assert "not complete yet" in told
    assert "never" in told
