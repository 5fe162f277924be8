"""A backup that is away, silent, full, spoilt or wrongly named: said in words, tried again, caught up with."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db.backup import target, writer
from db.backup.target import NOT_READ, SILENT, THE_SAME, BackupTarget
from db.backup.writer import rebuild
from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from db.store import Store
from tests.backup.conftest import Book, Copying, Silent
from tests.db.values import NOON
from tests.eventually import eventually
from tests.mariadb import PASSWORD, MariaDB

Outage = tuple[Copying, EmbeddedPostgres | MariaDB]


@pytest.fixture(params=["postgres", "mariadb"])
def outage(request: pytest.FixtureRequest, store: Store, database_url: str) -> Iterator[Outage]:
    """A copy on a server that the test may stop and start."""
    if request.param == "mariadb":
        server = request.getfixturevalue("mariadb")
        url = server.url
    else:
        server = request.getfixturevalue("postgres_of_its_own")
        url = server.start()
    copying = Copying(store, database_url, url)
    yield copying, server
    copying.close()
    server.start()


def test_an_outage_is_told_counted_and_caught_up_with(outage: Outage, book: Book) -> None:
    copying, server = outage
    book.life()
    copying.up_to_date()
    complete_at = copying.writer.note.complete_at
    server.stop()
    for _ in range(2):
        book.life()
    assert [copying.pass_by() for _ in range(6)] == [5, 10, 20, 40, 60, 60]
    note = copying.source.note()
    assert note is not None
    assert note.trouble
    assert PASSWORD not in note.trouble
    assert note.complete_at == complete_at
    assert copying.behind() == 6
    copying.writer = copying.new_writer()  # after a restart the lag is known before the backup answers
    copying.pass_by()
    assert copying.behind() == 6
    server.start()
    copying.up_to_date()
    assert copying.copy() == copying.book()
    assert copying.behind() == 0
    assert copying.writer.note.trouble_since is None


def test_starting_a_test_server_twice_leaves_none_behind(mariadb: MariaDB) -> None:
    mariadb.start()
    mariadb.stop()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", mariadb.port), 1):
        raise AssertionError("a server still listens")
    mariadb.start()


def test_a_write_that_was_cut_off_left_nothing_half_done(outage: Outage, book: Book) -> None:
    copying, _ = outage
    book.life()
    copying.up_to_date()
    book.life()
    place = BackupTarget(copying.url)
    with pytest.raises(ZeroDivisionError), place.writing() as connection:  # noqa: PT012  in the midst of it
        connection.execute(text("DELETE FROM perpdeck_parts"))
        _ = 1 / 0
    place.close()
    assert len(copying.copy()["parts"]) == 1


@pytest.mark.parametrize("make", ["postgresql", "mysql"])
def test_a_server_that_never_answers_holds_up_nobody_for_long(
    make: str, store: Store, database_url: str, book: Book, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(target._MYSQL, "read_timeout", 1)
    monkeypatch.setitem(target._POSTGRES, "connect_timeout", 2)
    copying = Copying(store, database_url, f"{make}://keeper:{PASSWORD}@127.0.0.1:{silent.port}/backup")
    book.life()
    assert copying.pass_by() == writer.EVERY_SECONDS
    assert copying.writer.note.trouble
    assert PASSWORD not in copying.writer.note.trouble
    assert copying.behind() == 3
    copying.close()


def test_a_line_that_has_fallen_silent_is_cut_and_made_anew(
    beside: Copying, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process stands still with the line open: no time-out of the server's own can end that."""
    monkeypatch.setattr(target, "SILENT_SECONDS", 0.5)
    book.life()
    beside.up_to_date()
    frozen = of_backup(beside, "pid")
    os.kill(frozen, signal.SIGSTOP)
    try:
        book.life()
        beside.up_to_date()
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert beside.copy() == beside.book()


def test_a_server_that_is_silent_in_the_midst_of_it_is_told(
    beside: Copying, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "SILENT_SECONDS", 0.5)
    beside.up_to_date()
    book.life()
    other = BackupTarget(beside.url)
    with other._engine.begin() as connection:
        connection.execute(text("LOCK TABLE perpdeck_cycles IN ACCESS EXCLUSIVE MODE"))
        beside.pass_by()
        assert beside.writer.note.trouble == SILENT
        assert beside.behind() == 3
    other.close()
    beside.up_to_date()
    assert beside.copy() == beside.book()


def test_stopping_does_not_wait_for_a_silent_server(beside: Copying, book: Book) -> None:
    beside.up_to_date()
    frozen = of_backup(beside, "pid")
    os.kill(frozen, signal.SIGSTOP)
    try:
        beside.writer.start()
        thread = beside.writer._thread
        assert thread is not None
        beside.writer.stop(0.2)
        eventually(lambda: not thread.is_alive(), words="the thread has ended")
    finally:
        os.kill(frozen, signal.SIGCONT)


def of_backup(copying: Copying, column: str) -> int:
    """Of the server process that serves the writer; other databases of the server may have writers of their own."""
    url, place = make_url(copying.main), make_url(copying.url).database
    connection = psycopg2.connect(host=url.query["host"], user=url.username, dbname=url.database)
    with connection, connection.cursor() as cursor:
        ours = "application_name = 'perpdeck-backup' AND datname = %s"
        cursor.execute(f"SELECT {column} FROM pg_stat_activity WHERE {ours}", (place,))
        [(found,)] = cursor.fetchall()
    connection.close()
    return int(found)


def test_a_full_disk_is_told_in_the_servers_words(beside: Copying, book: Book) -> None:
    beside.up_to_date()
    full = BackupTarget(beside.url)
    with full.writing() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER full_disk BEFORE INSERT ON perpdeck_cycles EXECUTE FUNCTION full_disk()")
        )
    book.life()
    beside.pass_by()
    assert beside.writer.note.trouble == "could not extend file: No space left on device"
    assert beside.copy()["parts"] == {}, "all or nothing"
    with full.writing() as connection:
        connection.execute(text("DROP TRIGGER full_disk ON perpdeck_cycles"))
    full.close()
    beside.up_to_date()
    assert beside.copy() == beside.book()


def test_tables_of_another_shape_are_told_and_a_rebuild_puts_them_right(copying: Copying, book: Book) -> None:
    book.life()
    place = BackupTarget(copying.url)
    with place.writing() as connection:
        connection.execute(text("CREATE TABLE perpdeck_parts (part VARCHAR(2) NOT NULL, mine INTEGER NOT NULL)"))
    copying.pass_by()
    assert copying.writer.note.trouble
    rebuild(copying.source, place, lambda: NOON)
    place.close()
    copying.up_to_date()
    assert copying.copy() == copying.book()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", NOT_READ),
        ("mysql://keeper:hidden@127.0.0.1:port/backup", NOT_READ),
        ("quill://keeper:hidden@127.0.0.1/backup", "BACKUP_DATABASE_URL: no database is called 'quill' here"),
        (
            "mysql+mysqldb://keeper:hidden@127.0.0.1/backup",
            "BACKUP_DATABASE_URL needs the Python package MySQLdb, which is not installed",
        ),
    ],
)
def test_a_url_that_cannot_be_used_is_told(url: str, words: str, store: Store, database_url: str) -> None:
    copying = Copying(store, database_url, url)
    copying.pass_by()
    note = copying.source.note()
    assert note is not None
    assert note.trouble == words
    copying.close()


def test_the_main_database_is_no_backup_of_itself(store: Store, database_url: str) -> None:
    copying = Copying(store, database_url, database_url)
    copying.pass_by()
    assert copying.writer.note.trouble == THE_SAME
    copying.close()


@pytest.mark.parametrize("make", ["postgresql", "mysql"])
def test_nobody_there_is_told_without_the_password(make: str, store: Store, database_url: str) -> None:
    copying = Copying(store, database_url, f"{make}://keeper:{PASSWORD}@127.0.0.1:1/backup")
    copying.pass_by()
    assert "refused" in copying.writer.note.trouble
    assert PASSWORD not in copying.writer.note.trouble
    assert copying.writer.note.place == f"{make} backup at 127.0.0.1:1"
    copying.close()


def test_a_wrong_password_is_told_without_it(mariadb: MariaDB, store: Store, database_url: str) -> None:
    copying = Copying(store, database_url, mariadb.url.replace(PASSWORD, "another-secret"))
    copying.pass_by()
    assert "Access denied" in copying.writer.note.trouble
    assert "another-secret" not in copying.writer.note.trouble
    copying.close()


def test_the_main_database_away_is_no_end_of_the_writer(postgres_of_its_own: EmbeddedPostgres, tmp_path: Path) -> None:
    main = postgres_of_its_own.start()
    upgrade(main)
    store = Store.open(main)
    copying = Copying(store, main, f"sqlite:///{tmp_path / 'backup.db'}")
    book = Book(store)
    book.life()
    copying.up_to_date()
    postgres_of_its_own.stop()
    copying.pass_by()
    assert "the database does not answer" in copying.writer.note.trouble
    postgres_of_its_own.start()
    store.engine.dispose()
    book.life()
    copying.up_to_date()
    assert copying.copy() == copying.book()
    copying.close()
    store.close()
