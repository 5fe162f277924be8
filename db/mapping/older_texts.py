"""Facts out of the texts of rows that older versions wrote: those kept a sentence and nothing else.

The only place where a sentence of ours is parsed. Whatever is written today has a code, and is never read here.
"""

from __future__ import annotations

from core.domain.ids import meaning
from core.domain.reason import TEXT, Reason, text

_EDIT = "edit "
_NOT_REOPENED = "due to open again, but the limits refuse it: "
_FORCED = ("liquidat", "deleverag")


def older_edit(action: Reason) -> Reason | None:
    """Return what the trader asked of TP and SL in an action of text alone."""
    words = str(action)
    return text(words.removeprefix(_EDIT)) if action.code == TEXT and words.startswith(_EDIT) else None


def older_not_reopened(because: Reason) -> Reason | None:
    """Return which limit kept a part from being opened again."""
    words = str(because)
    return text(words.removeprefix(_NOT_REOPENED)) if because.code == TEXT and words.startswith(_NOT_REOPENED) else None


def older_forced_exit(action: Reason | None, because: Reason) -> bool:
    """Return whether an exit was booked that the exchange had forced."""
    booked = action is not None and action.code == TEXT and str(action).startswith("book exit")
    return booked and any(word in str(because) for word in _FORCED)


def order_named(action: Reason) -> str:
    """Return the id of our order that an action is about; empty: it is about none."""
    if action.code != TEXT:
        return str(action.values.get("client_order_id", ""))
    return next((word for word in str(action).split() if meaning(word) is not None), "")
