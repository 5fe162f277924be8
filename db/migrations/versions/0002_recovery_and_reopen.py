"""Recovery and reopen: a part's own choices, targets edited in one cycle, and when the next one begins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("positions", sa.Column("reopen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("positions", sa.Column("edit", JSONB, nullable=True))


def downgrade() -> None:
    op.drop_column("positions", "edit")
    op.drop_column("positions", "reopen_at")
