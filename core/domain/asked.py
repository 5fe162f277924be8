"""Reasons for who asked for something: a person, a program or a guard, as events record it."""

from __future__ import annotations

from core.domain.reason import Reason

BY, BY_BECAUSE = "asked.by", "asked.by_because"


def asked_by(who: str, why: Reason | str | None = None) -> Reason:
    """Return who asked for something, and why where a reason was given."""
    return Reason(BY_BECAUSE, who=who, why=why) if why else Reason(BY, who=who)
