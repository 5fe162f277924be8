"""The audit trail on a page: who did what and when, newest first, narrowed to what is looked for."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import streamlit as st

from core.domain.account import Level
from core.i18n.translate import _, told
from core.services.reporting.audit import Act, AuditKind
from core.ui import session
from core.ui.components import levels, widgets
from core.ui.presenters.format import NOTHING
from core.ui.presenters.records import clock

LIMIT = 300


def kind_words(kind: AuditKind) -> str:
    return {
        AuditKind.POSITIONS: _("Positions and orders"),
        AuditKind.SWITCH: _("Start, stop, level"),
        AuditKind.SETTINGS: _("Settings"),
        AuditKind.ACCOUNTS: _("Accounts and keys"),
        AuditKind.LOGIN: _("Log in"),
        AuditKind.PAPER: _("Paper market"),
    }[kind]


def what_words(what: str) -> str:
    """An act as the trader reads it; one that names a part's own numbers stays as it is on record."""
    known = {
        "start the bot": _("start the bot"),
        "stop the bot": _("stop the bot"),
        "log in": _("log in"),
        "log out": _("log out"),
        "lock out": _("lock out"),
        "wrong password": _("wrong password"),
        "set the password": _("set the password"),
        "remove the password": _("remove the password"),
        "change the secret that seals the keys": _("change the secret that seals the keys"),
        "sync the exchange's history": _("sync the exchange's history"),
    }
    if what.startswith("level "):
        return _("level {level}", level=levels.name(Level(what.removeprefix("level "))).lower())
    return known.get(what) or told(what)


def act_rows(acts: list[Act], zone: ZoneInfo) -> list[dict[str, str]]:
    """Each act as a row of words."""
    return [
        {
            _("Time"): clock(act.at, zone),
            _("What"): what_words(act.what),
            _("Who"): act.who or NOTHING,
            _("Outcome"): what_words(act.outcome) or NOTHING,
            _("Why"): told(act.why) or NOTHING,
            _("Part"): act.part or NOTHING,
            _("About"): kind_words(act.kind),
        }
        for act in acts
    ]


def draw() -> None:
    """The filter, and the newest acts that pass it."""
    st.caption(
        _("Everything that a person has asked for, and every log-in, also those that failed. Nothing is edited.")
    )
    chosen = st.pills(
        _("About"),
        list(AuditKind),
        key="trail_kinds",
        selection_mode="multi",
        format_func=kind_words,
        label_visibility="collapsed",
        persist_state="session",
    )
    kinds = frozenset(chosen) or frozenset(AuditKind)
    acts = session.services().audit.acts(session.account_id(), kinds, LIMIT)
    if acts:
        widgets.table(act_rows(acts, session.zone()), alt=_("Audit trail"), drop_empty=True)
    else:
        st.caption(_("Nothing of the kind is on record yet."))
