"""A trader's account under guard for each story: a fresh database, and one simulator process made fresh each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.store import Store
from tests.postgres import database_url, postgres, store
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack

__all__ = ["database_url", "postgres", "store"]


@pytest.fixture(scope="session")
def exchange() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture
def stack(store: Store, exchange: SimulatorProcess) -> Iterator[Stack]:
    """BTC stands at 100,000; the bot is started and has looked once."""
    made = Stack(store, fresh(exchange))
    made.look()
    yield made
    made.client.close()
