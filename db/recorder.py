"""Writes fills and funding payments of the exchange to the ledger, each once, and each with the part it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, and_, any_, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from core.domain.ids import meaning
from core.domain.order import Fill, Funding
from db.mapping import json
from db.models import FillRow, FundingRow, PositionRow
from db.repositories.orders import owners_of
from db.store import Store

fills, funding = FillRow.table(), FundingRow.table()
positions = PositionRow.table()

Owner = tuple[str, int]  #: a part and its cycle


def _keep_fills() -> Any:
    row = insert(fills)
    learned = and_(fills.c.part.is_(None), row.excluded.part.is_not(None))
    keep = row.on_conflict_do_update(
        constraint=fills.primary_key,
        set_={"part": row.excluded.part, "cycle": row.excluded.cycle},
        where=learned,
    )
    return keep.returning(literal_column("xmax = 0"))


_KEEP_FILLS: Any = _keep_fills()
_KEEP_FUNDING: Any = insert(funding).on_conflict_do_nothing().returning(literal_column("1"))


class TradeRecorder:
    """Writes fills and funding to the ledger, each once however often the exchange reports it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def record_fills(self, account: str, found: Sequence[Fill]) -> int:
        """Keep these executions; returns how many are new. A fill's part may be learned later than the fill."""
        if not found:
            return 0
        with self.store.transaction() as connection:
            owners = _owners(connection, account, found)
            values = {}
            for fill in found:
                part, cycle = owners.get(fill.exchange_order_id, (None, None))
                one = {**json.fill_values(account, fill), "part": part, "cycle": cycle}
                values[fill.symbol, fill.exchange_order_id, fill.exchange_fill_id] = one
            return sum(bool(new) for new in connection.scalars(_KEEP_FILLS, _sorted(values)))

    def record_funding(self, account: str, found: Sequence[Funding]) -> int:
        """Keep these payments; returns how many are new."""
        if not found:
            return 0
        values = {
            (payment.symbol, payment.at.isoformat(), payment.exchange_id): json.funding_values(account, payment)
            for payment in found
        }
        with self.store.transaction() as connection:
            return len(connection.scalars(_KEEP_FUNDING, _sorted(values)).all())


def _owners(connection: Connection, account: str, found: Sequence[Fill]) -> dict[str, Owner]:
    """Return part and cycle of each exchange order: by our id, else by the orders we know and those that they
    triggered.
    """
    said = {fill.exchange_order_id: meaning(fill.client_order_id) for fill in found}
    owners = owners_of(connection, account, said)
    ours = literal(sorted({told.part for told in said.values() if told is not None}), ARRAY(Text))
    known = set(
        connection.scalars(
            select(positions.c.part).where(positions.c.account == account, positions.c.part == any_(ours))
        )
    )
    for name, told in said.items():
        if told is not None and told.part in known:
            owners[name] = (told.part, told.cycle)
    return owners


def _sorted(values: dict[Any, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in one order, so that all writers lock them alike and none waits for another in a circle."""
    return [values[key] for key in sorted(values)]
