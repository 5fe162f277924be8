"""Parses Binance's contracts, limits, fees and candles (Binance USD-M docs, exchange information and candles).

Steps and ticks come from the filters alone: the precisions that stand beside them are for display. Every filter may
change, so this is read anew now and then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.errors import Unavailable
from core.domain.instrument import Instrument
from core.domain.money import Contracts
from core.domain.reason import Reason
from core.exchange.binance.fields import (
    FIELDS,
    is_ours,
    moment,
    number,
    number_or_none,
    number_or_zero,
    text,
    to_symbol,
)
from core.exchange.catalogue import Fees
from core.exchange.fields import Row
from core.exchange.port import Candle

PERPETUAL, TRADING = "PERPETUAL", "TRADING"
FILTERS = ("PRICE_FILTER", "LOT_SIZE")  #: what a contract cannot be traded without
CANDLE = ("opened", "open", "high", "low", "close", "volume", "closed")


@dataclass(frozen=True, slots=True)
class Bracket:
    """The first step of a contract's margin table."""

    max_leverage: Decimal
    maintenance_rate: Decimal


def parse_fees(row: Row) -> Fees:
    """Return the account's fees, as told for one contract; they follow the account's tier and not the contract."""
    return Fees(number(row, "makerCommissionRate"), number(row, "takerCommissionRate"))


def parse_brackets(body: Any) -> dict[str, Bracket]:
    """Return the first brackets by Binance's symbol; one contract may come as a row of its own."""
    rows = body if isinstance(body, list) else [body]
    return {text(row, "symbol"): _first_bracket(row) for row in rows if row.get("brackets")}


def _first_bracket(row: Row) -> Bracket:
    brackets: Sequence[Row] = row["brackets"]
    return Bracket(
        max_leverage=max(number(bracket, "initialLeverage") for bracket in brackets),
        maintenance_rate=min(number(bracket, "maintMarginRatio") for bracket in brackets),
    )


def weight_limit(info: Row) -> int | None:
    """Return how much request weight a minute allows; None where Binance does not say."""
    for limit in info.get("rateLimits") or []:
        if (limit.get("rateLimitType"), limit.get("interval"), limit.get("intervalNum")) == (
            "REQUEST_WEIGHT",
            "MINUTE",
            1,
        ):
            return int(number(limit, "limit"))
    return None


def parse_instruments(info: Row, brackets: Mapping[str, Bracket], fees: Fees) -> dict[str, Instrument]:
    """Return the perpetuals in USDT by our symbol; the ones without complete rules are left out.

    Perpetuals of other kinds (on shares, metals) are among them as not tradable, so that one that is held has rules.
    """
    rows = info.get("symbols")
    if not isinstance(rows, list):
        raise Unavailable(Reason("exchange.no_symbols", exchange="Binance"))
    ours = (
        row
        for row in rows
        if str(row.get("contractType", "")).endswith(PERPETUAL)
        and (row.get("quoteAsset"), row.get("marginAsset")) == ("USDT", "USDT")
        and is_ours(row.get("symbol"))
    )
    found = [parse_instrument(row, brackets, fees) for row in ours if all(name in _filters(row) for name in FILTERS)]
    return {instrument.symbol: instrument for instrument in found}


def parse_instrument(row: Row, brackets: Mapping[str, Bracket], fees: Fees) -> Instrument:
    """Return one contract with Binance's rules for it; one contract is one unit of the base asset."""
    filters, name = _filters(row), text(row, "symbol")
    lot = filters["LOT_SIZE"]
    market = filters.get("MARKET_LOT_SIZE", lot)
    bracket = brackets.get(name)
    most = number(lot, "maxQty")
    tradable = (row.get("contractType"), row.get("status")) == (PERPETUAL, TRADING)
    return Instrument(
        symbol=to_symbol(name),
        exchange_symbol=name,
        base=text(row, "baseAsset"),
        quote=text(row, "quoteAsset"),
        settle=text(row, "marginAsset"),
        contract_value=Decimal(1),
        price_tick=_plain(number(filters["PRICE_FILTER"], "tickSize")),
        quantity_step=_plain(max(number(lot, "stepSize"), number_or_zero(market, "stepSize"))),
        min_quantity=Contracts(_plain(max(number(lot, "minQty"), number_or_zero(market, "minQty")))),
        max_market_quantity=Contracts(_plain(min(most, number_or_none(market, "maxQty") or most))),
        max_limit_quantity=Contracts(_plain(most)),
        min_notional=_plain(number_or_zero(filters.get("MIN_NOTIONAL", {}), "notional")),
        max_leverage=bracket.max_leverage if bracket else Decimal(1),
        maintenance_rate=bracket.maintenance_rate if bracket else Decimal("0.005"),
        taker_fee=fees.taker,
        maker_fee=fees.maker,
        tradable=tradable and bracket is not None,
    )


def _filters(row: Row) -> dict[str, Row]:
    return {str(each.get("filterType")): each for each in row.get("filters") or []}


def _plain(value: Decimal) -> Decimal:
    """Return a number without the trailing zeros with which Binance pads its steps; never with an exponent."""
    shortened = value.normalize()
    return shortened.quantize(Decimal(1)) if shortened == shortened.to_integral_value() else shortened


def parse_candle(cells: Sequence[Any], now: datetime) -> Candle:
    """Return one bar from Binance's list of cells; complete once its closing time has passed (by Binance's clock)."""
    if len(cells) < len(CANDLE):
        raise Unavailable(Reason("exchange.short_candle", cells=len(cells), least=len(CANDLE), exchange="Binance"))
    row = dict(zip(CANDLE, cells, strict=False))
    return FIELDS.candle(row, complete=moment(row, "closed") < now)
