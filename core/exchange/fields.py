"""One field of an exchange's row at a time: text, number, moment, word.

Exchanges send numbers as text and as numbers, leave fields out that do not apply, and say "" or "0" for others.
What is missing, unreadable or a word we do not know raises Unavailable naming the exchange and the field; nothing
is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from core.domain.errors import Unavailable
from core.domain.money import ZERO

Row = Mapping[str, Any]
Word = TypeVar("Word")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Fields:
    """Reads the rows of one exchange, whose name stands in every complaint."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange

    def text(self, row: Row, field: str) -> str:
        """The field as it came. Raises Unavailable where the row lacks it."""
        value = row.get(field)
        if value is None:
            raise Unavailable(f"{self.exchange} sent no {field}")
        return str(value)

    def number(self, row: Row, field: str) -> Decimal:
        """The field as a number. Raises Unavailable where there is none."""
        value = self.text(row, field)
        try:
            result = Decimal(value)
        except InvalidOperation:
            result = Decimal("NaN")
        if not result.is_finite():
            raise Unavailable(f"{self.exchange} sent {field} {value!r}, which is not a number")
        return result

    def number_or_none(self, row: Row, field: str) -> Decimal | None:
        """The field as a number; None where it is absent or does not apply."""
        return self.number(row, field) if row.get(field) not in (None, "") else None

    def number_or_zero(self, row: Row, field: str) -> Decimal:
        """A running total; absent means that nothing was added to it yet."""
        return self.number_or_none(row, field) or ZERO

    def price_or_none(self, row: Row, field: str) -> Decimal | None:
        """A price above zero; absent, "", "0" and "-1" all mean that there is none."""
        value = self.number_or_none(row, field)
        return value if value is not None and value > ZERO else None

    def moment(self, row: Row, field: str) -> datetime:
        """The field, Unix milliseconds, as time. Raises Unavailable where there is none."""
        value = self.text(row, field)
        if not value.isdigit():
            raise Unavailable(f"{self.exchange} sent {field} {value!r}, which is not a time in milliseconds")
        return EPOCH + int(value) * MILLISECOND

    def word(self, row: Row, field: str, known: Mapping[str, Word]) -> Word:
        """What a word of the exchange means. Raises Unavailable for a word that is not in the table."""
        value = self.text(row, field)
        if value not in known:
            raise Unavailable(f"{self.exchange} sent {field} {value!r}, a word we do not know")
        return known[value]


def truth(row: Row, field: str) -> bool:
    """true, "true" and "TRUE" all mean yes; "" and absent mean no."""
    return str(row.get(field, "")).lower() == "true"
