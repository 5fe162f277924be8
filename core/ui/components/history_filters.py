"""Draws the filters of the History page, in one line and kept while the tab is open."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.i18n.translate import _
from core.services.reporting.history import Only
from core.ui import session
from core.ui.presenters import history, positions, records

state = st.session_state
KEYS = ("only_symbol", "only_side", "only_strategy", "only_reason", "only_recovery", "only_days")
FACTS = frozenset({"exchange", "fills", "funding"})  #: views in which a strategy or a reason has no meaning
WORKED = frozenset({"executions"})  #: and those in which a side or a reason has none


def clear() -> None:
    for key in KEYS:
        state[key] = () if key == "only_days" else None


def narrowing(view: str) -> Only:
    """Draw the filters that mean something in this view; returns the chosen filter."""
    symbols, strategies = session.services().history.traded(session.account_id())
    with st.expander(_("Filters"), icon=":material/filter_list:", key="history_filters"), st.grid(min_column_width=170):
        st.selectbox(_("Contract"), symbols, None, key="only_symbol", placeholder=_("all"), persist_state="session")
        if view not in WORKED:
            st.selectbox(
                _("Side"),
                list(Side),
                None,
                key="only_side",
                format_func=positions.side_words,
                placeholder=_("both"),
                persist_state="session",
            )
        if view not in FACTS:
            st.selectbox(
                _("Strategy"), strategies, None, key="only_strategy", placeholder=_("all"), persist_state="session"
            )
        if view not in FACTS | WORKED:
            st.selectbox(
                _("Close reason"),
                list(ExitReason),
                None,
                key="only_reason",
                format_func=records.reason_words,
                placeholder=_("all"),
                persist_state="session",
            )
            st.selectbox(
                _("Recovery"),
                ["with", "without"],
                None,
                key="only_recovery",
                format_func=lambda name: history.group_words("recovery", name),
                placeholder=_("all"),
                persist_state="session",
            )
        st.date_input(_("Days"), [], key="only_days", persist_state="session")
        st.button(_("Clear filters"), key="only_clear", type="tertiary", on_click=clear)
    if view in FACTS:
        return _only(None, None, None)
    if view in WORKED:
        return replace(_only(state.get("only_strategy"), None, None), side=None)
    recovery = state.get("only_recovery")
    return _only(state.get("only_strategy"), state.get("only_reason"), recovery and recovery == "with")


def _only(strategy: str | None, reason: str | None, recovered: bool | None) -> Only:
    days = state.get("only_days") or ()
    return history.only(
        state.get("only_symbol"), state.get("only_side"), strategy, reason, recovered, tuple(days), session.zone()
    )
