"""Draws the password in Settings, and the button that logs out."""

from __future__ import annotations

import streamlit as st

from core.i18n.translate import _
from core.ui import session

state = st.session_state
FIELDS = ("login_present", "login_new", "login_again")


def log_out() -> None:
    """Draw the button that logs out, in the sidebar, while a password is asked for."""
    if session.services().login.on:
        st.html(
            '<a class="perpdeck-log-out" href="/logout" target="_self" '
            'style="display: block; padding: .4rem; border: 1px solid rgba(128, 128, 128, .3); border-radius: 8px; '
            'color: inherit; text-align: center; text-decoration: none;">'
            f"{_('Log out')}</a>"
        )


def password() -> None:
    """Draw the forms that set, change or remove the password; says who else can open the dashboard now."""
    login = session.services().login
    if login.from_environment:
        st.info(
            _("The password is set by PERPDECK_PASSWORD. Change it there and start Perpdeck again."),
            icon=":material/lock:",
        )
        return
    if login.on:
        st.info(_("A password is asked for."), icon=":material/lock:")
    else:
        st.info(
            _("No password is asked for: whoever uses this machine can trade here. Others cannot reach it."),
            icon=":material/lock_open:",
        )
    with st.form("login_form", border=True):
        if login.on:
            st.text_input(_("Present password"), key=FIELDS[0], type="password", autocomplete="current-password")
        left, right = st.columns(2)
        left.text_input(_("New password"), key=FIELDS[1], type="password", autocomplete="new-password")
        right.text_input(_("The same again"), key=FIELDS[2], type="password", autocomplete="new-password")
        st.caption(_("8 characters or more. Setting it ends every session: log in with the new one."))
        with st.container(horizontal=True):
            label = _("Change password") if login.on else _("Set password")
            st.form_submit_button(label, key="login_set", type="primary", on_click=_set)
            if login.on:
                st.form_submit_button(_("Ask for none"), key="login_remove", on_click=_remove)
    if state.pop("login_changed", False) and login.on:
        st.html(f'<a href="/login" target="_self">{_("Log in with the new password")}</a>')


def _typed() -> tuple[str, str, str]:
    present, new, again = (str(state.get(field, "")) for field in FIELDS)
    for field in FIELDS:
        if field in state:
            state[field] = ""
    return present, new, again


def _set() -> None:
    present, new, again = _typed()
    session.ask(lambda: session.services().login.set_password(new, again, by=session.OPERATOR, present=present))
    state["login_changed"] = not session.refused()


def _remove() -> None:
    present, *_rest = _typed()
    address = st.get_option("server.address")
    session.ask(lambda: session.services().login.remove_password(address, by=session.OPERATOR, present=present))
