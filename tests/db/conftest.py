"""The database fixtures, and small makers of values."""

from __future__ import annotations

from tests.postgres import database_url, postgres, store

__all__ = ["database_url", "postgres", "store"]
