"""Draws an account's keys in Settings: where they come from, the exchange's answer, the secret that encrypts them."""

from __future__ import annotations

import streamlit as st

from core.exchange.profile import ExchangeProfile
from core.i18n.translate import _, counted, number
from core.ui import session
from core.ui.components import modal
from core.ui.components.widgets import figures, refusals
from core.ui.presenters.format import Figure, usdt
from core.ui.session import Account, Environment
from core.venues import profile_of

state = st.session_state


def how_to(profile: ExchangeProfile, environment: Environment) -> str:
    """Return where keys of this exchange are made, and what they must be allowed."""
    return " ".join(_(sentence) for sentence in profile.key_help[environment])


def line(account: Account) -> str:
    """Return which key an account uses, from where, and what it may do."""
    hint = _("key ending in {hint}", hint=account.api_key_hint) if account.api_key_hint else _("no key needed")
    variable = next(iter(profile_of(account.exchange).demo_variables), "")
    source = {
        "environment": _("from the environment ({variable} …)", variable=variable),
        "database": _("from the encrypted database"),
        "paper": _("made up by the paper exchange"),
        "none": _("no keys stored"),
    }[session.services().accounts.source(account.id)]
    named = {"read_only": _("may read"), "trade": _("may trade"), "withdraw": _("may withdraw")}
    allowed = [named.get(one, one) for one in account.permissions.split(",")]
    return " · ".join(filter(None, [hint, source, ", ".join(allowed)]))


def test_button(account: Account) -> None:
    st.button(
        _("Test keys"),
        key=f"acc_test_{account.id}",
        icon=":material/network_check:",
        type="tertiary",
        on_click=_test,
        args=(account.id,),
    )


def _test(account: str) -> None:
    state["acc_test"] = (account, session.ask(lambda: session.services().accounts.test(account)))


def tested(account: Account) -> None:
    """Draw what the last test of this account has found."""
    name, found = state.get("acc_test", ("", None))
    if name != account.id or found is None:
        return
    seconds = found.clock_offset.total_seconds()
    figures(
        [
            Figure(_("May trade"), _("yes") if found.can_trade else _("no")),
            Figure(_("May withdraw"), _("yes, make another key") if found.can_withdraw else _("no")),
            Figure(_("Bound to addresses"), found.addresses or _("no, it works from anywhere")),
            Figure(_("Position mode"), _("long and short apart") if found.hedge_mode else _("one side at a time")),
            Figure(_("Clock"), _("{s} s ahead of ours", s=number(seconds, "+.1f"))),
            Figure(_("Equity, USDT"), usdt(found.equity)),
        ]
    )
    if found.can_withdraw:
        st.warning(_("This key may withdraw money. Make one that may only read and trade."), icon=":material/warning:")
    if not found.addresses and account.environment is Environment.LIVE:
        st.caption(_("Binding the key to this machine's IP address at the exchange makes a stolen key worthless."))


def secret() -> None:
    """Draw the form that changes the secret of all stored keys without losing one."""
    st.subheader(_("The secret that seals the keys"), anchor=False)
    st.caption(
        _("A new secret is made in the data folder and every stored key is sealed anew; nothing is lost on the way.")
    )
    st.button(_("Change the secret"), key="secret_change", icon=":material/key:", on_click=_ask_first)


def _ask_first() -> None:
    modal.show("secret", _("Change the secret?"), _confirm, icon=":material/key:")


def _confirm() -> None:
    st.write(_("Back-ups of the data folder made before open with the earlier secret only: make a new one afterwards."))
    refusals()
    st.button(_("Change the secret"), key="secret_confirm", type="primary", on_click=_change, width="stretch")


def _change() -> None:
    done = session.ask(lambda: session.services().accounts.change_secret(by=session.OPERATOR))
    if done is not None:
        session.say(
            counted("The keys of {n} account are sealed anew.", "The keys of {n} accounts are sealed anew.", done)
        )
        modal.close()
