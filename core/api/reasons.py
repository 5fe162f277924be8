"""Reasons in responses: the code, its exact values, and the English sentence."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field

from core.domain.money import plain
from core.domain.reason import Reason, Value

Plain: TypeAlias = str | int | bool | list[Any] | None

#: a sentence in English, made of a reason where one is given
Sentence = Annotated[str, BeforeValidator(lambda given: str(given) if isinstance(given, Reason) else given)]


class ReasonOut(BaseModel):
    """A reason for programs: `code` names the sentence and does not change when its wording does."""

    code: str = Field(description="Names the sentence; `text`: words of others, which have no code.")
    values: dict[str, Any] = Field(
        description="What stands in the sentence. Numbers are exact and text, times are ISO 8601, spans are seconds, "
        "reasons within are their sentences."
    )
    text: str = Field(description="The sentence in English.")

    @classmethod
    def of(cls, reason: Reason) -> ReasonOut:
        """Return a reason as it goes out."""
        return cls(code=reason.code, values=values_of(reason), text=str(reason))


def values_of(reason: Reason) -> dict[str, Plain]:
    """Return the values of a reason for JSON: exact numbers, spans in seconds and reasons within as text."""
    return {name: _out(value) for name, value in reason.items}


def _out(value: Value) -> Plain:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, timedelta):
        return plain(Decimal(str(value.total_seconds())))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_out(one) for one in value]
    return str(value) if isinstance(value, Reason) else value


Told = Annotated[ReasonOut, BeforeValidator(lambda given: ReasonOut.of(given) if isinstance(given, Reason) else given)]
