"""The whole product with a backup: it starts and ends without waiting for it, and tells how it fares."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from core.settings import Settings
from core.wiring import Running
from tests.backup.conftest import Silent
from tests.eventually import eventually


def test_perpdeck_runs_beside_a_backup_that_hangs(database_url: str, silent: Silent, tmp_path: Path) -> None:
    place = f"mysql://keeper:hidden-word@127.0.0.1:{silent.port}/backup"
    running = Running(Settings(home=tmp_path, database_url=SecretStr(database_url), backup_url=SecretStr(place)))
    try:
        eventually(lambda: silent.guests, words="the writer is at work")
        assert running.services.levels.status("paper-okx").state == "stopped"
    finally:
        running.stop()
    assert "hidden-word" not in (tmp_path / "perpdeck.log").read_text()


def test_the_services_tell_how_it_fares(database_url: str, tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path / 'backup.db'}"
    running = Running(Settings(home=tmp_path, database_url=SecretStr(database_url), backup_url=SecretStr(place)))
    try:
        status = eventually(running.services.backup.status, seconds=20, every=0.1)
    finally:
        running.stop()
    assert status is not None
    assert (status.rows, status.trouble) == (0, "")


def test_a_url_that_cannot_be_used_does_not_end_the_start(database_url: str, tmp_path: Path) -> None:
    running = Running(Settings(home=tmp_path, database_url=SecretStr(database_url), backup_url=SecretStr("nonsense")))
    try:
        status = eventually(running.services.backup.status, seconds=20, every=0.1)
    finally:
        running.stop()
    assert status is not None
    assert "cannot be read" in status.trouble
