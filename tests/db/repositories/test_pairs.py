"""Pairs counted in the database: what makes a pair, a hit, both filled, an orphan, and how long a cancel took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.domain.instrument import OrderSide, Side
from core.domain.money import Contracts, Price
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.domain.reason import text
from db.records import Event, PairCounts
from db.store import Store

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT = "paper-binance"
STANDS_FOR = {Purpose.TAKE_PROFIT: Leg.TAKE_PROFIT, Purpose.STOP_LOSS: Leg.STOP_LOSS}


def order(
    part: str, purpose: Purpose, filled: str, status: str = "filled", *, number: int = 1, after: float = 0
) -> Order:
    """One order of a part's first cycle; `after` noon its newest word came."""
    leg = STANDS_FOR.get(purpose)
    name = f"op{part}01{purpose}{number:02}"
    return Order(
        client_order_id=name,
        exchange_order_id=f"x{name}",
        symbol="BTC-USDT-PERP",
        position_side=Side.LONG,
        part=part,
        cycle=1,
        purpose=purpose,
        side=OrderSide.SELL if leg else OrderSide.BUY,
        kind=OrderKind.CONDITIONAL if leg else OrderKind.MARKET,
        quantity=Contracts(Decimal(1)),
        status=OrderStatus(status),
        tp_trigger=Price(Decimal(110)) if leg is Leg.TAKE_PROFIT else None,
        sl_trigger=Price(Decimal(90)) if leg is Leg.STOP_LOSS else None,
        filled=Contracts(Decimal(filled)),
        average_price=Price(Decimal(100)),
        triggered_leg=leg if Decimal(filled) else None,
        updated_at=NOON + timedelta(seconds=after),
    )


ENTRY, TARGET, STOP, BACK = Purpose.ENTRY, Purpose.TAKE_PROFIT, Purpose.STOP_LOSS, Purpose.BALANCE


@pytest.mark.parametrize(
    ("story", "orders", "counts"),
    [
        ("entered and bare", [(ENTRY, "1")], (0, 0, 0, 0)),
        ("both legs rest", [(ENTRY, "1"), (STOP, "0", "working"), (TARGET, "0", "working")], (1, 0, 0, 0)),
        ("the target filled", [(ENTRY, "1"), (STOP, "0", "canceled"), (TARGET, "1")], (1, 1, 0, 0)),
        ("a part of the target, then the stop", [(ENTRY, "1"), (STOP, "0.6"), (TARGET, "0.4")], (1, 1, 1, 0)),
        ("a gap through both", [(ENTRY, "1"), (STOP, "1"), (TARGET, "1")], (1, 1, 1, 1)),
        ("a gap through both, brought back", [(ENTRY, "1"), (STOP, "1"), (TARGET, "1"), (BACK, "1")], (1, 1, 1, 1)),
    ],
)
def test_what_became_of_a_pair(
    store: Store, story: str, orders: list[tuple[str, ...]], counts: tuple[int, ...]
) -> None:
    store.orders.save(ACCOUNT, [order("00a7k2", *one) for one in orders])  # type: ignore[arg-type]
    assert store.pairs.counts(ACCOUNT) == PairCounts(*counts, 0), story
    assert store.pairs.counts("paper-okx") == PairCounts(0, 0, 0, 0, 0)


def test_orphans_are_the_orders_that_the_sweep_removed(store: Store) -> None:
    because = "op00a7k201S01 belongs to no open part"
    removed = Event(NOON, ACCOUNT, "00a7k2", "sweep", text(because), text("cancel order op00a7k201S01"), "done")
    left_alone = Event(NOON, ACCOUNT, None, "sweep", text("2 orders here are not ours and are left alone"), None, None)
    store.events.add(ACCOUNT, [removed, left_alone])
    assert store.pairs.counts(ACCOUNT).orphans == 1


def test_a_cancel_is_timed_from_the_fill_to_the_end_of_the_sibling_that_rested_then(store: Store) -> None:
    store.orders.save(
        ACCOUNT,
        [
            order("00a7k2", TARGET, "1", after=10),
            order("00a7k2", STOP, "0", "canceled", number=1, after=4),  # replaced long before
            order("00a7k2", STOP, "0", "canceled", number=2, after=10.25),
            order("00a7k3", STOP, "1", after=20),
            order("00a7k3", TARGET, "0", "expired", after=21),
            order("00a7k4", TARGET, "1", after=30),
            order("00a7k4", STOP, "0", "working", after=29),  # still to be cancelled
        ],
    )
    assert store.pairs.cancel_latencies(ACCOUNT) == [timedelta(seconds=0.25), timedelta(seconds=1)]
    assert store.pairs.cancel_latencies(ACCOUNT, limit=1) == []  # the newest has no end yet
    assert store.pairs.cancel_latencies("paper-okx") == []
