"""What is held, is it protected, why did or didn't the bot act; edit targets and close, each part on its own or many.

The picture redraws itself; dialogs keep what was typed in them meanwhile.
"""

from decimal import Decimal

import streamlit as st

from core.ui import again, bulk, charts, dialogs, differences, parts, rows, session, widgets
from core.ui.figures import ago, places_of
from core.ui.text import _

CANDLES, CHART_SECONDS = 180, 15
NEAR, FAR = 0.03, 10.0  #: how far from the candles a level may lie to be drawn; the second leaves none out


def buttons(row: rows.Json) -> None:
    """What a person may do to this part now."""
    part = row["part"]
    if again.waits(row):
        dialogs.waiting(row)
        return
    if row["status"] not in rows.LIVING:
        return
    with st.container(horizontal=True, width="content", gap="xsmall"):
        if st.button(_("Edit TP/SL"), key=f"ap_edit_{part}", icon=":material/tune:"):
            dialogs.edit(row)
        if st.button(_("Recovery"), key=f"ap_again_{part}", icon=":material/autorenew:"):
            dialogs.choices(row)
        if st.button(_("Close"), key=f"ap_close_{part}", icon=":material/logout:"):
            dialogs.close(row)


def card(row: rows.Json, board: rows.Json, stale: bool) -> None:
    """One part: its numbers, its protection, its reasons and its buttons."""
    now, part = session.now(), row["part"]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            caption = rows.part_caption(row, now)
            st.markdown(f"{rows.part_title(row)}  \n:small[:gray[{caption}]]", width="content")
            buttons(row)
        why = "\n".join(rows.why_lines(row)) or _("No decision was needed at the last look.")
        if row["status"] not in rows.LIVING:
            waiting = parts.waiting_words(row, now)
            if waiting:
                st.markdown(f":material/hourglass_top: {waiting}")
            st.markdown(why)
            return
        widgets.figures(rows.part_figures(row, board, now, stale))
        steps = again.recovery_line(row, rows.tick_of(board, row["symbol"]))
        if steps:
            st.markdown(f":small[:material/autorenew: **{_('Recovery')}** {steps}]")
        with st.expander(_("Why?"), key=f"why_{part}", icon=":material/psychology_alt:", type="compact"):
            st.markdown(why)
            st.caption(_("As of the look {ago}.", ago=ago(board["as_of"], now)))


@widgets.live
def account_now() -> None:
    """The account, its positions at the exchange, and what guards each part."""
    picture = session.services().reports.picture(session.account_id())
    if picture is None:
        newcomer()
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        stale = widgets.freshness(picture)
        widgets.protection_pill(picture, key="protection_here")
    widgets.notices(picture)
    widgets.metrics(rows.metric_figures(picture.data, stale))
    held = rows.position_rows(picture.data)
    if not held and not picture.data["parts"]:
        newcomer()
        return
    st.subheader(_("On the exchange"), anchor=False)
    if held:
        tinted = (_("PnL, USDT"), _("PnL / margin"), _("Funding, USDT"))
        widgets.table(held, alt=_("Open positions on the exchange"), tinted=tinted, stale=stale, drop_empty=True)
    else:
        st.caption(_("No position is held just now."))
    guarded = parts.protection_rows(picture.data, session.now())
    if guarded:
        st.subheader(_("Protection"), anchor=False)
        widgets.table(guarded, alt=_("What guards each part"), stale=stale)


@widgets.live_slowly(CHART_SECONDS)
def chart() -> None:
    """Candles of one contract with the levels of our parts in it."""
    picture = session.services().reports.picture(session.account_id())
    symbols = parts.held_symbols(picture.data) if picture else []
    if picture is None or not symbols:
        return
    st.subheader(_("Chart"), anchor=False)
    if picture.data["environment"] != "paper":
        st.caption(_("Candles are drawn for paper accounts only so far: pages never ask an exchange themselves."))
        return
    paper = session.services().paper
    if not paper.available():
        st.caption(_("The paper exchange does not run, so there are no candles."))
        return
    state = st.session_state
    if state.get("ap_chart") not in symbols:
        state["ap_chart"] = symbols[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        widgets.choice(_("Contract"), symbols, "ap_chart", rows.short_symbol)
        everything = st.toggle(_("All levels"), value=True, key="ap_all_levels")
    symbol = state["ap_chart"]
    bars = paper.candles(symbol, CANDLES)
    if not bars:
        st.caption(_("No candle has been drawn yet."))
        return
    levels, colours = parts.chart_levels(picture.data, symbol)
    places = places_of(Decimal(rows.tick_of(picture.data, symbol) or "0.01"))
    reach = FAR if everything else NEAR
    option = charts.candles(bars, levels, session.zone(), places, colours, reach)
    st.echarts_chart(option, height=340, key="ap_candles", alt=_("Price candles of {symbol}", symbol=symbol))


@widgets.live
def every_part() -> None:
    """A card for each part."""
    picture = session.services().reports.picture(session.account_id())
    listed = rows.parts_in_order(picture.data) if picture else []
    if picture is None or not listed:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(_("Parts"), anchor=False, width="content")
        if len(parts.living(picture.data)) > 1 and st.button(
            _("Several at once"), key="ap_several", icon=":material/checklist:"
        ):
            bulk.several(picture.data)
    stale = picture.stale(session.now())
    for row in listed:
        card(row, picture.data, stale)


def newcomer() -> None:
    """The two steps to a first position."""
    widgets.empty(
        _("Nothing is held yet"),
        _("Press Start bot in the sidebar: it brings prices and guards what you open. Then open a position."),
        "new_trade.py",
        _("New Trade"),
        icon=":material/monitoring:",
    )


account_now()
differences.hints()
chart()
every_part()
