"""The fields of OKX's rows, and its names of contracts. Everything OKX sends is text; "" means "not applicable"."""

from __future__ import annotations

from datetime import datetime

from core.domain.errors import Unavailable
from core.exchange.fields import EPOCH, MILLISECOND, Fields, Row, truth

__all__ = ["EPOCH", "Row", "truth"]

OURS, THEIRS = "-USDT-PERP", "-USDT-SWAP"  #: the end of a symbol here and at OKX

_read = Fields("OKX")
text, number, number_or_none, number_or_zero = _read.text, _read.number, _read.number_or_none, _read.number_or_zero
price_or_none, moment, word = _read.price_or_none, _read.moment, _read.word


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


def milliseconds(at: datetime) -> str:
    """A time as OKX wants it."""
    return str((at - EPOCH) // MILLISECOND)
