"""Alerts: channels, what is told and on its way, and a mark of change on the facts that alerts are made of."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"

#: tables whose rows are all marked from now on
MARKED = ("execution_events", "alarms")
RECOVERIES = "WHEN (NEW.purpose = 'R') "
RECOVERIES_AND_FILLED = "WHEN (NEW.purpose = 'R' OR NEW.filled > 0) "


def words(name: str, *, nullable: bool = False, usual: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=usual)


def moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def number(name: str, *, nullable: bool = False, usual: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=usual)


def switch(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "sealed_texts",
        words("name"),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        words("hint"),
        sa.PrimaryKeyConstraint("name", name="pk_sealed_texts"),
    )
    op.create_table(
        "alert_channels",
        words("id"),
        words("name"),
        words("service"),
        words("hint"),
        switch("on"),
        sa.Column("kinds", ARRAY(sa.Text()), nullable=False),
        words("quiet_from", nullable=True),
        words("quiet_until", nullable=True),
        number("per_minute"),
        moment("created_at", nullable=False),
        moment("sent_at"),
        moment("failed_at"),
        words("failure", usual=""),
        sa.PrimaryKeyConstraint("id", name="pk_alert_channels"),
        sa.UniqueConstraint("name", name="uq_alert_channels_name"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        words("key"),
        moment("at", nullable=False),
        words("kind"),
        words("account"),
        words("part"),
        words("subject"),
        words("words"),
        switch("severe"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("key", name="uq_alerts_key"),
    )
    op.create_index("ix_alerts_at", "alerts", ["at"])
    op.create_table(
        "alert_deliveries",
        words("channel"),
        number("alert"),
        words("state"),
        moment("due_at", nullable=False),
        number("attempts", usual="0"),
        moment("sent_at"),
        number("message", nullable=True),
        sa.PrimaryKeyConstraint("channel", "alert", name="pk_alert_deliveries"),
        sa.ForeignKeyConstraint(
            ["channel"], ["alert_channels.id"], name="fk_alert_deliveries_channel", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_alert_deliveries_alert", ondelete="CASCADE"),
    )
    under_way = sa.text("state IN ('waiting', 'sending')")
    op.create_index("ix_alert_deliveries_due", "alert_deliveries", ["channel", "due_at"], postgresql_where=under_way)
    sent = sa.text("state = 'sent'")
    op.create_index("ix_alert_deliveries_sent", "alert_deliveries", ["channel", "sent_at"], postgresql_where=sent)
    op.create_index("ix_alert_deliveries_alert", "alert_deliveries", ["alert"])
    op.create_table(
        "alert_cursors",
        words("source"),
        number("changed"),
        words("key"),
        moment("began_at", nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_alert_cursors"),
    )
    op.create_table(
        "alert_conditions",
        words("subject"),
        words("account"),
        words("words"),
        moment("since", nullable=False),
        switch("told"),
        sa.PrimaryKeyConstraint("subject", name="pk_alert_conditions"),
    )
    op.create_table(
        "telegram_lines",
        words("digest"),
        words("holder"),
        moment("expires_at", nullable=False),
        number("next_update"),
        sa.Column("strangers", ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_telegram_lines"),
    )
    for table in MARKED:
        op.add_column(table, number("changed", usual="0"))
        _mark(table)
        op.create_index(f"ix_{table}_changed", table, ["changed"])
    _mark("orders", RECOVERIES_AND_FILLED)
    op.create_index("ix_orders_filled", "orders", ["changed"], postgresql_where=sa.text("filled > 0"))


def downgrade() -> None:
    op.drop_index("ix_orders_filled", table_name="orders")
    _mark("orders", RECOVERIES)
    for table in MARKED:
        op.execute(f"DROP TRIGGER mark_changed ON {table}")
        op.drop_index(f"ix_{table}_changed", table_name=table)
        op.drop_column(table, "changed")
    for table in (
        *("telegram_lines", "alert_conditions", "alert_cursors", "alert_deliveries", "alerts"),
        *("alert_channels", "sealed_texts"),
    ):
        op.drop_table(table)


def _mark(table: str, which: str = "") -> None:
    """Have the database mark the rows of a table with the transaction that wrote them last."""
    op.execute(f"DROP TRIGGER IF EXISTS mark_changed ON {table}")
    op.execute(
        f"CREATE TRIGGER mark_changed BEFORE INSERT OR UPDATE ON {table} "
        f"FOR EACH ROW {which}EXECUTE FUNCTION mark_changed()"
    )
