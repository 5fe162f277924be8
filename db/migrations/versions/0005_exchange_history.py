"""The exchange's own history of positions, and the cursor up to which it has been brought home."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def text(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Numeric(), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "exchange_lives",
        text("account"),
        text("life"),
        text("symbol"),
        text("side"),
        text("position_id"),
        moment("opened_at"),
        moment("updated_at"),
        text("last_close"),
        number("closed"),
        number("largest"),
        number("average_entry", nullable=True),
        number("average_exit", nullable=True),
        number("pnl"),
        number("fees"),
        number("funding"),
        number("penalty"),
        number("realised"),
        number("leverage"),
        sa.PrimaryKeyConstraint("account", "life", name="pk_exchange_lives"),
    )
    op.create_index("ix_exchange_lives_account_updated_at", "exchange_lives", ["account", "updated_at"])
    op.create_table(
        "history_sync",
        text("account"),
        moment("reached", nullable=True),
        moment("asked_at", nullable=True),
        moment("began_at", nullable=True),
        moment("ended_at", nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("of", sa.BigInteger(), nullable=False, server_default="0"),
        text("trouble", default=""),
        sa.PrimaryKeyConstraint("account", name="pk_history_sync"),
    )


def downgrade() -> None:
    op.drop_table("history_sync")
    op.drop_table("exchange_lives")
