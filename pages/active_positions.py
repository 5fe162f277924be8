"""What is held, is it protected, why did or didn't the bot act; edit targets and close, each part on its own.

The picture redraws itself; dialogs keep what was typed in them meanwhile.
"""

from decimal import Decimal

import streamlit as st

from core.ui import forms, previews, rows, session, widgets
from core.ui.figures import Figure, ago, places_of, price, quantity
from core.ui.forms import Ground, Side, TriggerBy, Unit
from core.ui.text import _

state = st.session_state


def part_row(part: str) -> tuple[rows.Json, rows.Json] | None:
    """The part and the board as they are now, or None when the part is gone."""
    picture = session.services().reports.picture(session.account_id())
    found = next((row for row in picture.data["parts"] if row["part"] == part), None) if picture else None
    return (found, picture.data) if picture and found else None


def tick_of(board: rows.Json, symbol: str) -> Decimal:
    return Decimal(rows.tick_of(board, symbol) or "0.01")


# --- take-profit and stop-loss


def open_editor(row: rows.Json) -> None:
    """Fills the drawer's fields with what is wanted now, then opens it."""
    for key, name in (("edit_tp", "take_profit"), ("edit_sl", "stop_loss")):
        state[key], state[f"{key}_unit"] = forms.given(row[name])
        state[f"{key}_was"] = state[f"{key}_unit"]
    edit_targets(row["part"], session.new_token())


def convert_unit(key: str, ground: Ground | None) -> None:
    new = state[f"{key}_unit"]
    state[key] = forms.convert(state[key], state[f"{key}_was"], new, ground, stop=key == "edit_sl")
    state[f"{key}_was"] = new


def save_targets(part: str, token: str, trigger_by: TriggerBy) -> None:
    take_profit = forms.target(state["edit_tp"], state["edit_tp_unit"], trigger_by, stop=False)
    stop_loss = forms.target(state["edit_sl"], state["edit_sl_unit"], trigger_by, stop=True)
    positions = session.services().positions
    asked = session.ask(lambda: positions.edit_targets(part, take_profit, stop_loss, token, by=session.OPERATOR))
    if asked is not None:
        session.say(asked.words)
        st.rerun()


@st.dialog(_("Take-profit and stop-loss"), position="right", icon=":material/tune:")
def edit_targets(part: str, token: str) -> None:
    """A drawer beside the table: units above, then a form of the two numbers."""
    found = part_row(part)
    if found is None or found[0]["status"] not in rows.LIVING:
        st.info(_("This part is no longer open; there is nothing to edit."))
        return
    row, board = found
    tick = tick_of(board, row["symbol"])
    average, size = row["average_entry"], Decimal(row["size"])
    coins = size * Decimal(board["instruments"][row["symbol"]]["contract_value"])
    ground = Ground(Side(row["side"]), Decimal(average), coins, tick) if average and size else None
    st.markdown(rows.part_title(row))
    held = [Figure(_("Entry"), price(average, tick)), Figure(_("Mark"), price(row["mark_price"], tick))]
    widgets.figures([*held, Figure(_("Size"), quantity(size))], min_width=90)
    for key, label in (("edit_tp", _("Take-profit in")), ("edit_sl", _("Stop-loss in"))):
        st.segmented_control(
            label,
            list(Unit),
            key=f"{key}_unit",
            format_func=lambda unit: unit.label,
            required=True,
            on_change=convert_unit,
            args=(key, ground),
        )
    with st.form(f"targets_{part}", border=False):
        for key, label in (("edit_tp", _("Take-profit")), ("edit_sl", _("Stop-loss"))):
            unit = state[f"{key}_unit"]
            st.number_input(
                f"{label}, {unit.label}",
                value=None,
                key=key,
                step=float(tick) if unit is Unit.PRICE else 1.0,
                format=forms.number_format(unit, tick),
                placeholder=_("none"),
            )
        st.caption(_("A stop-loss in USDT or % is a loss with either sign. The old levels rest until the new ones do."))
        widgets.refusals()
        trigger_by = TriggerBy((row["stop_loss"] or row["take_profit"] or {}).get("trigger_by", TriggerBy.MARK))
        st.form_submit_button(
            _("Save"),
            key="edit_save",
            type="primary",
            on_click=save_targets,
            args=(part, token, trigger_by),
            width="stretch",
        )


# --- close


def contracts_to_close(size: Decimal, step: Decimal) -> Decimal | None:
    """What the slider says, in whole steps; None for the whole part."""
    chosen = forms.typed(state.get("close_size"))
    wanted = size if chosen is None else round(chosen / step) * step
    return None if wanted >= size else wanted


def ask_to_close(part: str, token: str, size: Decimal, step: Decimal) -> None:
    """Reads the slider at the click itself, so that a quick hand closes what it set and nothing else."""
    contracts, positions = contracts_to_close(size, step), session.services().positions
    asked = session.ask(lambda: positions.close(part, token, by=session.OPERATOR, contracts=contracts))
    if asked is not None:
        session.say(asked.words)
        st.rerun()


@st.dialog(_("Close at market?"), icon=":material/logout:")
def close_part(part: str, token: str) -> None:
    """How much, and what it would come to at this moment."""
    found = part_row(part)
    if found is None or not Decimal(found[0]["size"]):
        st.info(_("This part holds nothing any more."))
        return
    row, board = found
    size, step = Decimal(row["size"]), Decimal(board["instruments"][row["symbol"]]["quantity_step"])
    st.markdown(rows.part_title(row))
    if size > step:
        first, last = float(step), float(size)
        places = places_of(step)
        st.slider(_("Contracts to close"), first, last, last, first, format=f"%.{places}f", key="close_size")
    contracts = contracts_to_close(size, step)
    shown = session.services().positions.preview_close(part, contracts)
    widgets.figures(previews.close_figures(shown), min_width=100)
    st.caption(shown.words)
    for words in shown.problems:
        st.error(words, icon=":material/block:")
    widgets.refusals()
    st.button(
        _("Close the whole part") if contracts is None else _("Close {n}", n=rows.contracts_words(contracts)),
        key="close_confirm",
        type="primary",
        on_click=ask_to_close,
        args=(part, token, size, step),
        disabled=bool(shown.problems),
        width="stretch",
    )


# --- the live picture


def card(row: rows.Json, board: rows.Json, stale: bool) -> None:
    """One part: its numbers, its protection, its reasons and its two buttons."""
    now, part = session.now(), row["part"]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            caption = rows.part_caption(row, now)
            st.markdown(f"{rows.part_title(row)}  \n:small[:gray[{caption}]]", width="content")
            if row["status"] in rows.LIVING:
                with st.container(horizontal=True, width="content", gap="xsmall"):
                    if st.button(_("Edit TP/SL"), key=f"ap_edit_{part}", icon=":material/tune:"):
                        open_editor(row)
                    if st.button(_("Close"), key=f"ap_close_{part}", icon=":material/logout:"):
                        close_part(part, session.new_token())
        why = "\n".join(rows.why_lines(row)) or _("No decision was needed at the last look.")
        if row["status"] not in rows.LIVING:
            st.markdown(why)
            return
        widgets.figures(rows.part_figures(row, board, now, stale))
        with st.expander(_("Why?"), key=f"why_{part}", icon=":material/psychology_alt:", type="compact"):
            st.markdown(why)
            st.caption(_("As of the look {ago}.", ago=ago(board["as_of"], now)))


@widgets.live
def board() -> None:
    """Everything that the last look saw."""
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
    parts = rows.parts_in_order(picture.data)
    if not held and not parts:
        newcomer()
        return
    st.subheader(_("On the exchange"), anchor=False)
    if held:
        tinted = (_("PnL, USDT"), _("PnL / margin"), _("Funding, USDT"))
        widgets.table(held, alt=_("Open positions on the exchange"), tinted=tinted, stale=stale, drop_empty=True)
    else:
        st.caption(_("No position is held just now."))
    st.subheader(_("Parts"), anchor=False)
    for row in parts:
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


board()
