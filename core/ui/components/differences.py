"""Draws differences between exchange and book as cards: both sides, since when, and a button for each answer.

An answer is one service call. Adopting and assigning ask first, because from then on the bot guards what somebody
else opened.
"""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.domain.difference import Choice, DifferenceKind
from core.domain.instrument import TriggerBy
from core.domain.intent import RecoveryChoice, ReopenChoice
from core.i18n.translate import _, told
from core.services.trading.differences import Adoption, DifferenceRow
from core.ui import session
from core.ui.components import modal, part_dialogs, widgets
from core.ui.presenters import forms, positions
from core.ui.presenters.format import NOTHING, Figure, age, price, quantity
from core.ui.presenters.forms import FormContext, SizeUnit

state = st.session_state

ICONS = {
    Choice.ADOPT: ":material/add_home:",
    Choice.ASSIGN: ":material/merge:",
    Choice.IGNORE: ":material/visibility_off:",
    Choice.BOOK: ":material/edit_note:",
    Choice.WAIT: ":material/hourglass_top:",
    Choice.PRO_RATA: ":material/percent:",
    Choice.OLDEST: ":material/first_page:",
    Choice.NEWEST: ":material/last_page:",
}


def title(kind: DifferenceKind) -> str:
    return {
        DifferenceKind.RESIDUAL: _("Contracts that are not ours"),
        DifferenceKind.SHORTFALL: _("Contracts of ours are gone"),
        DifferenceKind.FOREIGN_ORDERS: _("Orders that are not ours"),
        DifferenceKind.NET_MODE: _("The account is one-way"),
        DifferenceKind.LEVERAGE: _("Another leverage"),
        DifferenceKind.REDUCED: _("Closed by hand on a shared position"),
    }[kind]


def label(choice: Choice) -> str:
    return {
        Choice.ADOPT: _("Adopt"),
        Choice.ASSIGN: _("Assign"),
        Choice.IGNORE: _("Ignore"),
        Choice.BOOK: _("Book it at the mark now"),
        Choice.WAIT: _("Wait"),
        Choice.PRO_RATA: _("By their size"),
        Choice.OLDEST: _("The oldest first"),
        Choice.NEWEST: _("The newest first"),
    }[choice]


def answer_words(row: DifferenceRow) -> str:
    """Return what was answered, or what waits until it is."""
    if row.answer is Choice.IGNORE:
        return _("Ignored until it changes.")
    if row.answer is Choice.WAIT:
        return _("Waits for the fill; nothing is added there meanwhile.")
    if row.answer is Choice.BOOK:
        return _("Is being booked at the mark price.")
    return _("Until this is answered nothing is opened or enlarged there.") if row.blocks else ""


@widgets.live
def items() -> None:
    """Draw a card for each difference of the account, or that there is none."""
    found = session.services().differences.list(session.account_id())
    st.subheader(_("Differences"), anchor=False)
    widgets.refusals()
    if found is None:
        st.caption(_("The bot has not looked at the exchange yet."))
        return
    if not found:
        st.caption(_("The exchange and the book agree."))
    for row in found:
        card(row)


@widgets.live
def hints() -> None:
    """Draw one line for each residual that nobody has answered for, with the way to adopt it."""
    for row in session.services().differences.list(session.account_id()) or ():
        if row.kind is DifferenceKind.RESIDUAL and row.answer is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                words = _(
                    "{n} contracts of {symbol} {side} are not ours; nothing is added there until that is answered.",
                    n=quantity(row.quantity),
                    symbol=row.symbol,
                    side=positions.side_words(row.side),
                )
                st.markdown(f":orange[:material/help:] {words}", width="content")
                st.button(_("Adopt"), key=f"hint_{row.id}", icon=ICONS[Choice.ADOPT], on_click=adopt, args=(row,))


def card(row: DifferenceRow) -> None:
    """Draw one difference and its buttons."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            head = f"**{title(row.kind)}** {row.symbol} {positions.side_words(row.side)}"
            st.markdown(head, width="content")
            with st.container(horizontal=True, width="content", gap="xsmall"):
                for choice in row.choices:
                    button(row, choice)
        st.markdown(told(row.words))
        since = age(session.now() - row.since) if row.since else ""
        shown = [
            Figure(_("Our book"), told(row.ours)),
            Figure(_("The exchange"), told(row.theirs)),
            Figure(_("For"), since or NOTHING),
        ]
        if row.price is not None:
            tick = _tick(row)
            shown.append(Figure(_("Opened at about"), price(row.price, tick)))
        widgets.figures(shown, min_width=110)
        words = answer_words(row)
        if words:
            st.caption(words)


def button(row: DifferenceRow, choice: Choice) -> None:
    """Draw the button of one answer."""
    off = row.answer is choice or (choice is Choice.ASSIGN and not row.parts)
    why = _("No part is held there that could take them.") if choice is Choice.ASSIGN and not row.parts else None
    opens = {Choice.ADOPT: adopt, Choice.ASSIGN: assign}.get(choice)
    st.button(
        label(choice),
        key=f"diff_{choice}_{row.id}",
        icon=ICONS[choice],
        disabled=off,
        help=why,
        on_click=opens or _ask,
        args=(row,) if opens else (row, choice, session.new_token()),
    )


def _ask(row: DifferenceRow, choice: Choice, token: str) -> None:
    service = session.services().differences
    if row.kind is DifferenceKind.REDUCED:
        part_dialogs.ask(lambda: service.divide(row.account, row.id, row.mark, choice, token, session.OPERATOR))
        return
    call = {Choice.IGNORE: service.ignore, Choice.BOOK: service.book, Choice.WAIT: service.wait}[choice]
    part_dialogs.ask(lambda: call(row.account, row.id, row.mark, token, session.OPERATOR))


# --- adopt


def adopt(row: DifferenceRow) -> None:
    """Open the dialog that adopts a residual, with the levels of the new part."""
    name = f"adopt_{row.id}"
    modal.ask_once(name)
    state["adopt_tp"], state["adopt_sl"] = 50.0, 100.0
    for key in ("adopt_tp", "adopt_sl"):
        state[f"{key}_unit"] = state[f"{key}_was"] = SizeUnit.USDT
    state["adopt_strategy"], state["adopt_recover"], state["adopt_reopen"] = "adopted", False, False
    modal.show(name, _("Adopt as a new part"), _adopt, row, session.new_token(), icon=ICONS[Choice.ADOPT])


def _adopt(row: DifferenceRow, token: str) -> None:
    tick = _tick(row)
    widgets.figures(
        [
            Figure(_("Contracts"), quantity(row.quantity)),
            Figure(_("Opened at about"), price(row.price, tick)),
            Figure(_("Leverage"), f"{quantity(row.leverage)}x" if row.leverage else NOTHING),
        ],
        min_width=110,
    )
    st.caption(_("From now on the bot guards them like a part of its own. What they cost before is not counted."))
    for key, words in (("adopt_tp", _("Take-profit")), ("adopt_sl", _("Stop-loss"))):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            unit = state[f"{key}_unit"]
            step = float(tick) if unit is SizeUnit.PRICE and tick else 1.0
            shown = forms.number_format(unit, tick)
            st.number_input(words, value=None, key=key, step=step, format=shown, placeholder=_("none"), width=200)
            st.segmented_control(
                _("Unit"),
                list(SizeUnit),
                key=f"{key}_unit",
                format_func=lambda unit: unit.label,
                required=True,
                label_visibility="collapsed",
                on_change=_convert,
                args=(key, row),
            )
    st.text_input(_("Strategy"), key="adopt_strategy", max_chars=40)
    st.checkbox(_("Recover it like other parts"), key="adopt_recover")
    st.checkbox(_("Open it again after it has ended"), key="adopt_reopen")
    widgets.refusals()
    st.button(
        _("Adopt"), key="adopt_confirm", type="primary", on_click=_ask_to_adopt, args=(row, token), width="stretch"
    )


def _convert(key: str, row: DifferenceRow) -> None:
    if not modal.is_open(f"adopt_{row.id}"):
        return
    new = state[f"{key}_unit"]
    state[key] = forms.convert(state[key], state[f"{key}_was"], new, _ground(row), stop=key == "adopt_sl")
    state[f"{key}_was"] = new


def _ask_to_adopt(row: DifferenceRow, token: str) -> None:
    service, wish = session.services().differences, _wish()
    part_dialogs.ask(lambda: service.adopt(row.account, row.id, row.mark, wish, token, session.OPERATOR))


def _wish() -> Adoption:
    return Adoption(
        take_profit=forms.target(state["adopt_tp"], state["adopt_tp_unit"], TriggerBy.MARK, stop=False),
        stop_loss=forms.target(state["adopt_sl"], state["adopt_sl_unit"], TriggerBy.MARK, stop=True),
        strategy=state["adopt_strategy"],
        recovery=RecoveryChoice(enabled=bool(state["adopt_recover"])),
        reopen=ReopenChoice(enabled=bool(state["adopt_reopen"])),
    )


# --- assign


def assign(row: DifferenceRow) -> None:
    """Open the dialog that chooses the part to assign a residual to."""
    name = f"assign_{row.id}"
    modal.ask_once(name)
    state["assign_part"] = row.parts[0]
    modal.show(name, _("Assign to a part"), _assign, row, session.new_token(), icon=ICONS[Choice.ASSIGN])


def _assign(row: DifferenceRow, token: str) -> None:
    st.caption(
        _(
            "The part then holds {n} contracts more, from about {price}; its take-profit and stop-loss are "
            "reckoned anew and guard the whole.",
            n=quantity(row.quantity),
            price=price(row.price, _tick(row)),
        )
    )
    widgets.choice(_("Part"), list(row.parts), "assign_part", str)
    widgets.refusals()
    st.button(
        _("Assign"), key="assign_confirm", type="primary", on_click=_ask_to_assign, args=(row, token), width="stretch"
    )


def _ask_to_assign(row: DifferenceRow, token: str) -> None:
    part, service = str(state["assign_part"]), session.services().differences
    part_dialogs.ask(lambda: service.assign(row.account, row.id, row.mark, part, token, session.OPERATOR))


def _tick(row: DifferenceRow) -> Decimal | None:
    snapshot = session.services().reports.snapshot(session.account_id())
    return snapshot.tick_of(row.symbol) if snapshot else None


def _ground(row: DifferenceRow) -> FormContext | None:
    """Return what USDT, price and percent of the new part are converted over."""
    snapshot = session.services().reports.snapshot(session.account_id())
    rules = snapshot.instruments.get(row.symbol) if snapshot else None
    if rules is None or row.price is None:
        return None
    return FormContext(row.side, row.price, row.quantity * rules.contract_value, rules.price_tick)
