"""The connection to PostgreSQL: a small pool, short time-outs, and one error for "it does not answer".

Errors of the connection become `Unavailable` with the server's words and never the password. A statement that
is wrong in itself is a bug of ours and stays one.
"""

from __future__ import annotations

import json
import logging
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from threading import Event as StopEvent
from typing import Any, Self

import orjson
import psycopg2
from sqlalchemy import create_engine, event, func, make_url
from sqlalchemy import select as sql_select
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from core.domain.errors import Misconfigured, PerpdeckError, Unavailable
from core.domain.reason import Reason

log = logging.getLogger("perpdeck.database")

CHANNEL = "perpdeck"
CONNECT_SECONDS = 5
STATEMENT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 15_000
IDLE_SECONDS = 1.0  #: after this long a pooled connection is tried before it is used
LAST_USED = "last used"
EAR_SECONDS = 0.5  #: how soon a listener notices that it shall stop
LONGEST_BACK_OFF = 5.0
DECIMAL = '"decimal"'  #: the name under which a decimal travels in JSON
CONNECTED = {"connected": True}  #: what a listener hears first, and after every gap

Message = dict[str, Any]
_AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)


class Database:
    """A pool of connections. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        _ping_the_idle(engine)

    @classmethod
    def open(cls, url: str) -> Self:
        """Make the pool; nothing is connected yet. Raises Misconfigured for what is no PostgreSQL URL."""
        return cls(
            create_engine(
                normal_url(url),
                pool_size=5,
                max_overflow=10,
                pool_timeout=CONNECT_SECONDS,
                hide_parameters=True,
                json_serializer=to_json,
                json_deserializer=from_json,
                connect_args={
                    "connect_timeout": CONNECT_SECONDS,
                    "application_name": "perpdeck",
                    "keepalives_idle": 10,
                    "keepalives_interval": 5,
                    "keepalives_count": 3,
                    "tcp_user_timeout": 10_000,
                    "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_MS} "
                    f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}",
                },
            )
        )

    def close(self) -> None:
        self.engine.dispose()

    def ping(self) -> float:
        """Return the seconds that one round trip takes. Raises Unavailable."""
        with self.one_statement() as connection:
            began = time.perf_counter()
            connection.execute(sql_select(1))
            return time.perf_counter() - began

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction: all or nothing is written. Raises Unavailable."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def one_statement(self) -> Iterator[Connection]:
        """Return a connection in autocommit: each statement is one round trip. Raises Unavailable."""
        with _translated(), self.engine.connect() as connection:
            dbapi: Any = connection.connection.dbapi_connection
            dbapi.autocommit = True  # by the driver alone: as a level of isolation it costs a round trip to take back
            try:
                yield connection
            finally:
                if not dbapi.closed:
                    dbapi.autocommit = False

    # -- notes between processes -----------------------------------------------------------------------------

    def notify(self, message: Message) -> None:
        """Send a notification to every listener (NOTIFY). What it is about must be in the database already."""
        with self.one_statement() as connection:
            send(connection, message)

    def listen(self, callback: Callable[[Message], None], stop: StopEvent) -> None:
        """Call `callback` for each notification (LISTEN) until `stop` is set, in the caller's thread.

        The first note of each connection is `CONNECTED`: what was said before it was not heard, so look at
        everything. Where the callback itself fails for want of the database or the exchange, the same follows.
        """
        back_off = EAR_SECONDS
        while not stop.is_set():
            try:
                for message in self._heard(stop):
                    callback(message)
                    back_off = EAR_SECONDS
            except (DBAPIError, PoolTimeoutError, psycopg2.Error, OSError, PerpdeckError) as trouble:
                log.warning("listener interrupted: %s", words_of(trouble))
                stop.wait(back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF)

    def _heard(self, stop: StopEvent) -> Iterator[Message]:
        pooled = self.engine.raw_connection()
        pooled.detach()  # a connection of its own; closing it ends it
        try:
            connection: Any = pooled.dbapi_connection  # detached, it has no record to ask
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            yield dict(CONNECTED)
            while not stop.is_set():
                select.select([connection], [], [], EAR_SECONDS)
                connection.poll()
                while connection.notifies:
                    yield from _parsed(connection.notifies.pop(0).payload)
        finally:
            pooled.close()


def _ping_the_idle(engine: Engine) -> None:
    """Test a pooled connection before use where it has lain idle; one that was in use just now costs no round trip."""

    def on_checkin(_: Any, record: ConnectionPoolEntry) -> None:
        record.info[LAST_USED] = time.monotonic()

    def on_checkout(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.get(LAST_USED, time.monotonic()) < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg2.Error as gone:
            raise DisconnectionError from gone  # the pool takes another one

    event.listen(engine, "checkin", on_checkin)
    event.listen(engine, "checkout", on_checkout)


def send(connection: Connection, message: Message) -> None:
    """Notify every listener when (and only if) this transaction commits."""
    connection.execute(sql_select(func.pg_notify(CHANNEL, message_text(message))))


def message_text(message: Message) -> str:
    """Return a notification as the text that travels."""
    return json.dumps(message)


def normal_url(url: str) -> URL:
    """Return `url` for the driver we use. Raises Misconfigured, without showing the password."""
    try:
        made = make_url(url)
    except (ValueError, ArgumentError):
        raise Misconfigured("DATABASE_URL cannot be read: postgresql://user:password@host:port/database") from None
    if made.drivername not in ("postgres", "postgresql", "postgresql+psycopg2"):
        raise Misconfigured(f"DATABASE_URL is for {made.drivername!r}: it must begin with postgresql://")
    return made.set(drivername="postgresql+psycopg2")


def words_of(error: BaseException) -> str:
    """Return the first line of the server's or the driver's message; no statement, no parameters."""
    if isinstance(error, PoolTimeoutError):
        return f"all connections are in use for {CONNECT_SECONDS} s"
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def to_json(value: Any) -> str:
    """Return `value` as JSON in which a decimal stays a decimal, with every digit of it."""
    return orjson.dumps(value, default=_special, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def from_json(text: str) -> Any:
    found = orjson.loads(text)
    return _restored(found) if DECIMAL in text else found


def _special(value: object) -> object:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _restored(found: Any) -> Any:
    if isinstance(found, dict):
        if len(found) == 1 and "decimal" in found:
            return Decimal(found["decimal"])
        return {name: _restored(value) for name, value in found.items()}
    return [_restored(value) for value in found] if isinstance(found, list) else found


def _parsed(payload: str) -> Iterator[Message]:
    try:
        message = json.loads(payload)
    except ValueError:
        log.warning("note not understood: %.80r", payload)
        return
    if isinstance(message, dict):
        yield message


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _AWAY as error:
        raise Unavailable(Reason("database.no_answer", why=words_of(error))) from error
