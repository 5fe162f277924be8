"""One line of migrations, each of them goes both ways, and the tables are what the models say."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.engine import Engine

import db.models  # noqa: F401  all tables
from core.domain.errors import Unavailable
from db import migrate
from db.base import Base
from db.store import Store
from tests.db.values import draft
from tests.postgres import Postgres


@pytest.fixture
def bare(postgres: Postgres) -> str:
    """A database without a table."""
    return postgres.create()


def engine(url: str) -> Engine:
    return create_engine(migrate.normal_url(url), poolclass=NullPool)


def tables(url: str) -> set[str]:
    return set(inspect(engine(url)).get_table_names())


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrate.configuration()).get_heads()) == 1


def test_up_down_and_up_again(bare: str) -> None:
    wanted = {*Base.metadata.tables, "alembic_version"}
    migrate.upgrade(bare)
    assert tables(bare) == wanted
    migrate.upgrade(bare)
    migrate.downgrade(bare, "base")
    assert tables(bare) == {"alembic_version"}
    assert inspect(engine(bare)).get_sequence_names() == []
    migrate.upgrade(bare)
    assert tables(bare) == wanted


def test_the_tables_are_what_the_models_say(database_url: str) -> None:
    with engine(database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_money_is_exact_and_every_time_has_a_zone() -> None:
    for table in Base.metadata.tables.values():
        for column in table.columns:
            kind = str(column.type.compile(dialect=_dialect()))
            assert kind not in ("FLOAT", "REAL", "DOUBLE PRECISION"), column
            assert not kind.startswith("NUMERIC("), column
            assert "WITHOUT TIME ZONE" not in kind, column


def test_processes_that_start_together_migrate_once(bare: str) -> None:
    failures: list[Exception] = []

    def start() -> None:
        try:
            migrate.upgrade(bare)
        except Exception as error:  # noqa: BLE001  told by the assertion below
            failures.append(error)

    threads = [Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert "positions" in tables(bare)


def test_a_new_database_gives_part_names_no_older_one_has_given(bare: str) -> None:
    migrate.upgrade(bare)
    store = Store.open(bare)
    try:
        part = store.parts.open(draft(), "click")[0].part
    finally:
        store.close()
    age = datetime.now(UTC) - datetime(2025, 1, 1, tzinfo=UTC)
    assert age.total_seconds() - 60 < int(part, 36) <= age.total_seconds()


def test_a_database_that_is_away_is_said_in_a_sentence() -> None:
    with pytest.raises(Unavailable, match="the database does not answer"):
        migrate.upgrade("postgresql://trader:hidden@127.0.0.1:1/perpdeck")


def _dialect() -> object:
    return create_engine("postgresql+psycopg2://").dialect
