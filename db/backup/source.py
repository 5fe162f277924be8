"""Reads changed rows of the main database for the backup, on connections of its own: all since a cursor, none missed.

Every row carries the number of the transaction that wrote it last. All transactions under the oldest one still
running have ended, so their rows are all visible and no more can come: copying stops short of that one, and a late
commit lies behind the cursor always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select, text

from db.backup.tables import KINDS, PARTS, BackupTable, Cursor
from db.change_marks import FIRST_RUNNING, mark_again
from db.connection import Database
from db.repositories.secrets import SecretRepository

NOTE = "backup"  #: the private setting under which the progress is kept for pages to show


@dataclass(frozen=True, slots=True)
class Note:
    """The state of the backup, as of `at`. Times are aware UTC."""

    place: str
    at: datetime | None = None  #: of the last attempt
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    succeeded_at: datetime | None = None
    complete_at: datetime | None = None  #: everything that was written up to here lies in the backup
    trouble: str = ""
    trouble_since: datetime | None = None


class BackupSource(Database):
    """Reads the main database for the backup. Raises Unavailable."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._secrets = SecretRepository(self)

    def origin(self) -> str:
        """Return which server counted the transaction numbers: another value after a restore, a move or a fail-over."""
        words = (
            "SELECT s.system_identifier::text || '/' || c.timeline_id || '/' || d.oid "
            "FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()"
        )
        with self.one_statement() as connection:
            return str(connection.execute(text(words)).scalar_one())

    def changed(self, kind: BackupTable, after: Cursor, limit: int) -> list[tuple[Cursor, Mapping[str, Any]]]:
        """Return the next changed rows behind the cursor, oldest change first, in the form in which they are copied."""
        settled = kind.source.c.changed < FIRST_RUNNING
        query = (
            select(kind.source, kind.key.label("cursor_key"))
            .where(_behind(kind, after), settled)
            .order_by(kind.source.c.changed, kind.key)
            .limit(limit)
        )
        with self.one_statement() as connection:
            rows = connection.execute(query).all()
        return [(Cursor(row.changed, row.cursor_key), kind.values(row)) for row in rows]

    def behind(self, cursors: Mapping[str, Cursor]) -> int:
        """Return how many rows the backup lacks or has in an older state."""
        counts = [
            select(func.count()).where(_behind(kind, cursors.get(kind.name, Cursor()))).scalar_subquery()
            for kind in KINDS
        ]
        with self.one_statement() as connection:
            return sum(connection.execute(select(*counts)).one())

    def mark_again(self) -> None:
        """Mark rows that came from another server, with transaction numbers not reached here yet, as changed now."""
        with self.transaction() as connection:
            mark_again(connection)

    def unknown(self, parts: Sequence[str]) -> list[str]:
        """Return those of these parts that the main database does not have."""
        with self.one_statement() as connection:
            known = set(connection.scalars(select(PARTS.source.c.part).where(PARTS.source.c.part.in_(parts))))
        return [part for part in parts if part not in known]

    # -- the note for pages ----------------------------------------------------------------------------------

    def keep(self, note: Note) -> None:
        """Store the state of the backup in the main database."""
        found = {name: getattr(note, name) for name in ("at", "succeeded_at", "complete_at", "trouble_since")}
        times = {name: at.isoformat() for name, at in found.items() if at is not None}
        cursors = {name: list(cursor) for name, cursor in note.cursors.items()}
        self._secrets.keep(
            NOTE, {"place": note.place, "trouble": note.trouble, "cursors": cursors, "times": times}, "backup"
        )

    def note(self) -> Note | None:
        """Return the state of the backup stored last, by whichever process; None: there never was a backup."""
        kept = self._secrets.get(NOTE)
        if kept is None:
            return None
        times = {name: datetime.fromisoformat(at) for name, at in kept["times"].items()}
        cursors = {name: Cursor(*cursor) for name, cursor in kept["cursors"].items()}
        return Note(kept["place"], cursors=cursors, trouble=kept["trouble"], **times)


def _behind(kind: BackupTable, after: Cursor) -> ColumnElement[bool]:
    changed = kind.source.c.changed
    newer = or_(changed > after.changed, and_(changed == after.changed, kind.key > after.key))
    only = () if kind.only is None else (kind.only,)
    return and_(changed >= after.changed, newer, *only)
