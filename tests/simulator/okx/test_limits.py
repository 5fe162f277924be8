"""Rate limits: a bucket per endpoint and key, full and empty again, and what a full one answers."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.okx.client import BTC, ETH, Answer, OkxClient
from tests.simulator_process import SimulatorProcess

TINY = {"ordType": "limit", "px": "99000"}


@pytest.fixture
def limited(sim: SimulatorProcess) -> SimulatorProcess:
    sim.switches(rate_limits=True)
    return sim


def refused_after(call: Callable[[], Answer], at_most: int) -> int:
    """How many calls pass before the first 50011."""
    for passed in range(at_most):
        answer = call()
        if answer.code == "50011":
            return passed
        assert answer.code == "0", answer.body
    return at_most


@pytest.mark.parametrize(
    ("path", "parameters", "budget"),
    [
        ("account/balance", {}, 10),
        ("account/positions", {}, 10),
        ("account/config", {}, 5),
        ("trade/orders-algo-pending", {"ordType": "conditional,oco"}, 20),
        ("trade/orders-pending", {}, 60),
        ("market/ticker", {"instId": BTC}, 20),
    ],
)
def test_each_read_has_its_own_budget_in_two_seconds(
    limited: SimulatorProcess, okx: OkxClient, path: str, parameters: dict[str, Any], budget: int
) -> None:
    assert refused_after(lambda: okx.get(path, **parameters), budget + 1) == budget
    assert okx.get("public/time").code == "0"


def test_orders_have_a_budget_per_instrument(limited: SimulatorProcess, okx: OkxClient) -> None:
    assert refused_after(lambda: okx.order(BTC, "buy", "long", "0.01", **TINY), 61) == 60
    assert okx.order(ETH, "buy", "long", "0.01", ordType="limit", px="3450").code == "0"


def test_a_full_bucket_empties_again(limited: SimulatorProcess, okx: OkxClient) -> None:
    assert refused_after(lambda: okx.get("account/config"), 6) == 5
    limited.clock(3)
    deadline = time.monotonic() + 4
    while okx.get("account/config").code != "0":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("http", [429, 200])
def test_too_many_requests_come_with_either_http_status(limited: SimulatorProcess, okx: OkxClient, http: int) -> None:
    limited.switches(rate_limit_http=http)
    answers = [okx.get("account/config") for _ in range(6)]
    assert (answers[-1].http, answers[-1].code) == (http, "50011")


def test_the_limits_can_be_switched_off(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.switches(rate_limits=False)
    assert refused_after(lambda: okx.get("account/config"), 30) == 30


def test_the_whole_accounts_order_budget_has_a_code_of_its_own(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"path": "trade/order"}, "kind": "code", "code": "50061", "http": 200, "count": 1})
    assert okx.order(BTC, "buy", "long", "1").code == "50061"
    assert okx.positions() == []


def test_bursts_of_a_busy_system(sim: SimulatorProcess, okx: OkxClient) -> None:
    sim.faults({"match": {"method": "GET"}, "kind": "code", "code": "50013", "http": 429, "count": 3})
    answers = [okx.get("account/balance") for _ in range(4)]
    assert [(answer.http, answer.code) for answer in answers] == [(429, "50013")] * 3 + [(200, "0")]
