"""A backup that hangs, and what the bot notices of it: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from core.domain.intent import ExitReason
from db.backup.source import BackupSource
from db.backup.writer import BackupWriter
from tests.backup.conftest import Silent, silent
from tests.eventually import eventually
from tests.stack import Stack

__all__ = ["silent"]


@pytest.fixture(params=["postgresql", "mysql"])
def hanging(request: pytest.FixtureRequest, silent: Silent, database_url: str) -> Iterator[BackupWriter]:
    """A writer at work on a server that takes its connection and never answers."""
    source = BackupSource.open(database_url)
    url = f"{request.param}://keeper:hidden@127.0.0.1:{silent.port}/backup"
    writer = BackupWriter.open(source, url, lambda: datetime.now(UTC))
    writer.start()
    eventually(lambda: silent.guests, words="the writer hangs on the line")
    yield writer
    writer.stop(0.1)
    source.close()


def test_a_trade_is_opened_guarded_and_ended_while_the_backup_hangs(stack: Stack, hanging: BackupWriter) -> None:
    part = stack.opened()
    assert stack.part(part).protected
    stack.price(120000)
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    assert stack.alarms() == []
    assert hanging.note.succeeded_at is None
