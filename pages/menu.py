"""The script that Streamlit reruns: navigation, the account, the bot's switch and the page itself.

Cheap, since it runs on every click. It says on each page when the bot is stopped and what guards the positions then.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.i18n.translate import _
from core.ui import session
from core.ui import sidebar as switches
from core.ui.assets import ICON, LOGO
from core.ui.components import modal, widgets
from core.ui.components.settings import language, login
from core.ui.session import Account, Environment

state = st.session_state


def pages(paper: bool) -> st.Page:
    """Return the menu; the paper market is listed for paper accounts only."""
    trade = [
        st.Page("new_trade.py", title=_("New Trade"), icon=":material/add_circle:", url_path="new-trade"),
        st.Page("active_positions.py", title=_("Active Positions"), icon=":material/monitoring:", default=True),
        st.Page("orders.py", title=_("Orders"), icon=":material/list_alt:", url_path="orders"),
        st.Page("history.py", title=_("History"), icon=":material/history:", url_path="history"),
    ]
    set_up = [
        st.Page("safety.py", title=_("Safety"), icon=":material/health_and_safety:", url_path="safety"),
        st.Page("settings.py", title=_("Settings"), icon=":material/settings:", url_path="settings"),
        st.Page(
            "paper_market.py",
            title=_("Paper market"),
            icon=":material/science:",
            url_path="paper-market",
            visibility="visible" if paper else "hidden",
        ),
    ]
    return st.navigation({_("Trade"): trade, _("Set up"): set_up})


def sidebar(accounts: dict[str, Account], beside_title: DeltaGenerator) -> None:
    """Draw the account, every bot and its switch; the protection also beside the title, where a phone shows it."""
    with st.sidebar:
        switches.sidebar(accounts, beside_title)
        language.language()
        login.log_out()


def above(accounts: dict[str, Account]) -> None:
    """Draw what stands over every page, in one box: were the page below it to move, clicks under way to it would be
    lost.
    """
    with st.container():
        if accounts:
            switches.banners()
        widgets.refusals()
        widgets.flash()


st.set_page_config(page_icon=ICON, layout="wide")
session.begin()
st.logo(LOGO, size="large")
accounts: dict[str, Account] | None = None
with widgets.reading():
    accounts = {account.id: account for account in session.services().accounts.list()}
if accounts:
    switches.take_up(accounts)
chosen = accounts.get(state["account"]) if accounts else None
page = pages(paper=chosen is None or chosen.environment is Environment.PAPER)

if accounts is None:
    widgets.until_it_answers()
else:
    with widgets.reading():
        modal.draw(page.url_path)
        above(accounts)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.title(page.title, anchor=False, width="content")
            beside_title = st.container(width="content")
        if accounts:
            sidebar(accounts, beside_title)
        if accounts or page.url_path == "settings":
            page.run()
        else:
            settings = _("Add one in Settings")
            widgets.empty(_("No account yet"), _("A paper account needs no keys."), "settings.py", settings)
