"""Checks the numbers of a style: each one's allowed range, and the contract's own rules.

One place for page, API and services. Each reason has the field that it is about as its value `field`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from core.domain.instrument import Instrument
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.money import Price
from core.domain.reason import Reason

SECOND = timedelta(seconds=1)
DURATION = timedelta(seconds=10), timedelta(hours=24)
SLICES = 2, 500
RANDOMNESS = Decimal(0), Decimal("0.5")
VISIBLE = Decimal("0.01"), Decimal(1)
REFRESH = SECOND, timedelta(hours=1)
FOLLOW = Decimal(0), Decimal("0.05")
LONGEST = timedelta(days=30)  #: of a time-out, and of the time before a limit order is moved


def problems_of(
    style: ExecutionStyle,
    instrument: Instrument | None = None,
    value: Decimal | None = None,
    price: Price | None = None,
) -> tuple[Reason, ...]:
    """Return why this style is not accepted, one reason per field; empty: it is.

    `value` is what is worked, in USDT, and `price` the price now: with the contract's rules they tell how many slices
    it takes, or how large an order may be. What is not given is not judged.
    """
    if style.kind is ExecutionKind.MARKET:
        return ()
    rules = (_twap(style),) if style.kind is ExecutionKind.TWAP else (_at_a_price(style, instrument), _rests(style))
    found = [problem for rule in rules for problem in rule]
    if style.kind is ExecutionKind.LIMIT:
        found += _moves(style)
    if style.kind is ExecutionKind.ICEBERG:
        found += _hides(style)
    if style.kind is ExecutionKind.TWAP and not found and instrument is not None and value is not None:
        found += _too_large(style, instrument, value, price)
    return tuple(found)


def _at_a_price(style: ExecutionStyle, instrument: Instrument | None) -> Iterator[Reason]:
    if style.price is None:
        return
    if style.price <= 0:
        yield Reason("style.not_positive", field=Reason("field.limit_price"), value=style.price)
    elif instrument is not None and style.price % instrument.price_tick:
        tick, field = instrument.price_tick, Reason("field.limit_price")
        yield Reason("style.off_tick", field=field, tick=tick, value=style.price)


def _rests(style: ExecutionStyle) -> Iterator[Reason]:
    if style.timeout is not None:
        yield from _span(Reason("field.timeout"), style.timeout, SECOND, LONGEST)
    elif style.at_end is AtEnd.MARKET:
        yield Reason("style.timeout_missing", field=Reason("field.timeout"))


def _moves(style: ExecutionStyle) -> Iterator[Reason]:
    if style.reprice is not None:
        yield from _span(Reason("field.reprice"), style.reprice, SECOND, LONGEST)
        yield from _number(Reason("field.follow"), style.follow, *FOLLOW)


def _hides(style: ExecutionStyle) -> Iterator[Reason]:
    if style.visible is None:
        yield Reason("style.number_missing", field=Reason("field.visible"), least=VISIBLE[0], most=VISIBLE[1])
    else:
        yield from _number(Reason("field.visible"), style.visible, *VISIBLE)
    if style.refresh is not None:
        yield from _span(Reason("field.refresh"), style.refresh, *REFRESH)


def _twap(style: ExecutionStyle) -> Iterator[Reason]:
    if style.duration is None:
        yield Reason("style.time_missing", field=Reason("field.duration"), least=DURATION[0], most=DURATION[1])
    else:
        yield from _span(Reason("field.duration"), style.duration, *DURATION)
    slices = Reason("field.slices")
    if style.slices is None:
        yield Reason("style.number_missing", field=slices, least=SLICES[0], most=SLICES[1])
    elif not SLICES[0] <= style.slices <= SLICES[1]:
        yield Reason("style.number_range", field=slices, least=SLICES[0], most=SLICES[1], value=style.slices)
    elif style.duration is not None and style.duration >= DURATION[0] and style.slices > style.duration // SECOND:
        most = style.duration // SECOND
        yield Reason("style.slices_too_many", field=slices, most=most, duration=style.duration)
    yield from _number(Reason("field.randomness"), style.randomness, *RANDOMNESS)


def _too_large(style: ExecutionStyle, instrument: Instrument, value: Decimal, price: Price | None) -> Iterator[Reason]:
    """Yield a problem where a slice, which is one order, is larger than the exchange's largest order."""
    if price is None or style.slices is None:
        return
    most = instrument.max_limit_quantity if style.passive else instrument.max_market_quantity
    whole = instrument.contracts_for(value, price)
    needed = (whole * (1 + style.randomness) / most).to_integral_value(ROUND_CEILING)
    if style.slices < needed:
        yield Reason("style.slices_too_few", field=Reason("field.slices"), least=needed, most=most)


def _span(field: Reason, value: timedelta, least: timedelta, most: timedelta) -> Iterator[Reason]:
    if not least <= value <= most:
        yield Reason("style.time_range", field=field, least=least, most=most, value=value)


def _number(field: Reason, value: Decimal, least: Decimal, most: Decimal) -> Iterator[Reason]:
    if not value.is_finite() or not least <= value <= most:
        yield Reason("style.number_range", field=field, least=least, most=most, value=value)
