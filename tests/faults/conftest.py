"""One database server and one simulator for all storms of a test process; each storm starts with nothing in either."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from db.store import Store
from tests.faults.weather import Report, Storm
from tests.postgres import Postgres, postgres
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess

__all__ = ["postgres"]

RunStorm = Callable[[int], Report]


@pytest.fixture(scope="session")
def exchange() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def run_storm(postgres: Postgres, exchange: SimulatorProcess) -> Iterator[RunStorm]:
    """Plays one seed. AssertionError with the seed and the whole story where a promise is broken."""
    store = Store.open(postgres.url)
    log = logging.getLogger("perpdeck")
    before, log.level = log.level, logging.ERROR  # lost answers are the point here, and there are thousands
    yield partial(_run, postgres, exchange, store)
    log.level = before
    store.close()


def _run(postgres: Postgres, exchange: SimulatorProcess, store: Store, seed: int) -> Report:
    postgres.empty()
    storm = Storm(store, fresh(exchange), seed)
    try:
        storm.rage()
        storm.calm()
        storm.close_everything()
    except AssertionError as broken:
        raise AssertionError(f"SEED={seed}: {broken}") from broken
    finally:
        storm.client.close()
    return storm.report
