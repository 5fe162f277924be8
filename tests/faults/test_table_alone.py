"""Every fault at every step of a part that has its position to itself; see `matrix` for the promises.

`SEED=n VOYAGE=m` makes one voyage again; `-m soak` runs the whole table, once for every thousand of `SEEDS`.
"""

from __future__ import annotations

import pytest

from core.domain.account import Exchange
from tests.faults.conftest import RunTable

A_FEW = {Exchange.OKX: 6, Exchange.BINANCE: 3}  #: voyages, of eight flows each


@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_a_sample_of_the_table(run_table: RunTable, exchange: Exchange) -> None:
    run_table(exchange, shared=False, most=A_FEW[exchange])


@pytest.mark.soak
@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_the_whole_table(run_table: RunTable, exchange: Exchange) -> None:
    run_table(exchange, shared=False, most=None)
