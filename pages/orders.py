"""What rests on the exchange: working orders, orders that wait for a trigger, the unknown and the foreign."""

import streamlit as st

from core.ui import orders as resting
from core.ui import rows, session, widgets
from core.ui.text import _

state = st.session_state


def ask_to_cancel(order: str, token: str) -> None:
    orders, account = session.services().orders, session.account_id()
    asked = session.ask(lambda: orders.cancel(account, order, token, by=session.OPERATOR))
    if asked is not None:
        session.say(asked.words)
        st.rerun()


@st.dialog(_("Cancel this order?"), icon=":material/cancel:")
def confirm_cancel(order: rows.Json, token: str) -> None:
    """Names the order and says what becomes of what it has filled."""
    st.markdown(f"**{order['symbol']}** · {resting.purpose_words(order['purpose'])} · `{order['client_order_id']}`")
    st.write(_("What is filled stays and stays protected; the rest will not be bought or sold."))
    widgets.refusals()
    st.button(
        _("Cancel order"),
        key="cancel_confirm",
        type="primary",
        on_click=ask_to_cancel,
        args=(order["client_order_id"], token),
        width="stretch",
    )


def section(title: str, words: str, orders: list[rows.Json], picture: widgets.Picture) -> None:
    """One group of orders as a table; entries that rest can be cancelled one by one."""
    st.subheader(f"{title} :gray[{len(orders) or ''}]", anchor=False)
    if not orders:
        st.caption(words)
        return
    now = session.now()
    stale = picture.stale(now)
    widgets.table(resting.order_rows(orders, picture.data, now), alt=title, stale=stale, drop_empty=True)
    with st.container(horizontal=True, gap="xsmall"):
        for order in filter(resting.may_be_cancelled, orders):
            name = order["client_order_id"]
            if st.button(_("Cancel {id}", id=name), key=f"cancel_{name}", type="tertiary", icon=":material/cancel:"):
                confirm_cancel(order, session.new_token())


@widgets.live
def board() -> None:
    """Every live order of the last look."""
    picture = session.services().reports.picture(session.account_id())
    if picture is None:
        widgets.empty(_("No orders yet"), _("Orders appear with the bot's first look. Press Start bot in the sidebar."))
        return
    widgets.freshness(picture)
    unresolved = resting.unresolved_rows(picture.data, session.now())
    if unresolved:
        st.warning(
            _(
                "No usable answer came for these. The bot asks the exchange for each under its own id, and until "
                "it knows it sends nothing that could double them."
            ),
            title=_("Outcome not known yet"),
            icon=":material/help:",
        )
        widgets.table(unresolved, alt=_("Orders whose outcome is not known yet"))
    groups = resting.order_groups(picture.data)
    section(_("Working"), _("No plain order is working."), groups["working"], picture)
    section(_("Waiting for a trigger"), _("No stop or target rests."), groups["conditional"], picture)
    if groups["conditional"]:
        st.caption(_("They protect your parts. To move them use Edit TP/SL on Active Positions."))
    section(_("Not ours"), _("No order of anybody else."), groups["foreign"], picture)
    if groups["foreign"]:
        st.caption(_("Made by hand or by another program: shown here, never touched."))


board()
