"""Paging of long lists, newest first, by opaque cursors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from core.domain.errors import Misconfigured
from core.domain.reason import Reason

T = TypeVar("T")
Place = tuple[datetime, str]  #: a row's time, and its name among those of the same time


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of rows, and where the next one begins; None: these were the last."""

    items: tuple[T, ...]
    next: str | None


def page_of(rows: Sequence[tuple[Place, T]], limit: int) -> Page[T]:
    """Return the first `limit` of these rows as a page; one row more means that another page follows."""
    more = len(rows) > limit
    return Page(tuple(row for _, row in rows[:limit]), _text(rows[limit - 1][0]) if more else None)


def place_of(text: str | None) -> Place | None:
    """Return the place behind a page's `next`. Raises Misconfigured for text that no page has ended with."""
    if text is None:
        return None
    try:
        at, name = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = datetime.fromisoformat(at).astimezone(UTC), str(name)
        found[1].encode()  # half a letter has no place in the database
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise _unknown(text) from None
    if "\0" in found[1]:
        raise _unknown(text)
    return found


def number_of(text: str | None) -> int | None:
    """Return the number of the last row of the page before, where rows are numbered."""
    place = place_of(text)
    if place is None:
        return None
    name = place[1]
    if not (name.isascii() and name.isdecimal() and len(name) < 19):
        raise _unknown(text)
    return int(name)


def _text(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1]]).encode()).decode().rstrip("=")


def _unknown(text: str | None) -> Misconfigured:
    return Misconfigured(Reason("paging.unknown_place", field=Reason("field.after"), value=text))
