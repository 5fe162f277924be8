"""Keeps the dialog that is open in this tab: every full run of the page draws it until it is closed.

What a click opens is kept in the session and never hangs on the run that the click starts: that run may be cut short
by a piece of the page that redraws the whole, or come for a piece that has just moved, and would then lose the click
or close the dialog under the trader's hands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Literal

import streamlit as st

from core.ui.components import widgets

state = st.session_state
OPEN, PAGE = "modal", "modal_page"


@dataclass(frozen=True, slots=True, eq=False)
class Modal:
    """A dialog: what was asked for, how it looks, and what draws its inside."""

    name: str
    title: str
    draw: Callable[..., None]
    args: tuple[object, ...]
    icon: str
    width: Literal["small", "medium"]
    position: Literal["center", "right"]


def ask_once(name: str) -> None:
    """End the callback of a click whose dialog is open already; the page is drawn anew, and with it the dialog.

    Of two clicks that waited together the later one is told first: a dialog still open may be about to be put away
    by an earlier click, which must not take the new one with it.
    """
    opened = state.get(OPEN)
    if opened is not None and opened.name == name:
        state[OPEN] = replace(opened)
        st.rerun()


def show(
    name: str,
    title: str,
    draw: Callable[..., None],
    *args: object,
    icon: str,
    width: Literal["small", "medium"] = "small",
    position: Literal["center", "right"] = "center",
) -> None:
    """Open a dialog in place of any other, unless it is open already; `name` says what is asked about what.

    To be called from a button's `on_click`, which no run can skip.
    """
    ask_once(name)
    state[OPEN] = Modal(name, title, draw, args, icon, width, position)
    st.rerun()


def close() -> None:
    """Close the dialog, if one is open, and draw the page anew. To be called from an `on_click`."""
    state.pop(OPEN, None)
    st.rerun()


def is_open(name: str) -> bool:
    """Return whether this dialog is open; for `on_change` of fields, which the browser may send after it was closed."""
    opened = state.get(OPEN)
    return opened is not None and opened.name == name


def redraw() -> None:
    """Draw the whole page anew, from a fragment of it; under an open dialog not before it closes.

    While a page is drawn anew the browser takes an open dialog away for a moment, and with it the words half typed.
    """
    if state.get(OPEN) is None:
        st.rerun()


def draw(page: str) -> None:
    """Draw the open dialog, with what was typed into it; one that belongs to another page is gone.

    First of all that a run draws, so that it is there at once and always at the same place in the tree: with another
    place its pieces would have other names, and clicks under way to them would find nobody.
    """
    if state.get(PAGE) != page:
        state.pop(OPEN, None)
        state[PAGE] = page
    opened: Modal | None = state.get(OPEN)
    if opened is None:
        return
    box = st.dialog(
        opened.title,
        icon=opened.icon,
        width=opened.width,
        position=opened.position,
        on_dismiss=partial(_put_away, opened),
    )
    box(_guarded(opened.draw))(*opened.args)


def _put_away(opened: Modal) -> None:
    """Close this dialog at Escape or a click beside it, not another that was opened meanwhile."""
    if state.get(OPEN) is opened:
        state.pop(OPEN)


def _guarded(draw_inside: Callable[..., None]) -> Callable[..., None]:
    @wraps(draw_inside)
    def inside(*args: object) -> None:
        with widgets.reading():
            draw_inside(*args)

    return inside
