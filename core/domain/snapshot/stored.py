"""Converts account snapshots to JSON text and back exactly: decimals as text, times with their zone."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from core.domain.snapshot.account import AccountSnapshot


def encode(snapshot: AccountSnapshot) -> str:
    """Return the snapshot as JSON text."""
    return _adapter().dump_json(snapshot).decode()


def decode(text: str) -> AccountSnapshot:
    """Return the snapshot behind JSON text. Raises ValueError where another version has written it."""
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[AccountSnapshot]:
    """Return the type adapter, made at the first use: that takes some hundredths of a second."""
    return TypeAdapter(AccountSnapshot)
