"""The New Trade page: a form, its preview, the recovery ladder, and one confirmed click that opens one position.

Below it every part that the account ever had.
"""

from decimal import Decimal
from typing import Any

import streamlit as st

from core.domain.snapshot import AccountSnapshot
from core.i18n.translate import _, told
from core.ui import session
from core.ui.components import execution_fields, modal, recovery_fields, size_helper, widgets
from core.ui.components.execution_fields import Problems
from core.ui.presenters import forms, ladder, order_preview, parts, recovery
from core.ui.presenters import positions as position_rows
from core.ui.presenters.forms import Draft, FormContext, Side, SizeUnit, TradeForm, TriggerBy
from core.venues import profile_of

state = st.session_state
CAPS = (3, 5, 10)  #: recovery steps, offered where nothing limits them
DEFAULTS: dict[str, Any] = {
    "nt_side": Side.LONG,
    "nt_value": 1000.0,
    "nt_leverage": 10.0,
    "nt_tp": 50.0,
    "nt_tp_unit": SizeUnit.USDT,
    "nt_sl": -100.0,
    "nt_sl_unit": SizeUnit.USDT,
    "nt_trigger_by": TriggerBy.MARK,
    "nt_strategy": forms.MANUAL,
    "nt_refused": recovery_fields.FOLLOW,
}


def typed_form(account: str) -> TradeForm:
    """Return the form as it stands in this tab."""
    return TradeForm(
        account,
        state["nt_symbol"],
        state["nt_side"],
        state["nt_value"],
        state["nt_leverage"],
        state["nt_tp"],
        state["nt_tp_unit"],
        state["nt_sl"],
        state["nt_sl_unit"],
        state["nt_trigger_by"],
        execution_fields.chosen("nt_entry"),
        state["nt_strategy"],
        *recovery_fields.chosen("nt"),
        when_refused=recovery_fields.refused_choice("nt_refused"),
    )


def use_preset(account: str, symbol: str) -> None:
    """Put the strategy's numbers for this contract into every field."""
    draft = forms.preset(account, symbol, state["nt_side"])
    state["nt_symbol"], state["nt_strategy"] = symbol, draft.strategy
    state["nt_value"], state["nt_leverage"] = float(draft.position_value), float(draft.leverage)
    for field, wanted in (("nt_tp", draft.take_profit), ("nt_sl", draft.stop_loss)):
        state[field], state[f"{field}_unit"] = forms.given(wanted)
    execution_fields.fill("nt_entry", draft.entry)
    recovery_fields.fill("nt", draft.recovery, draft.reopen)


def presets(account: str, symbols: list[str]) -> None:
    """Draw one button for each preset; what they fill in can be changed afterwards."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption(_("Presets of Try1"), width="content")
        for symbol in forms.with_presets(symbols, state["nt_symbol"]):
            short = position_rows.short_symbol(symbol)
            st.button(short, key=f"nt_preset_{short}", on_click=use_preset, args=(account, symbol))


def convert_unit(field: str, stop: bool) -> None:
    """Convert a target to the unit that was chosen, where the preview knows how."""
    old, new = state[f"{field}_was"], state[f"{field}_unit"]
    state[field] = forms.convert(state[field], old, new, state["nt_ground"], stop=stop)


def other_contract() -> None:
    """Clear prices when another contract is chosen, set targets to USDT, and leave the preset."""
    state["nt_entry_price"], state["nt_strategy"] = None, forms.MANUAL
    for field in ("nt_tp", "nt_sl"):
        if state[f"{field}_unit"] is SizeUnit.PRICE:
            state[f"{field}_unit"], state[field] = SizeUnit.USDT, DEFAULTS[field]


def other_entry() -> None:
    """Set the fields when another style is chosen: a limit starts from the present price, an iceberg at our side of the
    book.
    """
    execution_fields.begin("nt_entry", state["nt_ground"].entry)


def number(label: str, key: str, problems: Problems, field: str, **options: Any) -> None:
    """Draw a number field with its problems below."""
    st.number_input(label, value=None, key=key, persist_state="session", **options)
    widgets.complaints(problems.get(field, ()))


def target(label: str, key: str, problems: Problems, field: str, tick: Decimal) -> None:
    """Draw a take-profit or stop-loss: the number, and the unit it is in."""
    unit = state[f"{key}_unit"]
    state[f"{key}_was"] = unit
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            label,
            value=None,
            key=key,
            step=float(tick) if unit is SizeUnit.PRICE else 1.0,
            format=forms.number_format(unit, tick),
            placeholder=_("none"),
            persist_state="session",
            width=200,
        )
        st.segmented_control(
            _("Unit"),
            list(SizeUnit),
            key=f"{key}_unit",
            format_func=lambda one: one.label,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
            on_change=convert_unit,
            args=(key, field == "sl"),
        )
    widgets.complaints(problems.get(field, ()))


def ask_to_open(draft: Draft, token: str) -> None:
    """Open the position, from the confirm dialog: the same token twice is one part."""
    positions, again_too = session.services().positions, bool(state.get("nt_again"))
    asked = session.ask(lambda: positions.open(draft, token, by=session.OPERATOR, again=again_too))
    if asked is not None:
        words = _("Part **{part}** is asked for: {words}", part=asked.part, words=told(asked.words))
        session.say(words, "active_positions.py", _("Active Positions"))
        modal.close()


def review(account: str, snapshot: AccountSnapshot) -> None:
    """Open the confirm dialog for what is typed at the click itself; where that cannot be opened the form says why."""
    draft = typed_form(account).draft()
    shown = session.ask(lambda: session.services().positions.preview(draft))
    if shown is None or shown.problems or list(recovery_fields.problems("nt")):
        return
    tick = snapshot.instruments[draft.symbol].price_tick
    title = _("Open this position?")
    modal.show("open", title, confirm, draft, tick, session.new_token(), icon=":material/fact_check:")


def confirm(draft: Draft, tick: Decimal, token: str) -> None:
    """Draw the order in full, at the price of this moment."""
    positions = session.services().positions
    shown, twin = positions.preview(draft), positions.twin(draft)
    widgets.summary(order_preview.open_summary(draft, shown, tick))
    st.markdown(ladder.headline(positions.ladder(draft)))
    for words in shown.problems:
        st.error(told(words), icon=":material/block:")
    if twin:
        st.warning(told(twin), icon=":material/content_copy:")
        st.checkbox(_("I want another one"), key="nt_again")
    if session.services().levels.status(draft.account).state == "stopped":
        st.info(_("The bot is stopped: the order goes out once you press Start bot."), icon=":material/stop_circle:")
    widgets.refusals()
    st.button(
        _("Open {side}", side=position_rows.side_words(draft.side).lower()),
        type="primary",
        key="nt_confirm",
        on_click=ask_to_open,
        args=(draft, token),
        disabled=bool(shown.problems) or bool(twin and not state.get("nt_again")),
        width="stretch",
    )


@widgets.live
def beside(draft: Draft, tick: Decimal) -> None:
    """Draw the draft's preview, at the newest price."""
    shown = session.services().positions.preview(draft)
    st.markdown(_("**What it comes to**"))
    if not shown.entry_price:
        st.caption(_("No price is known just now; the figures follow with the next one."))
        return
    widgets.figures(order_preview.open_figures(draft, shown, tick, session.now()), min_width=150)
    for words in filter(None, (order_preview.assumed(draft), *map(told, shown.notes))):
        st.caption(words)


def cap(steps: int) -> None:
    """Set a step limit of its own for this position; the other numbers go on following the settings."""
    state["nt_rec"], state["nt_rec_max_steps"] = recovery.Mode.ON, float(steps)
    st.rerun()


@widgets.live
def climb(draft: Draft, tick: Decimal) -> None:
    """Draw the recovery ladder of the draft, at the newest price."""
    positions = session.services().positions
    found, rule = positions.ladder(draft), draft.recovery.over(positions.everybody()[0])
    st.markdown(_("**Recovery ladder**"))
    if not found.rungs:
        st.caption(_("It follows once the numbers above are right."))
        return
    st.markdown(ladder.headline(found))
    unlimited = ladder.without_end(found, rule)
    if unlimited:
        st.markdown(f":orange[:material/all_inclusive:] {unlimited}")
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            st.caption(_("Set a limit for this position:"), width="content")
            for steps in CAPS:
                words = _("At most {n} steps", n=steps)
                st.button(words, key=f"nt_cap_{steps}", on_click=cap, args=(steps,))
    st.caption(" ".join([*ladder.notes(found, rule), *filter(None, [order_preview.assumed(draft)])]))
    if found.steps:
        words = _("Average, target and stop after each recovery step")
        st.echarts_chart(ladder.chart(found, tick), height=260, key="nt_ladder_chart", alt=words)
        tinted, alt = (_("Fees"), _("If the stop hits")), _("Recovery ladder, step by step")
        widgets.table(ladder.table(found, tick), alt=alt, tinted=tinted, drop_empty=True)


def budget(snapshot: AccountSnapshot) -> None:
    """Draw how many conditional orders the exchange still takes, where it names a number."""
    known = snapshot.conditional
    if known is not None and known.most is not None:
        words = _("{used} of at most {most} conditional orders rest.", used=known.used, most=known.most)
        st.caption(f":material/stacked_bar_chart: {words}")


def everything(account: str) -> None:
    """Draw every part that the database knows of this account."""
    st.subheader(_("All parts"), anchor=False)
    known = session.services().positions.parts(account)
    if known:
        widgets.table(parts.all_parts(known, session.now()), alt=_("All parts of this account"))
    else:
        st.caption(_("No part yet. Each position you open is one, for all of its cycles."))


def triggers(snapshot: AccountSnapshot) -> list[TriggerBy]:
    """Return the prices that may trigger a stop or target at this exchange."""
    return list(profile_of(snapshot.exchange).triggers)


def fields(snapshot: AccountSnapshot, problems: Problems, tick: Decimal) -> None:
    """Draw the form. Plain widgets, so that the figures beside it follow each field."""
    symbols = list(snapshot.instruments)
    with st.container(horizontal=True, gap="medium"):
        widgets.choice(_("Contract"), symbols, "nt_symbol", position_rows.short_symbol, other_contract)
        widgets.choice(_("Side"), list(Side), "nt_side", position_rows.side_words)
    widgets.complaints(problems.get("symbol", ()))
    st.text_input(
        _("Strategy"),
        key="nt_strategy",
        max_chars=40,
        persist_state="session",
        help=_(
            "Any name. Several strategies may hold the same contract and side: each is a part with its own entry, "
            "its own take-profit and stop-loss, and its own result."
        ),
    )
    left, right = st.columns(2)
    with left:
        number(_("Position value, USDT"), "nt_value", problems, "value", step=100.0, format="%.2f")
        if least := order_preview.least_words(snapshot.instruments[state["nt_symbol"]], snapshot):
            st.caption(least)
    with right:
        number(_("Leverage"), "nt_leverage", problems, "leverage", step=1.0, format="%g")
    target(_("Take-profit"), "nt_tp", problems, "tp", tick)
    target(_("Stop-loss"), "nt_sl", problems, "sl", tick)
    widgets.choice(_("Trigger by"), triggers(snapshot), "nt_trigger_by", forms.trigger_words)
    recovery_fields.refused("nt_refused", keep="session")
    with st.container(key="nt_style", gap="small"):
        execution_fields.kind(_("Entry"), "nt_entry", "session", other_entry)
        execution_fields.fields("nt_entry", problems, tick, "session")


def again_too() -> None:
    """Draw recovery and reopening of this position."""
    with st.expander(_("Recovery and reopen"), key="nt_more", icon=":material/autorenew:", type="compact"):
        recovery_fields.fields("nt", session.services().positions.everybody(), keep="session")


def draw(snapshot: AccountSnapshot, account: str) -> None:
    symbols = list(snapshot.instruments)
    recovery_fields.fill("nt", recovery.RecoveryChoice(), recovery.ReopenChoice(), over=False)
    execution_fields.fill("nt_entry", over=False)
    for key, value in {"nt_symbol": symbols[0], **DEFAULTS}.items():
        state.setdefault(key, value)
    if state["nt_symbol"] not in symbols:
        state["nt_symbol"] = symbols[0]
    if state["nt_trigger_by"] not in triggers(snapshot):
        state["nt_trigger_by"] = TriggerBy.MARK
    tick = snapshot.instruments[state["nt_symbol"]].price_tick
    presets(account, symbols)
    draft = typed_form(account).draft()
    shown = session.services().positions.preview(draft)
    state["nt_ground"] = FormContext(draft.side, shown.entry_price, shown.coins, tick)
    problems = forms.problems_by_field(shown.problems)

    form, preview = st.columns([6, 5], gap="medium")
    with form, st.container(border=True):
        fields(snapshot, problems, tick)
        size_helper.helper(draft, shown, snapshot, tick)
        again_too()
        budget(snapshot)
        widgets.complaints(problems.get("", ()))
        wrong = bool(shown.problems) or bool(list(recovery_fields.problems("nt")))
        st.button(
            _("Review"),
            key="nt_review",
            type="primary",
            disabled=wrong,
            on_click=review,
            args=(account, snapshot),
            width="stretch",
        )
    with preview, st.container(border=True):
        beside(draft, tick)
    with st.container(border=True):
        climb(draft, tick)


account = session.account_id()
snapshot = session.services().reports.snapshot(account)
if snapshot is None or not snapshot.instruments:
    widgets.empty(
        _("No prices yet"),
        _("The bot brings prices and contract rules. Press Start bot in the sidebar; the form follows in a moment."),
        icon=":material/candlestick_chart:",
    )
else:
    draw(snapshot, account)
everything(account)
