"""The contract's own rules refuse TP and SL: they are read again, computed once more, and then a person is told."""

from __future__ import annotations

from tests.stack import Stack

ALGO = "/api/v5/trade/order-algo"
INSTRUMENTS = "GET /api/v5/public/instruments"


def refuse(stack: Stack, times: int) -> None:
    """The next placements of TP and SL are said to be off the lot."""
    fault = {"kind": "reject", "match": {"method": "POST", "path": "trade/order-algo"}, "count": times, "code": "51121"}
    stack.simulator.faults(fault)


def placed(stack: Stack) -> int:
    return stack.simulator.requests().get(f"POST {ALGO}", 0)


def test_refused_once_the_rules_are_read_again_and_it_rests(stack: Stack) -> None:
    refuse(stack, 1)
    part = stack.open()
    before = stack.simulator.requests()[INSTRUMENTS]
    stack.until(lambda: stack.at_rest(part) and stack.part(part).protection[0].dies_with_position, seconds=30)
    assert stack.simulator.requests()[INSTRUMENTS] == before + 1
    assert placed(stack) == 2


def test_refused_twice_it_is_shown_and_not_sent_again(stack: Stack) -> None:
    refuse(stack, 9)
    part = stack.open()
    stack.settle(40)
    assert placed(stack) == 2
    assert stack.part(part).protected  # by what came with the entry
    assert "computed anew with the contract's rules and refused again" in stack.story()
