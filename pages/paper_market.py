"""The Paper Market page: see and move prices, trade in the chosen account as somebody else, set faults of the exchange.

Only for paper accounts, which all see the same prices. Everything here happens inside the simulator.
"""

from decimal import Decimal
from typing import Any

import streamlit as st

from core.i18n import translate
from core.i18n.translate import _, counted
from core.ui import session
from core.ui.components import widgets
from core.ui.presenters import charts, positions
from core.ui.presenters.format import Figure, places_of, price
from core.ui.presenters.forms import Deed, Side, SizeUnit, number_format, typed

state = st.session_state
SOURCES = ("walk", "hold")
SHOCKS = (-5, -1, 1, 5, 10)
SPANS = {60: "1 h", 180: "3 h", 480: "8 h"}
account = session.account_id()
name, exchange = next((one.name, one.exchange) for one in session.services().accounts.list() if one.id == account)


def ticks() -> dict[str, Decimal]:
    """Return the price tick of each contract, as far as the snapshot knows it."""
    snapshot = session.services().reports.snapshot(account)
    return {name: rules.price_tick for name, rules in snapshot.instruments.items()} if snapshot else {}


def levels(symbol: str) -> dict[str, Decimal]:
    """Return entry, target and stop of what is held in this contract."""
    snapshot = session.services().reports.snapshot(account)
    found: dict[str, Decimal] = {}
    for part in snapshot.parts if snapshot else ():
        if part.symbol == symbol and part.open:
            named = {"entry": part.average_entry, "TP": part.take_profit.price, "SL": part.stop_loss.price}
            found |= {f"{part.name} {name}": level for name, level in named.items() if level}
    return found


def set_price() -> None:
    """Set the price of the contract chosen now: the page may still show the one before while the choice is on
    its way.
    """
    symbol = state["pm_symbol"]
    wanted = typed(state["pm_price"])
    if wanted is None:
        state["refusal"] = (_("Type the new price of {symbol} first.", symbol=positions.short_symbol(symbol)),)
        return
    session.ask(lambda: session.services().paper.set_price(symbol, wanted))
    told(_("{symbol} is set to {p}.", symbol=positions.short_symbol(symbol), p=price(wanted)))


def shock(percent: int) -> None:
    symbol = state["pm_symbol"]
    session.ask(lambda: session.services().paper.shock(symbol, Decimal(percent)))
    told(_("{symbol} moved by {n:+d} %.", symbol=positions.short_symbol(symbol), n=percent))


def set_source() -> None:
    kind = state["pm_source"]
    session.ask(lambda: session.services().paper.source(kind))
    told(_("Prices walk by themselves.") if kind == "walk" else _("Prices move only when you move them."))


def add_fault() -> None:
    paper = session.services().paper
    where = {"exchange": str(exchange)}
    fault: dict[str, Any] = {"kind": state["pm_fault"], "match": where, "count": int(state["pm_fault_count"])}
    session.ask(lambda: paper.set_faults([*paper.faults(), fault]))
    told(counted("The paper exchange will do so once.", "The paper exchange will do so {n} times.", fault["count"]))


def clear_faults() -> None:
    session.ask(lambda: session.services().paper.clear_faults())
    told(_("The paper exchange behaves again."))


def told(words: str) -> None:
    if not session.refused():
        session.say(words)


@widgets.live
def chart(symbol: str, span: int) -> None:
    """Draw candles, and last, mark and index above them."""
    paper = session.services().paper
    now = paper.prices()[symbol]
    tick = ticks().get(symbol)
    named = (("last", _("Last")), ("mark", _("Mark")), ("index", _("Index")))
    widgets.figures([Figure(label, price(now[name], tick)) for name, label in named], min_width=90)
    bars = paper.candles(symbol, span)
    if bars:
        places = places_of(Decimal(tick)) if tick else 2
        option = charts.candles(bars, levels(symbol), session.zone(), places)
        st.echarts_chart(option, height=360, key="pm_chart", alt=_("Price candles of {symbol}", symbol=symbol))
    else:
        st.caption(_("No candle yet; the first one closes within a minute."))


def mover(symbol: str) -> None:
    """Draw the forms that set the price, or shock it."""
    tick = ticks().get(symbol, Decimal("0.01"))
    st.markdown(_("**Move the price**"))
    with st.form("pm_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            _("New price, USDT"),
            value=None,
            key="pm_price",
            step=float(tick),
            format=number_format(SizeUnit.PRICE, tick),
            placeholder=_("price"),
            width=200,
        )
        st.form_submit_button(_("Set price"), key="pm_set", on_click=set_price)
    with st.container(horizontal=True, gap="xsmall"):
        for percent in SHOCKS:
            st.button(f"{percent:+d} %", key=f"pm_shock_{percent}", on_click=shock, args=(percent,))
    st.caption(_("The price travels there in a straight line, so every stop and target on the way is met."))
    moved_by = session.services().paper.moved_by()
    state["pm_source"] = moved_by if moved_by in SOURCES else None
    st.segmented_control(
        _("Between your moves"),
        SOURCES,
        key="pm_source",
        format_func=lambda kind: _("Walk by itself") if kind == "walk" else _("Hold still"),
        on_change=set_source,
    )


def faults() -> None:
    """Draw the faults that the paper exchange can be given."""
    paper = session.services().paper
    st.markdown(_("**Make {exchange} misbehave**", exchange=positions.brand(exchange)))
    with st.form("pm_faults", border=False):
        st.selectbox(_("What goes wrong"), list(paper.FAULTS), key="pm_fault", format_func=fault_words)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input(_("How many times"), 1, 100, 1, key="pm_fault_count", width=160)
            st.form_submit_button(_("Add"), key="pm_fault_add", on_click=add_fault)
    active = paper.faults()
    for fault in active:
        struck = fault.get("match", {}).get("exchange")
        facts = [positions.brand(struck) if struck else "", _("{n} so far", n=fault.get("hits", 0))]
        st.markdown(f"- {fault_words(fault['kind'])} :gray[{' · '.join(filter(None, facts))}]")
    if active:
        st.button(_("Behave again"), key="pm_faults_clear", icon=":material/healing:", on_click=clear_faults)
    else:
        st.caption(_("Just now the paper exchange does everything right."))


def fault_words(kind: str) -> str:
    """Return what goes wrong, in the trader's language."""
    return translate.told(session.services().paper.FAULTS.get(kind, kind))


def meddle() -> None:
    """Draw the form for a trade in the chosen account that bypasses the bot."""
    st.markdown(_("**Another hand in {account}**", account=name))
    with st.form("pm_hand", border=False):
        left, right = st.columns(2)
        left.selectbox(_("What it does"), list(Deed), key="pm_deed", format_func=deed_words)
        right.selectbox(_("Side"), list(Side), key="pm_hand_side", format_func=positions.side_words)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input(
                _("Contracts"),
                value=None,
                min_value=0.0,
                key="pm_hand_size",
                format="%g",
                placeholder=_("all of it"),
                width=160,
            )
            st.form_submit_button(_("Do it"), key="pm_hand_do", on_click=do_by_hand)
    words = _("Of the contract chosen above. The bot finds out as it would at a real exchange.")
    st.caption(words)


def deed_words(deed: Deed) -> str:
    return {
        Deed.CLOSE: _("closes at market"),
        Deed.OPEN: _("opens at market"),
        Deed.LIQUIDATE: _("the exchange liquidates"),
        Deed.DELEVERAGE: _("the exchange deleverages"),
    }[deed]


def do_by_hand() -> None:
    symbol, size = state["pm_symbol"], typed(state["pm_hand_size"])
    paper, deed, side = session.services().paper, state["pm_deed"], state["pm_hand_side"]
    session.ask(lambda: paper.by_hand(account, deed, symbol, side, size))
    told(_("Done in {account}, past the bot.", account=name))


def draw(symbols: list[str]) -> None:
    with st.container(horizontal=True, gap="medium"):
        state.setdefault("pm_symbol", symbols[0])
        state.setdefault("pm_span", 60)
        widgets.choice(_("Contract"), symbols, "pm_symbol", positions.short_symbol)
        widgets.choice(_("Shown"), list(SPANS), "pm_span", SPANS.__getitem__)
    with st.container(border=True):
        chart(state["pm_symbol"], state["pm_span"])
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True):
        mover(state["pm_symbol"])
    with right, st.container(border=True):
        faults()
    with st.container(border=True):
        meddle()


market = session.services().paper
if not market.available():
    widgets.empty(
        _("The paper exchange does not run"),
        _("It runs for paper accounts. Choose one in the sidebar; it starts together with Perpdeck."),
        icon=":material/science:",
    )
else:
    draw(list(market.prices()))
