"""Server secrets kept among the settings: never shown, never exported, never in an event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.models import SettingRow
from db.repository import Repository

settings = SettingRow.table()
PREFIX = "private."


class SecretRepository(Repository):
    """Stores settings that no list of settings contains."""

    def get(self, key: str) -> Any:
        """Return the value stored under this key; None where there is none."""
        with self.one_statement() as connection:
            return connection.scalar(select(settings.c.value).where(settings.c.key == PREFIX + key))

    def keep(self, key: str, value: Any, by: str) -> None:
        """Store a value under this key."""
        values = {"value": value, "changed_by": by, "changed_at": datetime.now(UTC)}
        row = insert(settings).values(key=PREFIX + key, **values)
        with self.one_statement() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))
