"""A real MariaDB for tests, where one is installed: its own folder, its own port on 127.0.0.1, ended by its own pid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.eventually import eventually
from tests.postgres import folder_for_server

PASSWORD = "hidden-of-the-backup"
USER = "nobody"  #: whom root's server runs as


def program(*names: str) -> str | None:
    """The first of these programs that is installed."""
    return next(
        (found for name in names if (found := shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin"))), None
    )


class MariaDB:
    """One server; `start` and `stop` as often as wanted. Its data stay until `remove`."""

    def __init__(self) -> None:
        self.folder = folder_for_server()
        self.data = self.folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        make = program("mariadb-install-db", "mysql_install_db") or ""
        self._serve = program("mariadbd") or ""
        self.data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.data, USER)
        subprocess.run(
            [
                make,
                "--no-defaults",
                f"--datadir={self.data}",
                "--auth-root-authentication-method=normal",
                *self._user(),
            ],
            check=True,
            capture_output=True,
        )

    @property
    def url(self) -> str:
        return f"mysql://keeper:{PASSWORD}@127.0.0.1:{self.port}/backup"

    def start(self) -> None:
        """Safe to call while it runs."""
        if self._process is not None:
            return
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                self._serve,
                "--no-defaults",
                f"--datadir={self.data}",
                f"--socket={self.data / 'socket'}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                "--innodb-flush-log-at-trx-commit=0",
                "--skip-log-bin",
                *self._user(),
            ],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        log.close()
        eventually(self._answers, seconds=60, words="MariaDB answers", every=0.1)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(30)

    def empty(self) -> None:
        """A database without a table, and the user who owns it."""
        for statement in (
            "DROP DATABASE IF EXISTS backup",
            "CREATE DATABASE backup",
            f"CREATE USER IF NOT EXISTS keeper@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON backup.* TO keeper@'127.0.0.1'",
        ):
            self.execute(statement)

    def execute(self, statement: str) -> None:
        with pymysql.connect(**self._root()) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            connection.commit()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, Path(self.folder / "log").read_text()[-2000:]
        try:
            pymysql.connect(**self._root()).close()
        except pymysql.err.OperationalError:
            return False
        return True

    def _root(self) -> dict[str, Any]:
        return {"unix_socket": str(self.data / "socket"), "user": "root", "connect_timeout": 5}

    def _user(self) -> list[str]:
        return [f"--user={USER}"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    if not (program("mariadbd") and program("mariadb-install-db", "mysql_install_db")):
        pytest.skip("MariaDB is not installed here (Debian: mariadb-server)")
    server = MariaDB()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def mariadb(mariadb_server: MariaDB) -> MariaDB:
    """Running, and empty."""
    mariadb_server.empty()
    return mariadb_server
