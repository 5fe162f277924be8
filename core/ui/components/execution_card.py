"""Draws an execution under way on a part's card, with its buttons to finish it or take it back."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.domain.snapshot import ExecutionSnapshot, PartSnapshot
from core.i18n.translate import _
from core.ui import session
from core.ui.components import modal, part_dialogs, widgets
from core.ui.presenters import execution_reports, executions
from core.ui.presenters import positions as position_rows


def progress(part: PartSnapshot, tick: Decimal | None) -> None:
    """Draw each execution of the part: a bar with its numbers, what comes next, and its two buttons."""
    for run in executions.under_way(part):
        with st.container(key=f"run_{part.name}_{run.run}", gap="xsmall"):
            st.progress(executions.share(run), text=executions.line(run, tick))
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.caption(executions.next_words(run, session.now()), width="stretch")
                with st.container(horizontal=True, width="content", gap="xsmall"):
                    _buttons(part.name, run)


def report(part: PartSnapshot) -> None:
    """Draw the reports of this cycle's executions so far, read while it is open."""
    if not any(executions.under_way(part)):
        return
    shown = st.expander(
        _("Execution report"),
        key=f"report_{part.name}",
        icon=":material/query_stats:",
        type="compact",
        on_change="rerun",
    )
    if shown.open:
        with shown:
            found = session.services().executions.of(part.name, part.cycle)
            told = execution_reports.records(found, session.zone(), brief=True)
            widgets.table(told, alt=_("Executions of the cycle"), money=[_("Fees")], drop_empty=True)
            st.caption(execution_reports.meaning())


def _buttons(part: str, run: ExecutionSnapshot) -> None:
    name = f"{part}_{run.run}"
    back, finish = executions.take_back_label(run), _("Finish now at market")
    st.button(
        back,
        key=f"back_{name}",
        icon=":material/undo:",
        disabled=run.withdrawn,
        on_click=_ask,
        args=(part, run, False),
    )
    st.button(
        finish,
        key=f"finish_{name}",
        icon=":material/bolt:",
        disabled=run.finishing or run.withdrawn,
        on_click=_ask,
        args=(part, run, True),
    )


def _ask(part: str, run: ExecutionSnapshot, finish: bool) -> None:
    """Open the confirmation, at the click itself."""
    name = f"{'finish' if finish else 'back'}_{part}_{run.run}"
    label, icon = (_("Finish now at market"), "bolt") if finish else (executions.take_back_label(run), "undo")
    modal.show(name, f"{label}?", _confirm, part, run, finish, session.new_token(), icon=f":material/{icon}:")


def _confirm(part: str, asked_of: ExecutionSnapshot, finish: bool, token: str) -> None:
    """Draw the numbers of this moment and the confirming button."""
    found = part_dialogs.part_now(part)
    known = {run.run: run for run in executions.under_way(found[0])} if found else {}
    run = known.get(asked_of.run)
    if found is None or run is None:
        st.info(_("This execution is over; there is nothing left to tell it."))
        return
    row, snapshot = found
    st.markdown(position_rows.part_title(row))
    st.markdown(executions.line(run, snapshot.tick_of(row.symbol)))
    st.write(executions.finish_words(run) if finish else executions.take_back_words(run))
    widgets.refusals()
    st.button(
        _("Finish now at market") if finish else executions.take_back_label(run),
        key="run_confirm",
        type="primary",
        on_click=_tell,
        args=(part, run.run, finish, token),
        width="stretch",
    )


def _tell(part: str, run: str, finish: bool, token: str) -> None:
    positions = session.services().positions
    part_dialogs.ask(lambda: positions.tell(part, run, token, by=session.OPERATOR, finish=finish))
