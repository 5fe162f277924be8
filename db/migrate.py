"""Brings a database to the newest schema, once, however many processes start at the same time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from core.domain.errors import Unavailable
from core.domain.reason import Reason
from db.change_marks import mark_again
from db.connection import normal_url, words_of

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x5045525044  #: "PERPD"; whoever holds it migrates


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up under an advisory lock, all or nothing. Raises Unavailable where the database does not answer.

    At the newest schema, rows that another server has marked are marked anew.
    """
    _migrate(url, revision, up=True)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to `revision`; "base" is an empty database."""
    _migrate(url, revision, up=False)


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, made without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _migrate(url: str, revision: str, *, up: bool) -> None:
    engine = create_engine(normal_url(url), poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            (command.upgrade if up else command.downgrade)(configuration(connection), revision)
            if up and revision == "head":
                mark_again(connection)
    except OperationalError as error:
        raise Unavailable(Reason("database.no_answer", why=words_of(error))) from error
    finally:
        engine.dispose()
