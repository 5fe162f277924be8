"""Draws the language switch in the sidebar, and language and time zone in Settings. Both work at once, in every tab."""

from __future__ import annotations

import streamlit as st

from core.i18n import translate
from core.i18n.translate import _
from core.services.settings.language import LANGUAGES, time_zones
from core.ui import session

state = st.session_state


def language(key: str = "language") -> None:
    """Draw the button that switches to the other language."""
    state[key] = translate.language()
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        key=key,
        format_func=LANGUAGES.__getitem__,
        required=True,
        label_visibility="collapsed" if key == "language" else "visible",
        on_change=_set_language,
        args=(key,),
    )


def time_zone() -> None:
    """Draw the choice of a time zone: the browser's, unless another is chosen."""
    browser = _("As the browser: {zone}", zone=st.context.timezone or "UTC")
    state["time_zone"] = state.get("zone") or ""
    st.selectbox(
        _("Time zone"),
        ["", *time_zones()],
        key="time_zone",
        format_func=lambda name: name or browser,
        on_change=_set_time_zone,
        help=_("Times on all pages and in CSV files are shown in it. The database keeps UTC."),
    )


def local_numbers() -> None:
    """Draw the choice of the language's decimal sign; fields in which numbers are typed keep the point."""
    if translate.language() == "en":
        return
    state["local_numbers"] = translate.speech().local_numbers
    st.toggle(
        _("Decimal comma"),
        key="local_numbers",
        on_change=_set_local_numbers,
        help=_("Shows 1,234.50 as {number} on all pages. Fields and CSV files keep the point.", number="1.234,50"),
    )


def _set_local_numbers() -> None:
    on = state["local_numbers"]
    session.ask(lambda: session.services().display.set_local_numbers(on, by=session.OPERATOR))


def _set_language(key: str) -> None:
    session.ask(lambda: session.services().display.set_language(state[key], by=session.OPERATOR))


def _set_time_zone() -> None:
    session.ask(lambda: session.services().display.set_time_zone(state["time_zone"] or None, by=session.OPERATOR))
