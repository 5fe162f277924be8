"""Draws the sidebar: the choice of the account, the state of each, and start and stop of all bots.

The choice stands in the page's address, so a reload and a bookmark stay with it and two tabs can show two accounts.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.reason import Reason
from core.i18n.translate import _, counted, told
from core.ui import session
from core.ui.components import bot_switch, levels, modal, widgets
from core.ui.presenters import positions
from core.ui.presenters.format import age
from core.ui.session import Account, Environment

state = st.session_state
ADDRESS = "account"  #: its name in the page's address
FEW = 4  #: accounts side by side; more are a list


def take_up(accounts: Mapping[str, Account]) -> None:
    """Set the account of this tab: the one chosen in it, else that of the address, else the first."""
    first = next(iter(accounts))
    if state.get("account") not in accounts:
        asked = st.query_params.get(ADDRESS)
        state["account"] = asked if asked in accounts else first
    if state["account"] != st.query_params.get(ADDRESS, first):
        st.query_params[ADDRESS] = state["account"]


def sidebar(accounts: Mapping[str, Account], beside_title: DeltaGenerator) -> None:
    """Draw the account, its bot and its switch; below it the state of the other accounts."""
    words = {name: positions.account_label(account) for name, account in accounts.items()}
    if 1 < len(accounts) <= FEW:
        st.segmented_control(_("Account"), list(accounts), key="account", format_func=words.__getitem__, required=True)
    else:
        st.selectbox(_("Account"), list(accounts), key="account", format_func=words.__getitem__)
    chosen = session.account_id()
    status = session.services().levels.status(chosen)
    bot_switch.switch(chosen, status.state)
    beside = [account for name, account in accounts.items() if name != chosen]
    bot_lines(chosen, beside, beside_title, (status.state, status.on_exchange_alone, status.level))
    if beside:
        all_bots(list(accounts.values()))


def banners() -> None:
    """Draw the warnings above the page: a stopped bot, and a level that holds something back."""
    status = session.services().levels.status(session.account_id())
    bot_switch.banner(status.state, told(status.words), status.on_exchange_alone)
    levels.banner(status)


@widgets.live_line
def bot_lines(account: str, beside: list[Account], beside_title: DeltaGenerator, drawn: tuple[str, int, str]) -> None:
    """Draw badges, level and age, and a line for each other account: one fragment, since each redraw costs.

    A change that concerns the switch or the banner redraws the whole page.
    """
    status, snapshot = session.services().levels.status(account), session.services().reports.snapshot(account)
    with st.container(horizontal=True, gap="xsmall"):
        widgets.bot_badge(status)
        widgets.protection_pill(snapshot)
    with beside_title:
        widgets.protection_pill(snapshot, key="protection_above")
    facts = [_("level {level}", level=levels.name(status.level).lower())]
    facts.append(_("picture {age} old", age=age(snapshot.age(session.now()))) if snapshot else _("no picture yet"))
    st.caption(" · ".join(facts))
    if beside:
        with st.container(key="other_accounts"):
            st.markdown("  \n".join(map(line_of, beside)))
    if (status.state, status.on_exchange_alone, status.level) != drawn:
        modal.redraw()


def line_of(account: Account) -> str:
    """Return another account in one line: its bot, and how many of its parts have their stop."""
    status = session.services().levels.status(account.id)
    pill = widgets.protection_words(session.services().reports.snapshot(account.id))
    return f":small[**{account.name}**] {widgets.bot_words(status)} {pill}"


def all_bots(accounts: list[Account]) -> None:
    """Draw both switches for every account at once."""
    with st.container(horizontal=True, gap="xsmall"):
        real = any(account.environment is Environment.LIVE for account in accounts)
        st.button(
            _("Start all"),
            key="all_start",
            icon=":material/play_arrow:",
            type="tertiary",
            on_click=_ask_to_start if real else _start,  # what costs real money asks first
            args=(accounts,),
        )
        st.button(
            _("Stop all"),
            key="all_stop",
            icon=":material/stop:",
            type="tertiary",
            on_click=_ask_to_stop,
            args=(accounts,),
        )


def _ask_to_start(accounts: list[Account]) -> None:
    modal.show("start_all", _("Start every bot?"), _confirm_start, accounts, icon=":material/play_circle:")


def _ask_to_stop(accounts: list[Account]) -> None:
    modal.show("stop_all", _("Stop every bot?"), _confirm_stop, accounts, icon=":material/stop_circle:")


def _confirm_start(accounts: list[Account]) -> None:
    real = [account.name for account in accounts if account.environment is Environment.LIVE]
    st.warning(_("Among them is real money: {names}.", names=", ".join(real)), icon=":material/warning:")
    widgets.refusals()
    st.button(
        _("Start all"), key="all_start_confirm", type="primary", on_click=_start, args=(accounts, True), width="stretch"
    )


def _start(accounts: list[Account], in_dialog: bool = False) -> None:
    overview = session.services().overview
    if _told(session.ask(lambda: overview.start_all(accounts, by=session.OPERATOR)), started=True) and in_dialog:
        modal.close()


def _stop(accounts: list[Account]) -> None:
    overview = session.services().overview
    if _told(session.ask(lambda: overview.stop_all(accounts, by=session.OPERATOR)), started=False):
        modal.close()


def _confirm_stop(accounts: list[Account]) -> None:
    statuses = [session.services().levels.status(account.id) for account in accounts]
    st.write(positions.stop_words(sum(one.parts for one in statuses), sum(one.protected for one in statuses)))
    st.caption(_("No order is cancelled and nothing is closed. Until Start nothing is opened and nothing repaired."))
    widgets.refusals()
    st.button(_("Stop all"), key="all_stop_confirm", type="primary", on_click=_stop, args=(accounts,), width="stretch")


def _told(found: dict[str, Reason | None] | None, *, started: bool) -> bool:
    """Say the result of the click, account by account where one could not be switched; True where all could."""
    if found is None:
        return False
    failed = {name: why for name, why in found.items() if why is not None}
    state["refusal"] = tuple(f"{name}: {told(why)}" for name, why in failed.items())
    done = len(found) - len(failed)
    if done and started:
        session.say(counted("{n} bot starts.", "{n} bots start.", done))
    elif done:
        session.say(counted("{n} bot is stopped.", "{n} bots are stopped.", done))
    return not failed
