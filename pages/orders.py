"""The Orders page: working, waiting for a trigger, unknown and foreign orders; and TP and SL held by hand."""

from decimal import Decimal

import streamlit as st

from core.domain.snapshot import AccountSnapshot, OrderSnapshot, PartSnapshot
from core.i18n.translate import _, told
from core.ui import session
from core.ui.components import modal, part_dialogs, widgets
from core.ui.presenters import orders as order_rows
from core.ui.presenters import pairs, positions
from core.ui.presenters.orders import Leg

state = st.session_state
FIGURES_SECONDS = 10


def ask_to_cancel(order: str, token: str) -> None:
    orders, account = session.services().orders, session.account_id()
    asked = session.ask(lambda: orders.cancel(account, order, token, by=session.OPERATOR))
    if asked is not None:
        session.say(told(asked.words))
        modal.close()


def ask_first(order: OrderSnapshot) -> None:
    name, title = f"cancel_{order.client_order_id}", _("Cancel this order?")
    modal.show(name, title, confirm_cancel, order, session.new_token(), icon=":material/cancel:")


def confirm_cancel(order: OrderSnapshot, token: str) -> None:
    """Draw the confirmation of a cancel: the order, and what becomes of what it has filled."""
    st.markdown(f"**{order.symbol}** · {order_rows.purpose_words(order.purpose)} · `{order.client_order_id}`")
    st.write(_("What is filled stays and stays protected; the rest will not be bought or sold."))
    widgets.refusals()
    st.button(
        _("Cancel order"),
        key="cancel_confirm",
        type="primary",
        on_click=ask_to_cancel,
        args=(order.client_order_id, token),
        width="stretch",
    )


def section(title: str, words: str, orders: list[OrderSnapshot], snapshot: AccountSnapshot) -> None:
    """Draw one group of orders as a table; entries that rest can be cancelled one by one."""
    st.subheader(f"{title} :gray[{len(orders) or ''}]", anchor=False)
    if not orders:
        st.caption(words)
        return
    now = session.now()
    stale = snapshot.stale(now)
    widgets.table(order_rows.order_rows(orders, snapshot, now), alt=title, stale=stale, drop_empty=True)
    with st.container(horizontal=True, gap="xsmall"):
        for order in filter(order_rows.may_be_cancelled, orders):
            name = order.client_order_id
            st.button(
                order_rows.cancel_words(order, snapshot),
                key=f"cancel_{name}",
                type="tertiary",
                icon=":material/cancel:",
                on_click=ask_first,
                args=(order,),
            )


@widgets.live
def live_orders() -> None:
    """Draw every live order of the last look."""
    snapshot = session.services().reports.snapshot(session.account_id())
    if snapshot is None:
        widgets.empty(_("No orders yet"), _("Orders appear with the bot's first look. Press Start bot in the sidebar."))
        return
    widgets.freshness(snapshot)
    unresolved = order_rows.unresolved_rows(snapshot, session.now())
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
    groups = order_rows.order_groups(snapshot)
    section(_("Working"), _("No plain order is working."), groups["working"], snapshot)
    section(_("Waiting for a trigger"), _("No stop or target rests."), groups["conditional"], snapshot)
    if groups["conditional"]:
        st.caption(_("They protect your parts. Each is moved, added or taken away below, part by part."))
    section(_("Not ours"), _("No order of anybody else."), groups["foreign"], snapshot)
    if groups["foreign"]:
        st.caption(_("Made by hand or by another program: shown here, never touched. Safety has what can be done."))


# --- pairs


@widgets.live
def every_pair() -> None:
    """Draw the state of each take-profit/stop-loss pair: both legs, and one that is left over."""
    account = session.account_id()
    snapshot = session.services().reports.snapshot(account)
    if snapshot is None:
        return
    shown = session.services().pairs.list(account)
    budget = snapshot.conditional
    st.subheader(f"{_('Pairs of take-profit and stop-loss')} :gray[{len(shown) or ''}]", anchor=False)
    now = session.now()
    if shown:
        table = pairs.pair_rows(shown, snapshot, now)
        widgets.table(table, alt=_("Pairs of take-profit and stop-loss"), stale=snapshot.stale(now), drop_empty=True)
    else:
        st.caption(_("No part has a pair just now."))
    if budget is not None and budget.most is not None:
        words = _("{used} of at most {most} conditional orders rest.", used=budget.used, most=budget.most)
        st.caption(words + " " + _("Each position needs two; beyond the limit nothing is opened."))


@widgets.live_slowly(FIGURES_SECONDS)
def pair_figures() -> None:
    """Draw counts over all pairs of the account."""
    found = session.services().pairs.figures(session.account_id())
    if found.placed:
        widgets.figures(pairs.pair_figures(found), min_width=120)


# --- TP and SL by hand


def remove(part: str, leg: Leg, token: str) -> None:
    orders = session.services().orders
    part_dialogs.ask(lambda: orders.remove_leg(part, leg, token, by=session.OPERATOR))


def ask_to_remove(part: PartSnapshot, leg: Leg, token: str) -> None:
    name, title = f"remove_{leg}_{part.name}", _("Take this level away?")
    modal.show(name, title, confirm_removal, part, leg, token, icon=":material/remove_moderator:")


def confirm_removal(part: PartSnapshot, leg: Leg, token: str) -> None:
    """Draw the confirmation of a removal: what is left without the leg."""
    st.markdown(positions.part_title(part))
    if leg is Leg.STOP_LOSS:
        st.error(
            _("Without a stop-loss nothing limits the loss of this part but your own hand and liquidation."),
            icon=":material/warning:",
        )
    else:
        st.write(_("Without a take-profit the part is held until its stop-loss, or until you close it."))
    st.caption(_("It stays away in this cycle until a recovery step, or until you return the part to automatic."))
    widgets.refusals()
    st.button(
        order_rows.removal_words(leg),
        key="remove_confirm",
        type="primary",
        on_click=remove,
        args=(part.name, leg, token),
        width="stretch",
    )


def keep_levels(part: str, token: str) -> None:
    orders = session.services().orders
    part_dialogs.ask_in_place(lambda: orders.keep_levels(part, token, by=session.OPERATOR))


def to_automatic(part: str, token: str) -> None:
    orders = session.services().orders
    part_dialogs.ask_in_place(lambda: orders.to_automatic(part, token, by=session.OPERATOR))


@widgets.live
def standing(part: PartSnapshot, tick: Decimal | None, drawn: tuple[bool, bool]) -> None:
    """Draw the levels that hold now; a change of who holds them draws the buttons anew."""
    held = session.services().orders.by_hand(part.name)
    if (held.edited, held.at_exchange is not None) != drawn:
        modal.redraw()
    widgets.figures(order_rows.by_hand_figures(held, tick), min_width=150)


def by_hand() -> None:
    """Draw one part at a time: its levels, who set them, and what may be done with them."""
    snapshot = session.services().reports.snapshot(session.account_id())
    parts = {part.name: part for part in snapshot.parts if order_rows.may_be_held(part)} if snapshot else {}
    if snapshot is None or not parts:
        return
    st.subheader(_("TP and SL by hand"), anchor=False)
    st.selectbox(
        _("Part"),
        list(parts),
        key="by_hand_part",
        format_func=lambda name: order_rows.part_label(parts[name]),
        persist_state="session",
    )
    chosen = parts[state["by_hand_part"]]
    part, held, token = chosen.name, session.services().orders.by_hand(chosen.name), session.new_token()
    tick = snapshot.tick_of(chosen.symbol)
    standing(chosen, tick, (held.edited, held.at_exchange is not None))
    if held.at_exchange is not None:
        st.warning(
            order_rows.moved_words(held, tick, session.now()),
            title=_("Somebody moved these levels at the exchange"),
            icon=":material/pan_tool:",
        )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            _("Set TP and SL"),
            key="by_hand_edit",
            icon=":material/tune:",
            type="primary",
            on_click=part_dialogs.edit,
            args=(chosen,),
        )
        for leg, level in ((Leg.TAKE_PROFIT, held.take_profit), (Leg.STOP_LOSS, held.stop_loss)):
            if level is not None:
                words = order_rows.removal_words(leg)
                st.button(words, key=f"remove_{leg}", on_click=ask_to_remove, args=(chosen, leg, token))
        if held.at_exchange is not None:
            st.button(_("Keep the exchange's levels"), key="keep_levels", on_click=keep_levels, args=(part, token))
        if held.edited:
            st.button(_("Return to automatic"), key="to_automatic", on_click=to_automatic, args=(part, token))
    st.caption(order_rows.hand_words(held))


live_orders()
every_pair()
pair_figures()
with widgets.reading():
    by_hand()
