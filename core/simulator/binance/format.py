"""Numbers and names as Binance USD-M writes them: strings of decimals, integer ids, BTCUSDT, LONG and SHORT."""

from decimal import Decimal
from typing import Any

Row = dict[str, Any]
SHOWN = Decimal("0.000000000001")
ZERO = Decimal(0)
SIDES = {"long": "LONG", "short": "SHORT", "net": "BOTH"}
OUR_SIDES = {wire: side for side, wire in SIDES.items()}


def text(value: Decimal | None, least: int = 0) -> str:
    """Return the number without exponent, with at least that many decimals and no more zeros than these; None is 0."""
    shown = format(abs(value or ZERO).quantize(SHOWN), "f")
    whole, _, places = shown.partition(".")
    places = places.rstrip("0").ljust(least, "0")
    sign = "-" if value is not None and value < 0 and shown.strip("0.") else ""
    return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"


def money(value: Decimal | None) -> str:
    """Return an amount of an asset: eight decimals, more only where there are more."""
    return text(value, 8)


def number(identity: str) -> int:
    """Return an id as the integer it is on the wire."""
    return int(identity.lstrip("-") or 0)
