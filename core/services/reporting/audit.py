"""The audit trail: what persons asked for, who and from where, and what became of it. Newest first, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.asked import BY, BY_BECAUSE
from core.domain.reason import Reason, as_reason, text
from db.records import Event
from db.repositories.events import EventRepository


class AuditKind(StrEnum):
    """What an action was about."""

    POSITIONS = "positions"  #: parts, their orders and differences, a sync of the history
    SWITCH = "switch"  #: start, stop, level
    SETTINGS = "settings"
    ACCOUNTS = "accounts"  #: keys and the secret that seals them
    LOGIN = "login"
    PAPER = "paper"  #: the paper exchange moved by hand


RULES: Mapping[AuditKind, str] = {
    AuditKind.POSITIONS: "asked",
    AuditKind.SWITCH: "switch",
    AuditKind.SETTINGS: "setting",
    AuditKind.ACCOUNTS: "account",
    AuditKind.LOGIN: "login",
    AuditKind.PAPER: "paper market",
}
KINDS = {rule: kind for kind, rule in RULES.items()}


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of the audit trail."""

    at: datetime
    kind: AuditKind
    who: str  #: a person, a guard of ours that raised the level, or the address a log-in came from
    what: Reason
    why: Reason | None
    part: str  #: empty where it was about none
    outcome: str


class Audit:
    """Reads the audit trail. Raises Unavailable where the database does not answer."""

    def __init__(self, events: EventRepository) -> None:
        self._events = events

    def acts(self, account: str, kinds: frozenset[AuditKind] = frozenset(AuditKind), limit: int = 200) -> list[Act]:
        """Return actions of these kinds on the account and on what all accounts share."""
        return [act_of(event) for event in self._events.acts(account, (RULES[kind] for kind in kinds), limit)]


def act_of(event: Event) -> Act:
    """Return an event as an entry of the audit trail."""
    kind, part, outcome = KINDS[event.rule], event.part or "", event.outcome or ""
    asked = event.because.values if event.because.code in (BY, BY_BECAUSE) else None
    if asked is None:
        return Act(event.at, kind, "", event.action or event.because, None, part, outcome)
    why = asked.get("why")
    said = as_reason(why) if isinstance(why, Reason | str) else None
    return Act(event.at, kind, str(asked["who"]), event.action or text(""), said, part, outcome)
