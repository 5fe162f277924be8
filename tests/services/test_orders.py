"""Cancelling by hand: an entry's rest is withdrawn through the book, everything else is refused with the way to go."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.clock import SteppedClock
from core.domain.account import PositionKey
from core.domain.errors import Misconfigured
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind, ExecutionStyle, Instruction, Wanted
from core.domain.order import OrderKind, OrderStatus
from core.services.trading.orders import OrderManager
from tests.builders import order, price
from tests.pages.samples import snapshot as samples
from tests.services.conftest import BTC, NOW, PAPER, open_part, show, start_cycle

LIMIT = ExecutionStyle(ExecutionKind.LIMIT, price("99000"), timedelta(hours=1))


@pytest.fixture
def orders(store):
    return OrderManager(store, SteppedClock())


@pytest.fixture
def part(store):
    """A limit entry of ten contracts rests, four are filled and protected."""
    part = open_part(store, LIMIT)
    start_cycle(store, part)
    live = {"symbol": BTC, "kind": OrderKind.LIMIT, "price": price("99000"), "status": OrderStatus.WORKING}
    entry = order(f"op{part}01E01", 10, filled=4, at=99000, **live)
    oco = order(f"op{part}01P01", 4, symbol=BTC, kind=OrderKind.OCO, tp_trigger=price(105000), sl_trigger=price(95000))
    store.orders.save(PAPER.id, [entry, oco])
    return part


def test_an_entry_is_withdrawn_and_what_filled_stays_wanted(orders, store, part):
    asked = orders.cancel(PAPER.id, f"op{part}01E01", "click-1", by="operator")
    assert (asked.part, asked.new) == (part, True)
    assert "what has filled stays and stays protected" in str(asked.words)
    intent = store.parts.intent(part)
    assert intent.wanted is Wanted.OPEN
    assert (intent.entry, intent.told) == (LIMIT, Instruction("1E", finish=False, asked_at=orders.clock.now()))
    assert (intent.entry.kind, intent.entry.price) == (ExecutionKind.LIMIT, Decimal(99000))


def test_the_same_click_twice_is_one_wish(orders, store, part):
    orders.cancel(PAPER.id, f"op{part}01E01", "click-1", by="operator")
    version = store.parts.intent(part).version
    again = orders.cancel(PAPER.id, f"op{part}01E01", "click-1", by="operator")
    assert (again.part, again.new) == (part, False)
    assert store.parts.intent(part).version == version


def test_the_bot_is_woken_for_it(orders, part, heard):
    orders.cancel(PAPER.id, f"op{part}01E01", "click-1", by="operator")
    assert heard({"wake": str(PositionKey(PAPER.id, BTC, Side.LONG))})


def test_protection_is_moved_and_never_cancelled(orders, store, part):
    before = store.parts.intent(part)
    with pytest.raises(Misconfigured, match=f"protects part {part}; to move it use Edit TP/SL"):
        orders.cancel(PAPER.id, f"op{part}01P01", "click-1", by="operator")
    assert store.parts.intent(part) == before


def test_a_closing_order_is_left_to_fill(orders, store, part):
    store.orders.save(PAPER.id, [order(f"op{part}01C01", 4, symbol=BTC)])
    with pytest.raises(Misconfigured, match="closes part"):
        orders.cancel(PAPER.id, f"op{part}01C01", "click-1", by="operator")


@pytest.mark.parametrize("name", ["", "mine-by-hand", "opzzzzzz01E01"])
def test_what_is_not_ours_is_never_touched(orders, name):
    with pytest.raises(Misconfigured, match="was not placed by Perpdeck for this account"):
        orders.cancel(PAPER.id, name, "click-1", by="operator")


def test_an_order_of_another_account_is_not_found_here(orders, part):
    with pytest.raises(Misconfigured, match="not placed by Perpdeck for this account"):
        orders.cancel("demo-okx", f"op{part}01E01", "click-1", by="operator")


def test_an_entry_that_has_ended_is_said_to_have_ended(orders, store, part):
    ended = order(
        f"op{part}01E01", 10, filled=10, at=99000, symbol=BTC, kind=OrderKind.LIMIT, status=OrderStatus.FILLED
    )
    store.orders.save(PAPER.id, [ended])
    with pytest.raises(Misconfigured, match="has ended already: filled"):
        orders.cancel(PAPER.id, f"op{part}01E01", "click-1", by="operator")


def test_an_order_never_seen_is_being_asked_for(orders, part):
    with pytest.raises(Misconfigured, match="has not been seen at the exchange"):
        orders.cancel(PAPER.id, f"op{part}01E07", "click-1", by="operator")


def test_a_market_entry_fills_by_itself(orders, store):
    part = open_part(store, ExecutionStyle())
    start_cycle(store, part)
    store.orders.save(PAPER.id, [order(f"op{part}01E01", 10, symbol=BTC)])
    with pytest.raises(Misconfigured, match="enters at market and fills by itself"):
        orders.cancel(PAPER.id, f"op{part}01E01", "click-1", by="operator")


def test_before_the_first_look_nothing_works(orders):
    assert orders.working(PAPER.id) == []


def test_working_orders_are_those_of_the_newest_snapshot(orders, store):
    show(store, orders=(samples.order("op00a7k201P01", created_at=NOW), samples.foreign_order()))
    ours, foreign = orders.working(PAPER.id)
    assert (ours.client_order_id, ours.kind, ours.quantity) == ("op00a7k201P01", OrderKind.OCO, Decimal("0.99"))
    assert (ours.stop_loss_trigger, ours.price, ours.created_at) == (Decimal("90149.1"), None, NOW)
    assert (foreign.foreign, foreign.part) == (True, None)
