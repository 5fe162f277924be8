"""The page of open positions: protection, reasons of the bot, targets, closes, each part on its own or many at once.

The page redraws itself; dialogs keep what was typed in them meanwhile.
"""

from decimal import Decimal

import streamlit as st

from core.domain.snapshot import AccountSnapshot, PartSnapshot, PositionSnapshot
from core.i18n.translate import _
from core.ui import session
from core.ui.components import bulk_actions, differences, execution_card, modal, part_dialogs, widgets
from core.ui.components.settings import preferences
from core.ui.presenters import all_accounts as together
from core.ui.presenters import charts, ledger, parts, positions, recovery
from core.ui.presenters.format import age, ago, places_of

CHART_SECONDS = 15
ONE, ALL = "one", "all"
TAKEN = 5  #: of what others closed, told per position
SHARED = 12  #: parts of one position that are drawn without being asked for
CARDS = 20  #: to a page; the tables above name every part
NEAR, FAR = 0.03, 10.0  #: how far from the candles a level may lie to be drawn; the second leaves none out


def buttons(part: PartSnapshot) -> None:
    """Draw the buttons of a part; what is closing already has none left."""
    if part.waits_to_reopen:
        part_dialogs.waiting(part)
        return
    if not part.living:
        return
    closing = positions.closing_words(part)
    for key, label, icon, ask in (
        ("edit", _("Edit TP/SL"), ":material/tune:", part_dialogs.edit),
        ("again", _("Recovery"), ":material/autorenew:", part_dialogs.choices),
        ("close", _("Close"), ":material/logout:", part_dialogs.close),
    ):
        st.button(
            label,
            key=f"ap_{key}_{part.name}",
            icon=icon,
            disabled=bool(closing),
            help=closing or None,
            on_click=ask,
            args=(part,),
        )


def card(part: PartSnapshot, snapshot: AccountSnapshot, stale: bool) -> None:
    """Draw one part: its numbers, its protection, its reasons and its buttons. Few elements: a hundred may be drawn."""
    now, tick = session.now(), snapshot.tick_of(part.symbol)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            caption = positions.part_caption(part, now)
            st.markdown(f"{positions.part_title(part)}  \n:small[:gray[{caption}]]", width="stretch")
            buttons(part)
        if not part.living:
            st.markdown("\n\n".join(parts.ended_lines(part, now, refused_because(part))))
            return
        steps = recovery.recovery_line(part, tick)
        line = f":small[:material/autorenew: **{_('Recovery')}** {steps}]" if steps else ""
        widgets.figures(positions.part_figures(part, snapshot, now, stale), below=line)
        execution_card.progress(part, tick)
        why = st.expander(
            _("Why?"), key=f"why_{part.name}", icon=":material/psychology_alt:", type="compact", on_change="rerun"
        )
        if why.open:
            seen = _("As of the look {ago}.", ago=ago(snapshot.as_of, now))
            why.markdown(f"{why_words(part)}\n\n:small[:gray[{seen}]]")
        execution_card.report(part)


def refused_because(part: PartSnapshot) -> str:
    """Return why the newest try to enter came to nothing; empty where the part was entered."""
    if not part.never_entered:
        return ""
    return session.services().reports.refused_because(session.account_id(), part.name)


def why_words(part: PartSnapshot) -> str:
    return "\n".join(positions.why_lines(part.why)) or _("No decision was needed at the last look.")


@widgets.live
def account_now() -> None:
    """Draw the account, its positions at the exchange, and the protection of each part."""
    snapshot = session.services().reports.snapshot(session.account_id())
    if snapshot is None:
        newcomer()
        return
    stale = widgets.freshness(snapshot)
    widgets.notices(snapshot)
    widgets.metrics(positions.metric_figures(snapshot, stale))
    held = positions.position_rows(snapshot)
    if not held and not snapshot.parts:
        newcomer()
        return
    st.subheader(_("On the exchange"), anchor=False)
    if held:
        tinted = (_("PnL, USDT"), _("PnL / margin"), _("Funding, USDT"))
        widgets.table(held, alt=_("Open positions on the exchange"), tinted=tinted, stale=stale, drop_empty=True)
    else:
        st.caption(_("No position is held just now."))
    guarded = parts.protection_rows(snapshot, session.now())
    if guarded:
        st.subheader(_("Protection"), anchor=False)
        widgets.table(guarded, alt=_("What guards each part"), stale=stale)
    ledgers(snapshot)


def ledgers(snapshot: AccountSnapshot) -> None:
    """Draw each position of the exchange with the parts that share it, their sum, and the residual."""
    held = snapshot.positions
    if not held:
        return
    st.subheader(_("Parts ledger"), anchor=False)
    for one in held:
        shared = 1 < len(ledger.parts_of(snapshot, one)) <= SHARED
        opened = st.expander(
            ledger.title(snapshot, one),
            key=f"ledger_{snapshot.account}_{ledger.key_of(one)}",
            expanded=shared or bool(one.residual),
            icon=":material/account_tree:",
            type="compact",
            on_change="rerun",
        )
        if opened.open:
            with opened:
                ledger_of(one, snapshot)


def ledger_of(held: PositionSnapshot, snapshot: AccountSnapshot) -> None:
    """Draw the table of one position, and what others closed of it."""
    stale = snapshot.stale(session.now())
    tinted = (_("PnL, USDT"), _("Realised, USDT"))
    words = _("Parts of {symbol} and the exchange", symbol=held.symbol)
    widgets.table(ledger.rows(snapshot, held), alt=words, tinted=tinted, stale=stale, drop_empty=True)
    st.caption(_("A part's result is reckoned from its own entry, never from the exchange's average."))
    names = [part.name for part in ledger.parts_of(snapshot, held)]
    taken = session.services().reports.taken(session.account_id(), names)[:TAKEN]
    if taken:
        st.markdown(f"**{_('Closed by others')}**  \n" + "\n".join(ledger.taken_lines(taken, session.now())))
    rule = session.services().preferences.now().division
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = _("What somebody closes here comes off: {rule}.", rule=preferences.choice_words(str(rule)).lower())
        st.caption(words, width="content")
        st.page_link("settings.py", label=_("Change the rule"), icon=":material/tune:")


@widgets.live
def await_candles(symbol: str) -> None:
    """Draw the page again once the first candles are there."""
    st.caption(_("No candles yet: the bot reads them every few seconds while it looks at this account."))
    if session.services().reports.candles(session.account_id(), symbol) is not None:
        modal.redraw()


@widgets.live_slowly(CHART_SECONDS)
def chart() -> None:
    """Draw candles of one contract with the levels of our parts."""
    snapshot = session.services().reports.snapshot(session.account_id())
    symbols = parts.held_symbols(snapshot) if snapshot else []
    if snapshot is None or not symbols:
        return
    st.subheader(_("Chart"), anchor=False)
    state = st.session_state
    if state.get("ap_chart") not in symbols:
        state["ap_chart"] = symbols[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        widgets.choice(_("Contract"), symbols, "ap_chart", positions.short_symbol)
        everything = st.toggle(_("All levels"), value=True, key="ap_all_levels")
    symbol = state["ap_chart"]
    found, now = session.services().reports.candles(session.account_id(), symbol), session.now()
    if found is None or not found.bars:
        await_candles(symbol)
        return
    if found.stale(now):
        st.caption(_("The candles end {age} ago: the bot has read none since.", age=age(found.age(now))))
    levels, colours = parts.chart_levels(snapshot, symbol)
    places = places_of(snapshot.tick_of(symbol) or Decimal("0.01"))
    reach = FAR if everything else NEAR
    option = charts.candles(found.bars, levels, session.zone(), places, colours, reach)
    st.echarts_chart(option, height=340, key="ap_candles", alt=_("Price candles of {symbol}", symbol=symbol))


@widgets.live
def every_part() -> None:
    """Draw a card for each part."""
    snapshot = session.services().reports.snapshot(session.account_id())
    listed = positions.parts_in_order(snapshot) if snapshot else []
    if snapshot is None or not listed:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(_("Parts"), anchor=False, width="content")
        if len(parts.living(snapshot)) > 1:
            words = _("Several at once")
            st.button(
                words,
                key="ap_several",
                icon=":material/checklist:",
                on_click=bulk_actions.several,
                args=(snapshot,),
            )
    stale, pages = snapshot.stale(session.now()), -(-len(listed) // CARDS)
    first = CARDS * (min(st.session_state.get("ap_page", 1), pages) - 1)
    for row in listed[first : first + CARDS]:
        card(row, snapshot, stale)
    if pages > 1:
        st.pagination(pages, key="ap_page", persist_state="session")


def newcomer() -> None:
    """Draw the two steps to a first position."""
    widgets.empty(
        _("Nothing is held yet"),
        _("Press Start bot in the sidebar: it brings prices and guards what you open. Then open a position."),
        "new_trade.py",
        _("New Trade"),
        icon=":material/monitoring:",
    )


@widgets.live
def all_accounts() -> None:
    """Draw totals, a row for each account, and everything that is held anywhere in one list."""
    now, accounts = session.now(), session.services().accounts.list()
    lines = session.services().overview.lines(accounts)
    sums = together.totals(lines)
    for total in sums:
        if len(sums) > 1:
            st.markdown(f"**{together.environment_words(total.environment)}**")
        widgets.metrics(together.total_figures(total))
    late = together.oldest(lines, now)
    if late:
        st.warning(
            _("The numbers of {names} may no longer be true: see that account.", names=", ".join(late)),
            title=_("Stale picture"),
            icon=":material/schedule:",
        )
    tinted = (_("PnL, USDT"), _("PnL / margin"), _("Funding, USDT"), _("Floating PnL, USDT"), _("PnL today, USDT"))
    widgets.table(together.account_rows(lines, now), alt=_("All accounts"), tinted=tinted)
    st.subheader(_("On the exchanges"), anchor=False)
    held = together.position_rows(lines)
    if held:
        widgets.table(held, alt=_("Open positions of all accounts"), tinted=tinted, drop_empty=True)
    else:
        st.caption(_("No position is held just now."))
    guarded = together.part_rows(lines, now)
    if guarded:
        st.subheader(_("Protection"), anchor=False)
        widgets.table(guarded, alt=_("What guards each part"))
    st.caption(_("To edit or close something, choose its account in the sidebar."))


def scope() -> str:
    """Return whether one account is shown or all of them; the choice is drawn where there are several."""
    state = st.session_state
    if len(session.services().accounts.list()) < 2:
        return ONE
    state["ap_shown"] = st.segmented_control(
        _("Shown"),
        [ONE, ALL],
        default=state.get("ap_shown", ONE),
        key="ap_scope",
        format_func=lambda shown: _("This account") if shown == ONE else _("All accounts"),
        required=True,
        label_visibility="collapsed",
    )
    return str(state["ap_shown"])


if scope() == ALL:
    all_accounts()
else:
    account_now()
    differences.hints()
    every_part()
    chart()
