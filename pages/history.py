"""What happened: cycles with their result, fills, funding, and why the bot did what it did. Each as a CSV file too."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.ui import charts, records, session, widgets
from core.ui.records import Record
from core.ui.text import _

state = st.session_state
LIMIT = 500
TINTED = (_("PnL"), _("Net"), _("Funding"))
MONEY = (*TINTED, _("Fees"), _("Fee"))
account = session.account_id()


def cycles() -> list[Record]:
    shown = session.services().reports.cycles(account, LIMIT)
    if shown:
        widgets.metrics(records.sum_figures(records.sums(shown)))
        points = sorted((cycle.ended, cycle.net) for cycle in shown if cycle.ended)
        if len(points) > 1:
            with st.container(border=True):
                st.caption(_("Net of all cycles so far, USDT"))
                option = charts.running_total(points, session.zone())
                st.echarts_chart(option, height=200, key="net_chart", alt=_("Running total of the net result"))
    return records.cycle_records(shown, session.zone())


def fills() -> list[Record]:
    return records.fill_records(session.services().reports.fills(account, LIMIT), session.zone())


def funding() -> list[Record]:
    return records.funding_records(session.services().reports.funding(account, LIMIT), session.zone())


def events() -> list[Record]:
    shown: Sequence[Any] = session.services().reports.events(account, limit=LIMIT)
    return records.event_records(shown, session.zone())


VIEWS: dict[str, tuple[str, Callable[[], list[Record]], str]] = {
    "cycles": (_("Cycles"), cycles, _("A cycle appears here once a position has been closed.")),
    "fills": (_("Fills"), fills, _("Each execution at the exchange appears here.")),
    "funding": (_("Funding"), funding, _("Payments appear here while a position is held over a funding time.")),
    "events": (_("Events"), events, _("What was asked and what the bot decided appears here.")),
}

state.setdefault("history_view", "cycles")
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.segmented_control(
        _("Shown"),
        list(VIEWS),
        key="history_view",
        format_func=lambda view: VIEWS[view][0],
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    corner = st.container(horizontal=True, width="content")
view = state["history_view"]
title, load, nothing = VIEWS[view]
shown = load()
if shown:
    widgets.table(shown, alt=title, tinted=TINTED, money=MONEY, drop_empty=True)
    with corner:
        st.button(_("Refresh"), key="history_refresh", icon=":material/refresh:", type="tertiary")
        st.download_button(
            _("CSV"),
            records.as_csv(shown),
            f"perpdeck-{account}-{view}.csv",
            "text/csv",
            key="history_csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if len(shown) == LIMIT:
        st.caption(_("The newest {n}.", n=LIMIT))
else:
    widgets.empty(_("Nothing yet"), nothing, icon=":material/history:")
