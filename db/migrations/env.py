"""Alembic's environment: runs migrations in the connection and the transaction of `db.migrate`."""

from __future__ import annotations

from alembic import context

import db.models  # noqa: F401  all tables
from db.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
