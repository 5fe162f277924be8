"""A mark of change on what the backup copies: the transaction that wrote a row last, set by the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

#: table -> which of its rows are marked
MARKED = {"positions": "", "cycles": "", "orders": "WHEN (NEW.purpose = 'R') "}


def upgrade() -> None:
    op.execute(
        "CREATE FUNCTION mark_changed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.changed := pg_current_xact_id()::text::bigint; RETURN NEW; END $$"
    )
    for table, which in MARKED.items():
        op.add_column(table, sa.Column("changed", sa.BigInteger(), nullable=False, server_default="0"))
        op.execute(
            f"CREATE TRIGGER mark_changed BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW {which}EXECUTE FUNCTION mark_changed()"
        )
    op.create_index("ix_positions_changed", "positions", ["changed"])
    op.create_index("ix_cycles_changed", "cycles", ["changed"])
    op.create_index("ix_orders_changed", "orders", ["changed"], postgresql_where=sa.text("purpose = 'R'"))


def downgrade() -> None:
    for table in MARKED:
        op.execute(f"DROP TRIGGER mark_changed ON {table}")
        op.drop_index(f"ix_{table}_changed", table_name=table)
        op.drop_column(table, "changed")
    op.execute("DROP FUNCTION mark_changed()")
