"""Who set the level, when and why, apart from the switch; and the account's equity, sampled."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("bots", sa.Column("level_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("bots", sa.Column("level_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("bots", sa.Column("level_why", sa.Text(), nullable=False, server_default=""))
    op.add_column("bots", sa.Column("level_lowered_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "equity_samples",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("equity", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("account", "at", name=op.f("pk_equity_samples")),
    )


def downgrade() -> None:
    op.drop_table("equity_samples")
    for column in ("level_lowered_at", "level_why", "level_by", "level_at"):
        op.drop_column("bots", column)
