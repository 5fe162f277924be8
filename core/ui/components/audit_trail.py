"""Draws the audit trail: who did what and when, newest first, with filters."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import streamlit as st

from core.domain.account import Level
from core.domain.reason import Reason, code_of, nested
from core.i18n.translate import _, told
from core.services.reporting.audit import Act, AuditKind
from core.ui import session
from core.ui.components import levels, widgets
from core.ui.presenters.format import NOTHING
from core.ui.presenters.records import clock

LIMIT = 300
LEVELS = {code_of(level): level for level in Level}


def kind_words(kind: AuditKind) -> str:
    return {
        AuditKind.POSITIONS: _("Positions and orders"),
        AuditKind.SWITCH: _("Start, stop, level"),
        AuditKind.SETTINGS: _("Settings"),
        AuditKind.ACCOUNTS: _("Accounts and keys"),
        AuditKind.LOGIN: _("Log in"),
        AuditKind.PAPER: _("Paper market"),
    }[kind]


def what_words(what: Reason) -> str:
    """Return an action in words; a level by the name of its button."""
    if what.code == "asked.level":
        (level,) = nested(what.values["level"])
        return _("level {level}", level=levels.name(LEVELS[level.code]).lower())
    return told(what)


def outcome_words(outcome: str) -> str:
    """Return the outcome of an action in words."""
    return {"done": _("done"), "wrong password": _("wrong password")}.get(outcome) or told(outcome)


def act_rows(acts: list[Act], zone: ZoneInfo) -> list[dict[str, str]]:
    """Return each action as a row of words."""
    return [
        {
            _("Time"): clock(act.at, zone),
            _("What"): what_words(act.what),
            _("Who"): act.who or NOTHING,
            _("Outcome"): outcome_words(act.outcome) or NOTHING,
            _("Why"): told(act.why) if act.why else NOTHING,
            _("Part"): act.part or NOTHING,
            _("About"): kind_words(act.kind),
        }
        for act in acts
    ]


def draw() -> None:
    """Draw the filter and the newest actions that pass it."""
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
