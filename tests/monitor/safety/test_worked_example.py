"""Two strategies on one exchange position, in numbers: each with its own entry, pair and PnL, on every exchange.

A enters 0.001 BTC at 45,000 (TP 48,000, SL 43,000), B enters 0.002 at 46,000 (TP 49,000, SL 44,000).
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.domain.account import Exchange
from core.domain.intent import ExitReason, Target
from core.domain.money import Price
from core.services.trading.requests import Draft
from tests.monitor.invariants import limit, nothing_left
from tests.stack import Stack

ONE_BTC = {Exchange.OKX: Decimal(100), Exchange.BINANCE: Decimal(1)}  #: contracts


def draft(stack: Stack, strategy: str, coins: str, at: str, tp: str, sl: str) -> Draft:
    value = Decimal(coins) * Decimal(at)
    base = stack.draft(value=value, entry=limit(at))
    return Draft(
        **{name: getattr(base, name) for name in ("account", "symbol", "side", "position_value", "leverage", "entry")},
        take_profit=Target(price=Price(Decimal(tp))),
        stop_loss=Target(price=Price(Decimal(sl))),
        strategy=strategy,
    )


def filled_at(stack: Stack, level: str) -> None:
    """Let the market come down to a resting entry and go back up to its price."""
    stack.look()
    stack.price(Decimal(level) - 1)
    stack.settle(4)
    stack.price(level)
    stack.settle(4)


@pytest.mark.parametrize("side_by_side", [True, False], ids=["hedge", "one-way"])
def test_two_strategies_on_one_position(either: Stack, side_by_side: bool) -> None:
    stack = either if side_by_side else either.one_way()
    stack.simulator.switches(binance_filters={"BTCUSDT": {"notional": "5"}})
    stack.guard.observer.refresh_instruments()
    whole = ONE_BTC[stack.wire]
    stack.price("45010")
    first = stack.open(draft(stack, "A", "0.001", "45000", "48000", "43000"))
    filled_at(stack, "45000")
    stack.price("46010")
    second = stack.open(draft(stack, "B", "0.002", "46000", "49000", "44000"))
    filled_at(stack, "46000")

    a, b = stack.part(first), stack.part(second)
    assert (a.size / whole, a.average_entry) == (Decimal("0.001"), Decimal(45_000))
    assert (b.size / whole, b.average_entry) == (Decimal("0.002"), Decimal(46_000))
    assert a.protected
    assert b.protected
    assert stack.held(stack.held_side) == Decimal("0.003") * (whole if stack.wire is Exchange.OKX else 1)
    (position,) = stack.client.positions()
    assert round(position.average_price, 2) == Decimal("45666.67")

    stack.price("48000.1", mark="48000")  # the bid stands at 48,000
    won = stack.ended(first)
    assert (won.reason, won.realised_pnl) == (ExitReason.TAKE_PROFIT, Decimal("3.00"))
    left = stack.part(second)
    assert (left.size, left.protected) == (Decimal("0.002") * whole, True)
    assert {order.part for order in stack.client.working_orders()} == {second}

    stack.price("44000.1", mark="44000")
    lost = stack.ended(second)
    assert (lost.reason, lost.realised_pnl) == (ExitReason.STOP_LOSS, Decimal("-4.00"))
    fees = sum((cycle.fees for cycle in stack.store.history.cycles()), Decimal(0))
    assert stack.money()["fees"] == fees
    assert stack.money()["pnl"] == Decimal("-1.00")
    nothing_left(stack)
