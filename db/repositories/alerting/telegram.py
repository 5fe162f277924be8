"""Telegram polling: which process polls a bot, and which updates were taken; one process at a time, each
update once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Text, and_, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models import TelegramLineRow
from db.repository import Repository

lines = TelegramLineRow.table()


class TelegramRepository(Repository):
    """Stores one row for each bot token, known by its hash. Times are the database's."""

    def take_line(self, digest: str, holder: str, seconds: int) -> int | None:
        """Claim the right to poll for so many seconds, where nobody else has it; returns the next update, 0 for the
        first.
        """
        ends = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        row = insert(lines).values(digest=digest, holder=holder, expires_at=ends, next_update=0, strangers=[])
        free = or_(lines.c.expires_at <= func.clock_timestamp(), lines.c.holder == holder)
        taken: Any = row.on_conflict_do_update(
            index_elements=["digest"], set_={"holder": holder, "expires_at": ends}, where=free
        )
        with self.one_statement() as connection:
            update: int | None = connection.scalar(taken.returning(lines.c.next_update))
        return update

    def take_update(self, digest: str, holder: str, number: int) -> bool:
        """Mark an update as taken; True once for each update, for the process that holds the right to poll."""
        mine = and_(lines.c.digest == digest, lines.c.holder == holder, lines.c.expires_at > func.clock_timestamp())
        new = and_(mine, lines.c.next_update <= number)
        with self.one_statement() as connection:
            return connection.execute(update(lines).where(new).values(next_update=number + 1)).rowcount == 1

    def note_stranger(self, digest: str, who: str) -> bool:
        """Store who has written without being allowed to. True: for the first time."""
        known = literal(who) == func.any(lines.c.strangers)
        added = func.array_append(lines.c.strangers, cast(who, Text))
        with self.one_statement() as connection:
            changed = connection.execute(
                update(lines)
                .where(lines.c.digest == digest, ~known, func.cardinality(lines.c.strangers) < 1000)
                .values(strangers=cast(added, ARRAY(Text)))
            )
        return changed.rowcount == 1

    def strangers(self, digest: str) -> list[str]:
        """Return who has written without being allowed to."""
        with self.one_statement() as connection:
            return list(connection.scalar(select(lines.c.strangers).where(lines.c.digest == digest)) or ())
