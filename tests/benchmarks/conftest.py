"""The database and a bot on a stepped clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.harness.world import BALANCE, without_budget
from core.domain.account import Exchange
from db.store import Store
from tests.postgres import database_url, postgres, store
from tests.stack import SWAP, Stack, stack_on

__all__ = ["database_url", "postgres", "store"]


@pytest.fixture
def stack(store: Store) -> Iterator[Stack]:
    """A bot without a request budget of its own: what it asks is counted, not slowed."""
    yield from _unhurried(store, Exchange.OKX)


@pytest.fixture
def binance(store: Store) -> Iterator[Stack]:
    """The same on Binance."""
    yield from _unhurried(store, Exchange.BINANCE)


def _unhurried(store: Store, exchange: Exchange) -> Iterator[Stack]:
    with stack_on(store, exchange, balance=BALANCE) as built:
        without_budget(built)
        built.simulator.market("hold")
        built.simulator.price(SWAP, "100000")
        yield built
