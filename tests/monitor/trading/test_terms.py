"""Terms of the exchange that are not as the bot needs them: position mode, a halted contract, a clock that is off."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.domain.instrument import Side
from core.domain.intent import ExitReason
from tests.monitor.invariants import agrees, nothing_left
from tests.simulator.okx.client import OkxClient
from tests.stack import Stack

HELD = Decimal("0.99")


def test_a_one_way_account_holds_one_side_at_a_time(stack: Stack) -> None:
    with OkxClient(stack.simulator.base_url, stack.simulator.okx) as person:
        person.post("account/set-position-mode", {"posMode": "net_mode"})
    stack.step(61)
    stack.guard.refresh_account()
    long = stack.opened()
    short = stack.open(stack.draft(side=Side.SHORT))
    stack.settle(3)
    assert stack.held("net") == HELD
    assert "the account is one-way and holds BTC-USDT-PERP long" in stack.story()
    stack.price("106000")
    assert stack.ended(long).reason is ExitReason.TAKE_PROFIT
    stack.until(lambda: stack.at_rest(short), seconds=30)
    stack.price("95000")
    assert stack.ended(short).reason is ExitReason.TAKE_PROFIT
    nothing_left(stack)


def test_a_halted_contract_is_not_entered_and_keeps_what_rests(stack: Stack) -> None:
    held = stack.opened()
    stack.simulator.switches(suspended=["BTC-USDT-SWAP"])
    stack.guard.observer.refresh_instruments()
    waiting = stack.open(stack.draft(value=2000)) if _offered(stack) else None
    stack.settle(3)
    assert stack.held() == HELD
    assert stack.part(held).protected
    stack.simulator.switches(suspended=[])
    stack.guard.observer.refresh_instruments()
    stack.settle(3)
    if waiting is not None:
        stack.until(lambda: stack.at_rest(waiting))
    stack.price("106000")
    assert stack.ended(held).reason is ExitReason.TAKE_PROFIT


def _offered(stack: Stack) -> bool:
    """Whether the page lets the trader ask for it at all."""
    stack.hear()
    return not stack.positions.preview(stack.draft(value=2000)).problems


@pytest.mark.parametrize("seconds", [-40, 25, 600])
def test_an_exchange_whose_clock_is_not_ours(stack: Stack, seconds: int) -> None:
    stack.simulator.switches(clock_offset_seconds=seconds)
    stack.crash()
    stack.client.server_time()
    stack.look()
    part = stack.opened()
    stack.price("106000")
    assert stack.ended(part).reason is ExitReason.TAKE_PROFIT
    agrees(stack, part)
    nothing_left(stack)
