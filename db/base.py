"""The base class of all tables: exact decimals, times with a zone, and constraint names that migrations can find."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, cast

from sqlalchemy import ARRAY, BigInteger, DateTime, MetaData, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

Json = dict[str, Any]
Key = Annotated[str, mapped_column(Text, primary_key=True)]


class Base(DeclarativeBase):
    """The declarative base: NUMERIC without a precision keeps every digit; TIMESTAMPTZ keeps the moment."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        Decimal: Numeric(),
        datetime: DateTime(timezone=True),
        Json: JSONB(none_as_null=True),
        list[str]: ARRAY(Text()),
    }

    @classmethod
    def table(cls) -> Table:
        """Return the table itself, for statements that want no objects."""
        return cast(Table, cls.__table__)
