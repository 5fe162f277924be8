"""The exchange's numbers in OKX's form: every value a string, "" for not applicable."""

from decimal import Decimal
from typing import Any

Row = dict[str, Any]
SHOWN = Decimal("0.000000000001")


def text(value: Decimal | None) -> str:
    """Return the number without exponent and trailing zeros; "" for none."""
    if value is None:
        return ""
    shown = format(value.quantize(SHOWN), "f")
    return shown.rstrip("0").rstrip(".") or "0" if shown.strip("-0.") else "0"


def blank(names: str) -> Row:
    """Return a row with these fields, each ""."""
    return dict.fromkeys(names.split(), "")
