"""The settings of a page: a field for each with its unit, range and meaning, saved by group; and all of them as a file.

What is saved is saved whole or not at all, and an import shows what it would change before it does.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.domain.account import Level
from core.domain.intent import ExitReason
from core.i18n.translate import _, told
from core.ui import session
from core.ui.components import levels, widgets
from core.ui.presenters import forms, recovery
from core.ui.presenters.format import quantity

state = st.session_state
NEW_FILE = "settings_file"


def groups(of: tuple[str, ...]) -> None:
    """A form for each of these groups, in this order."""
    shown = session.services().preferences.all()
    for group in of:
        members = [one for one in shown if one.group == group]
        with st.form(f"settings_{group}"):
            st.markdown(f"**{told(group)}**")
            with st.grid(min_column_width=240, gap="small"):
                for one in members:
                    field(one)
            keys = [one.key for one in members]
            st.form_submit_button(_("Save"), key=f"save_{group}", on_click=save, args=(keys,))


def field(one: Any) -> None:
    """A setting with its unit, its range and what it does."""
    label = f"{told(one.label)}, {told(one.unit)}" if one.unit else told(one.label)
    bounds = [quantity(bound) for bound in (one.minimum, one.maximum) if bound is not None]
    allowed = _("Allowed: {range}.", range=" – ".join(bounds)) if bounds else ""
    key, words = f"set_{one.key}", " ".join(filter(None, [told(one.help), allowed]))
    if isinstance(one.default, bool):
        st.toggle(label, value=bool(one.value), key=key, help=words)
    elif isinstance(one.default, tuple):
        st.multiselect(label, one.choices, default=list(one.value), key=key, help=words, format_func=choice_words)
    elif one.choices:
        at = one.choices.index(one.value)
        st.selectbox(label, one.choices, index=at, key=key, help=words, format_func=choice_words)
    else:
        current = None if one.value is None else float(one.value)
        st.number_input(label, value=current, key=key, help=words, placeholder=_("no limit"), step=1.0, format="%g")


def save(keys: list[str]) -> None:
    """Stores what was changed, all or nothing."""
    store = session.services().preferences
    known = {one.key: one for one in store.all()}
    typed = {key: _typed(known[key]) for key in keys}
    changed = {key: value for key, value in typed.items() if value != known[key].value}
    if changed:
        session.ask(lambda: store.set_all(changed, by=session.OPERATOR))
    if not session.refused():
        session.say(_("Saved. It holds from the bot's next look, for running parts too."))


def _typed(one: Any) -> Any:
    value = state[f"set_{one.key}"]
    if isinstance(one.default, tuple):
        return tuple(sorted(value))
    return value if one.choices else forms.setting(value, one.default)


def choice_words(choice: str) -> str:
    """One of a setting's choices: an ending of a cycle, or a level."""
    if choice in list(Level):
        return levels.name(Level(choice))
    if choice in list(ExitReason):
        return recovery.reason_words(choice)
    return {
        "retry": _("Try again, with an alarm"),
        "close": _("Try again, then close at market"),
        "alarm": _("Only raise an alarm"),
        "pro_rata": _("By their size"),
        "oldest": _("The oldest first"),
        "newest": _("The newest first"),
        "ask": _("Ask me each time"),
    }.get(choice, choice)


def as_file() -> None:
    """All settings out of here, and into here."""
    store = session.services().preferences
    st.write(_("Recovery, reopen, limits, guards and cadence as one file. It holds no keys and no password."))
    st.download_button(
        _("Export settings"),
        data=store.export(),
        file_name="perpdeck-settings.json",
        mime="application/json",
        icon=":material/download:",
        key="settings_export",
    )
    given = st.file_uploader(_("Import settings"), type="json", key=NEW_FILE)
    if given is None:
        return
    document = given.getvalue().decode(errors="replace")
    with widgets.reading():
        changes = store.preview_import(document)
        if not changes:
            st.info(_("The file says what is set already: nothing would change."), icon=":material/check_circle:")
            return
        widgets.table(
            [
                {
                    _("Setting"): told(one.label),
                    _("Now"): value_words(one.old, one.unit),
                    _("Then"): value_words(one.new, one.unit),
                }
                for one in changes
            ],
            alt=_("What the import would change"),
        )
        st.button(_("Import all of it"), key="settings_import", type="primary", on_click=take_over, args=(document,))


def take_over(document: str) -> None:
    """Stores the file whole."""
    session.ask(lambda: session.services().preferences.import_(document, by=session.OPERATOR))
    if not session.refused():
        for key in [name for name in state if str(name).startswith("set_")]:
            del state[key]
        session.say(_("Imported. It holds from the bot's next look, for running parts too."))


def value_words(value: Any, unit: str) -> str:
    """A setting's value as a table shows it."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, tuple):
        return ", ".join(choice_words(one) for one in value)
    return choice_words(value) if isinstance(value, str) else f"{quantity(value)} {told(unit)}".strip()
