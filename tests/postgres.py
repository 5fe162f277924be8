"""A real PostgreSQL for tests: one server for each test process, and an empty migrated database for each test.

Use it by importing the fixtures into a `conftest.py`: `from tests.postgres import database_url, postgres, store`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import URL, make_url

from db import migrate
from db.base import Base
from db.embedded import EmbeddedPostgres
from db.store import Store

#: safe to lose, so quick
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")


class Postgres:
    """The server of one test process. Its own database has all tables; others are made on demand."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self.url = server.start()
        self._numbers = count(1)
        migrate.upgrade(self.url)

    def create(self) -> str:
        """The URL of a new database without any table."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def empty(self) -> None:
        """Nothing is left of an earlier test: no row, and nobody connected who could write one."""
        others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        self._execute("; ".join(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)))

    def _execute(self, statement: str) -> None:
        url = make_url(self.url)
        connection = psycopg2.connect(host=_host(url), user=url.username, dbname=url.database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server; it and its folder are gone afterwards."""
    folder = folder_for_server()
    server = EmbeddedPostgres(folder / "postgres", OPTIONS)
    try:
        yield Postgres(server)
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """An empty database with all tables."""
    postgres.empty()
    return postgres.url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The store on an empty database."""
    opened = Store.open(database_url)
    yield opened
    opened.close()


def folder_for_server() -> Path:
    """A new folder that root's database user may pass; pytest's own folders are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="perpdeck-test-"))
    if os.geteuid() == 0:
        folder.chmod(0o755)
    return folder


def _host(url: URL) -> str:
    host = url.query["host"]
    return host if isinstance(host, str) else host[0]
