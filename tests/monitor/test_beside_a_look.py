"""A fill answered while a look is under way: the look is older than the answer, and nothing more is done by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import PositionKey
from core.domain.ids import client_order_id
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind, ExecutionStyle
from core.domain.money import Price
from core.domain.order import OrderKind, Purpose
from core.exchange.okx.client import OKXClient
from core.exchange.okx.codes import FACTS
from tests.stack import ACCOUNT, BTC, Stack

KEY = PositionKey(ACCOUNT, BTC, Side.LONG)


@pytest.fixture(autouse=True)
def _entries_travel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OKXClient, "facts", property(lambda _: replace(FACTS, attaches_protection=False)))


def test_a_fill_answered_during_a_look_is_protected_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    part = stack.open(stack.draft(entry=ExecutionStyle(ExecutionKind.LIMIT, price=Price(Decimal(99_000)))))
    stack.settle(3)
    stack.simulator.price("BTC-USDT-SWAP", 98_990)
    entry = stack.client.find(client_order_id(part, 1, Purpose.ENTRY, 1), BTC, OrderKind.LIMIT)
    assert entry is not None
    assert entry.filled
    read, answered = stack.client.positions, []

    def a_fill_comes_in_between() -> object:
        found = read()
        answered.append(stack.guard.reconciler.protect_at_once(KEY, [entry]))
        return found

    with monkeypatch.context() as once:
        once.setattr(stack.client, "positions", a_fill_comes_in_between)
        again = stack.guard.work_once(set(), everything=True)
    assert (answered, again) == ([1], timedelta())
    stack.settle(3)
    assert stack.part(part).protected
    assert [algo["sz"] for algo in stack.exchange()["algos"]] == [str(stack.part(part).size)]
    assert [command.purpose for command in stack.store.orders.commands(ACCOUNT)] == [Purpose.ENTRY, Purpose.PROTECT]
