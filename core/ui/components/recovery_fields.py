"""Draws the fields of recovery and reopening for one part, the same in New Trade and for a part that runs.

Each group is one switch (as in Settings, on, off); numbers of its own appear with "on", and an empty one follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import streamlit as st

from core.domain.intent import ExitReason, Recovery, RecoveryChoice, ReopenChoice, ReopenRule, WhenRefused
from core.domain.reason import Reason
from core.i18n.translate import _
from core.services.trading.choices import choice_problems
from core.ui import session
from core.ui.components import execution_fields, widgets
from core.ui.components.settings import preferences
from core.ui.presenters import execution_styles
from core.ui.presenters import recovery as recovery_rows
from core.ui.presenters.recovery import Mode

state = st.session_state
Kept = Literal["session"] | None
FOLLOW = "follow"  #: the settings


def fill(key: str, recovery: RecoveryChoice, reopen: ReopenChoice, *, over: bool = True) -> None:
    """Put choices into the fields; with `over` False only into those that have none yet."""
    values: dict[str, Any] = {f"{key}_rec": Mode.of(recovery), f"{key}_reo": Mode.of(reopen)}
    values |= {
        f"{key}_rec_{name}": recovery_rows.shown(getattr(recovery, name)) for name in recovery_rows.RECOVERY_FIELDS
    }
    values |= {f"{key}_reo_{name}": recovery_rows.shown(getattr(reopen, name)) for name in recovery_rows.REOPEN_FIELDS}
    values[f"{key}_reo_after"] = sorted(reopen.after or ())
    execution_fields.fill(f"{key}_rec_style", recovery.style, over=over)
    for name, value in values.items():
        if over or name not in state:
            state[name] = value


def chosen(key: str) -> tuple[RecoveryChoice, ReopenChoice]:
    """Return the choices in the fields."""
    recovery = {name: state.get(f"{key}_rec_{name}") for name in recovery_rows.RECOVERY_FIELDS}
    reopen = {name: state.get(f"{key}_reo_{name}") for name in recovery_rows.REOPEN_FIELDS}
    after = [ExitReason(one) for one in state.get(f"{key}_reo_after") or ()]
    worked = execution_fields.chosen(f"{key}_rec_style", priced=False)
    return (
        recovery_rows.recovery_choice(state[f"{key}_rec"], recovery, worked),
        recovery_rows.reopen_choice(state[f"{key}_reo"], reopen, after),
    )


def problems(key: str) -> Iterator[Reason]:
    """Yield what is wrong with the fields, each with its range."""
    return choice_problems(*chosen(key))


def fields(key: str, everybody: tuple[Recovery | None, ReopenRule | None], keep: Kept = None) -> None:
    """Draw both groups, with what is wrong below."""
    recovery, reopen = everybody
    with st.container(gap="small"):
        if _mode(_("Recovery"), f"{key}_rec", keep) is Mode.ON:
            _numbers(f"{key}_rec", recovery_rows.RECOVERY_FIELDS, recovery or Recovery(), keep)
            execution_fields.kind(_("How a step is worked"), f"{key}_rec_style", keep)
            execution_fields.fields(f"{key}_rec_style", {}, keep=keep, priced=False)
        else:
            _follows(state[f"{key}_rec"], recovery_rows.recovery_words(recovery), recovery_rows.recovery_words(None))
    with st.container(gap="small"):
        if _mode(_("Reopen"), f"{key}_reo", keep) is Mode.ON:
            _numbers(f"{key}_reo", recovery_rows.REOPEN_FIELDS, reopen or ReopenRule(), keep)
            st.multiselect(
                _("Opens again after"),
                list(recovery_rows.REASONS),
                key=f"{key}_reo_after",
                format_func=recovery_rows.reason_words,
                placeholder=", ".join(
                    recovery_rows.reason_words(one) for one in sorted((reopen or ReopenRule()).after)
                ),
                persist_state=keep,
            )
        else:
            _follows(state[f"{key}_reo"], recovery_rows.reopen_words(reopen), recovery_rows.reopen_words(None))
    widgets.complaints(map(execution_styles.as_typed, problems(key)))


def refused(key: str, keep: Kept = None, on_change: Callable[[], None] | None = None) -> None:
    """Draw the choice of what is done where the exchange refuses the part's stop-loss."""
    st.selectbox(
        _("Where the exchange refuses a stop-loss"),
        [FOLLOW, *map(str, WhenRefused)],
        key=key,
        format_func=_refused_words,
        persist_state=keep,
        on_change=on_change or "rerun",
    )


def refused_choice(key: str) -> WhenRefused | None:
    """Return what that field says; None follows the settings."""
    chosen = state.get(key, FOLLOW)
    return None if chosen == FOLLOW else WhenRefused(chosen)


def _refused_words(choice: str) -> str:
    if choice != FOLLOW:
        return preferences.choice_words(choice)
    everybody = preferences.choice_words(str(session.services().preferences.now().when_refused))
    return _("As in Settings: {words}", words=everybody[:1].lower() + everybody[1:])


def _mode(label: str, key: str, keep: Kept) -> Mode:
    st.segmented_control(
        label, list(Mode), key=key, format_func=lambda mode: mode.label, required=True, persist_state=keep
    )
    return Mode(state[key])


def _numbers(key: str, names: Any, rule: Recovery | ReopenRule, keep: Kept) -> None:
    with st.grid(min_column_width=130, gap=("small", "small")):
        for name, label in names.items():
            st.number_input(
                label(),
                value=None,
                key=f"{key}_{name}",
                step=1.0,
                format="%g",
                placeholder=recovery_rows.placeholder(rule, name),
                persist_state=keep,
            )


def _follows(mode: Mode, everybody: str, off: str) -> None:
    st.caption(everybody if mode is Mode.FOLLOW else off)
