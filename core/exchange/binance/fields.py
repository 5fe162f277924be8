"""The fields of Binance's rows, and its names of contracts."""

from __future__ import annotations

from datetime import datetime

from core.domain.errors import Unavailable
from core.exchange.fields import EPOCH, MILLISECOND, Fields, Row, truth

__all__ = ["EPOCH", "MILLISECOND", "Row", "truth"]

OURS, THEIRS = "-USDT-PERP", "USDT"  #: the end of a symbol here and at Binance

_read = Fields("Binance")
text, number, number_or_none, number_or_zero = _read.text, _read.number, _read.number_or_none, _read.number_or_zero
price_or_none, moment, word = _read.price_or_none, _read.moment, _read.word


def to_symbol(name: str) -> str:
    """BTCUSDT -> BTC-USDT-PERP. Raises Unavailable for contracts that are not perpetuals in USDT."""
    if not is_ours(name):
        raise Unavailable(f"Binance sent symbol {name!r}, which is not a perpetual settled in USDT")
    return name.removesuffix(THEIRS) + OURS


def to_name(symbol: str) -> str:
    """BTC-USDT-PERP -> BTCUSDT."""
    return symbol.removesuffix(OURS) + THEIRS


def is_ours(name: object) -> bool:
    """Whether this is named like a contract we trade: BTCUSDT, but not BTCUSDC or BTCUSDT_260925."""
    return isinstance(name, str) and name.endswith(THEIRS) and len(name) > len(THEIRS)


def moment_or_none(row: Row, *names: str) -> datetime | None:
    """The first of these fields that is there and not 0."""
    return next((moment(row, field) for field in names if row.get(field) not in (None, "", 0, "0")), None)


def milliseconds(at: datetime) -> int:
    """A time as Binance wants it."""
    return (at - EPOCH) // MILLISECOND


def either(row: Row, *names: str) -> str:
    """The name, of these, under which the row has something; the first where it has nothing."""
    return next((field for field in names if row.get(field) not in (None, "")), names[0])
