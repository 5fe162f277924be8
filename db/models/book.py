"""Tables of the book: parts, cycles, commands and orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, Key

PART_NUMBERS = Sequence("part_numbers", metadata=Base.metadata, minvalue=0, start=0)


class PositionRow(Base):
    """A part: one row for ever; recovery and reopen update it in place."""

    __tablename__ = "positions"

    part: Mapped[Key]
    account: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[str]
    strategy: Mapped[str]
    wanted: Mapped[str]
    status: Mapped[str]  #: one word for a person who reads the table; nothing decides by it
    position_value: Mapped[Decimal]
    leverage: Mapped[Decimal]
    entry: Mapped[Json]
    take_profit: Mapped[Json | None]
    stop_loss: Mapped[Json | None]
    recovery: Mapped[Json | None]
    reopen: Mapped[Json | None]
    when_refused: Mapped[str | None]
    cycle: Mapped[int]
    contracts: Mapped[Decimal | None]
    cycle_started_at: Mapped[datetime | None]
    cycle_ended_at: Mapped[datetime | None]
    exit_reason: Mapped[str | None]
    reopen_at: Mapped[datetime | None]
    edit: Mapped[Json | None]  #: TP and SL moved by hand in this cycle
    reduce_to: Mapped[Decimal | None]
    closing: Mapped[Json | None]  #: how a close that was asked for is worked; none: at market
    adding: Mapped[Json | None]  #: the recovery step that is being worked piece by piece
    told: Mapped[Json | None]  #: the trader's newest word on an execution
    recovery_count: Mapped[int] = mapped_column(server_default=text("0"))
    last_recovery_at: Mapped[datetime | None]
    position_id: Mapped[str] = mapped_column(server_default="")
    tp_order_id: Mapped[str] = mapped_column(server_default="")
    sl_order_id: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    token: Mapped[str] = mapped_column(unique=True)  #: one click, one part
    changed: Mapped[int] = mapped_column(server_default=text("0"))  #: the transaction that wrote it last

    __table_args__ = (
        CheckConstraint("side IN ('long', 'short')", name="side"),
        CheckConstraint("position_value > 0", name="position_value"),
        CheckConstraint("cycle >= 1", name="cycle"),
        Index("ix_positions_living", "account", postgresql_where=text("cycle_ended_at IS NULL")),
        Index("ix_positions_account_asked_at", "account", "asked_at"),
        Index("ix_positions_changed", "changed"),
    )


class CycleRow(Base):
    """A cycle of a part, from its start to flat, written once when it has ended."""

    __tablename__ = "cycles"

    part: Mapped[Key]
    number: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[str]
    started: Mapped[datetime]
    ended: Mapped[datetime]
    contracts: Mapped[Decimal]
    average_entry: Mapped[Decimal | None]
    average_exit: Mapped[Decimal | None]
    realised_pnl: Mapped[Decimal]
    fees: Mapped[Decimal]
    funding: Mapped[Decimal]
    reason: Mapped[str]
    words: Mapped[str]
    words_code: Mapped[str | None]
    words_values: Mapped[Json | None]
    life: Mapped[str]
    changed: Mapped[int] = mapped_column(server_default=text("0"))  #: the transaction that wrote it last

    __table_args__ = (Index("ix_cycles_account_ended", "account", "ended"), Index("ix_cycles_changed", "changed"))


class CommandRow(Base):
    """A placement, written down before it is sent; its client order id is never used again."""

    __tablename__ = "commands"

    client_order_id: Mapped[Key]
    account: Mapped[str]
    key: Mapped[str]  #: account/symbol/side
    part: Mapped[str]
    cycle: Mapped[int]
    purpose: Mapped[str]
    side: Mapped[str]
    kind: Mapped[str]
    quantity: Mapped[Decimal]
    request: Mapped[Json]
    recorded_at: Mapped[datetime]
    epoch: Mapped[int]
    attempts: Mapped[int] = mapped_column(server_default=text("1"))
    outcome: Mapped[str | None]
    code: Mapped[str] = mapped_column(server_default="")
    words: Mapped[str] = mapped_column(server_default="")
    words_code: Mapped[str | None]
    words_values: Mapped[Json | None]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_commands_part_cycle", "part", "cycle"),
        Index("ix_commands_unresolved", "account", postgresql_where=text("outcome IS NULL OR outcome = 'unknown'")),
    )


class OrderRow(Base):
    """The newest known state of each of our orders."""

    __tablename__ = "orders"

    account: Mapped[Key]
    client_order_id: Mapped[Key]
    exchange_order_id: Mapped[str]
    symbol: Mapped[str]
    position_side: Mapped[str]
    part: Mapped[str]
    cycle: Mapped[int]
    purpose: Mapped[str]
    side: Mapped[str]
    kind: Mapped[str]
    conditional: Mapped[bool]  #: exchanges number ordinary and conditional orders apart
    quantity: Mapped[Decimal]
    status: Mapped[str]
    price: Mapped[Decimal | None]
    tp_trigger: Mapped[Decimal | None]
    sl_trigger: Mapped[Decimal | None]
    trigger_by: Mapped[str | None]
    reduce_only: Mapped[bool]
    dies_with_position: Mapped[bool]
    filled: Mapped[Decimal]
    average_price: Mapped[Decimal | None]
    fee: Mapped[Decimal]
    triggered_leg: Mapped[str | None]
    child_order_ids: Mapped[list[str]]
    failure: Mapped[str]
    created_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    changed: Mapped[int] = mapped_column(server_default=text("0"))  #: the transaction that wrote it last

    __table_args__ = (
        Index(
            "uq_orders_exchange_order_id",
            "account",
            "symbol",
            "conditional",
            "exchange_order_id",
            unique=True,
            postgresql_where=text("exchange_order_id <> ''"),
        ),
        Index("ix_orders_part_cycle", "part", "cycle"),
        Index(
            "ix_orders_account_made",
            "account",
            text("COALESCE(created_at, updated_at, to_timestamp(0::double precision))"),
            "client_order_id",
        ),
        Index("ix_orders_working", "account", postgresql_where=text("status = 'working'")),
        Index("ix_orders_child_order_ids", "child_order_ids", postgresql_using="gin"),
        Index("ix_orders_changed", "changed", postgresql_where=text("purpose = 'R'")),
        Index("ix_orders_filled", "changed", postgresql_where=text("filled > 0")),
    )


class ExternalExitRow(Base):
    """Contracts of a part that were closed by an order not ours; each such fill is booked once."""

    __tablename__ = "external_exits"

    account: Mapped[Key]
    exchange_fill_id: Mapped[Key]
    part: Mapped[str]
    cycle: Mapped[int]
    quantity: Mapped[Decimal]
    price: Mapped[Decimal]
    fee: Mapped[Decimal]
    reason: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_external_exits_part_cycle", "part", "cycle"),)


class ExternalEntryRow(Base):
    """Contracts that others opened and the trader gave to a part; each difference is given once."""

    __tablename__ = "external_entries"

    account: Mapped[Key]
    entry_id: Mapped[Key]
    part: Mapped[str]
    cycle: Mapped[int]
    quantity: Mapped[Decimal]
    price: Mapped[Decimal]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_external_entries_part_cycle", "part", "cycle"),)


class AnswerRow(Base):
    """The trader's answer to a difference between exchange and book; it holds for the difference with this mark."""

    __tablename__ = "answers"

    account: Mapped[Key]
    key: Mapped[Key]  #: account/symbol/side
    kind: Mapped[Key]
    choice: Mapped[str]
    mark: Mapped[str]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]
