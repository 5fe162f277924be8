"""A database that is away is one clear sentence, never an SQL error and never a password."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from core.domain.action import OutcomeKind
from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Side
from db.embedded import EmbeddedPostgres
from db.recorder import TradeRecorder
from db.store import Store
from tests.db.values import ACCOUNT, BTC, LONG, NOON, PAPER, draft, entry, fill, order
from tests.pages.samples.snapshot import empty_snapshot

CALLS: dict[str, Callable[[Store], Any]] = {
    "ping": lambda store: store.ping(),
    "accounts": lambda store: store.accounts.all(),
    "save_account": lambda store: store.accounts.save(PAPER, b"sealed"),
    "desired": lambda store: store.parts.desired(ACCOUNT),
    "open_part": lambda store: store.parts.open(draft(), "click"),
    "change_part": lambda store: store.parts.change("00a7k2", "click", "ayla", ""),
    "orders": lambda store: store.orders.of_interest(ACCOUNT),
    "save_orders": lambda store: store.orders.save(ACCOUNT, [order("00a7k2")]),
    "record_command": lambda store: store.orders.record(ACCOUNT, LONG, entry("00a7k2"), 1, NOON),
    "settle_command": lambda store: store.orders.settle("op00a7k201E01", OutcomeKind.DONE, now=NOON),
    "record_fills": lambda store: TradeRecorder(store).record_fills(ACCOUNT, [fill(1, "o1")]),
    "funding_of": lambda store: store.fills.funding_of(ACCOUNT, BTC, Side.LONG, "00a7k2", 1, NOON, NOON + timedelta(1)),
    "acquire_lease": lambda store: store.leases.acquire(ACCOUNT, "here", 10),
    "put_snapshot": lambda store: store.snapshots.put(empty_snapshot(PAPER)),
    "events": lambda store: store.events.find(),
    "notify": lambda store: store.notify({"bot": ACCOUNT}),
}


@pytest.fixture
def away() -> Iterator[Store]:
    """Nobody listens on port 1."""
    store = Store.open("postgresql://trader:hidden@127.0.0.1:1/perpdeck")
    yield store
    store.close()


@pytest.mark.parametrize("call", CALLS)
def test_every_call_says_that_the_database_does_not_answer(away: Store, call: str) -> None:
    with pytest.raises(Unavailable, match="the database does not answer: ") as silence:
        CALLS[call](away)
    shown = "".join(traceback.format_exception(silence.value))
    assert "hidden" not in shown
    assert "\n" not in str(silence.value)


def test_a_statement_that_takes_too_long_is_no_answer(store: Store) -> None:
    with (
        pytest.raises(Unavailable, match="statement timeout"),
        store.one_statement() as connection,
    ):
        connection.exec_driver_sql("SET statement_timeout = 20; SELECT pg_sleep(5)")


def test_a_connection_that_was_cut_is_replaced(store: Store) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with pytest.raises(Unavailable), store.one_statement() as connection:
        connection.exec_driver_sql(cut)
    assert store.accounts.all() == []


def test_a_wrong_statement_stays_an_error_of_ours(store: Store) -> None:
    with pytest.raises(ProgrammingError), store.one_statement() as connection:
        connection.exec_driver_sql("SELECT nothing_of_this_name")


@pytest.mark.parametrize("url", ["mysql://trader:hidden@b/c", "hidden", "postgresql://trader:hidden@host:port/x"])
def test_a_wrong_url_is_said_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL") as wrong:
        Store.open(url)
    assert "hidden" not in "".join(traceback.format_exception(wrong.value))


def test_a_server_that_went_and_came_back(postgres_of_its_own: EmbeddedPostgres) -> None:
    store = Store.open(postgres_of_its_own.start())
    assert store.ping() > 0
    postgres_of_its_own.stop()
    with pytest.raises(Unavailable, match="the database does not answer"):
        store.ping()
    postgres_of_its_own.start()
    assert store.ping() > 0
    store.close()
