"""The script that Streamlit reruns: navigation, the account, the bot's switch and the page itself.

Cheap, since it runs on every click. It says on each page when the bot is stopped and what guards the positions then.
"""

import streamlit as st

from core.ui import display, levels, login_settings, rows, session, switch, widgets
from core.ui.assets import ICON, LOGO
from core.ui.figures import age
from core.ui.session import Account, Environment
from core.ui.text import _, told

state = st.session_state


def pages(paper: bool) -> st.Page:
    """The menu; the paper market is listed for paper accounts only."""
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


@widgets.live_line
def bot_lines(account: str, drawn: tuple[str, int, str]) -> None:
    """Badge, pill, level and age; a change that concerns the switch or the banner redraws the whole page."""
    status, picture = session.services().levels.status(account), session.services().reports.picture(account)
    with st.container(horizontal=True, gap="xsmall"):
        widgets.bot_badge(status)
        widgets.protection_pill(picture)
    facts = [_("level {level}", level=levels.name(status.level).lower())]
    facts.append(_("picture {age} old", age=age(picture.age(session.now()))) if picture else _("no picture yet"))
    st.caption(" · ".join(facts))
    if (status.state, status.on_exchange_alone, status.level) != drawn:
        st.rerun()


def sidebar(accounts: dict[str, Account]) -> None:
    """The account, the bot's state and its switch; above the page what a stopped bot leaves behind."""
    with st.sidebar:
        chosen = st.selectbox(
            _("Account"), list(accounts), key="account", format_func=lambda one: rows.account_label(accounts[one])
        )
        status = session.services().levels.status(chosen)
        bot_lines(chosen, (status.state, status.on_exchange_alone, status.level))
        switch.switch(chosen, status.state)
        display.language()
        login_settings.log_out()
    switch.banner(status.state, told(status.words), status.on_exchange_alone)
    levels.banner(status)


st.set_page_config(page_icon=ICON, layout="wide")
session.begin()
st.logo(LOGO, size="large")
accounts: dict[str, Account] | None = None
with widgets.reading():
    accounts = {account.id: account for account in session.services().accounts.list()}
if accounts and state.get("account") not in accounts:
    state["account"] = next(iter(accounts))
chosen = accounts.get(state["account"]) if accounts else None
page = pages(paper=chosen is None or chosen.environment is Environment.PAPER)

if accounts is None:
    widgets.until_it_answers()
else:
    with widgets.reading():
        if accounts:
            sidebar(accounts)
        widgets.refusals()
        widgets.flash()
        st.title(page.title, anchor=False)
        if accounts or page.url_path == "settings":
            page.run()
        else:
            settings = _("Add one in Settings")
            widgets.empty(_("No account yet"), _("A paper account needs no keys."), "settings.py", settings)
