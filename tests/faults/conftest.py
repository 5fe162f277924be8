"""One database server and one simulator for all storms of a test process; each storm starts with nothing in either."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import pytest

from core.domain.account import Exchange
from tests.faults import table
from tests.faults.harness.fault_scenario import Voyage
from tests.faults.harness.invariants import Report, empty_store
from tests.faults.harness.matrix import SEED, Matrix
from tests.faults.harness.random_faults import Storm
from tests.postgres import Postgres, postgres
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess

__all__ = ["postgres"]

RunStorm = Callable[..., Report]
ROUNDS = max(1, int(os.environ.get("SEEDS", "1000")) // 1000)  #: of the whole table, where it is run whole


class RunTable(Protocol):
    def __call__(self, exchange: Exchange, *, shared: bool, most: int | None, sailing: type[Voyage] = Voyage) -> None:
        """Run so many voyages of the table, or all. AssertionError with every promise that was broken."""


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as process:
        yield process


@pytest.fixture(scope="module")
def quiet_log() -> Iterator[None]:
    """Lost answers are the point here, and there are thousands of them."""
    log = logging.getLogger("perpdeck")
    before = log.level
    log.setLevel(logging.ERROR)
    yield
    log.setLevel(before)


@pytest.fixture(scope="module")
def run_storm(postgres: Postgres, simulator: SimulatorProcess, quiet_log: None) -> RunStorm:
    """Plays one seed. AssertionError with the seed and the whole story where a promise is broken."""
    return partial(_run, postgres, simulator)


def _run(
    postgres: Postgres, simulator: SimulatorProcess, seed: int, exchange: Exchange = Exchange.OKX, *, hedge: bool = True
) -> Report:
    with empty_store(postgres) as store:
        storm = Storm(store, fresh(simulator), seed, exchange, hedge=hedge)
        try:
            storm.rage()
            storm.calm()
            storm.close_everything()
        except AssertionError as broken:
            where = exchange if hedge else f"{exchange} one-way"
            raise AssertionError(f"{where} SEED={seed}: {broken}") from broken
        finally:
            storm.client.close()
        return storm.report


@pytest.fixture
def run_table(postgres: Postgres, simulator: SimulatorProcess, quiet_log: None) -> RunTable:
    """The fault table of one setting; what was run is shown at the end of the whole run."""

    def run(exchange: Exchange, *, shared: bool, most: int | None, sailing: type[Voyage] = Voyage) -> None:
        matrix = Matrix(postgres, simulator, exchange, shared=shared, sailing=sailing)
        assert not matrix.unmet(), f"steps that never happen: {matrix.unmet()}"
        seeds = range(SEED, SEED + (1 if most is not None else ROUNDS))
        runs = [run for seed in seeds for run in matrix.run(seed, most)]
        told = [
            {"exchange": exchange, "flow": one.cell.flow, "step": one.cell.step, "kind": one.cell.kind,
             "struck": one.struck, "bare": one.bare_seconds, "broken": one.broken}
            for one in runs
        ]  # fmt: skip
        cells = [(exchange, cell.flow, cell.step, cell.kind) for cell in matrix.cells]
        table.keep(cells, told, SEED)
        missed = [one.cell for one in runs if not one.struck]
        assert len(missed) <= max(1, len(runs) // 50), f"struck nothing: {missed}"
        broken = [one.broken for one in runs if one.broken]
        assert not broken, f"{len(broken)} promises broken\n\n" + "\n\n".join(broken)

    return run
