"""What the loop asks for at each look costs a fixed number of round trips, however many parts there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from core.domain.action import BookExit, StartCycle
from core.domain.intent import ExitReason
from db.store import Store
from tests.db.values import ACCOUNT, LONG, NOON, PAPER, contracts, draft, entry, order, price
from tests.pages.samples.snapshot import empty_snapshot


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield sent
    event.remove(store.engine, "before_cursor_execute", note)


@pytest.fixture
def parts(store: Store) -> list[str]:
    """Twenty parts with their orders, commands and exits."""
    epoch = store.leases.acquire(ACCOUNT, "here", 60)
    assert epoch is not None
    opened = [store.parts.open(draft(), f"click {number}")[0].part for number in range(20)]
    for part in opened:
        store.cycles.start(StartCycle(part, 1, contracts("1"), price("100")), NOON)
        store.orders.record(ACCOUNT, LONG, entry(part), epoch, NOON)
        gone = contracts("0.1"), price("99"), contracts("0"), ExitReason.CLOSED_BY_HAND
        store.cycles.book_exit(ACCOUNT, BookExit(part, 1, *gone, NOON, f"f/{part}"))
    store.orders.save(ACCOUNT, [order(part, exchange_order_id=part) for part in opened])
    return opened


READS: dict[str, tuple[int, Callable[[Store], Any]]] = {
    "desired: parts with the settings, and the exits that some have": (2, lambda store: store.parts.desired(ACCOUNT)),
    "orders": (1, lambda store: store.orders.of_interest(ACCOUNT)),
    "commands": (1, lambda store: store.orders.commands(ACCOUNT)),
    "intents: the same": (2, lambda store: store.parts.intents(ACCOUNT)),
    "snapshot": (1, lambda store: store.snapshots.latest(ACCOUNT)),
    "renew the lease": (1, lambda store: store.leases.renew(ACCOUNT, "here", 1, 60)),
}


@pytest.mark.parametrize("read", READS)
def test_a_read_costs_the_same_for_many_parts(store: Store, parts: list[str], read: str) -> None:
    most, ask = READS[read]
    with statements(store) as sent:
        ask(store)
    assert len(sent) == most


def test_a_calm_look_at_what_is_desired_is_one_round_trip(store: Store) -> None:
    part = store.parts.open(draft(), "click")[0].part
    store.cycles.start(StartCycle(part, 1, contracts("1"), price("100")), NOON)
    with statements(store) as sent:
        ((_, desired),) = store.parts.desired(ACCOUNT).items()
    assert [intent.part for intent in desired.intents] == [part]
    assert len(sent) == 1


def test_a_single_statement_leaves_no_trace_at_the_server(store: Store) -> None:
    """A connection given back with a level of isolation set costs one more round trip, to take it back."""
    store.ping()
    with store.engine.connect() as connection:
        dbapi: Any = connection.connection.dbapi_connection
        assert dbapi.isolation_level is None
        assert not dbapi.autocommit


def test_a_snapshot_is_stored_and_told_of_in_one_round_trip(store: Store) -> None:
    snapshot = empty_snapshot(PAPER)
    with statements(store) as sent:
        store.snapshots.put(snapshot)
    assert len(sent) == 1
    assert store.snapshots.latest(ACCOUNT) == snapshot


def test_a_command_is_recorded_in_one_round_trip(store: Store, parts: list[str]) -> None:
    with statements(store) as sent:
        assert store.orders.record(ACCOUNT, LONG, entry(parts[0], 2), 1, NOON)
    assert len(sent) == 1


def test_unchanged_ids_cost_nothing(store: Store, parts: list[str]) -> None:
    store.cycles.note_position(parts[0], "77", "a1", "a1")
    with statements(store) as sent:
        store.cycles.note_position(parts[0], "77", "a1", "a1")
    assert sent == []


def test_many_orders_are_saved_together(store: Store, parts: list[str]) -> None:
    found = [order(part, exchange_order_id=part, filled=contracts("0.5")) for part in parts]
    with statements(store) as sent:
        store.orders.save(ACCOUNT, found)
    assert len(sent) == 1
    assert store.orders.of_interest(ACCOUNT) == found
