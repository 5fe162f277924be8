"""Differences between exchange and book: contracts taken into a part from outside, and what was answered."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "external_entries",
        text("account"),
        text("entry_id"),
        text("part"),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "entry_id", name="pk_external_entries"),
    )
    op.create_index("ix_external_entries_part_cycle", "external_entries", ["part", "cycle"])
    op.create_table(
        "answers",
        text("account"),
        text("key"),
        text("kind"),
        text("choice"),
        text("mark"),
        text("answered_by"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "key", "kind", name="pk_answers"),
    )


def downgrade() -> None:
    op.drop_table("answers")
    op.drop_table("external_entries")
