"""A trader's account under guard for each story: a fresh database, and one simulator process made fresh each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.domain.account import Exchange
from core.paper import PAPER_ACCOUNTS
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


@pytest.fixture(params=list(PAPER_ACCOUNTS))
def either(request: pytest.FixtureRequest, store: Store, exchange: SimulatorProcess) -> Iterator[Stack]:
    """The same on every exchange in turn."""
    made = Stack(store, fresh(exchange), request.param)
    made.look()
    yield made
    made.client.close()


@pytest.fixture
def on_binance(store: Store, exchange: SimulatorProcess) -> Iterator[Stack]:
    """The same on Binance: TP and SL are two orders."""
    made = Stack(store, fresh(exchange), Exchange.BINANCE)
    made.look()
    yield made
    made.client.close()
