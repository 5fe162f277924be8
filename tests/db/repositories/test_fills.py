"""The exchange repeats itself, the ledger does not; and each fact finds its part."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.instrument import OrderSide, Side
from core.domain.order import Funding, OrderKind, Purpose
from db.recorder import TradeRecorder
from db.store import Store
from tests.db.values import ACCOUNT, BTC, NOON, contracts, draft, fill, order

HOUR = timedelta(hours=1)


@pytest.fixture
def recorder(store: Store) -> TradeRecorder:
    return TradeRecorder(store)


@pytest.fixture
def part(store: Store) -> str:
    intent, _ = store.parts.open(draft(), "click")
    return intent.part


def test_a_fill_is_kept_once_with_every_digit(store: Store, recorder: TradeRecorder, part: str) -> None:
    first, second = fill(1, "o1", f"op{part}01E01"), fill(2, "o1", f"op{part}01E01", at=NOON + HOUR)
    assert recorder.record_fills(ACCOUNT, [first, first]) == 1
    assert recorder.record_fills(ACCOUNT, [second, first]) == 1
    assert recorder.record_fills(ACCOUNT, []) == 0
    assert store.fills.find(ACCOUNT) == [second, first]
    assert store.fills.find(ACCOUNT, since=NOON + HOUR) == [second]
    assert store.fills.find(ACCOUNT, limit=1) == [second]
    assert store.fills.find(ACCOUNT, part=part) == [second, first]


def test_trade_numbers_repeat_across_contracts_and_accounts(store: Store, recorder: TradeRecorder) -> None:
    one = fill(1, "o1")
    assert recorder.record_fills(ACCOUNT, [one, replace(one, symbol="ETH-USDT-PERP")]) == 2
    assert recorder.record_fills("demo", [one]) == 1
    assert len(store.fills.find(ACCOUNT)) == 2


def test_both_sides_of_one_trade_may_be_ours(recorder: TradeRecorder) -> None:
    assert recorder.record_fills(ACCOUNT, [fill(1, "o1"), fill(1, "o2")]) == 2


def test_a_fill_of_a_triggered_order_belongs_to_the_part_whose_oco_it_came_from(
    store: Store, recorder: TradeRecorder, part: str
) -> None:
    oco = order(part, client_order_id=f"op{part}01P01", purpose=Purpose.PROTECT, kind=OrderKind.OCO)
    store.orders.save(ACCOUNT, [oco.but(child_order_ids=("child-1",))])
    recorder.record_fills(ACCOUNT, [fill(1, "child-1"), fill(2, oco.exchange_order_id), fill(3, "somebody")])
    assert {one.exchange_fill_id for one in store.fills.find(ACCOUNT, part=part)} == {"t1", "t2"}


def test_a_fill_finds_its_part_later_and_keeps_it(store: Store, recorder: TradeRecorder, part: str) -> None:
    assert recorder.record_fills(ACCOUNT, [fill(1, "child-1")]) == 1
    assert store.fills.find(ACCOUNT, part=part) == []
    store.orders.save(ACCOUNT, [order(part, kind=OrderKind.OCO, child_order_ids=("child-1",))])
    assert recorder.record_fills(ACCOUNT, [fill(1, "child-1")]) == 0
    assert len(store.fills.find(ACCOUNT, part=part)) == 1


def test_an_id_that_only_looks_like_ours_belongs_to_nobody(store: Store, recorder: TradeRecorder) -> None:
    recorder.record_fills(ACCOUNT, [fill(1, "o1", "op00zzzz01E01")])
    assert store.fills.find(ACCOUNT, part="00zzzz") == []
    assert len(store.fills.find(ACCOUNT)) == 1


def test_funding_is_kept_once(store: Store, recorder: TradeRecorder) -> None:
    def paid(number: int, amount: str, side: Side | None = Side.LONG, symbol: str = BTC) -> Funding:
        return Funding(symbol, side, Decimal(amount), NOON + number * HOUR, f"b{number}")

    found = [
        paid(1, "-0.0310000000000000000001"),
        paid(2, "0.5", None),
        paid(3, "7", Side.SHORT),
        paid(4, "11", symbol="ETH-USDT-PERP"),
        paid(9, "13"),
    ]
    assert recorder.record_funding(ACCOUNT, found) == 5
    assert recorder.record_funding(ACCOUNT, [*found, *found]) == 0
    assert recorder.record_funding(ACCOUNT, []) == 0
    assert store.fills.funding(ACCOUNT) == list(reversed(found))
    assert store.fills.funding(ACCOUNT, since=NOON + 4 * HOUR, limit=1) == [found[4]]


def test_funding_is_shared_by_what_was_held(store: Store, recorder: TradeRecorder, part: str) -> None:
    """A quarter of the position is the part's; one payment lies before its entry, one after its end."""
    other = store.parts.open(draft(), "another click")[0].part
    recorder.record_fills(
        ACCOUNT,
        [
            fill(1, "o1", f"op{part}01E01", quantity=contracts("1")),
            fill(2, "o2", f"op{other}01E01", quantity=contracts("3")),
            fill(3, "o3", f"op{part}01C01", quantity=contracts("1"), side=OrderSide.SELL, at=NOON + 6 * HOUR),
        ],
    )

    def paid(number: int, amount: str, side: Side | None) -> Funding:
        return Funding(BTC, side, Decimal(amount), NOON + number * HOUR, f"b{number}")

    recorder.record_funding(
        ACCOUNT,
        [paid(-1, "16", None), paid(1, "-8", Side.LONG), paid(2, "4", None), paid(3, "7", Side.SHORT),
         paid(7, "16", None)],
    )  # fmt: skip
    ours = store.fills.funding_of(ACCOUNT, BTC, Side.LONG, part, 1, NOON - 2 * HOUR, NOON + 8 * HOUR)
    assert ours == Decimal("-1")
    theirs = store.fills.funding_of(ACCOUNT, BTC, Side.LONG, other, 1, NOON - 2 * HOUR, NOON + 8 * HOUR)
    assert theirs == Decimal("-3") + Decimal(16)
    assert store.fills.funding_of("demo", BTC, Side.LONG, part, 1, NOON, NOON + 8 * HOUR) == 0
