"""Draws the position sizer: the position value whose stop loses a given amount, put into the form by one click."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.domain.snapshot import AccountSnapshot
from core.i18n.translate import _
from core.services.trading.preview import Preview
from core.services.trading.requests import Draft
from core.ui import session
from core.ui.presenters.format import price, usdt
from core.ui.presenters.forms import SizeUnit, number_format, typed

state = st.session_state
USDT, EQUITY = "usdt", "equity"


def take(value: Decimal, stop: Decimal) -> None:
    """Put the size, and the stop that it was computed with, into the form."""
    state["nt_value"] = float(value)
    state["nt_sl_unit"], state["nt_sl"] = SizeUnit.PRICE, float(stop)


def helper(draft: Draft, shown: Preview, snapshot: AccountSnapshot | None, tick: Decimal) -> None:
    """Draw a small form behind a button: risk and stop in, position value out."""
    with st.popover(_("Size by risk"), icon=":material/calculate:", key="nt_sizing"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.number_input(_("I may lose"), value=None, key="nt_risk", step=1.0, format="%.2f", width=140)
            st.segmented_control(
                _("Unit"),
                [USDT, EQUITY],
                default=USDT,
                key="nt_risk_unit",
                format_func=lambda unit: _("USDT") if unit == USDT else _("% of equity"),
                required=True,
                label_visibility="collapsed",
            )
        near = None if shown.stop_loss_price is None else price(shown.stop_loss_price, tick)
        st.number_input(
            _("Stop at price"),
            value=None,
            key="nt_risk_stop",
            step=float(tick),
            format=number_format(SizeUnit.PRICE, tick),
            placeholder=near or _("price"),
        )
        _answer(draft, shown, snapshot, tick)


def _most(draft: Draft) -> Decimal | None:
    """Return what one trade may lose by the settings."""
    return session.services().positions.most_risk(draft.account)


def _answer(draft: Draft, shown: Preview, snapshot: AccountSnapshot | None, tick: Decimal) -> None:
    risk, stop = typed(state.get("nt_risk")), typed(state.get("nt_risk_stop")) or shown.stop_loss_price
    if state.get("nt_risk_unit") == EQUITY and risk is not None:
        money = snapshot.money if snapshot else None
        risk = None if money is None else money.equity * risk / 100
    most = _most(draft)
    if most is not None:
        st.caption(_("By your settings one trade may lose {most} USDT at most.", most=usdt(most)))
    if risk is not None and most is not None and risk > most:
        st.markdown(f":small[:orange[:material/error: {_('This is more than one trade may lose.')}]]")
        return
    if risk is None or stop is None:
        st.caption(_("Type what you are ready to lose and where the stop lies; fees are counted in."))
        return
    value = session.services().positions.value_of_risk(draft, risk, stop)
    if value is None:
        st.caption(_("The stop must lie on the losing side of the entry at {p}.", p=price(shown.entry_price, tick)))
        return
    told = _("**{value} USDT** of position lose {risk} USDT at {p}.", value=usdt(value), risk=usdt(risk), p=price(stop))
    st.markdown(told)
    st.button(_("Use this size"), key="nt_risk_take", on_click=take, args=(value, stop), width="stretch")
