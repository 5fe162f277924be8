"""Read one field of an exchange's row at a time: text, number, time, word; and translate names of contracts.

Exchanges send numbers as text and as numbers, leave fields out that do not apply, and say "" or "0" for others.
What is missing, unreadable or a word we do not know raises Unavailable naming the exchange and the field; nothing
is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard, TypeVar

from core.domain.errors import Unavailable
from core.domain.money import ZERO, Price
from core.domain.reason import Reason
from core.exchange.port import Candle

Row = Mapping[str, Any]
Word = TypeVar("Word")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


OURS = "-USDT-PERP"  #: how our symbols of perpetuals in USDT end


@dataclass(frozen=True, slots=True)
class Fields:
    """Reads the rows of one exchange, whose name is in every error."""

    exchange: str  #: "OKX"
    contract_field: str  #: the field that names the contract: "instId"
    contract_ending: str  #: how its names of perpetuals in USDT end: "-USDT-SWAP"

    # -- names of contracts

    def to_symbol(self, name: str) -> str:
        """Return our symbol, such as BTC-USDT-PERP. Raises Unavailable for what is no perpetual settled in USDT."""
        if not self.is_ours(name):
            raise Unavailable(
                Reason("exchange.no_perpetual", exchange=self.exchange, field=self.contract_field, value=repr(name))
            )
        return name.removesuffix(self.contract_ending) + OURS

    def to_contract(self, symbol: str) -> str:
        """Return the exchange's name of the contract behind our symbol."""
        return symbol.removesuffix(OURS) + self.contract_ending

    def is_ours(self, name: object) -> TypeGuard[str]:
        """True for names of the contracts we trade; others on the account are not looked at."""
        ending = self.contract_ending
        return isinstance(name, str) and name.endswith(ending) and len(name) > len(ending)

    # -- values

    def text(self, row: Row, field: str) -> str:
        """Return the field as it came. Raises Unavailable where the row lacks it."""
        value = row.get(field)
        if value is None:
            raise Unavailable(Reason("exchange.no_field", exchange=self.exchange, field=field))
        return str(value)

    def number(self, row: Row, field: str) -> Decimal:
        """Return the field as a number. Raises Unavailable where there is none."""
        value = self.text(row, field)
        try:
            result = Decimal(value)
        except InvalidOperation:
            result = Decimal("NaN")
        if not result.is_finite():
            raise Unavailable(Reason("exchange.no_number", exchange=self.exchange, field=field, value=repr(value)))
        return result

    def number_or_none(self, row: Row, field: str) -> Decimal | None:
        """Return the field as a number; None where it is absent or does not apply."""
        return self.number(row, field) if row.get(field) not in (None, "") else None

    def number_or_zero(self, row: Row, field: str) -> Decimal:
        """Return a running total; absent means that nothing was added to it yet."""
        return self.number_or_none(row, field) or ZERO

    def price(self, row: Row, field: str) -> Price:
        """Return the field as a price. Raises Unavailable where there is none."""
        return Price(self.number(row, field))

    def price_or_none(self, row: Row, field: str) -> Price | None:
        """Return a price above zero; absent, "", "0" and "-1" all mean that there is none."""
        value = self.number_or_none(row, field)
        return Price(value) if value is not None and value > ZERO else None

    def moment(self, row: Row, field: str) -> datetime:
        """Return the field, Unix milliseconds, as time. Raises Unavailable where there is none."""
        value = self.text(row, field)
        if not value.isdigit():
            raise Unavailable(Reason("exchange.no_time", exchange=self.exchange, field=field, value=repr(value)))
        return EPOCH + int(value) * MILLISECOND

    def word(self, row: Row, field: str, known: Mapping[str, Word]) -> Word:
        """Return what a word of the exchange means. Raises Unavailable for a word that is not in the table."""
        value = self.text(row, field)
        if value not in known:
            raise Unavailable(Reason("exchange.unknown_word", exchange=self.exchange, field=field, value=repr(value)))
        return known[value]

    def candle(self, row: Row, *, complete: bool) -> Candle:
        """Return a bar from its cells opened, open, high, low, close and volume."""
        return Candle(
            opened_at=self.moment(row, "opened"),
            open=self.number(row, "open"),
            high=self.number(row, "high"),
            low=self.number(row, "low"),
            close=self.number(row, "close"),
            volume=self.number(row, "volume"),
            complete=complete,
        )


def truth(row: Row, field: str) -> bool:
    """Return a field that is yes or no: true, "true" and "TRUE" all mean yes; "" and absent mean no."""
    return str(row.get(field, "")).lower() == "true"


def milliseconds(at: datetime) -> int:
    """Return a time as Unix milliseconds."""
    return (at - EPOCH) // MILLISECOND
