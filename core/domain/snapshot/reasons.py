"""Writes reasons into a stored snapshot as code and values, and reads them back exactly."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.domain.reason import Reason, from_json, to_json


class _AsCodeAndValues:
    """Tells pydantic how to read and write a reason."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(to_json)
        return core_schema.no_info_plain_validator_function(_read, serialization=written)


def _read(value: Any) -> Reason:
    if isinstance(value, Reason):
        return value
    try:
        return from_json(value)
    except (ArithmeticError, AttributeError, KeyError, TypeError) as trouble:
        raise ValueError(f"not a reason: {value!r}") from trouble


StoredReason = Annotated[Reason, _AsCodeAndValues]  #: a reason as a field of the snapshot
