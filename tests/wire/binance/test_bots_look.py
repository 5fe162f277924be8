"""The bot's own observer over this adapter: what a look costs, whatever rests and however many parts there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from core.domain.account import Exchange
from db.store import Store
from tests.postgres import database_url, postgres, store  # noqa: F401 - fixtures
from tests.stack import Stack, stack_on

LOOK = {"GET /fapi/v3/positionRisk": 1, "GET /fapi/v1/openAlgoOrders": 1, "GET /fapi/v1/openOrders": 1}

PRICES = {"GET /fapi/v2/ticker/price": 1, "GET /fapi/v1/ticker/bookTicker": 1, "GET /fapi/v1/premiumIndex": 1}


@pytest.fixture
def stack(store: Store) -> Iterator[Stack]:  # noqa: F811 - the fixture above
    with stack_on(store, Exchange.BINANCE) as made:
        made.simulator.market("hold")
        made.price(100000)
        made.look()
        yield made


def cost(stack: Stack) -> tuple[dict[str, int], int]:
    """Requests and weight of one look."""
    before, spent = Counter(stack.simulator.requests()), stack.simulator.state()["binance"]["weight"]
    stack.look()
    after = Counter(stack.simulator.requests())
    return dict(after - before), stack.simulator.state()["binance"]["weight"] - spent


@pytest.mark.parametrize("parts", [1, 5])
def test_a_look_costs_three_requests_whatever_rests(stack: Any, parts: Any) -> None:
    for _ in range(parts):
        stack.opened()
    stack.look()
    assert cost(stack) == (LOOK, 7)
    stack.step(0.5)
    assert cost(stack) == (LOOK, 7)
    stack.step(10)  # the whole account is due, and without a stream the price of what is held
    assert cost(stack) == (LOOK | PRICES, 85 + 4)


def test_what_has_ended_is_asked_about_no_more(stack: Any) -> None:
    name = stack.opened()
    stack.look()
    stack.price("88000")
    assert stack.ended(name).reason == "stop_loss"
    stack.step(20)
    stack.look()
    stack.step(1)
    assert cost(stack)[0].keys() <= LOOK.keys()
