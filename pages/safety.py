"""The Safety page: level, limits, differences, alarms, restarts, streams and request limits."""

from datetime import timedelta

import streamlit as st

from core.i18n.translate import _, told
from core.ui import session
from core.ui.components import connection, differences, levels, widgets
from core.ui.components.settings import backup, preferences
from core.ui.presenters import orders, positions, risk_checks
from core.ui.presenters.format import NOTHING, ago

REFUSED, PASSED = 10, 5  #: lines of each kind


def level(account: str) -> None:
    """Draw the level in force and the buttons that set another."""
    status = session.services().levels.status(account)
    with st.container(border=True):
        st.markdown(f"**{_('Level: {level}', level=levels.name(status.level))}** · {levels.meaning(status.level)}")
        if words := levels.who(status, session.now()):
            st.caption(words)
        levels.chooser(account, status)


@widgets.live
def warnings(account: str) -> None:
    """Draw alarms that are still true, and commands that have no answer yet."""
    now, snapshot = session.now(), session.services().reports.snapshot(account)
    alarms = session.services().reports.alarms(account)
    st.subheader(_("Alarms"), anchor=False)
    for alarm in alarms:
        words = positions.alarm_words(account, alarm.subject, str(alarm.words), alarm.raised_at, now)
        st.warning(words, icon=":material/notifications:")
    if not alarms:
        st.caption(_("No alarm is open."))
    st.subheader(_("Commands without an answer"), anchor=False)
    if snapshot is None:
        st.caption(_("The bot has not looked at the exchange yet."))
        return
    unresolved = orders.unresolved_rows(snapshot, now)
    if unresolved:
        widgets.table(unresolved, alt=_("Commands without an answer"))
        st.caption(_("Each is asked for under its own id; nothing of the same purpose is sent meanwhile."))
    else:
        st.caption(_("Every command has its answer."))


@widgets.live
def limits(account: str) -> None:
    """Draw what raises the level automatically, and what no order may exceed."""
    services = session.services()
    st.subheader(_("Limits"), anchor=False)
    widgets.table(levels.guard_rows(services.levels.guards(account)), alt=_("What raises the level by itself"))
    st.caption(_("A guard only raises the level; lowering it is yours, and losses are then measured anew."))
    listed = [one for one in services.preferences.all() if one.definition.setting.group == "Limits"]
    holding = [one for one in listed if one.value not in (None, False)]
    words = preferences.value_words
    table = [{_("Limit"): _(one.definition.label), _("Value"): words(one.value, one.definition)} for one in holding]
    widgets.table(table, alt=_("Limits of what may be opened"))
    rest = ", ".join(_(one.definition.label).lower() for one in listed if one not in holding)
    if rest:
        st.caption(_("Not set: {names}.", names=rest))
    st.page_link("settings.py", label=_("Change them in Settings"), icon=":material/tune:")


@widgets.live
def checked(account: str) -> None:
    """Draw what the risk control has refused and let through lately."""
    risk, now = session.services().risk, session.now()
    st.subheader(_("Risk checks"), anchor=False)
    refused = risk.checks(account, passed=False, limit=REFUSED).items
    passed = risk.checks(account, passed=True, limit=PASSED).items
    if not refused and not passed:
        st.caption(_("Each order that adds risk is checked before it is sent; its checks appear here."))
        return
    widgets.table(
        risk_checks.check_rows([*refused, *passed], now), alt=_("Risk checks, refusals first"), drop_empty=True
    )
    with st.expander(_("All checks of the last 24 hours"), icon=":material/rule:", type="compact"):
        counts = risk_checks.count_rows(risk.counts(account, now - timedelta(days=1)))
        if counts:
            widgets.table(counts, alt=_("How often each check was made"))
        else:
            st.caption(_("None was made."))


@widgets.live
def connected(account: str) -> None:
    connection.draw(session.services().reports.snapshot(account))


def past(account: str) -> None:
    """Draw what the last restarts found, and who changed switch and level."""
    services, now = session.services(), session.now()
    restarts, moves = services.reports.said(account, "restart", 3), services.reports.said(account, "switch", 10)
    st.subheader(_("After a restart"), anchor=False)
    for event in restarts:
        st.markdown(f":small[:gray[{ago(event.at, now)}]]  {told(event.because)}")
    if not restarts:
        st.caption(_("No restart is on record."))
    with st.expander(_("Switch and level, who and when"), icon=":material/history:", type="compact"):
        if moves:
            widgets.table(
                [
                    {
                        _("When"): ago(event.at, now),
                        _("What"): told(event.action or NOTHING),
                        _("Who and why"): told(event.because),
                    }
                    for event in moves
                ],
                alt=_("Changes of switch and level"),
            )
        else:
            st.caption(_("Nothing was switched yet."))


account = session.account_id()
level(account)
warnings(account)
differences.items()
limits(account)
checked(account)
connected(account)
backup.card()
past(account)
