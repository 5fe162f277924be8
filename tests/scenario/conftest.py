"""A fresh database and a paper exchange of its own for each run of simulated weeks."""

from __future__ import annotations

from tests.faults.conftest import quiet_log
from tests.postgres import database_url, postgres, store

__all__ = ["database_url", "postgres", "quiet_log", "store"]
