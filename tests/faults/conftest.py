"""One database server and one simulator for all storms of a test process; each storm starts with nothing in either."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.faults.weather import Report, Storm, empty_store
from tests.postgres import Postgres, postgres
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess

__all__ = ["postgres"]

RunStorm = Callable[[int], Report]


@pytest.fixture(scope="session")
def exchange() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def quiet_log() -> Iterator[None]:
    """Lost answers are the point here, and there are thousands of them."""
    log = logging.getLogger("perpdeck")
    before = log.level
    log.setLevel(logging.ERROR)
    yield
    log.setLevel(before)


@pytest.fixture(scope="module")
def run_storm(postgres: Postgres, exchange: SimulatorProcess, quiet_log: None) -> RunStorm:
    """Plays one seed. AssertionError with the seed and the whole story where a promise is broken."""
    return partial(_run, postgres, exchange)


def _run(postgres: Postgres, exchange: SimulatorProcess, seed: int) -> Report:
    with empty_store(postgres) as store:
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
