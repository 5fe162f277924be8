"""Draws API tokens in Settings: made, shown once, listed with their last use, revoked."""

from __future__ import annotations

import streamlit as st

from core.domain.token import ApiToken, Scope
from core.i18n.translate import _
from core.services.access.tokens import LONGEST_DAYS, LONGEST_NAME
from core.ui import session
from core.ui.components import modal, widgets
from core.ui.presenters.format import ago

state = st.session_state
DAYS = 90


def card() -> None:
    """Draw the tokens, a new one with its secrets, and the form for another."""
    st.caption(
        _(
            "A program trades through the same checks and the same bot as these pages. "
            "Its reference lies at /api/v1/docs."
        )
    )
    _made()
    tokens = session.services().tokens.list()
    now = session.now()
    living = [one for one in tokens if not one.trouble(now)]
    for token in living:
        _row(token)
    if not living:
        st.info(_("No program may come in yet."), icon=":material/lock:")
    ended = len(tokens) - len(living)
    if ended:
        st.caption(_("Revoked or expired: {n}", n=ended))
    _form()


def _row(token: ApiToken) -> None:
    now = session.now()
    used = ago(token.used_at, now) if token.used_at else _("never")
    ends = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else _("when it is revoked")
    line = _("Ends: {ends} · last used: {used}", ends=ends, used=used)
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**{token.name}** :gray-badge[{_scope(token.scope)}] `{token.id}`  \n:small[:gray[{line}]]",
            width="content",
        )
        st.button(
            _("Revoke"),
            key=f"api_revoke_{token.id}",
            icon=":material/block:",
            type="tertiary",
            on_click=_ask_first,
            args=(token.id, token.name),
        )


def _ask_first(token: str, name: str) -> None:
    modal.show(f"revoke_{token}", _("Revoke this token?"), _confirm, token, name, icon=":material/block:")


def _confirm(token: str, name: str) -> None:
    st.write(
        _("**{name}** is turned away from its next request on. What it has opened stays and stays guarded.", name=name)
    )
    widgets.refusals()
    st.button(
        _("Revoke token"), key="api_revoke_confirm", type="primary", on_click=_revoke, args=(token,), width="stretch"
    )


def _revoke(token: str) -> None:
    session.ask(lambda: session.services().tokens.revoke(token, by=session.OPERATOR))
    if not session.refused():
        session.say(_("The token is revoked."))
        modal.close()


def _form() -> None:
    st.subheader(_("Make a token"), anchor=False)
    with st.form("api_form", border=True, enter_to_submit=False):
        left, right = st.columns(2)
        left.text_input(_("Name"), key="api_name", max_chars=LONGEST_NAME, placeholder="TradingView")
        right.number_input(_("Days until it ends"), 1, LONGEST_DAYS, DAYS, key="api_days")
        st.radio(
            _("What it may do"),
            list(Scope),
            key="api_scope",
            format_func=_scope,
            captions=[
                _("Look at everything."),
                _("Look; open, change and close positions."),
                _("All of it; start and stop the bot, set its level."),
            ],
        )
        st.form_submit_button(_("Make token"), key="api_make", type="primary", on_click=_make)


def _make() -> None:
    name, scope, days = str(state["api_name"]), Scope(state["api_scope"]), int(state["api_days"])
    made = session.ask(lambda: session.services().tokens.create(name, scope, days, by=session.OPERATOR))
    if made is not None:
        state["api_name"] = ""
        state["api_made"] = made


def _made() -> None:
    """Draw the secrets of a new token until the trader says that they are copied; another tab never sees them."""
    made = state.get("api_made")
    if made is None:
        return
    with st.container(border=True):
        st.success(_("Copy it now: it is not stored and is never shown again."), icon=":material/content_copy:")
        st.markdown(_("Token, for the header Authorization: Bearer"))
        st.code(made.secret, language=None, wrap_lines=True)
        if made.token.scope.covers(Scope.TRADE):
            st.markdown(_("Signal secret, for the text of an alert: it opens the door for signals only"))
            st.code(made.signal_secret, language=None, wrap_lines=True)
        st.button(_("I have copied it"), key="api_copied", icon=":material/check:", on_click=_copied)


def _copied() -> None:
    state.pop("api_made", None)


def _scope(scope: Scope) -> str:
    return {Scope.READ: _("read"), Scope.TRADE: _("trade"), Scope.ADMIN: _("admin")}[scope]
