"""The fields of Binance's rows, and its names of contracts (BTCUSDT; not BTCUSDC, not BTCUSDT_260925)."""

from __future__ import annotations

from datetime import datetime

from core.exchange.fields import Fields, Row

FIELDS = Fields("Binance", contract_field="symbol", contract_ending="USDT")

number, number_or_none, number_or_zero = FIELDS.number, FIELDS.number_or_none, FIELDS.number_or_zero
price, price_or_none = FIELDS.price, FIELDS.price_or_none
text, moment, word = FIELDS.text, FIELDS.moment, FIELDS.word
is_ours, to_symbol, to_name = FIELDS.is_ours, FIELDS.to_symbol, FIELDS.to_contract


def moment_or_none(row: Row, *names: str) -> datetime | None:
    """Return the first of these fields that is there and not 0."""
    return next((moment(row, field) for field in names if row.get(field) not in (None, "", 0, "0")), None)


def either(row: Row, *names: str) -> str:
    """Return the name, of these, under which the row has something; the first where it has nothing."""
    return next((field for field in names if row.get(field) not in (None, "")), names[0])
