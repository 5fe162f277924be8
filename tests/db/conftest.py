"""The database fixtures, and a server that a test may stop and kill."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.postgres import database_url, folder_for_server, postgres, store

__all__ = ["database_url", "postgres", "postgres_of_its_own", "server_folder", "store"]


@pytest.fixture
def server_folder() -> Iterator[Path]:
    folder = folder_for_server()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    """The folder of a server that has been made and stopped: making one takes longest."""
    folder = folder_for_server()
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    server.stop()
    yield server.folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres_of_its_own(server_folder: Path, made_once: Path) -> Iterator[EmbeddedPostgres]:
    """Made, and not started yet; stopped afterwards."""
    subprocess.run(["cp", "-a", str(made_once), str(server_folder)], check=True)
    server = EmbeddedPostgres(server_folder / made_once.name)
    yield server
    server.stop()
