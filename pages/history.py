"""The History page: cycles with all their steps, performance, the exchange's own history, fills, funding, events."""

from collections.abc import Callable

import streamlit as st

from core.i18n.translate import _, told
from core.services.reporting.executions import ExecutionsOnly
from core.services.reporting.ledger import EventKind, EventsOnly
from core.ui import session
from core.ui.components import modal, widgets
from core.ui.components.history_filters import narrowing
from core.ui.presenters import charts, execution_reports, execution_styles, records
from core.ui.presenters import history as history_rows
from core.ui.presenters.forms import ExecutionKind
from core.ui.presenters.records import Record

state = st.session_state
LIMIT = 500
TINTED = (_("PnL"), _("Net"), _("Funding"), _("Expectancy"), _("Difference"), _("Exchange, net"), _("Ours, net"))
MONEY = (
    *(*TINTED, _("Fees"), _("Average win"), _("Average loss"), _("Exchange, PnL"), _("Ours, PnL")),
    *(_("Exchange, fees"), _("Ours, fees"), _("Exchange, funding"), _("Ours, funding")),
)
account = session.account_id()
history = session.services().history


def cycles() -> list[Record]:
    shown = history.cycles(account, only, LIMIT)
    if shown:
        widgets.metrics(records.sum_figures(records.sums(shown)))
        points = sorted((cycle.ended, cycle.net) for cycle in shown if cycle.ended)
        if len(points) > 1:
            with st.container(border=True):
                st.caption(_("Net of all cycles so far, USDT"))
                option = charts.running_total(points, session.zone())
                st.echarts_chart(option, height=200, key="net_chart", alt=_("Running total of the net result"))
        by_name = {(cycle.part, cycle.number): cycle for cycle in shown}
        chosen = st.selectbox(
            _("Steps of a cycle"),
            list(by_name),
            None,
            key="steps_of",
            format_func=lambda name: history_rows.cycle_label(by_name[name]),
            placeholder=_("choose a cycle to see each of its steps"),
        )
        if chosen is not None:
            steps_of(*chosen)
            worked(*chosen)
    return records.cycle_records(shown, session.zone())


def steps_of(part: str, number: int) -> None:
    """Draw every step of one cycle with its numbers before and after, and as a file."""
    steps = history_rows.step_records(history.steps(part, number), session.zone())
    if not steps:
        st.caption(_("Nothing was bought or sold in this cycle."))
        return
    widgets.table(steps, alt=_("Steps of the cycle"), money=(_("Fee"),), drop_empty=True)
    download(steps, f"{part}-{number}-steps", "steps_csv")


def worked(part: str, number: int) -> None:
    """Draw the execution reports of one cycle's entry, recovery steps and close, and as a file."""
    reports = execution_reports.records(session.services().executions.of(part, number), session.zone(), brief=True)
    if reports:
        widgets.table(reports, alt=_("Executions of the cycle"), money=(_("Fees"),), drop_empty=True)
        st.caption(execution_reports.meaning())
        download(reports, f"{part}-{number}-executions", "worked_csv")


def executions() -> list[Record]:
    """Draw every entry, recovery step and close: planned price, price paid and cost; returns the rows."""
    chosen = ExecutionsOnly(
        symbol=only.symbol,
        strategy=only.strategy,
        kind=state.get("execution_kind"),
        since=only.since,
        until=only.until,
    )
    st.pills(
        _("How"),
        list(ExecutionKind),
        key="execution_kind",
        format_func=execution_styles.name,
        label_visibility="collapsed",
    )
    reports = session.services().executions.reports(account, chosen, limit=LIMIT).items
    if reports:
        widgets.metrics(execution_reports.figures(reports))
        st.caption(execution_reports.meaning())
    return execution_reports.records(reports, session.zone())


def performance() -> list[Record]:
    """Draw the measures, the equity curve, and the same numbers for each group; returns the rows."""
    found, equity = history.performance(account, only), history.equity(account, only)
    if not found.whole.cycles:
        return []
    sampled = len(equity.curve) > 1 and only == type(only)(since=only.since, until=only.until)
    figures = history_rows.performance_figures(found, equity.drawdown if sampled else found.drawdown)
    widgets.metrics(figures[:4])
    widgets.metrics(figures[4:])
    if note := history_rows.performance_note(found, session.zone()):
        st.caption(note)
    points = equity.curve if sampled else found.curve
    if len(points) > 1:
        with st.container(border=True):
            words = _("Equity of the account, USDT") if sampled else _("Net of the cycles so far, USDT")
            st.caption(words)
            option = charts.curve(points, session.zone(), stepped=not sampled)
            st.echarts_chart(option, height=220, key="equity_chart", alt=words)
    state.setdefault("grouped", next(iter(found.groups)))
    widgets.choice(_("Grouped"), list(found.groups), "grouped", history_rows.kind_words)
    kind = state["grouped"]
    return history_rows.group_records(found.groups[kind], kind)


def exchange() -> list[Record]:
    """Draw the exchange's position history beside our cycles, and how far it has been read; returns the rows."""
    sync_line(history.sync_state(account).ended_at)
    st.button(
        _("Sync now"),
        key="sync_now",
        icon=":material/sync:",
        type="primary",
        on_click=ask_for_sync,
        args=(state.setdefault("sync_token", session.new_token()),),
    )
    shown = history.matched(account, only, LIMIT)
    if shown:
        widgets.metrics(history_rows.matched_figures(shown))
    return history_rows.matched_records(shown, session.zone())


def ask_for_sync(token: str) -> None:
    asked = session.ask(lambda: history.sync_now(account, token, by=session.OPERATOR))
    state["sync_token"] = session.new_token()
    if asked is not None:
        session.say(told(asked.words))


@widgets.live
def sync_line(drawn: object) -> None:
    """Draw how far the bot has read, with its progress; a run that has ended draws the table anew."""
    sync = session.services().history.sync_state(account)
    if sync.ended_at != drawn:
        modal.redraw()
    words = history_rows.sync_words(sync, session.zone())
    if sync.under_way:
        st.progress(min(1.0, sync.done / max(1, sync.of)), text=words)
    else:
        st.caption(words)
    if sync.trouble:
        st.warning(
            _("{why}\n\nWhat was read is kept; the bot goes on from there at its next try.", why=told(sync.trouble)),
            title=_("The exchange's history could not be read to its end"),
            icon=":material/sync_problem:",
        )


def fills() -> list[Record]:
    return records.fill_records(history.fills(account, only, LIMIT), session.zone())


def funding() -> list[Record]:
    return records.funding_records(history.funding(account, only, LIMIT), session.zone())


def events() -> list[Record]:
    """Draw what was decided and done, or the facts of one kind, with all events as a file; returns the rows."""
    st.selectbox(
        _("Kind"),
        list(EventKind),
        None,
        key="event_kind",
        format_func=records.kind_words,
        placeholder=_("all"),
        persist_state="session",
        width=260,
    )
    chosen, ledger = EventsOnly(kind=state.get("event_kind")), session.services().ledger
    with corner:
        st.download_button(
            _("Everything as CSV"),
            lambda: "".join(ledger.events_csv(account, chosen)),
            f"perpdeck-{account}-record.csv",
            "text/csv",
            key="record_csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    return records.event_records(ledger.events(account, chosen, None, LIMIT).items, session.zone())


def download(shown: list[Record], name: str, key: str) -> None:
    st.download_button(
        _("CSV"),
        records.as_csv(shown),
        f"perpdeck-{account}-{name}.csv",
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
    )


VIEWS: dict[str, tuple[str, Callable[[], list[Record]], str]] = {
    "cycles": (_("Cycles"), cycles, _("A cycle appears here once a position has been closed.")),
    "performance": (_("Performance"), performance, _("The measures appear here once a position has been closed.")),
    "exchange": (_("At the exchange"), exchange, _("Positions that the exchange has closed appear here.")),
    "executions": (_("Executions"), executions, _("Each entry, recovery step and close appears here.")),
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
if view != "events":
    only = narrowing(view)
shown = load()
if shown:
    widgets.table(shown, alt=title, tinted=TINTED, money=MONEY, drop_empty=True)
    with corner:
        st.button(_("Refresh"), key="history_refresh", icon=":material/refresh:", type="tertiary")
        download(shown, view, "history_csv")
    if len(shown) == LIMIT:
        st.caption(_("The newest {n}.", n=LIMIT))
else:
    filtered = view != "events" and only != type(only)()
    words = _("Nothing fits the filters; clear them to see everything.") if filtered else nothing
    widgets.empty(_("Nothing yet"), words, icon=":material/history:")
