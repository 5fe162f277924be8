"""Finds the field of a form or request that a problem is about."""

from __future__ import annotations

from core.domain.reason import Reason


def field_of(problem: Reason) -> str:
    """Return the name of the field that a problem is about, as in `field.limit_price`; "" where it is about none.

    Fields of the style in which recovery steps are worked begin with `recovery_`.
    """
    field, inner = problem.values.get("field"), problem.values.get("problem")
    if isinstance(inner, Reason):
        return f"recovery_{field_of(inner)}"
    return field.code.removeprefix("field.") if isinstance(field, Reason) else ""
