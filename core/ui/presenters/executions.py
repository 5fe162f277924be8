"""Executions under way in words: what is filled, what is missing, what comes next and when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from core.domain.intent import ExecutionKind
from core.domain.order import Purpose
from core.domain.snapshot import ExecutionSnapshot, PartSnapshot
from core.i18n.translate import _, told
from core.ui.presenters import execution_styles
from core.ui.presenters.format import price, quantity


def under_way(part: PartSnapshot) -> Iterator[ExecutionSnapshot]:
    """Yield the executions of a part that a trader can watch: an order at market is over before it is read."""
    return (run for run in part.executions if run.kind is not ExecutionKind.MARKET)


def title(run: ExecutionSnapshot) -> str:
    """Return whose execution it is, and in which style."""
    what = {
        Purpose.ENTRY: _("Entry"),
        Purpose.RECOVERY: _("Recovery step"),
        Purpose.CLOSE: _("Close"),
    }[run.purpose]
    return f"{what} · {execution_styles.name(run.kind)}"


def share(run: ExecutionSnapshot) -> float:
    """Return how much of it has filled, from 0 to 1."""
    return min(1.0, float(run.filled / run.planned)) if run.planned else 0.0


def line(run: ExecutionSnapshot, tick: Decimal | None) -> str:
    """Return its progress: 0.35 of 0.99 contracts · average 100,250.1 · 0.64 to go."""
    facts = [
        _("**{filled} of {planned}** contracts", filled=quantity(run.filled), planned=quantity(run.planned)),
        *([_("average {p}", p=price(run.average, tick))] if run.average else []),
        _("{n} to go", n=quantity(run.remaining)),
        *([_("rests at {p}", p=price(run.price, tick))] if run.price else []),
    ]
    return f"**{title(run)}** · " + " · ".join(facts)


def next_words(run: ExecutionSnapshot, now: datetime) -> str:
    """Return what the style says, and how long until it does something by itself."""
    words, due = told(run.step), run.until
    if run.finishing:
        words = _("finishing at market; {words}", words=words)
    if due is None:
        return words
    left = max(0, int((due - now).total_seconds()))
    return _("{words} · next in **{left}**", words=words, left=f"{left // 60}:{left % 60:02}")


def take_back_label(run: ExecutionSnapshot) -> str:
    return _("Take the close back") if run.closes else _("Take back the rest")


def take_back_words(run: ExecutionSnapshot) -> str:
    """Return what taking it back leaves."""
    filled, rest = quantity(run.filled), quantity(run.remaining)
    if run.closes:
        return _(
            "{filled} contracts are closed and stay closed. The part goes on with what is left, with its take-profit "
            "and its stop-loss.",
            filled=filled,
        )
    return _(
        "{rest} contracts are not ordered any more. The {filled} that have filled stay, and stay protected.",
        rest=rest,
        filled=filled,
    )


def finish_words(run: ExecutionSnapshot) -> str:
    """Return what finishing now does."""
    return _("{rest} contracts go at market at once, at whatever the book gives.", rest=quantity(run.remaining))
