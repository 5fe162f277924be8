"""What pages are told of the backup, and the command that makes it anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.clock import SteppedClock
from core.services.settings.backup import Backup
from core.settings import Settings, revealed
from db.backup.__main__ import main
from db.backup.writer import BackupWriter
from tests.backup.conftest import Book, Copying

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(START)


def test_without_a_backup_there_is_nothing_to_tell(beside: Copying, clock: SteppedClock) -> None:
    assert Backup(beside.source, False, clock).status() is None


def test_the_lag_grows_with_rows_and_time_and_goes_again(beside: Copying, book: Book, clock: SteppedClock) -> None:
    writer = BackupWriter.open(beside.source, beside.url, clock.now)
    backup = Backup(beside.source, True, clock)
    writer.work_once()
    clock.advance(10)
    part = book.open()
    status = backup.status()
    assert status is not None
    assert (status.rows, status.behind_for, status.succeeded_at) == (1, timedelta(seconds=10), START)
    writer.work_once()
    status = backup.status()
    assert status is not None
    assert (status.rows, status.behind_for, status.trouble) == (0, timedelta(0), "")
    assert (part,) in beside.copy()["parts"]
    writer.stop()


def test_a_backup_written_by_another_process_is_shown_while_it_tells_of_itself(
    beside: Copying, clock: SteppedClock
) -> None:
    writer = BackupWriter.open(beside.source, beside.url, clock.now)
    writer.work_once()
    elsewhere = Backup(beside.source, False, clock)
    assert elsewhere.status() is not None
    clock.advance(600)
    assert elsewhere.status() is None
    assert Backup(beside.source, True, clock).status() is not None
    writer.stop()


def test_any_url_is_taken_at_the_start_and_never_shown() -> None:
    settings = Settings(backup_url=SecretStr("nonsense:hidden"))
    assert revealed(settings.backup_url) == "nonsense:hidden"
    assert "hidden" not in repr(settings)


def test_the_command_rebuilds_and_tells(
    beside: Copying,
    book: Book,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", beside.main)
    monkeypatch.setenv("BACKUP_DATABASE_URL", beside.url)
    monkeypatch.setenv("PERPDECK_HOME", str(tmp_path))
    assert main(["status"]) == 0
    assert capsys.readouterr().out == "there has been no backup yet\n"
    book.life()
    beside.up_to_date()
    assert main(["rebuild"]) == 0
    assert "1 parts, 1 cycles, 1 recovery steps" in capsys.readouterr().out
    assert beside.copy() == beside.book()
    assert main(["status"]) == 0
    assert "0 rows behind\ncomplete up to" in capsys.readouterr().out
    monkeypatch.delenv("BACKUP_DATABASE_URL")
    assert main(["rebuild"]) == 1
    assert capsys.readouterr().err == "backup: BACKUP_DATABASE_URL is not set\n"
