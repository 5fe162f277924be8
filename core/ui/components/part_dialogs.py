"""Draws the dialogs of one part: edit its targets, choose its recovery and reopening, close it, open it again.

Each dialog is one service call behind one button; what was typed stays while the page behind it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import streamlit as st

from core.domain.snapshot import AccountSnapshot, PartSnapshot
from core.i18n.translate import _, told
from core.services.trading.requests import Asked
from core.ui import session
from core.ui.components import execution_fields, modal, recovery_fields, widgets
from core.ui.presenters import forms, order_preview
from core.ui.presenters import positions as position_rows
from core.ui.presenters.format import Figure, places_of, price, quantity
from core.ui.presenters.forms import FormContext, SizeUnit, TriggerBy

state = st.session_state


def part_now(part: str) -> tuple[PartSnapshot, AccountSnapshot] | None:
    """Return the part and the account as they are now, or None when the part is gone."""
    snapshot = session.services().reports.snapshot(session.account_id())
    found = snapshot.part(part) if snapshot else None
    return (found, snapshot) if snapshot and found else None


def tick_of(snapshot: AccountSnapshot, symbol: str) -> Decimal:
    return snapshot.tick_of(symbol) or Decimal("0.01")


def ask(call: Callable[[], Asked]) -> None:
    """Make one request, from an `on_click`; once done, its dialog closes and the page tells the result.

    Refused, the open dialog says why; a button on a piece of the page has the whole page say it.
    """
    asked = session.ask(call)
    if asked is not None:
        session.say(told(asked.words))
        modal.close()
    modal.redraw()


def ask_in_place(call: Callable[[], Asked]) -> None:
    """Make one request for a button on the page itself, which runs again by itself."""
    asked = session.ask(call)
    if asked is not None:
        session.say(told(asked.words))


# --- take-profit and stop-loss


def edit(part: PartSnapshot) -> None:
    """Fill the drawer's fields with the present targets, then open it."""
    name = f"edit_{part.name}"
    modal.ask_once(name)
    for key, level in (("edit_tp", part.take_profit), ("edit_sl", part.stop_loss)):
        state[key], state[f"{key}_unit"] = forms.given(level.wanted)
        state[f"{key}_was"] = state[f"{key}_unit"]
    state["edit_keep"] = False
    title = _("Take-profit and stop-loss")
    modal.show(name, title, _edit, part.name, session.new_token(), position="right", icon=":material/tune:")


def _convert_unit(part: str, key: str, ground: FormContext | None) -> None:
    if not modal.is_open(f"edit_{part}"):
        return
    new = state[f"{key}_unit"]
    state[key] = forms.convert(state[key], state[f"{key}_was"], new, ground, stop=key == "edit_sl")
    state[f"{key}_was"] = new


def _save(part: str, token: str, trigger_by: TriggerBy) -> None:
    take_profit = forms.target(state["edit_tp"], state["edit_tp_unit"], trigger_by, stop=False)
    stop_loss = forms.target(state["edit_sl"], state["edit_sl_unit"], trigger_by, stop=True)
    keep, positions = bool(state.get("edit_keep")), session.services().positions
    ask(lambda: positions.edit_targets(part, take_profit, stop_loss, token, by=session.OPERATOR, keep=keep))


def _edit(part: str, token: str) -> None:
    """Draw a drawer beside the table: units above, then a form of the two numbers."""
    found = part_now(part)
    if found is None or not found[0].living:
        st.info(_("This part is no longer open; there is nothing to edit."))
        return
    row, snapshot = found
    tick = tick_of(snapshot, row.symbol)
    average, size = row.average_entry, row.size
    ground = FormContext(row.side, average, row.coins, tick) if average and size else None
    st.markdown(position_rows.part_title(row))
    held = [Figure(_("Entry"), price(average, tick)), Figure(_("Mark"), price(row.mark_price, tick))]
    widgets.figures([*held, Figure(_("Size"), quantity(size))], min_width=90)
    for key, label in (("edit_tp", _("Take-profit in")), ("edit_sl", _("Stop-loss in"))):
        st.segmented_control(
            label,
            list(SizeUnit),
            key=f"{key}_unit",
            format_func=lambda unit: unit.label,
            required=True,
            on_change=_convert_unit,
            args=(part, key, ground),
        )
    with st.form(f"targets_{part}", border=False):
        for key, label in (("edit_tp", _("Take-profit")), ("edit_sl", _("Stop-loss"))):
            unit = state[f"{key}_unit"]
            st.number_input(
                f"{label}, {unit.label}",
                value=None,
                key=key,
                step=float(tick) if unit is SizeUnit.PRICE else 1.0,
                format=forms.number_format(unit, tick),
                placeholder=_("none"),
            )
        st.checkbox(
            _("Keep for later cycles"),
            key="edit_keep",
            help=_("Otherwise they hold for this cycle, until its next recovery step."),
        )
        st.caption(_("A stop-loss in USDT or % is a loss with either sign. The old levels rest until the new ones do."))
        widgets.refusals()
        wanted = row.stop_loss.wanted or row.take_profit.wanted
        trigger_by = wanted.trigger_by if wanted else TriggerBy.MARK
        st.form_submit_button(
            _("Save"), key="edit_save", type="primary", on_click=_save, args=(part, token, trigger_by), width="stretch"
        )


# --- recovery and reopening


def choices(part: PartSnapshot) -> None:
    """Fill the fields with what the part has chosen for itself, then open them."""
    name = f"choices_{part.name}"
    modal.ask_once(name)
    known = session.ask(lambda: session.services().positions.parts(session.account_id()))
    own = next((one for one in known or () if one.part == part.name), None)
    if own is not None:
        recovery_fields.fill("ch", own.own_recovery, own.own_reopen)
        state["ch_refused"] = str(own.own_unguarded or recovery_fields.FOLLOW)
        title = _("Recovery and reopen")
        token = session.new_token()
        modal.show(name, title, _choices, part.name, token, width="medium", icon=":material/autorenew:")
    modal.redraw()


def _save_choices(part: str, token: str) -> None:
    positions, (recovery, reopen) = session.services().positions, recovery_fields.chosen("ch")
    ask(lambda: positions.choose(part, recovery, reopen, token, by=session.OPERATOR))


def _save_refused(part: str) -> None:
    """Store the choice of what is done at a refused stop-loss, as soon as it is made."""
    if not modal.is_open(f"choices_{part}"):
        return
    positions, chosen = session.services().positions, recovery_fields.refused_choice("ch_refused")
    ask_in_place(lambda: positions.guard_by(part, chosen, session.new_token(), by=session.OPERATOR))


def _choices(part: str, token: str) -> None:
    found = part_now(part)
    if found is not None:
        st.markdown(position_rows.part_title(found[0]))
    if found is not None and found[0].living:
        recovery_fields.refused("ch_refused", on_change=partial(_save_refused, part))
        st.divider()
    recovery_fields.fields("ch", session.services().positions.everybody())
    st.caption(_("They hold from the bot's next look, also for this cycle."))
    widgets.refusals()
    wrong = bool(list(recovery_fields.problems("ch")))
    st.button(
        _("Save"),
        key="choose_save",
        type="primary",
        disabled=wrong,
        on_click=_save_choices,
        args=(part, token),
        width="stretch",
    )


# --- close


def close(part: PartSnapshot) -> None:
    """Open the dialog that closes a part: how much, over how long, and the result at this moment."""
    name, title = f"close_{part.name}", _("Close?")
    modal.ask_once(name)
    execution_fields.fill("close_how")
    modal.show(name, title, _close, part.name, session.new_token(), icon=":material/logout:")


def _contracts_to_close(size: Decimal, step: Decimal) -> Decimal | None:
    """Return the contracts that the slider says, in whole steps; None for the whole part."""
    chosen = forms.typed(state.get("close_size"))
    wanted = size if chosen is None else round(chosen / step) * step
    return None if wanted >= size else wanted


def _ask_to_close(part: str, token: str, size: Decimal, step: Decimal, reopen: bool) -> None:
    """Read the slider and request the close, at the click itself, so that a quick hand closes what it set and nothing
    else.
    """
    contracts, positions = _contracts_to_close(size, step), session.services().positions
    style = execution_fields.chosen("close_how", ends=False)
    ask(lambda: positions.close(part, token, session.OPERATOR, contracts, reopen=reopen, style=style))


def _other_way(part: str) -> None:
    if not modal.is_open(f"close_{part}"):
        return
    found = part_now(part)
    mark, tick = (found[0].mark_price, tick_of(found[1], found[0].symbol)) if found else (None, Decimal(1))
    execution_fields.begin("close_how", round(mark / tick) * tick if mark else None)


def _close(part: str, token: str) -> None:
    found = part_now(part)
    if found is None or not found[0].held:
        st.info(_("This part holds nothing any more."))
        return
    row, snapshot = found
    size, step = row.size, snapshot.instruments[row.symbol].quantity_step
    st.markdown(position_rows.part_title(row))
    if size > step:
        first, last = float(step), float(size)
        places = places_of(step)
        st.slider(_("Contracts to close"), first, last, last, first, format=f"%.{places}f", key="close_size")
    execution_fields.kind(_("How"), "close_how", on_change=partial(_other_way, part))
    execution_fields.fields("close_how", {}, tick_of(snapshot, row.symbol), ends=False)
    contracts = _contracts_to_close(size, step)
    shown = session.services().positions.preview_close(part, contracts)
    widgets.figures(order_preview.close_figures(shown), min_width=100)
    st.caption(told(shown.words))
    for words in shown.problems:
        st.error(told(words), icon=":material/block:")
    widgets.refusals()
    st.button(
        _("Close for good") if contracts is None else _("Close {n}", n=position_rows.contracts_words(contracts)),
        key="close_confirm",
        type="primary",
        on_click=_ask_to_close,
        args=(part, token, size, step, False),
        disabled=bool(shown.problems),
        width="stretch",
    )
    if contracts is not None:
        return
    rule = row.reopen
    if rule is not None and rule.holds:
        st.button(
            _("Close and reopen later"),
            key="close_later",
            on_click=_ask_to_close,
            args=(part, token, size, step, True),
            width="stretch",
        )
        minutes = quantity(rule.delay_minutes)
        st.caption(_("Later is {n} minutes after it is closed, in the same record.", n=minutes))
    else:
        st.caption(_("Reopening is off for this part, so it stays closed."))


# --- again


def waiting(part: PartSnapshot) -> None:
    """Draw the two buttons of a part that waits to be opened again."""
    name, positions = part.name, session.services().positions
    with st.container(horizontal=True, width="content", gap="xsmall"):
        for key, label, icon, call in (
            ("now", _("Reopen now"), ":material/play_arrow:", positions.reopen_now),
            ("never", _("Cancel the reopen"), ":material/event_busy:", positions.cancel_reopen),
        ):
            st.button(label, key=f"ap_{key}_{name}", icon=icon, on_click=_again, args=(call, name, session.new_token()))


def _again(call: Callable[[str, str, str], Asked], part: str, token: str) -> None:
    ask(lambda: call(part, token, session.OPERATOR))
