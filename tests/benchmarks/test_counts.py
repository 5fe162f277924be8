"""What must not grow: requests of a cycle and their weight, and the steps that deciding and looking take for each part.

Counted, not timed, so that a slow machine changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from benchmarks.cycle import REQUESTS, cycle, ready, requests_of_a_cycle
from benchmarks.cycle_binance import LIFE, LOOK, SWEEP, Cost, cost_of_a_life, cost_of_looks
from benchmarks.deciding import guarded_parts
from benchmarks.harness.world import hear_price, populate
from core.decision.plan import plan
from tests.builders import NOON
from tests.stack import Stack

ORDINARY = {
    "GET /api/v5/account/positions",
    "GET /api/v5/trade/orders-pending",
    "GET /api/v5/trade/orders-algo-pending",
}

ORDINARY_AT_BINANCE = {
    "GET /fapi/v3/positionRisk",
    "GET /fapi/v1/openOrders",
    "GET /fapi/v1/openAlgoOrders",
}


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python `work` calls."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_a_calm_cycle_asks_no_more_than_it_must(stack: Stack) -> None:
    hear_price(stack)
    stack.look()
    for parts, allowed in REQUESTS.items():
        populate(stack, parts)
        asked = requests_of_a_cycle(stack)
        assert set(asked) <= ORDINARY, f"{parts} parts"
        assert sum(asked.values()) <= allowed, f"{parts} parts: {asked}"


def test_what_binance_is_asked_does_not_grow_with_the_parts(binance: Stack) -> None:
    """A look weighs 7, and the sweep of the whole account every ten seconds 85, with 1, 10 and 100 parts."""
    hear_price(binance)
    binance.look()
    lives = []
    for parts in (1, 10, 99):
        populate(binance, parts)
        sweep, look = cost_of_looks(binance)
        assert (sweep, look) == (Cost(*SWEEP), Cost(*LOOK)), f"{parts} parts"
        ready(binance)
        cycle(binance)
        assert set(binance.simulator.requests()) <= ORDINARY_AT_BINANCE
        lives.append(cost_of_a_life(binance))
        binance.price("100000")
    assert all(life.requests <= LIFE[0] and life.weight <= LIFE[1] for life in lives), lives


@pytest.mark.parametrize("size", [10, 100, 1000])
def test_deciding_takes_the_same_steps_for_each_part(size: int) -> None:
    few, many = guarded_parts(size), guarded_parts(4 * size)
    ratio = calls(lambda: plan(*many, NOON)) / calls(lambda: plan(*few, NOON))
    assert ratio < 4.1


def test_a_cycle_takes_no_more_steps_for_a_part_among_many(stack: Stack) -> None:
    hear_price(stack)
    stack.look()
    steps = {}
    for parts in (50, 100, 200, 400):
        populate(stack, parts)
        ready(stack)
        steps[parts] = calls(lambda: cycle(stack))
    for_each = {parts: (steps[2 * parts] - steps[parts]) / parts for parts in (50, 100, 200)}
    assert for_each[200] < 1.2 * for_each[50], for_each
