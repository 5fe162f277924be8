"""A book with something in it, and places for its copy: another PostgreSQL database, SQLite, MariaDB."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from core.domain.action import EndCycle, StartCycle
from core.domain.intent import ExitReason
from core.domain.money import Price
from core.domain.order import OrderStatus, Purpose
from core.domain.reason import text
from db.backup.source import BackupSource
from db.backup.tables import KINDS
from db.backup.target import BackupTarget
from db.backup.writer import BackupWriter
from db.store import Store
from tests.db.conftest import made_once, postgres_of_its_own, server_folder
from tests.db.values import ACCOUNT, NOON, contracts, draft, order
from tests.mariadb import mariadb, mariadb_server
from tests.postgres import Postgres, database_url, postgres, store

__all__ = [
    "database_url",
    "made_once",
    "mariadb",
    "mariadb_server",
    "postgres",
    "postgres_of_its_own",
    "server_folder",
    "store",
]

Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


class Book:
    """What a trader and a bot write, small."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._clicks = 0

    def open(self, **changes: Any) -> str:
        self._clicks += 1
        return self.store.parts.open(draft(**changes), f"click-{self._clicks}")[0].part

    def begin(self, part: str) -> None:
        self.store.cycles.start(StartCycle(part, 1, contracts("0.99"), Price(Decimal("100250.1"))), NOON)

    def step(self, part: str, number: int = 1, **changes: Any) -> None:
        name = f"op{part}01R{number:02}"
        values = {"client_order_id": name, "exchange_order_id": f"r{part}{number}", "purpose": Purpose.RECOVERY}
        step = order(part, **{**values, "filled": contracts("0.1"), "status": OrderStatus.FILLED, **changes})
        self.store.orders.save(ACCOUNT, [step])

    def end(self, part: str) -> None:
        third = Price(Decimal("100250.1") / 3)
        action = EndCycle(
            part=part,
            cycle=1,
            reason=ExitReason.TAKE_PROFIT,
            entered=contracts("0.99"),
            average_entry=third,
            average_exit=Price(Decimal("105000.123456789012345678")),
            realised_pnl=Decimal("49.999999999999999999"),
            fees=Decimal("-0.1"),
            words=text("take-profit filled"),
        )
        self.store.cycles.end(ACCOUNT, action, Decimal("0.000000000000000001"), "life@1", NOON)

    def life(self) -> str:
        """A part with a whole life."""
        part = self.open()
        self.begin(part)
        self.step(part)
        self.end(part)
        return part


class Copying:
    """A writer that works when told to, and what both sides hold."""

    def __init__(self, store: Store, main: str, place: str) -> None:
        self.store, self.main, self.url = store, main, place
        self.source = BackupSource.open(main)
        self.writer = self.new_writer()

    def new_writer(self) -> BackupWriter:
        return BackupWriter.open(self.source, self.url, lambda: datetime.now(UTC))

    def pass_by(self) -> float:
        return self.writer.work_once()

    def up_to_date(self) -> None:
        """Copy until nothing is left; AssertionError with the trouble where there is one."""
        for _ in range(50):
            wait = self.writer.work_once()
            assert self.writer.note.trouble == ""
            if wait >= 1:
                return
        raise AssertionError("the backup never comes to an end")

    def behind(self) -> int:
        note = self.source.note()
        assert note is not None
        return self.source.behind(note.cursors)

    def book(self) -> Rows:
        """What the main database holds, as a copy is to hold it: 18 places."""
        found: Rows = {}
        with self.source.one_statement() as connection:
            for kind in KINDS:
                query = select(kind.source) if kind.only is None else select(kind.source).where(kind.only)
                rows = [dict(kind.values(row)) for row in connection.execute(query)]
                found[kind.name] = {_key(kind, row): {name: _kept(row[name]) for name in row} for row in rows}
        return found

    def copy(self) -> Rows:
        """What the backup holds, read by a connection of its own."""
        found: Rows = {}
        target = BackupTarget(self.url)
        with target.writing() as connection:
            for kind in KINDS:
                rows = [dict(row._mapping) for row in connection.execute(select(kind.copy))]
                found[kind.name] = {_key(kind, row): row for row in rows}
        target.close()
        return found

    def close(self) -> None:
        self.writer.stop()
        self.source.close()


def _key(kind: Any, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in kind.copy.primary_key.columns)


def _kept(value: Any) -> Any:
    return round(value, 18) if isinstance(value, Decimal) else value


class Silent:
    """A server that takes connections and never says a word."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.guests: list[socket.socket] = []
        Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.guests.append(self._door.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for guest in self.guests:
            guest.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.close()


@pytest.fixture
def book(store: Store) -> Book:
    return Book(store)


@pytest.fixture(params=["postgres", "sqlite", "mariadb"])
def place(request: pytest.FixtureRequest, postgres: Postgres, tmp_path: Path) -> str:
    """The URL of an empty database for the copy."""
    if request.param == "mariadb":
        return str(request.getfixturevalue("mariadb").url)
    return postgres.create() if request.param == "postgres" else f"sqlite:///{tmp_path / 'backup.db'}"


@pytest.fixture
def copying(store: Store, database_url: str, place: str) -> Iterator[Copying]:
    made = Copying(store, database_url, place)
    yield made
    made.close()


@pytest.fixture
def beside(store: Store, database_url: str, postgres: Postgres) -> Iterator[Copying]:
    """The same with another PostgreSQL database only."""
    made = Copying(store, database_url, postgres.create())
    yield made
    made.close()
