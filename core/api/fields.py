"""Field types of request bodies: exact numbers with their ranges, and no unknown fields."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.fields import FieldInfo

from core.domain.money import plain
from core.domain.settings.trader import TraderSettings

NUMBER = r"^-?[0-9]{1,13}(\.[0-9]{1,18})?$"
_NUMBER = re.compile(NUMBER)


def _exact(value: object) -> object:
    """Return a number as it was written; refuse what only looks like one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("a number, or a number as text, is allowed")
    if isinstance(value, Decimal) and (not value.is_finite() or not -20 < value.adjusted() < 20):
        raise ValueError("a number of 13 digits and 18 decimals at most is allowed")
    text = plain(value) if isinstance(value, Decimal) else str(value)
    if not _NUMBER.fullmatch(text):
        raise ValueError("a number of 13 digits and 18 decimals at most is allowed")
    return Decimal(text)


def told(**bounds: float) -> WithJsonSchema:
    """Return the JSON schema of an exact number: sent as a number within bounds, or as text."""
    number = {"type": "number", **bounds}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": NUMBER}]}, mode="validation")


def within(key: str) -> FieldInfo:
    """Return the bounds of a whole number that is a setting for all parts too."""
    allowed = TraderSettings.definitions[key].allowed
    bounds: FieldInfo = Field(ge=int(allowed.low), le=int(allowed.high))
    return bounds


EXACT = BeforeValidator(_exact)
Amount = Annotated[Decimal, EXACT, told()]
Positive = Annotated[Decimal, EXACT, Field(gt=0, le=10**12), told(exclusiveMinimum=0, maximum=10**12)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False, hide_input_in_errors=True)
