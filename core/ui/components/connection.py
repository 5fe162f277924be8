"""Draws the state of exchange, stream and database, and the use of each request limit: on Safety and in Settings."""

from __future__ import annotations

import streamlit as st

from core.domain.snapshot import AccountSnapshot
from core.i18n.translate import _
from core.ui import session
from core.ui.components import widgets
from core.ui.presenters import positions


def draw(snapshot: AccountSnapshot | None) -> None:
    st.subheader(_("Connection"), anchor=False)
    if snapshot is None:
        st.caption(_("The bot has not looked at the exchange yet."))
        return
    widgets.figures(positions.health_figures(snapshot, session.now()))
    with st.expander(_("Request limits"), icon=":material/speed:", type="compact"):
        widgets.table(positions.request_rows(snapshot), alt=_("Requests used and allowed in two seconds"))
