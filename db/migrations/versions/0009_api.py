"""Programs that come in: tokens, and the answers that their requests got."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        text("id"),
        text("name"),
        text("scope"),
        text("digest"),
        moment("created_at", nullable=False),
        text("created_by"),
        moment("expires_at"),
        moment("revoked_at"),
        moment("used_at"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("digest", name="uq_api_tokens_digest"),
    )
    op.create_table(
        "api_answers",
        text("token"),
        text("key"),
        text("fingerprint"),
        sa.Column("status", sa.BigInteger(), nullable=False),
        text("body"),
        moment("at", nullable=False),
        sa.PrimaryKeyConstraint("token", "key", name="pk_api_answers"),
    )
    op.create_index("ix_api_answers_at", "api_answers", ["at"])


def downgrade() -> None:
    op.drop_table("api_answers")
    op.drop_table("api_tokens")
