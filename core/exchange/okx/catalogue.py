"""Parses OKX's contracts, fees and candles (OKX V5 docs, public data and market data)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from core.domain.errors import Unavailable
from core.domain.instrument import Instrument
from core.domain.money import ZERO, Contracts
from core.domain.reason import Reason
from core.exchange.catalogue import Fees
from core.exchange.fields import Row
from core.exchange.okx.fields import FIELDS, is_ours, number, number_or_none, text, to_symbol
from core.exchange.port import Candle

NEEDED = ("ctVal", "ctMult", "tickSz", "lotSz", "minSz", "maxMktSz", "maxStopSz", "maxLmtSz", "lever")
CANDLE = ("opened", "open", "high", "low", "close", "volume", "volCcy", "volCcyQuote", "confirm")


def parse_fees(row: Row) -> dict[str, Fees]:
    """Return fees by the contracts' fee group; under "" the ones for all others. OKX says a cost as a negative rate."""
    groups: dict[str, Fees] = {}
    maker, taker = (_rate(row, f"{name}U") or _rate(row, name) for name in ("maker", "taker"))
    if maker is not None and taker is not None:
        groups[""] = Fees(maker, taker)
    for group in row.get("feeGroup") or []:
        groups[text(group, "groupId")] = Fees(-number(group, "maker"), -number(group, "taker"))
    return groups


def _rate(row: Row, field: str) -> Decimal | None:
    value = number_or_none(row, field)
    return None if value is None else -value


def parse_instruments(rows: Sequence[Row], fees: Mapping[str, Fees]) -> dict[str, Instrument]:
    """Return the USDT contracts by our symbol; those not traded yet have no complete rules and are left out."""
    ours = [row for row in rows if (row.get("settleCcy"), row.get("ctType")) == ("USDT", "linear")]
    complete = [
        row
        for row in ours
        if is_ours(row.get("instId")) and (row.get("state") == "live" or all(row.get(field) for field in NEEDED))
    ]
    return {instrument.symbol: instrument for instrument in (parse_instrument(row, fees) for row in complete)}


def parse_instrument(row: Row, fees: Mapping[str, Fees]) -> Instrument:
    """Return one contract with OKX's rules for it."""
    base, quote = text(row, "instFamily").split("-")
    instrument = Instrument(
        symbol=to_symbol(text(row, "instId")),
        exchange_symbol=text(row, "instId"),
        base=base,
        quote=quote,
        settle=text(row, "settleCcy"),
        contract_value=number(row, "ctVal") * number(row, "ctMult"),
        price_tick=number(row, "tickSz"),
        quantity_step=number(row, "lotSz"),
        min_quantity=Contracts(number(row, "minSz")),
        max_market_quantity=Contracts(min(number(row, "maxMktSz"), number(row, "maxStopSz"))),
        max_limit_quantity=Contracts(number(row, "maxLmtSz")),
        min_notional=ZERO,
        max_leverage=number(row, "lever"),
        tradable=text(row, "state") == "live",
    )
    paid = fees.get(str(row.get("groupId") or "")) or fees.get("")
    return instrument if paid is None else replace(instrument, maker_fee=paid.maker, taker_fee=paid.taker)


def parse_candle(cells: Sequence[str]) -> Candle:
    """Return one bar from OKX's list of nine cells."""
    if len(cells) != len(CANDLE):
        raise Unavailable(Reason("exchange.short_candle", cells=len(cells), least=len(CANDLE), exchange="OKX"))
    row = dict(zip(CANDLE, cells, strict=True))
    return FIELDS.candle(row, complete=row["confirm"] == "1")
