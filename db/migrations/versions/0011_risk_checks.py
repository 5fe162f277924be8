"""What the risk control said, and the record of orders, fills and positions, written by the database with each fact.

A trigger tells of a fact in the very transaction that keeps it: nothing is told twice, nothing is left out, and no
writer has to think of it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"

#: table -> function body, and when it is called
TELLING = {
    "orders": (
        """
        DECLARE what text := NEW.side || ' ' || trim_scale(NEW.quantity) || ' ' || NEW.kind;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                PERFORM tell(NEW.account, 'order_created', NEW.client_order_id, coalesce(NEW.created_at, now()),
                    NEW.part, NEW.symbol, NEW.quantity, NEW.price, NULL, NEW.client_order_id, what, NEW.status);
            END IF;
            IF TG_OP = 'UPDATE' AND NEW.status IS NOT DISTINCT FROM OLD.status AND NEW.filled = OLD.filled
                OR TG_OP = 'INSERT' AND NEW.status = 'working' AND NEW.filled = 0 THEN
                RETURN NULL;
            END IF;
            PERFORM tell(NEW.account,
                CASE WHEN NEW.status IN ('canceled', 'expired') THEN 'order_cancelled' ELSE 'order_changed' END,
                NEW.client_order_id || '/' || NEW.status || '/' || trim_scale(NEW.filled),
                coalesce(NEW.updated_at, now()), NEW.part, NEW.symbol, NEW.filled, NEW.average_price, NULL,
                NEW.client_order_id, what || ': ' || trim_scale(NEW.filled) || ' filled', NEW.status);
            IF NEW.purpose = 'E' AND NEW.filled > 0 THEN
                PERFORM tell(NEW.account, 'position_opened', NEW.part || '/' || NEW.cycle,
                    coalesce(NEW.updated_at, now()), NEW.part, NEW.symbol, NEW.filled, NEW.average_price, NULL,
                    NEW.client_order_id, NEW.position_side || ' ' || NEW.symbol, 'open');
            END IF;
            RETURN NULL;
        END
        """,
        "AFTER INSERT OR UPDATE",
    ),
    "external_entries": (
        """
        BEGIN
            PERFORM tell(NEW.account, 'position_opened', NEW.part || '/' || NEW.cycle, NEW.at, NEW.part, p.symbol,
                NEW.quantity, NEW.price, NULL, NEW.entry_id, p.side || ' ' || p.symbol, 'open')
            FROM positions p WHERE p.part = NEW.part;
            RETURN NULL;
        END
        """,
        "AFTER INSERT",
    ),
    "fills": (
        """
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                UPDATE execution_events SET part = NEW.part WHERE account = NEW.account AND kind = 'fill'
                    AND ref = NEW.symbol || '/' || NEW.exchange_order_id || '/' || NEW.exchange_fill_id;
                RETURN NULL;
            END IF;
            PERFORM tell(NEW.account, 'fill', NEW.symbol || '/' || NEW.exchange_order_id || '/' || NEW.exchange_fill_id,
                NEW.at, NEW.part, NEW.symbol, NEW.quantity, NEW.price, NEW.fee,
                coalesce(nullif(NEW.client_order_id, ''), NEW.exchange_order_id),
                NEW.side || ' ' || trim_scale(NEW.quantity) || ' at ' || trim_scale(NEW.price)
                || CASE WHEN NEW.maker THEN ' maker' ELSE ' taker' END, 'done');
            RETURN NULL;
        END
        """,
        "AFTER INSERT OR UPDATE OF part",
    ),
    "cycles": (
        """
        BEGIN
            PERFORM tell(NEW.account, 'position_closed', NEW.part || '/' || NEW.number, NEW.ended, NEW.part, NEW.symbol,
                NEW.contracts, NEW.average_exit, NEW.realised_pnl + NEW.fees + NEW.funding, NULL,
                NEW.side || ' ' || NEW.symbol || ': ' || NEW.words, NEW.reason)
            WHERE NEW.contracts > 0;
            RETURN NULL;
        END
        """,
        "AFTER INSERT",
    ),
    "risk_checks": (
        """
        BEGIN
            PERFORM tell(NEW.account, 'risk_failure', NEW.id::text, NEW.at, nullif(NEW.part, ''), NEW.symbol,
                NULL, NULL, NULL, NEW.check_name, NEW.words, 'refused')
            WHERE NOT NEW.passed;
            RETURN NULL;
        END
        """,
        "AFTER INSERT",
    ),
}
TELL = """
CREATE FUNCTION tell(
    account text, kind text, ref text, at timestamptz, part text, symbol text,
    quantity numeric, price numeric, amount numeric, action text, because text, outcome text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO execution_events
        (account, kind, ref, at, part, symbol, quantity, price, amount, rule, action, because, outcome)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'record', $10, $11, $12) ON CONFLICT DO NOTHING
$$
"""
SIGNATURE = "text, text, text, timestamptz, text, text, numeric, numeric, numeric, text, text, text"


def upgrade() -> None:
    op.create_table(
        "risk_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("account", "symbol", "part", "purpose")),
        sa.Column("client_order_id", sa.Text(), server_default="", nullable=False),
        sa.Column("check_name", sa.Text(), server_default="", nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("limit_value", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("checks", JSONB(), nullable=False),
        sa.Column("repeats", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("repeated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_risk_checks"),
    )
    op.create_index("ix_risk_checks_account_id", "risk_checks", ["account", "id"])
    op.create_index("ix_risk_checks_part_id", "risk_checks", ["part", "id"])
    op.create_index("ix_risk_checks_at", "risk_checks", ["at"])
    op.add_column("execution_events", sa.Column("kind", sa.Text(), server_default="decision", nullable=False))
    op.add_column("execution_events", sa.Column("ref", sa.Text(), server_default="", nullable=False))
    op.add_column("execution_events", sa.Column("symbol", sa.Text(), nullable=True))
    for name in ("quantity", "price", "amount"):
        op.add_column("execution_events", sa.Column(name, sa.Numeric(), nullable=True))
    op.create_index("ix_execution_events_account_kind_id", "execution_events", ["account", "kind", "id"])
    op.create_index("ix_execution_events_at", "execution_events", ["at"])
    op.create_index(
        "uq_execution_events_ref",
        "execution_events",
        ["account", "kind", "ref"],
        unique=True,
        postgresql_where=sa.text("ref <> ''"),
    )
    op.execute(
        "CREATE INDEX ix_orders_account_made ON orders "
        "(account, COALESCE(created_at, updated_at, to_timestamp(0::double precision)), client_order_id)"
    )
    op.execute(TELL)
    for table, (body, when) in TELLING.items():
        op.execute(f"CREATE FUNCTION tell_{table}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        op.execute(f"CREATE TRIGGER tell {when} ON {table} FOR EACH ROW EXECUTE FUNCTION tell_{table}()")


def downgrade() -> None:
    for table in TELLING:
        op.execute(f"DROP TRIGGER tell ON {table}")
        op.execute(f"DROP FUNCTION tell_{table}()")
    op.execute(f"DROP FUNCTION tell({SIGNATURE})")
    op.drop_index("ix_orders_account_made", table_name="orders")
    op.execute("DELETE FROM execution_events WHERE kind <> 'decision'")
    for name in ("ix_execution_events_account_kind_id", "ix_execution_events_at", "uq_execution_events_ref"):
        op.drop_index(name, table_name="execution_events")
    for name in ("kind", "ref", "symbol", "quantity", "price", "amount"):
        op.drop_column("execution_events", name)
    op.drop_table("risk_checks")
