"""Bars for the charts on the real stack: of what is held, for any account, as old as they say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from core.domain.errors import Unavailable
from core.monitor.candles import BARS, read_candles
from core.services.reporting.snapshot import Reports
from tests.stack import ACCOUNT, Stack

BTC = "BTC-USDT-PERP"


@pytest.fixture
def reports(stack: Stack) -> Reports:
    return Reports(stack.store, stack.clock)


def test_nothing_is_read_of_what_is_not_held(stack: Stack, reports: Reports) -> None:
    stack.look()
    read_candles(stack.guard)
    assert reports.candles(ACCOUNT, BTC) is None


def test_the_bars_of_a_held_contract_end_at_its_price(stack: Stack, reports: Reports) -> None:
    stack.opened()
    stack.price("100500")
    read_candles(stack.guard)
    found = reports.candles(ACCOUNT, BTC)
    assert found is not None
    assert len(found.bars) == BARS
    assert all(int(later["t"]) - int(earlier["t"]) == 60_000 for earlier, later in pairwise(found.bars))
    assert Decimal(found.bars[-1]["c"]) == 100500
    assert all(Decimal(bar["l"]) <= Decimal(bar["o"]) <= Decimal(bar["h"]) for bar in found.bars)


def test_bars_that_could_not_be_read_anew_stay_and_age(stack: Stack, reports: Reports) -> None:
    stack.opened()
    read_candles(stack.guard)
    before = reports.candles(ACCOUNT, BTC)
    stack.simulator.faults({"kind": "code", "code": "50013", "http": 503, "match": {"path": "market/candles"}})
    stack.step(120)
    with pytest.raises(Unavailable):
        read_candles(stack.guard)
    found = reports.candles(ACCOUNT, BTC)
    assert found == before
    assert found is not None
    assert found.age(stack.clock.now()) >= timedelta(minutes=2)
    assert found.stale(stack.clock.now())
