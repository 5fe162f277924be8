"""Draws what holds for all alert channels, the dead man's switch, and Telegram commands, in Settings."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.domain.errors import Misconfigured
from core.i18n.translate import _, told
from core.services.settings.alerts import RANGES, AlertSettings, Outside
from core.ui import session
from core.ui.presenters.format import ago

state = st.session_state


def draw() -> None:
    """Draw three forms, each closed until it is wanted."""
    alerts = session.services().alerts
    settings = alerts.settings()
    with st.expander(_("When something is told, and the summary of the day"), icon=":material/schedule:"):
        _times(settings)
    ping, phone = alerts.ping(), alerts.telegram()
    with st.expander(_("Dead man's switch"), icon=":material/heart_check:"):
        _ping(ping, settings)
    with st.expander(_("Commands from Telegram"), icon=":material/smartphone:"):
        _telegram(phone, settings)


def _number(label: str, name: str, settings: AlertSettings) -> None:
    low, high, unit = RANGES[name]
    allowed = _("Allowed: {range}.", range=f"{low} – {high}")
    st.number_input(f"{label}, {told(unit)}", low, high, getattr(settings, name), key=f"alert_{name}", help=allowed)


def _times(settings: AlertSettings) -> None:
    zone = session.services().display.shown().time_zone or "UTC"
    with st.form("alert_times", border=False):
        with st.grid(min_column_width=200, gap="small"):
            _number(_("Without a stop-loss for"), "bare_seconds", settings)
            _number(_("Without an answer for"), "unresolved_seconds", settings)
            st.time_input(
                _("Summary of the day at"),
                settings.summary_at,
                key="alert_summary",
                help=_("In time zone {zone}. Empty: none.", zone=zone),
            )
        st.form_submit_button(_("Save"), key="alert_times_save", on_click=_save_times)


def _save_times() -> None:
    alerts = session.services().alerts
    wanted = replace(
        alerts.settings(),
        bare_seconds=int(state["alert_bare_seconds"]),
        unresolved_seconds=int(state["alert_unresolved_seconds"]),
        summary_at=state["alert_summary"],
    )
    _keep(wanted)


def _keep(wanted: AlertSettings) -> None:
    session.ask(lambda: session.services().alerts.set_settings(wanted, by=session.OPERATOR))
    if not session.refused():
        session.say(_("Saved. It holds from the next alert."))


# --- the dead man's switch


def _ping(ping: Outside, settings: AlertSettings) -> None:
    st.caption(
        _(
            "A request goes to this address while every bot that should run does, gives signs of life and sees its "
            "exchange. A service such as healthchecks.io rings when the requests stay away, also when this machine is "
            "gone."
        )
    )
    _fares(ping)
    with st.form("alert_ping", border=False, enter_to_submit=False):
        left, right = st.columns([2, 1])
        left.text_input(
            _("Address"),
            key="alert_ping_address",
            type="password",
            autocomplete="off",
            placeholder=_kept(ping, "https://…"),
        )
        with right:
            _number(_("Every"), "ping_minutes", settings)
        with st.container(horizontal=True):
            st.form_submit_button(_("Save"), key="alert_ping_save", type="primary", on_click=_save_ping)
            if ping.there:
                st.form_submit_button(_("Send one now"), key="alert_ping_test", on_click=_test_ping)
                st.form_submit_button(_("Switch off"), key="alert_ping_off", on_click=_no_ping)


def _save_ping() -> None:
    alerts, address = session.services().alerts, str(state["alert_ping_address"])
    wanted = replace(alerts.settings(), ping_minutes=int(state["alert_ping_minutes"]))

    def keep() -> None:
        alerts.set_settings(wanted, by=session.OPERATOR)
        if address:
            alerts.set_ping(address, by=session.OPERATOR)

    session.ask(keep)
    if not session.refused():
        state["alert_ping_address"] = ""
        session.say(_("Saved."))


def _test_ping() -> None:
    trouble = session.ask(lambda: session.services().alerts.test_ping())
    if not session.refused():
        session.say(_("Not taken: {why}", why=told(trouble)) if trouble else _("Taken."))


def _no_ping() -> None:
    session.ask(lambda: session.services().alerts.set_ping("", by=session.OPERATOR))
    if not session.refused():
        session.say(_("No more requests are sent."))


# --- commands


def _telegram(phone: Outside, settings: AlertSettings) -> None:
    st.caption(
        _(
            "/status, /positions, /why, /pause, /reduce_only, and /flatten with a code. Nothing can be opened from "
            "there, and a level is taken back on these pages only. Use a bot of its own for it, made with BotFather."
        )
    )
    _fares(phone)
    if phone.strangers:
        st.caption(_("Others who have written to it got no answer: {n}", n=len(phone.strangers)))
    with st.form("alert_telegram", border=False, enter_to_submit=False):
        st.toggle(_("Take commands"), settings.telegram_on, key="alert_telegram_on")
        left, right = st.columns(2)
        left.text_input(
            _("Bot token"),
            key="alert_telegram_token",
            type="password",
            autocomplete="off",
            placeholder=_kept(phone, "123456789:…"),
        )
        right.text_input(
            _("Users and chats that may"),
            " ".join(map(str, settings.telegram_ids)),
            key="alert_telegram_ids",
            help=_("Their numbers, with blanks between them. In a chat on the list everybody may."),
        )
        with st.container(horizontal=True):
            st.form_submit_button(_("Save"), key="alert_telegram_save", type="primary", on_click=_save_telegram)
            if phone.there:
                st.form_submit_button(_("Forget the bot"), key="alert_telegram_off", on_click=_no_telegram)


def _save_telegram() -> None:
    alerts, token = session.services().alerts, str(state["alert_telegram_token"])
    on, typed = bool(state["alert_telegram_on"]), str(state["alert_telegram_ids"])

    def keep() -> None:
        wanted = replace(alerts.settings(), telegram_on=on, telegram_ids=_numbers(typed))
        alerts.set_settings(wanted, by=session.OPERATOR)
        if token:
            alerts.set_telegram(token, by=session.OPERATOR)

    session.ask(keep)
    if not session.refused():
        state["alert_telegram_token"] = ""
        session.say(_("Saved."))


def _numbers(typed: str) -> tuple[int, ...]:
    """Return the numbers in a text. Raises Misconfigured where something among it is no number."""
    try:
        return tuple(int(one) for one in typed.replace(",", " ").split())
    except ValueError:
        raise Misconfigured(_("Users and chats are numbers, such as 123456789 or -1001234567890")) from None


def _no_telegram() -> None:
    alerts = session.services().alerts

    def forget() -> None:
        alerts.set_settings(replace(alerts.settings(), telegram_on=False), by=session.OPERATOR)
        alerts.set_telegram("", by=session.OPERATOR)

    session.ask(forget)
    if not session.refused():
        session.say(_("The bot's token is forgotten."))


# --- both


def _kept(outside: Outside, example: str) -> str:
    return _("kept: ····{hint}", hint=outside.hint) if outside.there else example


def _fares(outside: Outside) -> None:
    """Draw the service's last success or trouble."""
    if not outside.there or outside.at is None:
        return
    when = ago(outside.at, session.now())
    if outside.trouble:
        st.warning(_("{ago}: {why}", ago=when, why=told(outside.trouble)), icon=":material/error:")
    else:
        st.caption(_("It works, as of {ago}.", ago=when))
