"""Draws bulk actions on several parts: new targets or a close, with the result for each of them below."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import streamlit as st

from core.domain.snapshot import AccountSnapshot, PartSnapshot
from core.i18n.translate import _, counted
from core.services.trading.bulk import Row, close_many, edit_many
from core.ui import session
from core.ui.components import modal, widgets
from core.ui.presenters import forms, parts
from core.ui.presenters.format import Figure, pnl, signed
from core.ui.presenters.forms import SizeUnit, TriggerBy

state = st.session_state
UNITS = (SizeUnit.USDT, SizeUnit.PERCENT)  #: a price means nothing for several contracts


class Wish(StrEnum):
    EDIT = "edit"
    CLOSE = "close"


def several(snapshot: AccountSnapshot) -> None:
    """Open the dialog with every part chosen."""
    modal.ask_once("several")
    names = [part.name for part in parts.living(snapshot)]
    state["bulk_parts"], state["bulk_results"] = names, None
    state["bulk_tp"] = state["bulk_sl"] = None
    title = _("Several parts at once")
    modal.show("several", title, _several, session.new_token(), width="medium", icon=":material/checklist:")


def _several(token: str) -> None:
    snapshot = session.services().reports.snapshot(session.account_id())
    living = {part.name: part for part in parts.living(snapshot)} if snapshot else {}
    if state.get("bulk_results") is not None:
        _results()
        return
    if not living:
        st.info(_("No part is open any more."))
        return
    st.multiselect(
        _("Parts"),
        list(living),
        key="bulk_parts",
        format_func=lambda part: parts.name_of(living[part]) if part in living else part,
    )
    state.setdefault("bulk_wish", Wish.EDIT)
    st.segmented_control(
        _("What to do"),
        list(Wish),
        key="bulk_wish",
        format_func=lambda wish: _("Edit TP/SL") if wish is Wish.EDIT else _("Close"),
        required=True,
        label_visibility="collapsed",
    )
    chosen = [living[part] for part in state["bulk_parts"] if part in living]
    if state["bulk_wish"] is Wish.EDIT:
        _edit(chosen, token)
    else:
        _close(chosen, token)


def _edit(chosen: list[PartSnapshot], token: str) -> None:
    """Draw the units, then a form of the two numbers: an empty one stays as it is."""
    with st.container(horizontal=True, gap="medium"):
        for key, label in (("bulk_tp", _("Take-profit in")), ("bulk_sl", _("Stop-loss in"))):
            state.setdefault(f"{key}_unit", SizeUnit.USDT)
            st.segmented_control(label, UNITS, key=f"{key}_unit", format_func=lambda unit: unit.label, required=True)
    with st.form("bulk_targets", border=False):
        left, right = st.columns(2)
        for place, key, label in ((left, "bulk_tp", _("Take-profit")), (right, "bulk_sl", _("Stop-loss"))):
            place.number_input(label, value=None, key=key, step=1.0, format="%.2f", placeholder=_("as it is"))
        st.checkbox(_("Keep for later cycles"), key="bulk_keep")
        widgets.refusals()
        st.form_submit_button(
            counted("Save for {n} part", "Save for {n} parts", len(chosen)),
            key="bulk_save",
            type="primary",
            disabled=not chosen,
            on_click=_save,
            args=(chosen, token),
            width="stretch",
        )


def _save(chosen: list[PartSnapshot], token: str) -> None:
    if state["bulk_tp"] is None and state["bulk_sl"] is None:
        state["refusal"] = (_("Type a take-profit or a stop-loss first."),)
        return
    wanted = [
        forms.target(state[key], state[f"{key}_unit"], TriggerBy.MARK, stop=key == "bulk_sl")
        for key in ("bulk_tp", "bulk_sl")
    ]
    listed, keep = [Row.of(row) for row in chosen], bool(state.get("bulk_keep"))
    positions = session.services().positions
    state["bulk_results"] = session.ask(
        lambda: edit_many(positions, listed, wanted[0], wanted[1], token, session.OPERATOR, keep=keep)
    )


def _close(chosen: list[PartSnapshot], token: str) -> None:
    """Draw the close of all chosen parts at market, with their total result."""
    positions = session.services().positions
    held = [part for part in chosen if part.held]
    shown = [positions.preview_close(part.name, None) for part in held]
    gained, fees = sum((one.pnl for one in shown), Decimal(0)), sum((one.fee for one in shown), Decimal(0))
    figures = [Figure(_("Parts"), str(len(chosen))), Figure(_("PnL, USDT"), pnl(gained), _("before the fee"))]
    widgets.figures([*figures, Figure(_("Fees, USDT"), signed(fees), _("estimated"))], min_width=110)
    widgets.refusals()
    labels: Mapping[bool, str] = {False: _("Close for good"), True: _("Close and reopen later")}
    for later, label in labels.items():
        st.button(
            label,
            key="bulk_later" if later else "bulk_close",
            type="secondary" if later else "primary",
            disabled=not chosen,
            on_click=_close_all,
            args=(chosen, token, later),
            width="stretch",
        )


def _close_all(chosen: list[PartSnapshot], token: str, reopen: bool) -> None:
    listed, positions = [Row.of(row) for row in chosen], session.services().positions
    state["bulk_results"] = session.ask(lambda: close_many(positions, listed, token, session.OPERATOR, reopen=reopen))


def _results() -> None:
    results = state["bulk_results"]
    done = sum(one.done for one in results)
    st.markdown(_("**{n} of {m} parts**", n=done, m=len(results)))
    st.markdown("\n".join(parts.result_lines(results)))
    st.button(_("Done"), key="bulk_done", on_click=modal.close, width="stretch")
