"""The fields of OKX's rows, and its names of contracts. Everything OKX sends is text; "" means "not applicable"."""

from __future__ import annotations

from datetime import datetime

from core.exchange import fields
from core.exchange.fields import Fields

FIELDS = Fields("OKX", contract_field="instId", contract_ending="-USDT-SWAP")

text, word, moment = FIELDS.text, FIELDS.word, FIELDS.moment
number, number_or_none, number_or_zero = FIELDS.number, FIELDS.number_or_none, FIELDS.number_or_zero
price, price_or_none = FIELDS.price, FIELDS.price_or_none
to_symbol, to_inst_id, is_ours = FIELDS.to_symbol, FIELDS.to_contract, FIELDS.is_ours


def milliseconds(at: datetime) -> str:
    """Return a time as OKX wants it: Unix milliseconds, as text."""
    return str(fields.milliseconds(at))
