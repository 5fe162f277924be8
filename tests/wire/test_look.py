"""The bot's own observer over this adapter: what a look costs, and what it shows while a stop is filling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.instrument import Side
from core.domain.order import Leg, OrderStatus, Purpose
from db.store import Store
from tests.contract.bench import Act
from tests.postgres import database_url, postgres, store  # noqa: F401 - fixtures
from tests.simulator.okx.client import OkxClient
from tests.stack import ACCOUNT, BTC, Stack, stack_on


@pytest.fixture
def stack(store: Store) -> Iterator[Stack]:  # noqa: F811 - the fixture above
    with stack_on(store) as made:
        made.simulator.market("hold")
        made.price(100000)
        made.look()
        yield made


def requests_of(stack: Stack, act: Act) -> dict[str, int]:
    before = Counter(stack.simulator.requests())
    act()
    return dict(Counter(stack.simulator.requests()) - before)


def test_a_look_costs_three_requests_whatever_rests(stack: Any) -> None:
    stack.opened()
    with OkxClient(stack.simulator.base_url, stack.simulator.okx) as person:
        for number in range(95):
            placed = person.order("BTC-USDT-SWAP", "buy", "long", "0.01", ordType="limit", px=str(90000 - number))
            assert placed.row["sCode"] == "0"
            legs = {"sz": "0.01", "slTriggerPx": str(80000 - number), "slOrdPx": "-1"}
            assert person.algo("BTC-USDT-SWAP", "sell", "long", "conditional", **legs).row["sCode"] == "0"
    assert requests_of(stack, stack.look) == {
        "GET /api/v5/account/positions": 1,
        "GET /api/v5/trade/orders-pending": 1,
        "GET /api/v5/trade/orders-algo-pending": 1,
    }


def test_while_a_stop_fills_in_steps_it_is_ours_and_working_and_nothing_is_doubled(stack: Any) -> None:
    name = stack.opened(stack.draft(2000))
    size = stack.part(name).size
    stack.simulator.switches(fill_steps=4, order_delay_seconds=1)
    stack.price("94000")
    stack.step(1)
    stack.simulator.market("hold")
    stack.look()
    filling = next(order for order in stack.part(name).orders if order.purpose is Purpose.PROTECT)
    assert (filling.status, filling.triggered_leg) == (OrderStatus.WORKING, Leg.STOP_LOSS)
    assert D(0) < filling.filled < size
    assert stack.part(name).size == size - filling.filled == stack.held()
    assert stack.acts() == []
    look = stack.guard.reconciler.last_look
    assert not [order for order in look.orders if order.part is None]
    assert [(key.account, key.symbol, key.side) for key in look.positions] == [(ACCOUNT, BTC, Side.LONG)]
    ended = stack.ended(name)
    assert ended.reason == "stop_loss"
    assert stack.held() == 0
