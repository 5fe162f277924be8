"""The backup's tables: parts, cycles and recovery steps in types that every database has, and a cursor for each table.

Built from the models, so that a new column of ours is a column there. Decimals are kept to 18 places, times in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    literal,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from core.domain.order import Purpose
from db.models import CycleRow, OrderRow, PositionRow

DIGITS, PLACES = 38, 18
KEY_LENGTH = 128
_EXACT = Context(prec=DIGITS + PLACES)
#: names are compared letter by letter, and a failed write leaves nothing
_MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


class Amount(TypeDecorator[Decimal]):
    """A column type for amounts: NUMERIC(38, 18); text where a database would keep it as a float."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = String(DIGITS + 3) if dialect.name == "sqlite" else Numeric(DIGITS, PLACES)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        kept = value.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_EVEN, _EXACT)
        return f"{kept:f}" if dialect.name == "sqlite" else kept

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Moment(TypeDecorator[datetime]):
    """A column type for times in UTC to the microsecond; without a zone where the database knows none."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Cursor(NamedTuple):
    """How far a table was copied: the transaction and the key of the newest row."""

    changed: int = -1
    key: str = ""


@dataclass(frozen=True, slots=True)
class BackupTable:
    """One table of the book and its copy."""

    name: str
    source: Table
    copy: Table
    key: ColumnElement[str]  #: tells the rows of one transaction apart
    only: ColumnElement[bool] | None = None

    def values(self, row: Any) -> Mapping[str, Any]:
        """Return a row of the source as it is written to the copy."""
        return {name: _plain(getattr(row, name)) for name in self.copy.columns.keys()}  # noqa: SIM118


metadata = MetaData()


def _copy(name: str, source: Table, without: tuple[str, ...] = ()) -> Table:
    left_out = ("changed", *without)
    columns = [_column(column) for column in source.columns if column.name not in left_out]
    return Table(f"perpdeck_{name}", metadata, *columns, **_MYSQL)


def _column(column: Column[Any]) -> Column[Any]:
    if column.primary_key:
        kind: TypeEngine[Any] = BigInteger() if isinstance(column.type, BigInteger) else String(KEY_LENGTH)
        return Column(column.name, kind, primary_key=True, autoincrement=False)
    return Column(column.name, _portable(column.type), nullable=True)  # so that a later one can be added


def _portable(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kind, Numeric):
        return Amount()
    if isinstance(kind, DateTime):
        return Moment()
    if isinstance(kind, Boolean | BigInteger | Integer):
        return type(kind)()
    if isinstance(kind, Text | JSONB | ARRAY):
        return Text()
    raise TypeError(f"the backup has no type for {kind!r}")


def _plain(value: Any) -> Any:
    """Return documents and lists as JSON text, with their decimals digit by digit; other values unchanged."""
    return orjson.dumps(value, default=str).decode() if isinstance(value, dict | list) else value


_parts, _cycles, _orders = PositionRow.table(), CycleRow.table(), OrderRow.table()
KINDS = (
    BackupTable("parts", _parts, _copy("parts", _parts, without=("token",)), _parts.c.part),
    BackupTable(
        "cycles", _cycles, _copy("cycles", _cycles), _cycles.c.part + literal("/") + _cycles.c.number.cast(Text)
    ),
    BackupTable(
        "recovery_steps",
        _orders,
        _copy("recovery_steps", _orders, without=("purpose", "conditional", "child_order_ids")),
        _orders.c.account + literal("/") + _orders.c.client_order_id,
        _orders.c.purpose == Purpose.RECOVERY,
    ),
)
PARTS = KINDS[0]

#: one row for each book that is copied here and each of its tables; locked while somebody copies
progress = Table(
    "perpdeck_backup",
    metadata,
    Column("origin", String(KEY_LENGTH), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("changed", BigInteger, nullable=False),
    Column("last_key", String(2 * KEY_LENGTH + 1), nullable=False),
    Column("copied_at", Moment, nullable=False),
    **_MYSQL,
)
