"""Executions piece by piece: how a close is worked, the recovery step under way, the trader's word on either."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"

NEW = ("closing", "adding", "told")


def upgrade() -> None:
    for name in NEW:
        op.add_column("positions", sa.Column(name, JSONB(), nullable=True))
    op.execute(
        "UPDATE positions SET told = jsonb_build_object('run', (entry->>'withdrawn') || 'E', 'finish', false), "
        "entry = entry - 'withdrawn' WHERE entry ? 'withdrawn'"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE positions SET entry = entry || jsonb_build_object('withdrawn', cycle) "
        "WHERE told->>'run' = cycle || 'E' AND told->>'finish' = 'false'"
    )
    for name in NEW:
        op.drop_column("positions", name)
