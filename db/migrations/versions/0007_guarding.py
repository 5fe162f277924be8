"""What a part chooses where the exchange refuses its stop-loss."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("positions", sa.Column("when_refused", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("positions", "when_refused")
