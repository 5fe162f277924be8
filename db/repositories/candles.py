"""Price bars, one row for each contract of an account; the newest replace the earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.models import CandlesRow
from db.repository import Repository

candles = CandlesRow.table()

Bar = Mapping[str, str]  #: t: opening time in milliseconds; o, h, l, c: prices; v: contracts


class CandleRepository(Repository):
    """Stores the price bars that charts are drawn from."""

    def put(self, account: str, symbol: str, bars: Sequence[Bar], as_of: datetime) -> None:
        """Store these bars, oldest first, as read at that time."""
        values = {"bars": [dict(bar) for bar in bars], "as_of": as_of}
        row = insert(candles).values(account=account, symbol=symbol, **values)
        with self.one_statement() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["account", "symbol"], set_=values))

    def read(self, account: str, symbol: str) -> tuple[list[dict[str, str]], datetime] | None:
        """Return the bars of a contract, oldest first, and when they were read; None: none were yet."""
        mine = (candles.c.account == account, candles.c.symbol == symbol)
        with self.one_statement() as connection:
            row = connection.execute(select(candles.c.bars, candles.c.as_of).where(*mine)).one_or_none()
        return None if row is None else (row.bars, row.as_of)
