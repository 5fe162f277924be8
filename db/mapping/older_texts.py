"""Parses reasons out of events that older versions wrote: those kept a sentence and nothing else.

The only place where a sentence of ours is parsed. Whatever is written today has a code, and is never read here.
"""

from __future__ import annotations

import re
from decimal import Decimal

from core.domain.account import Level
from core.domain.asked import asked_by
from core.domain.reason import TEXT, Reason, text
from core.domain.sentences import SENTENCES

_ASKED_BY, _EDIT = "asked by ", "edit "
_NUMBER = r"none|[\d.]+"
_AMENDED = re.compile(rf"amend order (\S+).* TP ({_NUMBER}) to ({_NUMBER}), SL ({_NUMBER}) to ({_NUMBER})")
_ASKED = ("asked", "switch", "setting", "account", "login")  #: rules whose events say who asked for what
_WHOLE = {
    english: code for code, english in SENTENCES.items() if code.startswith(("asked.", "act.")) and "{" not in english
}
_LEVELS = {f"level {level}": level for level in Level}


def older_because(rule: str, words: str) -> Reason:
    """Return who asked for something and why, where an event's text says it; else the text."""
    if rule not in _ASKED or not words.startswith(_ASKED_BY):
        return text(words)
    who, _, why = words.removeprefix(_ASKED_BY).partition(": ")
    return asked_by(who, why)


def older_action(rule: str, words: str) -> Reason:
    """Return what was asked for as it has a code today, where nothing of it is lost; else the text."""
    if rule in _ASKED and words in _LEVELS:
        return Reason("asked.level", level=_LEVELS[words])
    if rule in _ASKED and words in _WHOLE:
        return Reason(_WHOLE[words])
    return text(words)


def older_edit(action: Reason) -> Reason | None:
    """Return what the trader asked of TP and SL in an action of text alone."""
    words = str(action)
    return text(words.removeprefix(_EDIT)) if action.code == TEXT and words.startswith(_EDIT) else None


def older_amendment(action: Reason) -> Reason | None:
    """Return an amendment of TP and SL with its levels, out of an action of text alone."""
    match = _AMENDED.match(str(action)) if action.code == TEXT else None
    if match is None:
        return None
    name, *levels = match.groups()
    tp_was, tp, sl_was, sl = (None if level == "none" else Decimal(level) for level in levels)
    return Reason("action.amend_order", client_order_id=name, quantity=None, tp_was=tp_was, tp=tp, sl_was=sl_was, sl=sl)


def does(action: Reason | None, code: str) -> bool:
    """Return whether an action is of this code, or is of text alone and begins as such an action did."""
    if action is None:
        return False
    older = code.removeprefix("action.").replace("_", " ")
    return action.code == code or (action.code == TEXT and str(action).startswith(older))
