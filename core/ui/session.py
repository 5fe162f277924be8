"""The state of one browser tab: its services, its account, its click tokens, its next messages.

The only file of the pages that knows the wiring. Each write goes through `ask`: one service call, and a
refusal becomes sentences for the page, never a traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

import streamlit as st

from core.domain.account import Account as Account
from core.domain.account import Environment as Environment
from core.domain.errors import Misconfigured
from core.domain.errors import PerpdeckError as PerpdeckError
from core.i18n import translate
from core.wiring import Services, get_services

OPERATOR = "operator"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flash:
    """A message for the next full run of the page, perhaps with the page to go to."""

    words: str
    page: str = ""
    page_label: str = ""


def services() -> Services:
    """Return all services. Raises Misconfigured or Unavailable with the reason."""
    return get_services()


def begin() -> None:
    """Set the trader's language and time zone for this run. While the database is away the last ones stay."""
    try:
        shown = services().display.shown()
    except PerpdeckError:
        return
    translate.use(shown.language, local_numbers=shown.local_numbers)
    st.session_state["zone"] = shown.time_zone


def account_id() -> str:
    """Return the account chosen in the sidebar."""
    return str(st.session_state["account"])


def now() -> datetime:
    return datetime.now(UTC)


def zone() -> ZoneInfo:
    """Return the trader's time zone: the one chosen in Settings, else that of the browser."""
    return ZoneInfo(st.session_state.get("zone") or st.context.timezone or "UTC")


def new_token() -> str:
    """Return a new click token, which makes two clicks on one button one order."""
    return uuid4().hex


def ask(call: Callable[[], T]) -> T | None:
    """Return the answer of one service call, or None with the reasons kept for `refusal`."""
    why: tuple[str, ...] = ()
    try:
        return call()
    except PerpdeckError as error:
        why = reasons(error)
        return None
    finally:
        st.session_state["refusal"] = why  # after the call: here a newer run may cut this one short


def reasons(error: PerpdeckError) -> tuple[str, ...]:
    """Return what went wrong in the trader's language: each problem of an input, else the one reason."""
    problems = error.problems if isinstance(error, Misconfigured) else (error.reason,)
    return tuple(map(translate.told, problems))


def refused() -> bool:
    """Return whether the last call was refused and the page has not said so yet."""
    return bool(st.session_state.get("refusal"))


def refusal() -> tuple[str, ...]:
    """Return why the last call was refused, once."""
    return tuple(st.session_state.pop("refusal", ()))


def say(words: str, page: str = "", page_label: str = "") -> None:
    """Keep a message for the next full run."""
    st.session_state["flash"] = Flash(words, page, page_label)


def said() -> Flash | None:
    """Return the message kept by `say`, once."""
    flash: Flash | None = st.session_state.pop("flash", None)
    return flash
