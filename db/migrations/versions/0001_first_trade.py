"""The first schema: what is wanted, what was sent, what became of it, and how the bot is steered.

Part numbers begin with the seconds since 2025: a new database on an old account never builds an order id that
the exchange has seen from an earlier one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def column(
    kind: sa.types.TypeEngine[Any], name: str, *, null: bool = False, default: str | sa.TextClause | None = None
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, server_default=default)


text = partial(column, sa.Text())
texts = partial(column, sa.ARRAY(sa.Text()))
number = partial(column, sa.Numeric())
whole = partial(column, sa.BigInteger())
flag = partial(column, sa.Boolean())
moment = partial(column, sa.DateTime(timezone=True))
document = partial(column, postgresql.JSONB())
sealed = partial(column, sa.LargeBinary())

PART_NUMBERS = """
DO $$ BEGIN EXECUTE format(
    'CREATE SEQUENCE part_numbers MINVALUE 0 START %s',
    floor(extract(epoch FROM now() - timestamptz '2025-01-01 00:00:00+00'))
); END $$
"""


def upgrade() -> None:
    op.execute(PART_NUMBERS)
    op.create_table(
        "accounts",
        text("id"),
        text("name"),
        text("exchange"),
        text("environment"),
        text("rest_url"),
        text("stream_url"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        text("account"),
        text("subject"),
        text("words"),
        moment("raised_at"),
        moment("cleared_at", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
    )
    op.create_index(
        "uq_alarms_open",
        "alarms",
        ["account", "subject"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "board",
        text("account"),
        document("picture"),
        moment("as_of"),
        sa.PrimaryKeyConstraint("account", name="pk_board"),
    )
    op.create_table(
        "bots",
        text("account"),
        flag("running", default=sa.text("false")),
        flag("manually_stopped", default=sa.text("false")),
        text("level", default="run"),
        moment("changed_at", null=True),
        text("changed_by", default=""),
        text("why", default=""),
        moment("heartbeat_at", null=True),
        sa.PrimaryKeyConstraint("account", name="pk_bots"),
    )
    op.create_table(
        "commands",
        text("client_order_id"),
        text("account"),
        text("key"),
        text("part"),
        whole("cycle"),
        text("purpose"),
        text("side"),
        text("kind"),
        number("quantity"),
        document("request"),
        moment("recorded_at"),
        whole("epoch"),
        whole("attempts", default=sa.text("1")),
        text("outcome", null=True),
        text("code", default=""),
        text("words", default=""),
        moment("settled_at", null=True),
        sa.PrimaryKeyConstraint("client_order_id", name="pk_commands"),
    )
    op.create_index("ix_commands_part_cycle", "commands", ["part", "cycle"])
    op.create_index(
        "ix_commands_unresolved",
        "commands",
        ["account"],
        postgresql_where=sa.text("outcome IS NULL OR outcome = 'unknown'"),
    )
    op.create_table(
        "cycles",
        text("part"),
        whole("number"),
        text("account"),
        text("symbol"),
        text("side"),
        moment("started"),
        moment("ended"),
        number("contracts"),
        number("average_entry", null=True),
        number("average_exit", null=True),
        number("realised_pnl"),
        number("fees"),
        number("funding"),
        text("reason"),
        text("words"),
        text("life"),
        sa.PrimaryKeyConstraint("part", "number", name="pk_cycles"),
    )
    op.create_index("ix_cycles_account_ended", "cycles", ["account", "ended"])
    op.create_table(
        "execution_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        moment("at"),
        text("account"),
        text("part", null=True),
        text("rule"),
        text("because"),
        text("action", null=True),
        text("outcome", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_execution_events"),
    )
    op.create_index("ix_execution_events_account_id", "execution_events", ["account", "id"])
    op.create_index("ix_execution_events_part_id", "execution_events", ["part", "id"])
    op.create_table(
        "external_exits",
        text("account"),
        text("exchange_fill_id"),
        text("part"),
        whole("cycle"),
        number("quantity"),
        number("price"),
        number("fee"),
        text("reason"),
        moment("at"),
        sa.PrimaryKeyConstraint("account", "exchange_fill_id", name="pk_external_exits"),
    )
    op.create_index("ix_external_exits_part_cycle", "external_exits", ["part", "cycle"])
    op.create_table(
        "fills",
        text("account"),
        text("symbol"),
        text("exchange_order_id"),
        text("exchange_fill_id"),
        text("client_order_id"),
        text("position_side"),
        text("side"),
        number("quantity"),
        number("price"),
        number("fee"),
        flag("maker"),
        number("realised_pnl"),
        moment("at"),
        text("origin"),
        text("part", null=True),
        whole("cycle", null=True),
        sa.PrimaryKeyConstraint("account", "symbol", "exchange_order_id", "exchange_fill_id", name="pk_fills"),
    )
    op.create_index("ix_fills_account_at", "fills", ["account", "at"])
    op.create_index("ix_fills_part_at", "fills", ["part", "at"])
    op.create_table(
        "funding",
        text("account"),
        text("symbol"),
        moment("paid_at"),
        text("exchange_id"),
        text("position_side", null=True),
        number("amount"),
        sa.PrimaryKeyConstraint("account", "symbol", "paid_at", "exchange_id", name="pk_funding"),
    )
    op.create_index("ix_funding_account_paid_at", "funding", ["account", "paid_at"])
    op.create_table(
        "lease",
        text("account"),
        text("holder"),
        whole("epoch"),
        moment("expires_at"),
        sa.PrimaryKeyConstraint("account", name="pk_lease"),
    )
    op.create_table(
        "orders",
        text("account"),
        text("client_order_id"),
        text("exchange_order_id"),
        text("symbol"),
        text("position_side"),
        text("part"),
        whole("cycle"),
        text("purpose"),
        text("side"),
        text("kind"),
        flag("conditional"),
        number("quantity"),
        text("status"),
        number("price", null=True),
        number("tp_trigger", null=True),
        number("sl_trigger", null=True),
        text("trigger_by", null=True),
        flag("reduce_only"),
        flag("dies_with_position"),
        number("filled"),
        number("average_price", null=True),
        number("fee"),
        text("triggered_leg", null=True),
        texts("child_order_ids"),
        text("failure"),
        moment("created_at", null=True),
        moment("updated_at", null=True),
        sa.PrimaryKeyConstraint("account", "client_order_id", name="pk_orders"),
    )
    op.create_index("ix_orders_child_order_ids", "orders", ["child_order_ids"], postgresql_using="gin")
    op.create_index("ix_orders_part_cycle", "orders", ["part", "cycle"])
    op.create_index("ix_orders_working", "orders", ["account"], postgresql_where=sa.text("status = 'working'"))
    op.create_index(
        "uq_orders_exchange_order_id",
        "orders",
        ["account", "symbol", "conditional", "exchange_order_id"],
        unique=True,
        postgresql_where=sa.text("exchange_order_id <> ''"),
    )
    op.create_table(
        "positions",
        text("part"),
        text("account"),
        text("symbol"),
        text("side"),
        text("strategy"),
        text("wanted"),
        text("status"),
        number("position_value"),
        number("leverage"),
        document("entry"),
        document("take_profit", null=True),
        document("stop_loss", null=True),
        document("recovery", null=True),
        document("reopen", null=True),
        whole("cycle"),
        number("contracts", null=True),
        moment("cycle_started_at", null=True),
        moment("cycle_ended_at", null=True),
        text("exit_reason", null=True),
        number("reduce_to", null=True),
        whole("recovery_count", default=sa.text("0")),
        moment("last_recovery_at", null=True),
        text("position_id", default=""),
        text("tp_order_id", default=""),
        text("sl_order_id", default=""),
        whole("version"),
        text("asked_by"),
        moment("asked_at"),
        text("token"),
        sa.CheckConstraint("side IN ('long', 'short')", name="ck_positions_side"),
        sa.CheckConstraint("cycle >= 1", name="ck_positions_cycle"),
        sa.CheckConstraint("position_value > 0", name="ck_positions_position_value"),
        sa.PrimaryKeyConstraint("part", name="pk_positions"),
        sa.UniqueConstraint("token", name="uq_positions_token"),
    )
    op.create_index("ix_positions_account_asked_at", "positions", ["account", "asked_at"])
    op.create_index("ix_positions_living", "positions", ["account"], postgresql_where=sa.text("cycle_ended_at IS NULL"))
    op.create_table(
        "requests",
        text("token"),
        text("account"),
        text("what"),
        text("part", null=True),
        text("asked_by"),
        moment("asked_at"),
        sa.PrimaryKeyConstraint("token", name="pk_requests"),
    )
    op.create_table(
        "settings",
        text("key"),
        document("value"),
        text("changed_by"),
        moment("changed_at"),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )
    op.create_table(
        "api_credentials",
        text("account"),
        sealed("ciphertext", null=True),
        text("hint"),
        text("permissions"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_api_credentials_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", name="pk_api_credentials"),
    )


def downgrade() -> None:
    for table in (
        "api_credentials",
        "settings",
        "requests",
        "positions",
        "orders",
        "lease",
        "funding",
        "fills",
        "external_exits",
        "execution_events",
        "cycles",
        "commands",
        "bots",
        "board",
        "alarms",
        "accounts",
    ):
        op.drop_table(table)
    op.execute("DROP SEQUENCE part_numbers")
