"""A cancel by hand carried out by the real bot at a real exchange: the rest goes, what filled stays guarded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from core.clock import SteppedClock
from core.domain.intent import ExecutionKind, ExecutionStyle, ExitReason
from core.domain.money import Price
from core.domain.order import Purpose
from core.services.trading.orders import OrderManager
from core.services.trading.positions import PositionManager
from db.store import Store
from tests.stack import ACCOUNT, Stack, stack_on

LIMIT = ExecutionStyle(ExecutionKind.LIMIT, Price(Decimal(99000)), timedelta(hours=1))


@pytest.fixture
def bot(store) -> Iterator[Stack]:
    with stack_on(store) as stack:
        stack.simulator.market("hold")
        stack.price(100000)
        stack.settle(2)
        yield stack


@pytest.fixture
def resting(bot: Stack, store: Store) -> str:
    """A limit entry below the market; its part."""
    part = bot.open(bot.draft(entry=LIMIT))
    bot.until(lambda: OrderManager(store, SteppedClock()).working(ACCOUNT))
    return part


def test_an_entry_that_has_not_filled_is_gone_and_its_part_ends_not_entered(bot, resting, store):
    orders = OrderManager(store, SteppedClock())
    (row,) = orders.working(ACCOUNT)
    asked = orders.cancel(ACCOUNT, row.client_order_id, "click", by="trader")
    assert str(asked.words).startswith("The bot withdraws it now")
    assert bot.ended(resting).reason is ExitReason.NOT_ENTERED
    assert (bot.working(), bot.resting(), bot.held()) == ([], [], 0)


def test_what_has_filled_stays_and_stays_protected(bot, store):
    bot.simulator.faults(
        {"kind": "partial_fill", "fraction": "0.4", "rest": "work", "count": 1, "match": {"path": "trade/order"}}
    )
    part = bot.open(bot.draft(entry=ExecutionStyle(ExecutionKind.LIMIT, Price(Decimal(100000)), timedelta(hours=1))))
    bot.until(lambda: bot.held() and bot.working() and bot.part(part).protected)
    bot.price(100500)
    bot.settle(3)
    (row,) = (order for order in OrderManager(store, SteppedClock()).working(ACCOUNT) if order.purpose is Purpose.ENTRY)
    filled = bot.held()
    assert 0 < filled < row.quantity
    OrderManager(store, SteppedClock()).cancel(ACCOUNT, row.client_order_id, "click", by="trader")
    bot.until(lambda: not bot.working())
    bot.settle(3)
    assert bot.held() == filled
    assert bot.part(part).status == "open"
    assert bot.part(part).protected
    assert sum(Decimal(one["sz"]) for one in bot.resting()) == filled


def test_an_entry_that_fills_while_it_is_being_cancelled_is_kept_and_protected(bot, resting, store):
    (row,) = OrderManager(store, SteppedClock()).working(ACCOUNT)
    OrderManager(store, SteppedClock()).cancel(ACCOUNT, row.client_order_id, "click", by="trader")
    bot.price(98990)
    bot.until(lambda: bot.at_rest(resting))
    assert bot.held() == row.quantity
    assert bot.part(resting).status == "open"


def test_the_next_cycle_of_an_entry_cancelled_by_hand_rests_as_long_as_was_asked(bot, resting, store):
    orders = OrderManager(store, SteppedClock())
    (row,) = orders.working(ACCOUNT)
    orders.cancel(ACCOUNT, row.client_order_id, "click", by="trader")
    bot.ended(resting)
    PositionManager(store, bot.clock).reopen_now(resting, "again", by="trader")
    bot.until(lambda: bot.part(resting).intent.cycle == 2 and bot.working())
    bot.settle(20)
    assert len(bot.working()) == 1, "it rests on, long after a second"
    assert store.parts.intent(resting).entry.timeout == LIMIT.timeout
