"""Draws the backup in a few figures, where there is one: where it lies, how far it is behind, what hinders it."""

from __future__ import annotations

import streamlit as st

from core.i18n.translate import _, counted, told
from core.services.settings.backup import BackupStatus
from core.ui import session
from core.ui.components import widgets
from core.ui.presenters.format import NOTHING, Figure, age, ago


@widgets.live_slowly(5)
def card() -> None:
    """Draw the backup's card; nothing at all where nothing is backed up."""
    status = session.services().backup.status()
    if status is None:
        return
    st.subheader(_("Backup"), anchor=False)
    shown = [
        Figure(_("Behind"), *_behind(status)),
        Figure(_("Last written"), ago(status.succeeded_at, session.now())),
        Figure(_("Where it lies"), status.place or NOTHING),
    ]
    widgets.figures(shown)
    if status.trouble:
        st.warning(
            _(
                "The backup could not be written: {words}. Trading does not wait for it; it is tried again by itself.",
                words=told(status.trouble),
            ),
            icon=":material/cloud_off:",
        )


def _behind(status: BackupStatus) -> tuple[str, str]:
    """Return the lag in rows, and since when."""
    if not status.rows:
        return _("nothing"), ""
    since = _("not complete yet") if status.behind_for is None else age(status.behind_for)
    return counted("{n} row", "{n} rows", status.rows), since
