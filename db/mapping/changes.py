"""Describes what the trader changed about a part as a reason for the event: each change a reason of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from core.domain.intent import Closing, ExecutionStyle, Instruction, RecoveryChoice, ReopenChoice, Target, TargetEdit
from core.domain.reason import Reason, Value, nested
from db.mapping.older_texts import older_edit

CHANGE, EDIT = "asked.change", "change.edit"


def changes_reason(changes: Mapping[str, Any]) -> Reason:
    """Return what was changed, by the names that `PartRepository.change` takes."""
    made = [Reason(f"change.{name}", value=_said(value)) for name, value in changes.items()]
    return Reason(CHANGE, changes=tuple(made))


def edit_of(action: Reason) -> Reason | None:
    """Return what the trader asked of TP and SL; None where this was another change."""
    if action.code == CHANGE:
        edits = [one for one in nested(action.values["changes"]) if one.code == EDIT]
        given_up = (Reason("word.none"),)  # the levels of the part's own targets hold again
        return (nested(edits[0].values["value"]) or given_up)[0] if edits else None
    return older_edit(action)


def _said(value: Any) -> Value | StrEnum:
    match value:
        case Target(pnl_usdt=amount) if amount is not None:
            return Reason("target.usdt", amount=amount)
        case Target(percent=amount) if amount is not None:
            return Reason("target.percent", amount=amount)
        case Target(price=price):
            return Reason("target.price", price=price)
        case TargetEdit():
            return Reason("target.pair", tp=_said(value.take_profit), sl=_said(value.stop_loss))
        case Instruction():
            return Reason("told.finish" if value.finish else "told.take_back", run=value.run)
        case Closing():
            return Reason("closing.by", kind=value.style.kind)
        case ExecutionStyle():
            return _said(value.kind)
        case RecoveryChoice() | ReopenChoice():
            own = [(field.name, getattr(value, field.name)) for field in fields(value)]
            chosen = [Reason("own_choice.field", name=name, value=_said(one)) for name, one in own if one is not None]
            return tuple(chosen) or Reason("own_choice.none")
        case frozenset():
            return tuple(_said(one) for one in sorted(value))
        case _:
            return value  # type: ignore[no-any-return]
