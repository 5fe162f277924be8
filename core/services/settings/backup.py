"""The state of the backup: where it lies, how far it is behind, what hinders it. Shown only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from db.backup.source import BackupSource

NEWS = timedelta(minutes=3)  #: a writer in another process tells of itself at least this often


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """The backup's lag in rows and in time: everything older than `behind_for` is in the backup, None where it never
    was.
    """

    place: str
    rows: int
    behind_for: timedelta | None
    succeeded_at: datetime | None
    trouble: str
    trouble_since: datetime | None


class Backup:
    """Reads the backup's state that the writer stores in the main database, in whichever process it runs."""

    def __init__(self, source: BackupSource, here: bool, clock: Clock) -> None:
        """Take the source; `here`: BACKUP_DATABASE_URL is set for this process."""
        self._source, self._here, self._clock = source, here, clock

    def status(self) -> BackupStatus | None:
        """Return the backup's state; None where nothing is backed up. Raises Unavailable."""
        note, now = self._source.note(), self._clock.now()
        heard = None if note is None else note.at
        if note is None or heard is None or (not self._here and now - heard > NEWS):
            return None
        rows = self._source.behind(note.cursors)
        behind_for = timedelta(0) if not rows else None if note.complete_at is None else now - note.complete_at
        return BackupStatus(note.place, rows, behind_for, note.succeeded_at, note.trouble, note.trouble_since)
