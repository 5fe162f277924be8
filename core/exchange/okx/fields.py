"""One field of an OKX row at a time: text, number, moment, word, symbol.

Everything OKX sends is text and "" means "not applicable". What is missing, unreadable or a word we do not know
raises Unavailable naming the field; nothing is guessed.
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
OURS, THEIRS = "-USDT-PERP", "-USDT-SWAP"  #: the end of a symbol here and at OKX


def to_symbol(inst_id: str) -> str:
    """BTC-USDT-SWAP -> BTC-USDT-PERP. Raises Unavailable for contracts that are not settled in USDT."""
    if not is_ours(inst_id):
        raise Unavailable(f"OKX sent instId {inst_id!r}, which is not a perpetual settled in USDT")
    return inst_id.removesuffix(THEIRS) + OURS


def to_inst_id(symbol: str) -> str:
    """BTC-USDT-PERP -> BTC-USDT-SWAP."""
    return symbol.removesuffix(OURS) + THEIRS


def is_ours(inst_id: object) -> bool:
    """Whether this is a contract of the kind we trade; others on the account are not looked at."""
    return isinstance(inst_id, str) and inst_id.endswith(THEIRS)


def text(row: Row, field: str) -> str:
    """The field as it came. Raises Unavailable where the row lacks it."""
    value = row.get(field)
    if value is None:
        raise Unavailable(f"OKX sent no {field}")
    return str(value)


def number(row: Row, field: str) -> Decimal:
    """The field as a number. Raises Unavailable where there is none."""
    value = text(row, field)
    try:
        result = Decimal(value)
    except InvalidOperation:
        result = Decimal("NaN")
    if not result.is_finite():
        raise Unavailable(f"OKX sent {field} {value!r}, which is not a number")
    return result


def number_or_none(row: Row, field: str) -> Decimal | None:
    """The field as a number; None where it is absent or does not apply."""
    return number(row, field) if row.get(field) not in (None, "") else None


def number_or_zero(row: Row, field: str) -> Decimal:
    """A running total; absent means that nothing was added to it yet."""
    return number_or_none(row, field) or ZERO


def price_or_none(row: Row, field: str) -> Decimal | None:
    """A price above zero; OKX says "", "0" or (for market orders) "-1" where there is none."""
    value = number_or_none(row, field)
    return value if value is not None and value > ZERO else None


def moment(row: Row, field: str) -> datetime:
    """The field, Unix milliseconds, as time. Raises Unavailable where there is none."""
    value = text(row, field)
    if not value.isdigit():
        raise Unavailable(f"OKX sent {field} {value!r}, which is not a time in milliseconds")
    return EPOCH + timedelta(milliseconds=int(value))


def milliseconds(at: datetime) -> str:
    """A time as OKX wants it."""
    return str((at - EPOCH) // timedelta(milliseconds=1))


def word(row: Row, field: str, known: Mapping[str, Word]) -> Word:
    """What a word of OKX means. Raises Unavailable for a word that is not in the table."""
    value = text(row, field)
    if value not in known:
        raise Unavailable(f"OKX sent {field} {value!r}, a word we do not know")
    return known[value]


def truth(row: Row, field: str) -> bool:
    """true and "true" both mean yes; "" and absent mean no."""
    return str(row.get(field, "")).lower() == "true"
