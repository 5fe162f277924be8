"""Draws the settings of a page: a field for each with its unit, range and meaning, saved by group; and all of them as a
file.

What is saved is saved whole or not at all, and an import shows what it would change before it does.
"""

from __future__ import annotations

import streamlit as st

from core.domain.account import Level
from core.domain.intent import ExitReason
from core.domain.settings.field import AT_ONCE, Definition, Value
from core.i18n.translate import _
from core.services.settings.preferences import Preference
from core.ui import session
from core.ui.components import levels, widgets
from core.ui.presenters import forms, recovery
from core.ui.presenters.format import quantity

state = st.session_state
NEW_FILE = "settings_file"


def groups(of: tuple[str, ...]) -> None:
    """Draw a form for each of these groups, in this order."""
    shown = session.services().preferences.all()
    for group in of:
        members = [one for one in shown if one.definition.setting.group == group]
        with st.form(f"settings_{group}"):
            st.markdown(f"**{_(group)}**")
            with st.grid(min_column_width=240, gap="small"):
                for one in members:
                    field(one)
            keys = [one.definition.key for one in members]
            st.form_submit_button(_("Save"), key=f"save_{group}", on_click=save, args=(keys,))


def field(one: Preference) -> None:
    """Draw a setting with its unit, its range and what it does."""
    wanted, value = one.definition, one.value
    setting, unit, key = wanted.setting, str(wanted.unit), f"set_{wanted.key}"
    label = f"{_(wanted.label)}, {_(unit)}" if unit else _(wanted.label)
    words = [_(setting.help)]
    if setting.at_once:
        words.append(_(AT_ONCE))
    if setting.allowed is not None:
        bounds = " – ".join(map(quantity, (setting.allowed.low, setting.allowed.high)))
        words.append(_("Allowed: {range}.", range=bounds))
    helped = " ".join(words)
    choices = [str(choice) for choice in wanted.choices]
    if wanted.kind is bool:
        st.toggle(label, value=bool(value), key=key, help=helped)
    elif isinstance(value, tuple):
        chosen = [str(word) for word in value]
        st.multiselect(label, choices, default=chosen, key=key, help=helped, format_func=choice_words)
    elif choices:
        at = choices.index(str(value)) if value is not None else None
        st.selectbox(label, choices, index=at, key=key, help=helped, format_func=choice_words)
    else:
        current = None if value is None else float(str(value))
        st.number_input(label, value=current, key=key, help=helped, placeholder=_("no limit"), step=1.0, format="%g")


def save(keys: list[str]) -> None:
    """Store what was changed, all or nothing."""
    store = session.services().preferences
    known = {one.definition.key: one for one in store.all()}
    typed = {key: forms.setting(state[f"set_{key}"], known[key].definition) for key in keys}
    changed = {key: value for key, value in typed.items() if value != known[key].value}
    if changed:
        session.ask(lambda: store.set_all(changed, by=session.OPERATOR))
    if not session.refused():
        session.say(_("Saved. It holds from the bot's next look, for running parts too."))


def choice_words(choice: str) -> str:
    """Return one of a setting's choices in words: an ending of a cycle, or a level."""
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
    """Draw the download and the upload of all settings."""
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
                    _("Setting"): _(one.definition.label),
                    _("Now"): value_words(one.old, one.definition),
                    _("Then"): value_words(one.new, one.definition),
                }
                for one in changes
            ],
            alt=_("What the import would change"),
        )
        st.button(_("Import all of it"), key="settings_import", type="primary", on_click=take_over, args=(document,))


def take_over(document: str) -> None:
    """Store the uploaded file whole."""
    session.ask(lambda: session.services().preferences.import_(document, by=session.OPERATOR))
    if not session.refused():
        for key in [name for name in state if str(name).startswith("set_")]:
            del state[key]
        session.say(_("Imported. It holds from the bot's next look, for running parts too."))


def value_words(value: Value, of: Definition) -> str:
    """Return a setting's value as a table shows it."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, tuple):
        return ", ".join(choice_words(one) for one in value)
    if isinstance(value, str):
        return choice_words(value)
    unit = str(of.unit)
    return f"{quantity(value)} {_(unit)}" if unit else quantity(value)
