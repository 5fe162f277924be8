"""The backup's command line: `python -m db.backup rebuild` makes it anew from the main database; `status` shows its
state.

Uses DATABASE_URL (or the database in the data folder) and BACKUP_DATABASE_URL, as Perpdeck itself does, and may run
beside it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from core.domain.errors import Misconfigured, PerpdeckError
from core.settings import Settings, revealed
from db.backup.source import BackupSource
from db.backup.target import BackupTarget
from db.backup.writer import rebuild
from db.embedded import EmbeddedPostgres
from db.migrate import upgrade


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m db.backup", description="The second copy of the book.")
    commands = parser.add_subparsers(dest="command", required=True)
    again = commands.add_parser("rebuild", help="drop the backup's tables and copy everything again")
    again.add_argument("--discard", action="store_true", help="also where it holds parts the main database has lost")
    commands.add_parser("status", help="how far the backup is behind")
    asked = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        with main_database(settings) as source:
            print(told(source) if asked.command == "status" else remade(source, settings, asked.discard))
    except PerpdeckError as trouble:
        print(f"backup: {trouble}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def main_database(settings: Settings) -> Iterator[BackupSource]:
    """Open the main database with all its tables; an embedded server that another process uses is left running."""
    embedded = None
    url = revealed(settings.database_url)
    if url is None:
        embedded = EmbeddedPostgres(settings.make_home() / "postgres")
        url = embedded.start()
    try:
        upgrade(url)
        source = BackupSource.open(url)
        try:
            yield source
        finally:
            source.close()
    finally:
        if embedded is not None:
            embedded.stop()


def remade(source: BackupSource, settings: Settings, discard: bool) -> str:
    address = revealed(settings.backup_url)
    if address is None:
        raise Misconfigured("BACKUP_DATABASE_URL is not set")
    target = BackupTarget(address, source.engine.url)
    try:
        counts = rebuild(source, target, lambda: datetime.now(UTC), discard=discard)
    finally:
        target.close()
    rows = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
    return f"{target.place}: {rows}"


def told(source: BackupSource) -> str:
    note = source.note()
    if note is None:
        return "there has been no backup yet"
    lines = [f"{note.place or 'no place'}: {source.behind(note.cursors)} rows behind"]
    if note.complete_at is not None:
        lines.append(f"complete up to {note.complete_at:%Y-%m-%d %H:%M:%S} UTC")
    if note.trouble:
        lines.append(f"trouble: {note.trouble}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
