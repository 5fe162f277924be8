"""Draws the buttons that start and stop the bot, in the sidebar and in Settings.

Starting is one click; stopping names what will rest on the exchange's own protection alone.
"""

from __future__ import annotations

import streamlit as st

from core.i18n.translate import _
from core.ui import session
from core.ui.components import modal, widgets
from core.ui.presenters import positions


def switch(account: str, state: str, key: str = "bot") -> None:
    """Draw the button that fits the bot's state, named `<key>_start` or `<key>_stop`."""
    if state == "stopped":
        label = _("Start bot")
        st.button(
            label,
            key=f"{key}_start",
            icon=None if label.startswith("▶") else ":material/play_arrow:",  # the Turkish one brings its own
            type="primary",
            on_click=_start,
            args=(account,),
            width="stretch",
        )
    else:
        st.button(
            _("Stop bot"),
            key=f"{key}_stop",
            icon=":material/stop:",
            on_click=_ask_first,
            args=(account,),
            width="stretch",
        )


def banner(state: str, words: str, on_exchange_alone: int) -> None:
    """Draw the warning on each page that no bot acts on the account."""
    if state == "stopped":
        told = positions.stopped_words(on_exchange_alone) if on_exchange_alone else _("Press Start bot to trade.")
        st.info(told, title=_("The bot is stopped"), icon=":material/stop_circle:")
    elif state == "dead":
        st.warning(words, title=_("The bot does not answer"), icon=":material/heart_broken:")


def _start(account: str) -> None:
    session.ask(lambda: session.services().levels.start(account, by=session.OPERATOR))


def _ask_first(account: str) -> None:
    modal.show(f"stop_{account}", _("Stop the bot?"), _confirm_stop, account, icon=":material/stop_circle:")


def _stop(account: str) -> None:
    session.ask(lambda: session.services().levels.stop(account, by=session.OPERATOR))
    if not session.refused():
        session.say(_("The bot is stopped. Stops and targets at the exchange stay."))
        modal.close()


def _confirm_stop(account: str) -> None:
    status = session.services().levels.status(account)
    st.write(positions.stop_words(status.parts, status.protected))
    st.caption(_("No order is cancelled and nothing is closed. Until Start nothing is opened and nothing repaired."))
    widgets.refusals()
    st.button(_("Stop bot"), type="primary", key="stop_confirm", on_click=_stop, args=(account,), width="stretch")
