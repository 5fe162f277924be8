"""Each fact of orders, fills and positions is told once among the events, whoever writes it and however often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.action import EndCycle, StartCycle
from core.domain.intent import ExitReason
from core.domain.order import OrderStatus, Purpose
from core.domain.reason import text
from db.recorder import TradeRecorder
from db.records import Event, EventKind, EventsOnly
from db.store import Store
from tests.db.values import ACCOUNT, BTC, NOON, contracts, draft, fill, order, price

LATER = NOON + timedelta(seconds=40)


@pytest.fixture
def part(store: Store) -> str:
    intent, _ = store.parts.open(draft(), "click")
    return intent.part


def told(store: Store, kind: EventKind | None = None) -> list[Event]:
    """Facts, oldest first."""
    found = [event for _, event in store.pages.events(ACCOUNT, EventsOnly(kind=kind), None, 100)]
    return [event for event in reversed(found) if event.kind != EventKind.DECISION]


def in_short(store: Store) -> list[tuple[str, str | None, str]]:
    return [(event.kind, event.outcome, str(event.because)) for event in told(store)]


def test_an_order_is_told_of_from_its_start_to_its_end(store: Store, part: str) -> None:
    placed = order(part)
    half = placed.but(filled=contracts("0.5"), average_price=price("100250.10"), updated_at=LATER)
    done = half.but(filled=contracts("0.99"), status=OrderStatus.FILLED)
    for known in (placed, placed, half, half, done, half, done):  # news comes twice, and in any order
        store.orders.save(ACCOUNT, [known])
    assert in_short(store) == [
        ("order_created", "working", "buy 0.99 limit"),
        ("order_changed", "working", "buy 0.99 limit: 0.5 filled"),
        ("position_opened", "open", f"long {BTC}"),
        ("order_changed", "filled", "buy 0.99 limit: 0.99 filled"),
    ]
    created, half_filled, opened, _ = told(store)
    assert (created.at, created.part, created.symbol, str(created.action)) == (NOON, part, BTC, placed.client_order_id)
    assert (created.quantity, created.price) == (Decimal("0.99"), Decimal("100250.1"))
    assert (half_filled.at, half_filled.quantity, half_filled.price) == (LATER, Decimal("0.5"), Decimal("100250.1"))
    assert (opened.quantity, opened.rule) == (Decimal("0.5"), "record")


def test_a_cancelled_order_is_told_as_such(store: Store, part: str) -> None:
    store.orders.save(ACCOUNT, [order(part)])
    store.orders.save(ACCOUNT, [order(part, status=OrderStatus.CANCELED, updated_at=LATER)])
    assert [(event.kind, event.outcome) for event in told(store)][1:] == [("order_cancelled", "canceled")]


def test_an_order_that_was_done_before_it_was_known(store: Store, part: str) -> None:
    whole = order(part, filled=contracts("0.99"), average_price=price("100000"), status=OrderStatus.FILLED)
    store.orders.save(ACCOUNT, [whole])
    assert [event.kind for event in told(store)] == ["order_created", "order_changed", "position_opened"]


def test_recovery_and_protection_open_nothing(store: Store, part: str) -> None:
    filled = {"filled": contracts("0.99"), "average_price": price("100000"), "status": OrderStatus.FILLED}
    store.orders.save(ACCOUNT, [
        order(part, client_order_id=f"op{part}01R01", exchange_order_id="7", purpose=Purpose.RECOVERY, **filled),
        order(part, client_order_id=f"op{part}01P01", exchange_order_id="8", purpose=Purpose.PROTECT, **filled),
    ])  # fmt: skip
    assert told(store, EventKind.POSITION_OPENED) == []


def test_a_fill_is_told_once_and_with_its_part_when_that_is_learned(store: Store, part: str) -> None:
    recorder = TradeRecorder(store)
    foreign, ours = fill(1, "o1"), fill(2, "o2", f"op{part}01E01", maker=True)
    recorder.record_fills(ACCOUNT, [foreign, ours])
    recorder.record_fills(ACCOUNT, [foreign, ours])
    assert in_short(store) == [
        ("fill", "done", "buy 0.33 at 100250.1 taker"),
        ("fill", "done", "buy 0.33 at 100250.1 maker"),
    ]
    first, second = told(store)
    assert (first.part, second.part) == (None, part)
    assert first.amount == ours.fee
    recorder.record_fills(ACCOUNT, [replace(foreign, client_order_id=f"op{part}01E02")])
    assert [event.part for event in told(store)] == [part, part]


def test_a_position_ends_once_and_one_that_never_was_does_not(store: Store, part: str) -> None:
    store.cycles.start(StartCycle(part, 1, contracts("0.99"), price("100000")), NOON)
    end = EndCycle(
        part, 1, ExitReason.TAKE_PROFIT, text("take-profit filled"), Decimal(50), Decimal("-1"), contracts("0.99"),
        price("100000"), price("105050"),
    )  # fmt: skip
    for _ in range(2):
        store.cycles.end(ACCOUNT, end, Decimal("-0.5"), "life", LATER)
    (closed,) = told(store)
    assert (closed.kind, closed.outcome, str(closed.because)) == (
        "position_closed",
        "take_profit",
        f"long {BTC}: take-profit filled",
    )
    assert (closed.quantity, closed.price, closed.amount) == (Decimal("0.99"), Decimal(105050), Decimal("48.5"))
    intent, _ = store.parts.open(draft(), "another")
    store.cycles.start(StartCycle(intent.part, 1, contracts("0.99"), price("100000")), NOON)
    never = replace(end, part=intent.part, reason=ExitReason.NOT_ENTERED, entered=contracts("0"))
    store.cycles.end(ACCOUNT, never, Decimal(0), "", LATER)
    assert len(told(store, EventKind.POSITION_CLOSED)) == 1


def test_explanations_and_facts_are_asked_for_apart(store: Store, part: str) -> None:
    store.orders.save(ACCOUNT, [order(part)])
    store.events.add(ACCOUNT, [Event(LATER, ACCOUNT, part, "recover", text("waits"), None, None)])
    assert [event.rule for event in store.events.find(ACCOUNT, part)] == ["recover", "asked"]
    pages = {
        "all": EventsOnly(),
        "decided": EventsOnly(kind=EventKind.DECISION),
        "of the rule": EventsOnly(rule="recover"),
        "early": EventsOnly(part=part, kind=EventKind.ORDER_CREATED, until=LATER),
        "late": EventsOnly(since=LATER, kind=EventKind.ORDER_CREATED),
    }
    found = {
        name: [event.rule for _, event in store.pages.events(ACCOUNT, only, None, 9)] for name, only in pages.items()
    }
    assert found == {
        "all": ["recover", "record", "asked"],
        "decided": ["recover", "asked"],
        "of the rule": ["recover"],
        "early": ["record"],
        "late": [],
    }
    assert store.history.cycle_facts(part, 1).edits == ()
