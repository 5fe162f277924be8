"""A fresh paper account at Binance begins one-way, as a real one does; the bot puts it in order before it trades."""

from __future__ import annotations

from dataclasses import replace

from core.domain.account import Environment, Exchange
from core.domain.instrument import Side
from core.monitor import restart
from db.store import Store
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import Stack


def one_way(store: Store, exchange: SimulatorProcess) -> Stack:
    stack = Stack(store, fresh(exchange), Exchange.BINANCE, hedge=False)
    stack.look()
    assert stack.guard.observer.state is not None
    assert not stack.guard.observer.state.hedge_mode
    return stack


def test_a_fresh_paper_account_holds_both_sides(store: Store, exchange: SimulatorProcess) -> None:
    stack = one_way(store, exchange)
    assert restart.hold_both_sides(stack.guard)
    assert not restart.hold_both_sides(stack.guard)  # once
    long, short = stack.opened(), stack.opened(stack.draft(side=Side.SHORT))
    assert stack.held("long") > 0
    assert stack.held("short") > 0
    assert stack.part(long).protected
    assert stack.part(short).protected
    stack.client.close()


def test_one_that_holds_something_stays_as_it_is(store: Store, exchange: SimulatorProcess) -> None:
    stack = one_way(store, exchange)
    stack.opened()
    assert not restart.hold_both_sides(stack.guard)
    assert "one-way" not in stack.story()
    stack.client.close()


def test_the_mode_of_other_accounts_is_the_traders(store: Store, exchange: SimulatorProcess) -> None:
    stack = one_way(store, exchange)
    stack.guard.account = replace(stack.account, environment=Environment.DEMO)
    assert not restart.hold_both_sides(stack.guard)
    stack.client.close()
