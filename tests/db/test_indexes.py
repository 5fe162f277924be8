"""What is asked often, or of long tables, is found by an index: told by the database's own plan for the very query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from core.domain.order import OrderStatus
from db.records import EventKind, EventsOnly, OrdersOnly
from db.store import Store
from tests.db.values import ACCOUNT, NOON, draft, order

ASKED: dict[str, Callable[[Store], Any]] = {
    "ix_orders_account_made": lambda store: store.pages.orders(ACCOUNT, OrdersOnly(), None, 100),
    "ix_execution_events_account_kind_id": lambda store: store.pages.events(
        ACCOUNT, EventsOnly(kind=EventKind.FILL), None, 100
    ),
    "ix_execution_events_at": lambda store: store.risk_checks.forget_events(NOON, 100),
    "ix_risk_checks_account_id": lambda store: store.risk_checks.find(ACCOUNT),
    "ix_risk_checks_at": lambda store: store.risk_checks.forget_events(NOON, 100),
    "ix_commands_part_cycle": lambda store: store.orders.commands(ACCOUNT),
    "ix_orders_part_cycle": lambda store: store.orders.of_interest(ACCOUNT),
    "ix_fills_part_at": lambda store: store.pairs.cancel_latencies(ACCOUNT),
}
SENT = """
    INSERT INTO commands (client_order_id, account, key, part, cycle, purpose, side, kind, quantity, request,
                          recorded_at, epoch, outcome)
    SELECT 'past ' || number, :account, '', :part, 1000 + number, 'E', 'buy', 'market', 1, '{}', now(), 1, 'done'
    FROM generate_series(1, 98) AS number
"""  #: of cycles long past


@pytest.mark.parametrize("index", ASKED)
def test_it_is_found_by_an_index(store: Store, index: str) -> None:
    intent, _ = store.parts.open(draft(), "click")
    many = [order(intent.part, number, status=OrderStatus.CANCELED) for number in range(1, 99)]
    store.orders.save(ACCOUNT, many)
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    ASKED[index](store)
    event.remove(store.engine, "before_cursor_execute", note)
    plans = []
    with store.engine.begin() as connection:
        connection.execute(text(SENT), {"account": ACCOUNT, "part": intent.part})
        connection.execute(text("ANALYZE positions, commands, orders, fills, execution_events, risk_checks"))
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        for statement, parameters in asked:
            found = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(row[0] for row in found))
    assert any(index in plan for plan in plans), "\n\n".join(plans)
