"""Every fault at every step of entries, recoveries and closes that are worked piece by piece; see `worked`.

A death is struck before and after each piece's request and each commit, not only at one of them. `SEED=n VOYAGE=m`
makes one voyage again; `-m soak` runs the whole table, once for every thousand of `SEEDS`.
"""

from __future__ import annotations

import pytest

from core.domain.account import Exchange
from tests.faults.conftest import RunTable
from tests.faults.harness.worked import Worked

A_FEW = 1  #: voyage of ten flows on each exchange


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_a_sample_of_the_table(run_table: RunTable, exchange: Exchange, shared: bool) -> None:
    run_table(exchange, shared=shared, most=A_FEW, sailing=Worked)


@pytest.mark.soak
@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_the_whole_table(run_table: RunTable, exchange: Exchange, shared: bool) -> None:
    run_table(exchange, shared=shared, most=None, sailing=Worked)
