"""Writes to the backup's database, of whatever make: with time-outs, in whole transactions, failing with a sentence.

A server that is away, full, or silent for `SILENT_SECONDS` raises Unavailable with its words and never the password.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event, Timer
from typing import Any
from urllib.parse import quote, quote_plus

import psycopg2
from sqlalchemy import create_engine, delete, event, func, insert, inspect, make_url, select, tuple_, update
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from core.domain.errors import Misconfigured, Unavailable
from db.backup.tables import KINDS, PARTS, BackupTable, Cursor, metadata, progress

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
SILENT_SECONDS = 20.0  #: after this long a transaction's connection is cut
NOT_READ = "BACKUP_DATABASE_URL cannot be read: for example mysql://user:password@host:3306/database"
THE_SAME = "BACKUP_DATABASE_URL names the main database itself: a second copy there saves nothing"
SILENT = "the server took the connection and did not answer in time"
_POSTGRES = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "perpdeck-backup",
    "tcp_user_timeout": 10_000,
    "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS * 1000} "
    f"-c idle_in_transaction_session_timeout={STATEMENT_SECONDS * 2000}",
}
_MYSQL = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": STATEMENT_SECONDS,
    "write_timeout": STATEMENT_SECONDS,
    "charset": "utf8mb4",
}
#: the drivers that come along; any other can be named in the URL
_DRIVERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "postgres": ("postgresql+psycopg2", _POSTGRES),
    "postgresql": ("postgresql+psycopg2", _POSTGRES),
    "postgresql+psycopg2": ("postgresql+psycopg2", _POSTGRES),
    "mysql": ("mysql+pymysql", _MYSQL),
    "mysql+pymysql": ("mysql+pymysql", _MYSQL),
    "mariadb": ("mariadb+pymysql", _MYSQL),
    "mariadb+pymysql": ("mariadb+pymysql", _MYSQL),
}


class BackupTarget:
    """A connection to the backup's database, made at first use; one connection, one thread at a time."""

    def __init__(self, url: str, main: URL | None = None) -> None:
        """Take the backup's URL. Raises Misconfigured for one that cannot be read, needs a driver that is not there, or
        is `main`.
        """
        try:
            asked = make_url(url)
        except (ArgumentError, ValueError):
            raise Misconfigured(NOT_READ) from None
        driver, arguments = _DRIVERS.get(asked.drivername, (asked.drivername, {}))
        self._url = asked.set(drivername=driver)
        if main is not None and _spot(self._url) == _spot(main):
            raise Misconfigured(THE_SAME)
        self.place = place_of(self._url)
        self._ready = False
        self._line: Any = None  # the driver's connection
        self._cut = Event()
        self._engine = self._open(dict(arguments))

    def _open(self, arguments: dict[str, Any]) -> Engine:
        try:
            pool: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if self._url.database != ":memory:" else {}
            engine = create_engine(self._url, hide_parameters=True, pool_pre_ping=True, connect_args=arguments, **pool)
        except NoSuchModuleError:
            raise Misconfigured(f"BACKUP_DATABASE_URL: no database is called {self._url.drivername!r} here") from None
        except ImportError as missing:
            words = f"BACKUP_DATABASE_URL needs the Python package {missing.name}, which is not installed"
            raise Misconfigured(words) from None
        except (SQLAlchemyError, TypeError):
            raise Misconfigured(NOT_READ) from None
        event.listen(engine, "connect", self._connected)
        return engine

    def _connected(self, line: Any, _: Any) -> None:
        self._line = line

    def close(self) -> None:
        self._engine.dispose()

    def cut(self) -> None:
        """Cancel what is under way, from any thread: the driver then sees its connection end."""
        self._cut.set()
        number = getattr(self._line, "fileno", None)
        if number is None:
            return  # this driver has time-outs of its own
        with suppress(OSError, psycopg2.InterfaceError), socket.socket(fileno=os.dup(number())) as line:
            line.shutdown(socket.SHUT_RDWR)  # closed already: nothing is left to cut

    # -- writing ---------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction, limited to `SILENT_SECONDS`. Raises Unavailable with the server's words."""
        with self._in_time(), self._engine.begin() as connection:
            yield connection

    def make_ready(self) -> None:
        """Create missing tables and columns; what had to be created is copied anew. Needed once per process."""
        if self._ready:
            return
        with self.writing() as connection:
            there = inspect(connection)
            names = set(there.get_table_names())
            new: set[str] = set()
            missing: list[str] = []
            for kind in KINDS:
                name = kind.copy.name
                if name not in names:
                    new.add(kind.name)
                    continue
                have = {column["name"] for column in there.get_columns(name)}
                for column in kind.copy.columns:
                    if column.name not in have:
                        new.add(kind.name)
                        made = CreateColumn(column).compile(dialect=connection.dialect)
                        missing.append(f"ALTER TABLE {name} ADD COLUMN {made}")
            if new and progress.name in names:  # first, for some commit with each change of a table
                connection.execute(delete(progress).where(progress.c.kind.in_(sorted(new))))
            for statement in missing:
                connection.exec_driver_sql(statement)
            metadata.create_all(connection)
        self._ready = True

    def cursors(self, connection: Connection, origin: str) -> dict[str, Cursor]:
        """Return how far this book was copied, locked until the transaction ends. Empty: not begun yet."""
        query = select(progress).where(progress.c.origin == origin).with_for_update()
        return {row.kind: Cursor(row.changed, row.last_key) for row in connection.execute(query)}

    def begin_copying(self, connection: Connection, origin: str, kind: BackupTable, now: datetime) -> Cursor:
        start = Cursor()
        values = {"origin": origin, "kind": kind.name, "changed": start.changed, "last_key": start.key}
        connection.execute(insert(progress).values(copied_at=now, **values))
        return start

    def write(
        self,
        connection: Connection,
        origin: str,
        kind: BackupTable,
        rows: Sequence[tuple[Cursor, Mapping[str, Any]]],
        now: datetime,
    ) -> Cursor:
        """Write these rows in place of their older states, and move the cursor to the last of them."""
        key = list(kind.copy.primary_key.columns)
        keys = [tuple(values[column.name] for column in key) for _, values in rows]
        older = key[0].in_([one for (one,) in keys]) if len(key) == 1 else tuple_(*key).in_(keys)
        connection.execute(delete(kind.copy).where(older))
        connection.execute(insert(kind.copy), [dict(values) for _, values in rows])
        cursor = rows[-1][0]
        row = (progress.c.origin == origin) & (progress.c.kind == kind.name)
        connection.execute(
            update(progress).where(row).values(changed=cursor.changed, last_key=cursor.key, copied_at=now)
        )
        return cursor

    # -- rebuilding ------------------------------------------------------------------------------------------

    def parts(self) -> list[str]:
        """Return every part that the backup holds."""
        self.make_ready()
        with self.writing() as connection:
            return list(connection.scalars(select(PARTS.copy.c.part).order_by(PARTS.copy.c.part)))

    def counts(self) -> dict[str, int]:
        """Return how many rows of each table the backup holds."""
        with self.writing() as connection:
            found = {one.name: connection.scalar(select(func.count()).select_from(one.copy)) for one in KINDS}
        return {name: number or 0 for name, number in found.items()}

    def wipe(self) -> None:
        """Drop the backup's tables, whatever they look like."""
        self._ready = False
        with self.writing() as connection:
            metadata.drop_all(connection)

    # -- troubles --------------------------------------------------------------------------------------------

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        self._cut.clear()
        alarm = Timer(SILENT_SECONDS, self.cut)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        except (SQLAlchemyError, OSError, RuntimeError) as error:
            self._ready = False
            words = SILENT if self._cut.is_set() else self._words(error)
            raise Unavailable(words) from None  # the cause may hold the password
        finally:
            alarm.cancel()

    def _words(self, error: BaseException) -> str:
        """Return the first line of the server's or the driver's message, without the password."""
        cause = getattr(error, "orig", None) or error
        said = cause.args[1] if len(cause.args) == 2 and isinstance(cause.args[0], int) else cause
        lines = str(said).strip().splitlines()
        words = lines[0] if lines else type(cause).__name__
        secret = self._url.password or ""
        for written in {str(secret), quote(str(secret)), quote_plus(str(secret))} - {""}:
            words = words.replace(written, "***")
        return words


def place_of(url: URL) -> str:
    """Return host and database of a URL for a person to read; nothing that opens it."""
    make, host = url.drivername.partition("+")[0], _spot(url)[1]
    where = f" at {host}" if host else ""
    return f"{make} {url.database or ''}".strip() + where


def _spot(url: URL) -> tuple[str, str, str]:
    """Return make, host with port, and database: what tells two databases apart."""
    make = url.drivername.partition("+")[0].replace("postgresql", "postgres")
    inside = url.query.get("host", "")
    host = url.host or (inside if isinstance(inside, str) else ",".join(inside))
    port = url.port or {"postgres": 5432, "mysql": 3306, "mariadb": 3306}.get(make)
    return make, f"{host}:{port}" if host and port else host, url.database or ""
