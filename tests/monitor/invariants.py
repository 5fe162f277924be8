"""What a story is held against in the end: the exchange's own ledger, and that nothing of ours is left there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.domain.intent import ExecutionKind, ExecutionStyle
from core.domain.money import Price
from tests.stack import Stack


def agrees(stack: Stack, name: str) -> None:
    """The cycle's PnL, fees and funding are what the exchange has booked, and so is their sum."""
    cycle, ledger = stack.store.history.cycles(part=name)[0], stack.money()
    for ours, theirs in (
        (cycle.realised_pnl, ledger["pnl"]),
        (cycle.fees, ledger["fees"]),
        (cycle.funding, ledger["funding"]),
        (cycle.net, ledger["all"]),
    ):
        assert same(ours, theirs), (cycle, ledger)


def same(ours: Decimal, theirs: Decimal) -> bool:
    """Equal to far below the cent; an average of several fills has no last digit."""
    return abs(ours - theirs) < Decimal("0.000001")


def nothing_left(stack: Stack) -> None:
    exchange = stack.exchange()
    assert (exchange["positions"], stack.resting(), stack.working()) == ([], [], [])
    stack.settle(3)
    assert stack.acts() == []
    assert stack.alarms() == []


def limit(price: str, minutes: int = 5) -> ExecutionStyle:
    return ExecutionStyle(ExecutionKind.LIMIT, Price(Decimal(price)), timedelta(minutes=minutes))
