"""The whole product: what is told goes out by itself, and starting and stopping do not wait for it."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from core.domain.account import Level
from core.settings import Settings
from core.wiring import Running
from tests.alerts.receiver import Receiver
from tests.eventually import eventually


def test_a_level_is_heard_a_few_seconds_later_and_the_log_names_no_address(
    database_url: str, tmp_path: Path, phone: Receiver
) -> None:
    running = Running(Settings(home=tmp_path, database_url=SecretStr(database_url)))
    try:
        alerts, levels = running.services.alerts, running.services.levels
        channel = alerts.add("phone", phone.address("kept-to-myself"), "operator")
        assert alerts.test(channel.id) == ""
        eventually(lambda: running.store.accounts.all() and levels.status("paper-okx").parts is not None)
        eventually(lambda: _reading(running), seconds=20, words="the first turn of the generator", every=0.05)
        levels.set_level("paper-okx", Level.REDUCE_ONLY, "operator", "the news")
        eventually(lambda: len(phone.heard) > 1, seconds=20, words="the level is heard", every=0.05)
        assert "the level is now reduce only, set by operator: the news" in phone.bodies
    finally:
        running.stop()
    assert "kept-to-myself" not in (tmp_path / "perpdeck.log").read_text()


def test_a_channel_that_hangs_does_not_hold_up_the_end(database_url: str, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        running = Running(Settings(home=tmp_path, database_url=SecretStr(database_url)))
        try:
            running.services.alerts.add("mute", f"json://127.0.0.1:{silent.getsockname()[1]}/x", "operator")
            eventually(lambda: _reading(running), seconds=20, every=0.05)
            running.services.levels.set_level("paper-okx", Level.REDUCE_ONLY, "operator", "")
            silent.settimeout(20)
            guest, _ = silent.accept()
        finally:
            began = time.monotonic()
            running.stop()
        assert time.monotonic() - began < 5
        guest.close()


def _reading(running: Running) -> bool:
    """The generator has been there once: from then on it tells."""
    with running.store.one_statement() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM alert_cursors")))
