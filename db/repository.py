"""The base class of repositories: the database that they read and write."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy.engine import Connection

from db.connection import Database


class Repository:
    """Keeps one kind of thing in a database; takes and returns domain values."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def transaction(self) -> AbstractContextManager[Connection]:
        """Return a connection in which all or nothing is written. Raises Unavailable."""
        return self._database.transaction()

    def one_statement(self) -> AbstractContextManager[Connection]:
        """Return a connection on which each statement stands for itself. Raises Unavailable."""
        return self._database.one_statement()
