"""Draws alert channels in Settings: what each is sent and when, a test of each, and the newest alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import streamlit as st

from core.i18n.translate import _, told
from core.services.settings.alerts import (
    LONGEST_NAME,
    MOST_PER_MINUTE,
    TITLES,
    AlertChannel,
    AlertKind,
    DeliveryState,
    QuietHours,
)
from core.ui import session
from core.ui.components import modal, widgets
from core.ui.components.settings import alert_options
from core.ui.presenters.format import NOTHING, ago
from core.ui.presenters.records import clock

state = st.session_state
NEWEST = 50


def card() -> None:
    """Draw everything about alerts, the most used first."""
    st.caption(
        _(
            "What happens is told here, and wherever you want to hear it: Telegram, Discord, e-mail and some hundred "
            "other services. Addresses are encrypted and are never shown again."
        )
    )
    channels = session.services().alerts.channels()
    for channel in channels:
        _channel(channel)
    if not channels:
        st.info(_("No channel yet: alarms are seen on these pages only."), icon=":material/notifications_off:")
    _add()
    alert_options.draw()
    st.subheader(_("The newest alerts"), anchor=False)
    _newest(channels)


# --- channels


def _channel(channel: AlertChannel) -> None:
    now = session.now()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            off = "" if channel.on else f" :gray-badge[{_('off')}]"
            st.markdown(
                f"**{channel.name}** :gray-badge[{channel.service} ····{channel.hint}]{off}  \n"
                f":small[:gray[{_sent_words(channel)}]]",
                width="content",
            )
            with st.container(horizontal=True, width="content"):
                st.button(
                    _("Send a test"),
                    key=f"alert_test_{channel.id}",
                    icon=":material/send:",
                    on_click=_test,
                    args=(channel.id,),
                )
                st.button(
                    _("Remove"),
                    key=f"alert_remove_{channel.id}",
                    icon=":material/delete:",
                    type="tertiary",
                    on_click=_ask_to_remove,
                    args=(channel.id, channel.name),
                )
        _tested(channel.id)
        if channel.failure:
            when = ago(channel.failed_at, now)
            st.warning(
                _("The last message was not taken, {ago}: {why}", ago=when, why=told(channel.failure)),
                icon=":material/error:",
            )
        with st.expander(_("What it hears, and when"), icon=":material/tune:", type="compact"):
            _choices(channel)


def _sent_words(channel: AlertChannel) -> str:
    if channel.sent_at is None:
        return _("nothing was sent yet")
    return _("last delivered {ago}", ago=ago(channel.sent_at, session.now()))


def _choices(channel: AlertChannel) -> None:
    zone = session.services().display.shown().time_zone or "UTC"
    with st.form(f"alert_form_{channel.id}", border=False, enter_to_submit=False):
        left, right = st.columns(2, vertical_alignment="bottom")
        left.text_input(_("Name"), channel.name, key=_key(channel, "name"), max_chars=LONGEST_NAME)
        right.toggle(_("On"), channel.on, key=_key(channel, "on"))
        st.pills(
            _("Tell of"),
            list(AlertKind),
            default=[kind for kind in AlertKind if kind in channel.kinds],
            key=_key(channel, "kinds"),
            selection_mode="multi",
            format_func=lambda kind: told(TITLES[kind]),
        )
        left, middle, right = st.columns(3)
        quiet = channel.quiet
        words = _(
            "In time zone {zone}. What is held without a stop, liquidations and a dead bot are told all the same.",
            zone=zone,
        )
        left.time_input(
            _("Quiet from"),
            quiet.start if quiet else None,
            key=_key(channel, "from"),
            help=words,
        )
        middle.time_input(_("until"), quiet.end if quiet else None, key=_key(channel, "until"))
        right.number_input(
            _("Messages in a minute"),
            1,
            MOST_PER_MINUTE,
            channel.per_minute,
            key=_key(channel, "rate"),
            help=_("What is more comes in one message."),
        )
        st.form_submit_button(_("Save"), key=f"alert_save_{channel.id}", on_click=_save, args=(channel,))


def _key(channel: AlertChannel, field: str) -> str:
    return f"alert_{field}_{channel.id}"


def _save(channel: AlertChannel) -> None:
    start, end = state[_key(channel, "from")], state[_key(channel, "until")]
    wanted = replace(
        channel,
        name=str(state[_key(channel, "name")]),
        on=bool(state[_key(channel, "on")]),
        kinds=frozenset(AlertKind(kind) for kind in state[_key(channel, "kinds")] or ()),
        quiet=_quiet(start, end),
        per_minute=int(state[_key(channel, "rate")]),
    )
    session.ask(lambda: session.services().alerts.change(wanted, by=session.OPERATOR))
    if not session.refused():
        session.say(_("Saved. It holds from the next alert."))


def _quiet(start: time | None, end: time | None) -> QuietHours | None:
    """Return the quiet hours, or None where both fields are empty; one alone gives an empty span, which is refused in
    words.
    """
    if start is None and end is None:
        return None
    return QuietHours(start or end or time(), end or start or time())


def _test(channel: str) -> None:
    state["alert_tested"] = (channel, session.ask(lambda: session.services().alerts.test(channel)))


def _tested(channel: str) -> None:
    """Draw the result of the test that was just asked for."""
    which, trouble = state.get("alert_tested") or ("", None)
    if which != channel or trouble is None:
        return
    state.pop("alert_tested")
    if not trouble:
        st.success(_("Taken by the service. Look whether it has arrived."), icon=":material/check_circle:")


def _ask_to_remove(channel: str, name: str) -> None:
    modal.show(f"channel_{channel}", _("Remove this channel?"), _confirm, channel, name, icon=":material/delete:")


def _confirm(channel: str, name: str) -> None:
    st.write(_("Nothing more is sent to **{name}**, and its address is forgotten.", name=name))
    widgets.refusals()
    st.button(
        _("Remove channel"),
        key="alert_remove_confirm",
        type="primary",
        on_click=_remove,
        args=(channel,),
        width="stretch",
    )


def _remove(channel: str) -> None:
    session.ask(lambda: session.services().alerts.remove(channel, by=session.OPERATOR))
    if not session.refused():
        session.say(_("The channel is removed."))
        modal.close()


def _add() -> None:
    with st.form("alert_add_form", border=True, enter_to_submit=False):
        st.markdown(f"**{_('Add a channel')}**")
        left, right = st.columns([1, 2])
        left.text_input(_("Name"), key="alert_new_name", max_chars=LONGEST_NAME, placeholder="Telegram")
        right.text_input(
            _("Address"),
            key="alert_new_address",
            type="password",
            autocomplete="off",
            placeholder="tgram://…  discord://…  mailto://…  json://…",
            help=_(
                "As apprise writes it: tgram://bot-token/chat-id, discord://webhook-id/webhook-token, "
                "mailto://user:password@gmail.com, json://host:port/path."
            ),
        )
        st.form_submit_button(_("Add channel"), key="alert_add", type="primary", on_click=_added)


def _added() -> None:
    name, address = str(state["alert_new_name"]), str(state["alert_new_address"])
    made = session.ask(lambda: session.services().alerts.add(name, address, by=session.OPERATOR))
    if made is not None:
        state["alert_new_name"] = state["alert_new_address"] = ""
        session.say(_("Channel {name} is added. Send a test.", name=made.name))


# --- the list


def _newest(channels: list[AlertChannel]) -> None:
    found = session.services().alerts.told(NEWEST)
    names = {channel.id: channel.name for channel in channels}
    if not found:
        st.caption(_("Nothing has been told yet."))
        return
    states = {
        DeliveryState.WAITING: _("waits"),
        DeliveryState.SENDING: _("is being sent"),
        DeliveryState.SENT: _("sent"),
        DeliveryState.GIVEN_UP: _("given up"),
    }
    zone = session.zone()
    rows = [
        {
            _("Time"): clock(one.alert.at, zone),
            _("Alert"): told(TITLES[one.alert.kind]),
            _("Account"): one.alert.account or NOTHING,
            _("In words"): told(one.alert.words),
            _("Where to"): ", ".join(
                f"{names.get(channel, channel)}: {states[how]}" for channel, how in sorted(one.deliveries.items())
            )
            or NOTHING,
        }
        for one in found
    ]
    widgets.table(rows, alt=_("The newest alerts"), drop_empty=True)
