"""Draws the safety level: its name, what it would do in numbers, who set it, and the banner on each page.

Setting it is one click on its button and one in the dialog, which shows the numbers first.
"""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.domain.account import Level
from core.i18n.translate import _, counted, told
from core.services.safety.level_preview import GuardFigure, LevelPreview
from core.services.safety.levels import BotStatus
from core.ui import session
from core.ui.components import modal, widgets
from core.ui.presenters import positions
from core.ui.presenters.format import Figure, ago, pnl, quantity, signed

state = st.session_state
ICONS = {
    Level.RUN: ":material/play_circle:",
    Level.NO_NEW_ENTRIES: ":material/pause_circle:",
    Level.NO_ADDED_RISK: ":material/pan_tool:",
    Level.REDUCE_ONLY: ":material/trending_down:",
    Level.FLATTEN: ":material/emergency:",
}
GUARD = "guard"  #: who it is where the level was raised by itself


def name(level: Level) -> str:
    """Return the level as a button names it."""
    return {
        Level.RUN: _("Run"),
        Level.NO_NEW_ENTRIES: _("Pause entries"),
        Level.NO_ADDED_RISK: _("Also pause recovery and reopen"),
        Level.REDUCE_ONLY: _("Reduce only"),
        Level.FLATTEN: _("Flatten"),
    }[level]


def meaning(level: Level) -> str:
    """Return what the level allows, in one sentence."""
    return {
        Level.RUN: _("Everything is allowed."),
        Level.NO_NEW_ENTRIES: _("Nothing new is opened; recovery and reopen go on."),
        Level.NO_ADDED_RISK: _("Nothing is opened, recovered or reopened; what rests stays."),
        Level.REDUCE_ONLY: _("Nothing that adds risk is sent, and resting entries are withdrawn."),
        Level.FLATTEN: _("Resting entries are withdrawn and all our parts are closed at market."),
    }[level]


def preview_lines(preview: LevelPreview) -> list[str]:
    """Return what the level would do, one sentence each."""
    level, lines = preview.level, [meaning(preview.level)]
    if level is not Level.RUN and preview.entering:
        lines.append(
            counted("{n} part that was asked for waits.", "{n} parts that were asked for wait.", preview.entering)
        )
    if not level.may_add and preview.recovering:
        lines.append(
            counted("{n} held part is not recovered.", "{n} held parts are not recovered.", preview.recovering)
        )
    if not level.may_add and preview.reopening:
        lines.append(
            counted(
                "{n} ended part that is due to open again waits.",
                "{n} ended parts that are due to open again wait.",
                preview.reopening,
            )
        )
    if preview.entries:
        lines.append(counted("{n} resting entry is withdrawn.", "{n} resting entries are withdrawn.", preview.entries))
    if level is Level.FLATTEN:
        lines.append(
            counted("{n} part is closed at market.", "{n} parts are closed at market.", len(preview.closing))
            if preview.closing
            else _("Nothing of ours is held.")
        )
        if preview.unclosed:
            lines.append(_("What is not ours stays: it is on {n} positions.", n=preview.unclosed))
    elif preview.held:
        lines.append(
            counted(
                "{n} held part keeps its stop and target.", "{n} held parts keep their stops and targets.", preview.held
            )
        )
    if not preview.bot_runs and level is not Level.RUN:
        lines.append(_("The bot is stopped: nothing is withdrawn or closed until it is started."))
    return lines


def closing_rows(preview: LevelPreview) -> list[positions.Row]:
    """Return what flatten would close, at the newest mark price."""
    return [
        {
            _("Part"): one.part,
            _("Contract"): one.symbol,
            _("Side"): positions.side_words(one.side),
            _("Contracts"): quantity(one.contracts),
            _("PnL, USDT"): signed(one.pnl),
            _("Fee, USDT"): signed(one.fee),
        }
        for one in preview.closing
    ]


def guard_rows(shown: tuple[GuardFigure, ...]) -> list[positions.Row]:
    """Return what may raise the level automatically, beside its present value."""
    names = {
        "max_daily_loss": _("Loss of one day"),
        "max_drawdown": _("Fall from the peak"),
        "max_stop_losses": _("Stop-losses within a time"),
        "stale_guard_seconds": _("Nothing seen for"),
        "exchange_guard_seconds": _("Turned away by the exchange for"),
    }
    return [
        {
            _("Guard"): names[one.key],
            _("Now"): _amount(one.now, one.unit) if one.now is not None else _("not known yet"),
            _("Limit"): _amount(one.limit, one.unit) if one.limit is not None else _("off"),
            _("Set off"): _("yes") if one.set_off else "",
        }
        for one in shown
    ]


def _amount(number: object, unit: str) -> str:
    return f"{quantity(round(number, 2))} {unit}".strip()  # type: ignore[call-overload]


def who(status: BotStatus, now: datetime) -> str:
    """Return who set it, when and why; empty where nobody ever did."""
    if status.level_at is None:
        return ""
    by = _("by itself") if status.level_by == GUARD else _("by {who}", who=status.level_by)
    why = f": {told(status.level_why)}" if status.level_why else ""
    return f"{by}, {ago(status.level_at, now)}{why}"


def banner(status: BotStatus) -> None:
    """Draw the warning on each page while less than everything is allowed."""
    if status.level is not Level.RUN:
        st.warning(
            f"{meaning(status.level)}  \n:small[{who(status, session.now())}]",
            title=_("Level: {level}", level=name(status.level)),
            icon=ICONS[status.level],
        )


def chooser(account: str, status: BotStatus) -> None:
    """Draw the five levels as buttons; the present one is marked."""
    with st.container(horizontal=True, gap="xsmall"):
        for level in Level:
            present = level is status.level
            st.button(
                name(level),
                key=f"level_{level}",
                icon=ICONS[level],
                type="primary" if present else "secondary",
                disabled=present,
                help=meaning(level),
                on_click=_ask_first,
                args=(account, level),
            )


def _ask_first(account: str, level: Level) -> None:
    modal.show(f"level_{level}", _("Set the level?"), _confirm, account, level, icon=ICONS[level])


def _confirm(account: str, level: Level) -> None:
    preview = session.services().levels.preview(account, level)
    st.markdown("\n".join(f"- {line}" for line in preview_lines(preview)))
    if preview.closing:
        net = preview.pnl + preview.fees
        widgets.figures(
            [
                Figure(_("PnL, USDT"), pnl(preview.pnl)),
                Figure(_("Fees, USDT"), signed(preview.fees)),
                Figure(_("Together, USDT"), pnl(net)),
            ]
        )
        widgets.table(closing_rows(preview), alt=_("What would be closed"), tinted=[_("PnL, USDT")])
        st.caption(_("Estimated at the newest mark price and the taker fee; the market decides."))
    st.text_input(_("Why"), key="level_why", placeholder=_("Shown in the banner and kept in the events"))
    widgets.refusals()
    st.button(name(level), type="primary", key="level_confirm", on_click=_set, args=(account, level), width="stretch")


def _set(account: str, level: Level) -> None:
    why = str(state.get("level_why", ""))
    session.ask(lambda: session.services().levels.set_level(account, level, by=session.OPERATOR, why=why))
    if not session.refused():
        session.say(_("The level is set. It stays over restarts."))
        modal.close()
