"""The change mark that the database sets on rows: the number of the transaction that wrote them last.

Readers that go by it stop short of the oldest transaction that still runs, so that they pass no late commit. The
numbers are a server's own: after a move to another one rows are marked anew, else nobody would get past them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, or_, true, update
from sqlalchemy.engine import Connection

from core.domain.order import Purpose
from db.models import AlarmRow, CycleRow, EventRow, OrderRow, PositionRow

orders = OrderRow.table()
#: table -> which of its rows are marked
MARKED: tuple[tuple[Any, ColumnElement[bool]], ...] = (
    *((row.table(), true()) for row in (PositionRow, CycleRow, EventRow, AlarmRow)),
    (orders, or_(orders.c.purpose == Purpose.RECOVERY, orders.c.filled > 0)),
)


def _number(transaction: Any) -> ColumnElement[int]:
    return cast(cast(transaction, Text), BigInteger)


_snapshot: Any = func.pg_current_snapshot()
FIRST_RUNNING = _number(func.pg_snapshot_xmin(_snapshot))  #: of the transactions that have not ended
NEXT = _number(func.pg_snapshot_xmax(_snapshot))  #: no transaction has had this number yet


def mark_again(connection: Connection) -> None:
    """Mark rows that came from another server, with transaction numbers not reached here yet, as changed now."""
    for table, marked in MARKED:
        connection.execute(update(table).where(marked, table.c.changed >= NEXT).values(changed=table.c.changed))
