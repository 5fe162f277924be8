"""Confirmation codes: six digits to send back before a grave command is carried out, for one person, once, for one
minute.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.reason import Reason

VALID_FOR = timedelta(seconds=60)
TRIES = 3


@dataclass(frozen=True, slots=True)
class Given:
    """A code that was sent, and what it confirms."""

    code: str
    accounts: tuple[str, ...]
    until: datetime
    tries: int = TRIES


class Codes:
    """Keeps codes in memory alone: a restart forgets them all, and a new one is asked for."""

    def __init__(self) -> None:
        self._given: dict[tuple[int, int], Given] = {}

    def give(self, who: tuple[int, int], accounts: Sequence[str], now: datetime) -> str:
        """Make a code for these accounts; an earlier one of the same person in the same chat expires."""
        code = f"{secrets.randbelow(10**6):06}"
        self._given[who] = Given(code, tuple(accounts), now + VALID_FOR)
        return code

    def take(self, who: tuple[int, int], code: str, now: datetime) -> tuple[tuple[str, ...], Reason | None]:
        """Return the accounts that a code confirms, or none and why it is not accepted. A code is accepted once."""
        given = self._given.pop(who, None)
        if given is None:
            return (), Reason("telegram.no_code")
        if now > given.until:
            return (), Reason("telegram.code_ran_out")
        if hmac.compare_digest(given.code, code):
            return given.accounts, None
        if given.tries > 1:
            self._given[who] = replace(given, tries=given.tries - 1)
            return (), Reason("telegram.wrong_code")
        return (), Reason("telegram.wrong_code_last")
