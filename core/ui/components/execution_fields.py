"""Draws the fields of an execution style, the same for an entry, for recovery steps and for a close.

Under `key` lies the kind that was chosen, under `key_price`, `key_timeout` and so on what was typed; only the fields
that the kind has are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import streamlit as st

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.reason import Reason
from core.i18n.translate import _
from core.ui.components import widgets
from core.ui.presenters import execution_styles, forms

state = st.session_state
Kept = Literal["session"] | None
Problems = Mapping[str, Sequence[Reason]]


def fill(key: str, wanted: ExecutionStyle | None = None, *, over: bool = True) -> None:
    """Put a style into the fields; with `over` False only into those that have none yet."""
    values = execution_styles.shown(wanted or ExecutionStyle())
    named = {f"{key}_{name}": value for name, value in values.items()}
    for name, value in {key: wanted.kind if wanted else ExecutionKind.MARKET, **named}.items():
        if over or name not in state:
            state[name] = value


def begin(key: str, now: Decimal | None) -> None:
    """Set the fields of a newly chosen kind: a limit starts from the present price, an iceberg at our own side of the
    book.
    """
    if state[key] is ExecutionKind.LIMIT and state[f"{key}_price"] is None:
        state[f"{key}_price"] = float(now or 0) or None
    elif state[key] is ExecutionKind.ICEBERG:
        state[f"{key}_price"] = None


def chosen(key: str, *, priced: bool = True, ends: bool = True) -> ExecutionStyle:
    """Return the style in the fields.

    Not `priced`: the price of the moment is meant wherever it rests. Not `ends`: what is left over goes at market in
    any case, and slices catch up.
    """
    kind, given = ExecutionKind(state[key]), {name: state.get(f"{key}_{name}") for name in execution_styles.DEFAULTS}
    if not priced:
        given["price"] = None
    if not ends:
        given["at_end"] = AtEnd.MARKET if kind is ExecutionKind.TWAP else AtEnd.STOP
    return execution_styles.style(kind, given)


def kind(label: str, key: str, keep: Kept = None, on_change: Callable[[], None] | None = None) -> None:
    """Draw the styles side by side."""
    st.segmented_control(
        label,
        list(ExecutionKind),
        key=key,
        format_func=execution_styles.name,
        required=True,
        persist_state=keep,
        on_change=on_change or "rerun",
    )


def fields(
    key: str,
    problems: Problems,
    tick: Decimal | None = None,
    keep: Kept = None,
    *,
    priced: bool = True,
    ends: bool = True,
) -> None:
    """Draw the numbers of the chosen kind with what is wrong below each; a market order has none.

    Not `ends`: what is missing at the end is not a question, since it goes at market.
    """
    chosen_kind = ExecutionKind(state[key])
    if chosen_kind is ExecutionKind.MARKET:
        return
    st.caption(execution_styles.meaning(chosen_kind))
    with st.grid(min_column_width=150, gap=("small", "small")):
        for name in execution_styles.FIELDS[chosen_kind]:
            if (name == "price" and not priced) or (name == "follow" and state.get(f"{key}_reprice") is None):
                continue
            with st.container(gap="xsmall"):
                _number(f"{key}_{name}", name, tick, keep)
                widgets.complaints(map(execution_styles.as_typed, problems.get(name, ())))
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if ends:
            st.segmented_control(
                _("What is missing then"),
                list(AtEnd),
                key=f"{key}_at_end",
                format_func=execution_styles.end_words,
                required=True,
                persist_state=keep,
            )
        if chosen_kind is ExecutionKind.TWAP:
            help_words = _("Each slice rests at our own side of the book until the next is due, and may not fill.")
            st.toggle(_("Slices as limit orders"), key=f"{key}_passive", persist_state=keep, help=help_words)
    if not ends:
        st.caption(_("What it leaves over is closed at market; stop and target rest until it is flat."))


def _number(key: str, name: str, tick: Decimal | None, keep: Kept) -> None:
    field, level = execution_styles.NUMBERS[name], name == "price" and tick is not None
    st.number_input(
        field.label(),
        value=None,
        key=key,
        step=float(tick) if level and tick is not None else field.step,
        format=forms.number_format(forms.SizeUnit.PRICE, tick) if level else "%g",
        placeholder=field.nothing(),
        persist_state=keep,
    )
