"""The database and a bot on a stepped clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.exchange.throttle import Limit, Throttle
from db.store import Store
from tests.postgres import database_url, postgres, store
from tests.stack import Stack, stack_on

__all__ = ["database_url", "postgres", "store"]


@pytest.fixture
def stack(store: Store) -> Iterator[Stack]:
    """A bot without a request budget of its own: what it asks is counted, not slowed."""
    with stack_on(store, balance="100000000") as built:
        built.client.throttle = built.client._session._throttle = Throttle({}, otherwise=Limit(10**9, 1.0))
        built.simulator.market("hold")
        yield built
