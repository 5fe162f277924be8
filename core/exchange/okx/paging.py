"""Reads OKX's lists by pages of a hundred rows, newest first (OKX V5 docs, pagination)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.exchange.rest import Priority, RestCaller

PAGE_ROWS = 100  #: in one answer, at most


def page_limit() -> str:
    """Return the parameter `limit` of a page, as OKX wants it."""
    return str(PAGE_ROWS)


def read_pages(
    rest: RestCaller,
    what: str,
    call: Callable[[str], Any],
    cursor: str,
    *,
    oldest: str = "",
    identity: tuple[str, ...] = (),
    priority: Priority = Priority.LOOK,
) -> list[Any]:
    """Return the rows of all pages, each once; `call` gets the cursor of the last row seen. Raises Unavailable.

    `identity` names the fields that tell rows apart where the cursor alone does not. Where the row `oldest` is known
    to have nothing older behind it, a full page that ends with it is the last.
    """
    seen: dict[tuple[str, ...], Any] = {}
    after = ""

    def name(row: Any) -> tuple[str, ...]:
        return tuple(str(row[field]) for field in identity or (cursor,))

    while True:
        page = rest.rows(what, lambda: call(after), priority)
        fresh = {name(row): row for row in page if name(row) not in seen}
        seen |= fresh
        if len(page) < PAGE_ROWS or not fresh or (after := str(page[-1][cursor])) == oldest:
            return list(seen.values())
