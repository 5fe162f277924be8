"""Sentences to columns and back: `words` keeps the English text for whoever reads the database, `words_code` and
`words_values` what it was made of. A row without a code keeps what others have said, or comes from an older version.
"""

from __future__ import annotations

from typing import Any

from core.domain.reason import TEXT, Reason, from_json, text, to_json

Columns = dict[str, Any]


def reason_columns(name: str, reason: Reason | None, nothing: str | None = "") -> Columns:
    """Return the three columns of a sentence; where there is none, its text is `nothing`."""
    if reason is None:
        return {name: nothing, f"{name}_code": None, f"{name}_values": None}
    coded = to_json(reason) if reason.code != TEXT else {"code": None, "values": None}
    return {name: str(reason), f"{name}_code": coded["code"], f"{name}_values": coded["values"]}


def reason_of(row: Any, name: str) -> Reason:
    """Return the sentence of a row."""
    code = getattr(row, f"{name}_code")
    if code is None:
        return text(getattr(row, name))
    return from_json({"code": code, "values": getattr(row, f"{name}_values")})


def reason_or_none(row: Any, name: str) -> Reason | None:
    """Return the sentence of a row; None where its text is empty or NULL."""
    return reason_of(row, name) if getattr(row, name) else None
