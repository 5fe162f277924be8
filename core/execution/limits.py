"""Which styles are accepted: each number's allowed range, and what the contract's own rules ask of it.

One place for page, API and services. Each sentence begins with the name of the field it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from core.domain.instrument import Instrument
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.money import Price, plain

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
) -> tuple[str, ...]:
    """Why this style is not accepted, one sentence per field; empty: it is.

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


def _at_a_price(style: ExecutionStyle, instrument: Instrument | None) -> Iterator[str]:
    if style.price is None:
        return
    if style.price <= 0:
        yield f"limit price must be above 0, not {plain(style.price)}"
    elif instrument is not None and style.price % instrument.price_tick:
        yield f"limit price must be a multiple of {plain(instrument.price_tick)}, not {plain(style.price)}"


def _rests(style: ExecutionStyle) -> Iterator[str]:
    if style.timeout is not None:
        yield from _span("time-out", style.timeout, SECOND, LONGEST)
    elif style.at_end is AtEnd.MARKET:
        yield "time-out must be given where the rest goes at market then"


def _moves(style: ExecutionStyle) -> Iterator[str]:
    if style.reprice is not None:
        yield from _span("reprice time", style.reprice, SECOND, LONGEST)
        yield from _number("give-way", style.follow, *FOLLOW)


def _hides(style: ExecutionStyle) -> Iterator[str]:
    if style.visible is None:
        yield f"visible share must be given, {plain(VISIBLE[0])} to {plain(VISIBLE[1])}"
    else:
        yield from _number("visible share", style.visible, *VISIBLE)
    if style.refresh is not None:
        yield from _span("refresh time", style.refresh, *REFRESH)


def _twap(style: ExecutionStyle) -> Iterator[str]:
    if style.duration is None:
        yield f"duration must be given, {_words(DURATION[0])} to {_words(DURATION[1])}"
    else:
        yield from _span("duration", style.duration, *DURATION)
    if style.slices is None:
        yield f"slices must be given, {SLICES[0]} to {SLICES[1]}"
    elif not SLICES[0] <= style.slices <= SLICES[1]:
        yield f"slices must be {SLICES[0]} to {SLICES[1]}, not {style.slices}"
    elif style.duration is not None and style.duration >= DURATION[0] and style.slices > style.duration // SECOND:
        yield f"slices must be {style.duration // SECOND} or fewer in {_words(style.duration)}: one a second at most"
    yield from _number("randomness", style.randomness, *RANDOMNESS)


def _too_large(style: ExecutionStyle, instrument: Instrument, value: Decimal, price: Price | None) -> Iterator[str]:
    """A slice is one order: it must not be larger than the largest that the exchange takes."""
    if price is None or style.slices is None:
        return
    most = instrument.max_limit_quantity if style.passive else instrument.max_market_quantity
    whole = instrument.contracts_for(value, price)
    needed = (whole * (1 + style.randomness) / most).to_integral_value(ROUND_CEILING)
    if style.slices < needed:
        yield f"slices must be at least {needed:f}: one order takes at most {plain(most)} contracts"


def _span(name: str, value: timedelta, least: timedelta, most: timedelta) -> Iterator[str]:
    if not least <= value <= most:
        yield f"{name} must be {_words(least)} to {_words(most)}, not {_words(value)}"


def _number(name: str, value: Decimal, least: Decimal, most: Decimal) -> Iterator[str]:
    if not value.is_finite() or not least <= value <= most:
        yield f"{name} must be {plain(least)} to {plain(most)}, not {plain(value)}"


def _words(span: timedelta) -> str:
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if span >= timedelta(seconds=size) and not span % timedelta(seconds=size):
            return f"{span // timedelta(seconds=size)} {name}"
    return f"{plain(Decimal(str(span.total_seconds())))} s"
