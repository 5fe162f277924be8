"""The Settings page: accounts and their keys, the bot, what holds for every part, guards, language and log-in, data."""

import streamlit as st

from core.i18n.translate import _, told
from core.ui import session
from core.ui.components import audit_trail, bot_switch, connection, levels, modal, widgets
from core.ui.components.settings import account_keys, alert_channels, api_tokens, language, login, preferences
from core.ui.presenters import all_accounts, positions
from core.ui.presenters import recovery as recovery_rows
from core.ui.presenters.format import Figure, ago
from core.ui.presenters.forms import AccountForm, Environment
from core.venues import profile_of, profiles

state = st.session_state
FIELDS = ("acc_name", "acc_key", "acc_secret", "acc_passphrase", "acc_live", "acc_withdraw")


# --- accounts


def account_form() -> AccountForm:
    return AccountForm(
        name=state["acc_name"].strip(),
        exchange=state["acc_exchange"],
        environment=state["acc_environment"],
        api_key=state["acc_key"].strip(),
        api_secret=state["acc_secret"].strip(),
        passphrase=state.get("acc_passphrase", ""),
        region=state.get("acc_region") or "global",
        confirm_live=state.get("acc_live", "").strip(),
        confirm_withdraw=state.get("acc_withdraw", "").strip(),
    )


def check_keys() -> None:
    """Ask the exchange what the keys may do; nothing is stored."""
    form = account_form()
    state["acc_check"] = session.ask(lambda: session.services().accounts.check(form))


def add_account(token: str) -> None:
    form = account_form()
    added = session.ask(lambda: session.services().accounts.add(form, token, by=session.OPERATOR))
    if added is not None:
        for field in FIELDS:
            if field in state:
                state[field] = ""
        state["acc_token"] = session.new_token()
        state.pop("acc_check", None)
        state["account"] = added.id
        session.say(_("Account {name} is added and chosen.", name=added.name))


def remove_account(account: str, name: str) -> None:
    session.ask(lambda: session.services().accounts.remove(account, by=session.OPERATOR))
    if not session.refused():
        session.say(_("Account {name} is removed.", name=name))
        modal.close()


def ask_to_remove(account: str, name: str) -> None:
    title = _("Remove this account?")
    modal.show(f"remove_{account}", title, confirm_remove, account, name, icon=":material/delete:")


def confirm_remove(account: str, name: str) -> None:
    st.write(_("The keys of **{name}** are deleted here. Orders and positions at the exchange stay.", name=name))
    widgets.refusals()
    st.button(
        _("Remove account"),
        key="acc_remove_confirm",
        type="primary",
        on_click=remove_account,
        args=(account, name),
        width="stretch",
    )


def accounts() -> None:
    for account in session.services().accounts.list():
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            color = "orange" if account.environment is Environment.LIVE else "gray"
            badge = f":{color}-badge[{all_accounts.exchange_words(account)}]"
            st.markdown(
                f"**{account.name}** {badge}  \n:small[:gray[{account_keys.line(account)}]]",
                width="content",
            )
            account_keys.test_button(account)
            if account.environment is not Environment.PAPER:
                st.button(
                    _("Remove"),
                    key=f"acc_remove_{account.id}",
                    icon=":material/delete:",
                    type="tertiary",
                    on_click=ask_to_remove,
                    args=(account.id, account.name),
                )
        account_keys.tested(account)
    st.subheader(_("Add an account"), anchor=False)
    add_form()
    account_keys.secret()


def forget_check() -> None:
    """Forget the last check of keys when another exchange or environment is chosen."""
    state.pop("acc_check", None)


def add_form() -> None:
    """Draw the form for a new account; exchange and environment first: the other fields follow from them."""
    state.setdefault("acc_exchange", next(iter(profiles())))
    state.setdefault("acc_environment", Environment.DEMO)
    state.setdefault("acc_token", session.new_token())
    with st.container(border=True):
        with st.container(horizontal=True, gap="medium"):
            widgets.choice(_("Exchange"), list(profiles()), "acc_exchange", positions.brand, forget_check)
            profile = profile_of(state["acc_exchange"])
            st.segmented_control(
                _("Environment"),
                profile.environments,
                key="acc_environment",
                format_func=lambda kind: _("Demo") if kind is Environment.DEMO else _("Live, real money"),
                required=True,
            )
            if len(profile.regions) > 1:
                st.selectbox(_("Region"), profile.regions, key="acc_region", width=150)
        st.caption(account_keys.how_to(profile, state["acc_environment"]))
        with st.form("account_form", border=False, enter_to_submit=False):
            left, right = st.columns(2)
            named = _("{exchange} demo", exchange=profile.title)
            left.text_input(_("Name"), key="acc_name", placeholder=named)
            if profile.needs_passphrase:
                words = _("The one typed when the key was made, not the password of the log-in.")
                right.text_input(_("Passphrase"), key="acc_passphrase", type="password", autocomplete="off", help=words)
            left, right = st.columns(2)
            left.text_input(_("API key"), key="acc_key", autocomplete="off")
            right.text_input(_("API secret"), key="acc_secret", type="password", autocomplete="off")
            if state["acc_environment"] is Environment.LIVE:
                st.warning(_("Live trades with real money. Try the same on paper and demo first."))
                st.text_input(_("Type LIVE to go on"), key="acc_live", autocomplete="off")
            st.text_input(
                _("Only for a key that may withdraw: type I ACCEPT THE RISK"),
                key="acc_withdraw",
                placeholder=_("leave it empty for a key that may not"),
                help=_("Better: make a key that may read and trade and nothing else."),
                autocomplete="off",
            )
            checked()
            with st.container(horizontal=True):
                st.form_submit_button(_("Check keys"), key="acc_check_keys", on_click=check_keys)
                st.form_submit_button(
                    _("Add account"), key="acc_add", type="primary", on_click=add_account, args=(state["acc_token"],)
                )
        st.caption(_("Keys are encrypted before they are stored and are never shown again."))


def checked() -> None:
    """Draw what the exchange said of the keys at the last check."""
    found = state.get("acc_check")
    if found is None:
        return
    icon = ":material/check_circle:" if found.ok else ":material/block:"
    (st.info if found.ok else st.error)(told(found.words), icon=icon)
    if found.ok and found.can_withdraw:
        st.warning(_("This key may withdraw money. Make one that may only read and trade."), icon=":material/warning:")


# --- the bot


def bot() -> None:
    account, now = session.account_id(), session.now()
    status = session.services().levels.status(account)
    with st.container(border=True):
        widgets.bot_badge(status)
        st.write(told(status.words))
        since = ago(status.since, now) if status.since else _("never started")
        shown = [
            Figure(_("Since"), since),
            Figure(_("Level"), levels.name(status.level), levels.who(status, now)),
            Figure(_("Heartbeat"), ago(status.heartbeat_at, now)),
            Figure(_("Protected"), f"{status.protected}/{status.parts}"),
        ]
        widgets.figures(shown)
        with st.container(width=220):
            bot_switch.switch(account, status.state, key="settings_bot")
    connection.draw(session.services().reports.snapshot(account))
    st.subheader(_("Where it lies"), anchor=False)
    places = session.services().places
    widgets.summary({_("Data folder"): f"`{places['data']}`", _("Database"): f"`{places['database']}`"})


# --- what holds for every part


def rules() -> None:
    st.caption(_("All of it holds at once, for running parts too; a part may choose its own on Active Positions."))
    recovery, reopen = session.services().positions.everybody()
    st.markdown(f":material/autorenew: **{_('Recovery')}** {recovery_rows.recovery_words(recovery)}")
    if recovery is not None and recovery.max_steps is None:
        st.caption(_("Most steps in one cycle, below, is where a limit is set; Safety stops it at a daily loss."))
    st.markdown(f":material/replay: **{_('Reopen')}** {recovery_rows.reopen_words(reopen)}")
    preferences.groups(("Recovery", "Reopen", "Take-profit and stop-loss", "Limits"))


def guards() -> None:
    st.caption(_("A guard only ever raises the level, says so with its numbers, and leaves taking it back to you."))
    preferences.groups(("Raise the level by itself", "Cadence"))


def access() -> None:
    language.language("settings_language")
    language.time_zone()
    language.local_numbers()
    st.subheader(_("Log in"), anchor=False)
    login.password()


VIEWS = {
    "accounts": (_("Accounts"), accounts),
    "bot": (_("Bot"), bot),
    "defaults": (_("Recovery, reopen, limits"), rules),
    "guards": (_("Guards and cadence"), guards),
    "alerts": (_("Alerts"), alert_channels.card),
    "access": (_("Language and log-in"), access),
    "api": (_("API"), api_tokens.card),
    "file": (_("Export and import"), preferences.as_file),
    "trail": (_("Audit trail"), audit_trail.draw),
}
state.setdefault("settings_view", "accounts")
st.segmented_control(
    _("Shown"),
    list(VIEWS),
    key="settings_view",
    format_func=lambda view: VIEWS[view][0],
    required=True,
    label_visibility="collapsed",
    persist_state="session",
)
VIEWS[state["settings_view"]][1]()
