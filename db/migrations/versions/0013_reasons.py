"""Sentences as codes and values: beside each text stands what it was made of. Rows from before keep their text alone.

The triggers that tell of facts write both; a number in the values is tagged as `core.domain.reason.to_json` tags it.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"

before = import_module("db.migrations.versions.0011_risk_checks")

#: every column that keeps a sentence of ours
SENTENCES = (
    *(("execution_events", "because"), ("execution_events", "action"), ("alarms", "words"), ("cycles", "words")),
    *(("commands", "words"), ("risk_checks", "words"), ("bots", "why"), ("bots", "level_why")),
    *(("alerts", "words"), ("alert_conditions", "words"), ("alert_channels", "failure"), ("history_sync", "trouble")),
)
TELL = """
CREATE FUNCTION tell(
    account text, kind text, ref text, at timestamptz, part text, symbol text, quantity numeric, price numeric,
    amount numeric, action text, because text, because_code text, because_values jsonb, outcome text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO execution_events
        (account, kind, ref, at, part, symbol, quantity, price, amount, rule, action,
         because, because_code, because_values, outcome)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'record', $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING
$$
"""
SIGNATURE = "text, text, text, timestamptz, text, text, numeric, numeric, numeric, text, text, text, jsonb, text"
#: a number and a word of an enumeration, as values of a reason
HELPERS = {
    "reason_number(value numeric)": "SELECT jsonb_build_object('decimal', trim_scale($1)::text)",
    "reason_word(code text)": "SELECT jsonb_build_object('code', $1, 'values', '{}'::jsonb)",
}
#: table -> function body
TELLING = {
    "orders": """
        DECLARE
            what text := NEW.side || ' ' || trim_scale(NEW.quantity) || ' ' || NEW.kind;
            made jsonb := jsonb_build_object('side', reason_word('order_side.' || NEW.side),
                'quantity', reason_number(NEW.quantity), 'kind', reason_word('order_kind.' || NEW.kind));
        BEGIN
            IF TG_OP = 'INSERT' THEN
                PERFORM tell(NEW.account, 'order_created', NEW.client_order_id, coalesce(NEW.created_at, now()),
                    NEW.part, NEW.symbol, NEW.quantity, NEW.price, NULL, NEW.client_order_id,
                    what, 'record.order', made, NEW.status);
            END IF;
            IF TG_OP = 'UPDATE' AND NEW.status IS NOT DISTINCT FROM OLD.status AND NEW.filled = OLD.filled
                OR TG_OP = 'INSERT' AND NEW.status = 'working' AND NEW.filled = 0 THEN
                RETURN NULL;
            END IF;
            PERFORM tell(NEW.account,
                CASE WHEN NEW.status IN ('canceled', 'expired') THEN 'order_cancelled' ELSE 'order_changed' END,
                NEW.client_order_id || '/' || NEW.status || '/' || trim_scale(NEW.filled),
                coalesce(NEW.updated_at, now()), NEW.part, NEW.symbol, NEW.filled, NEW.average_price, NULL,
                NEW.client_order_id, what || ': ' || trim_scale(NEW.filled) || ' filled',
                'record.order_filled', made || jsonb_build_object('filled', reason_number(NEW.filled)), NEW.status);
            IF NEW.purpose = 'E' AND NEW.filled > 0 THEN
                PERFORM tell(NEW.account, 'position_opened', NEW.part || '/' || NEW.cycle,
                    coalesce(NEW.updated_at, now()), NEW.part, NEW.symbol, NEW.filled, NEW.average_price, NULL,
                    NEW.client_order_id, NEW.position_side || ' ' || NEW.symbol, 'record.position_opened',
                    jsonb_build_object('side', reason_word('side.' || NEW.position_side), 'symbol', NEW.symbol),
                    'open');
            END IF;
            RETURN NULL;
        END
        """,
    "external_entries": """
        BEGIN
            PERFORM tell(NEW.account, 'position_opened', NEW.part || '/' || NEW.cycle, NEW.at, NEW.part, p.symbol,
                NEW.quantity, NEW.price, NULL, NEW.entry_id, p.side || ' ' || p.symbol, 'record.position_opened',
                jsonb_build_object('side', reason_word('side.' || p.side), 'symbol', p.symbol), 'open')
            FROM positions p WHERE p.part = NEW.part;
            RETURN NULL;
        END
        """,
    "fills": """
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
                || CASE WHEN NEW.maker THEN ' maker' ELSE ' taker' END,
                CASE WHEN NEW.maker THEN 'record.fill_as_maker' ELSE 'record.fill_as_taker' END,
                jsonb_build_object('side', reason_word('order_side.' || NEW.side),
                    'quantity', reason_number(NEW.quantity), 'price', reason_number(NEW.price)),
                'done');
            RETURN NULL;
        END
        """,
    "cycles": """
        BEGIN
            PERFORM tell(NEW.account, 'position_closed', NEW.part || '/' || NEW.number, NEW.ended, NEW.part, NEW.symbol,
                NEW.contracts, NEW.average_exit, NEW.realised_pnl + NEW.fees + NEW.funding, NULL,
                NEW.side || ' ' || NEW.symbol || ': ' || NEW.words, 'record.position_closed',
                jsonb_build_object('side', reason_word('side.' || NEW.side), 'symbol', NEW.symbol,
                    'why', jsonb_build_object('code', coalesce(NEW.words_code, 'text'), 'values',
                        coalesce(NEW.words_values, jsonb_build_object('words', NEW.words)))),
                NEW.reason)
            WHERE NEW.contracts > 0;
            RETURN NULL;
        END
        """,
    "risk_checks": """
        BEGIN
            PERFORM tell(NEW.account, 'risk_failure', NEW.id::text, NEW.at, nullif(NEW.part, ''), NEW.symbol,
                NULL, NULL, NULL, NEW.check_name, NEW.words, NEW.words_code, NEW.words_values, 'refused')
            WHERE NOT NEW.passed;
            RETURN NULL;
        END
        """,
}


def upgrade() -> None:
    for table, column in SENTENCES:
        op.add_column(table, sa.Column(f"{column}_code", sa.Text(), nullable=True))
        op.add_column(table, sa.Column(f"{column}_values", JSONB(), nullable=True))
    for signature, body in HELPERS.items():
        op.execute(f"CREATE FUNCTION {signature} RETURNS jsonb LANGUAGE sql IMMUTABLE AS $${body}$$")
    op.execute(f"DROP FUNCTION tell({before.SIGNATURE})")
    op.execute(TELL)
    for table, body in TELLING.items():
        op.execute(f"CREATE OR REPLACE FUNCTION tell_{table}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION tell({SIGNATURE})")
    op.execute(before.TELL)
    for table, (body, _when) in before.TELLING.items():
        op.execute(f"CREATE OR REPLACE FUNCTION tell_{table}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for signature in HELPERS:
        op.execute(f"DROP FUNCTION {signature}")
    for table, column in SENTENCES:
        op.drop_column(table, f"{column}_code")
        op.drop_column(table, f"{column}_values")
