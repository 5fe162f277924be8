"""Executions under way in words: what is filled, what is missing, what comes next and when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.i18n.translate import _, told
from core.ui.presenters import execution_styles
from core.ui.presenters.format import price, quantity, time_of

Json = Mapping[str, Any]


def under_way(row: Json) -> Iterator[Json]:
    """The executions of a part that a trader can watch: an order at market is over before it is read."""
    return (run for run in row.get("runs", ()) if run["kind"] != execution_styles.MARKET)


def closes(run: Json) -> bool:
    return bool(run["purpose"] == "close")


def title(run: Json) -> str:
    """Whose execution it is, and in which style."""
    what = {"entry": _("Entry"), "recovery": _("Recovery step"), "close": _("Close")}.get(run["purpose"], "")
    return f"{what} · {execution_styles.name(run['kind'])}"


def share(run: Json) -> float:
    """How much of it has filled, from 0 to 1."""
    planned = Decimal(run["planned"])
    return min(1.0, float(Decimal(run["filled"]) / planned)) if planned else 0.0


def line(run: Json, tick: str | None) -> str:
    """0.35 of 0.99 contracts · average 100,250.1 · 0.64 to go."""
    facts = [
        _("**{filled} of {planned}** contracts", filled=quantity(run["filled"]), planned=quantity(run["planned"])),
        *([_("average {p}", p=price(run["average"], tick))] if run["average"] else []),
        _("{n} to go", n=quantity(run["remaining"])),
        *([_("rests at {p}", p=price(run["price"], tick))] if run.get("price") else []),
    ]
    return f"**{title(run)}** · " + " · ".join(facts)


def next_words(run: Json, now: datetime) -> str:
    """What the style says, and how long until it does something by itself."""
    words, due = told(run["step"]), time_of(run["until"])
    if run.get("told") == "finish":
        words = _("finishing at market; {words}", words=words)
    if due is None:
        return words
    left = max(0, int((due - now).total_seconds()))
    return _("{words} · next in **{left}**", words=words, left=f"{left // 60}:{left % 60:02}")


def take_back_label(run: Json) -> str:
    return _("Take the close back") if closes(run) else _("Take back the rest")


def take_back_words(run: Json) -> str:
    """What taking it back leaves."""
    filled, rest = quantity(run["filled"]), quantity(run["remaining"])
    if closes(run):
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


def finish_words(run: Json) -> str:
    """What finishing now does."""
    return _("{rest} contracts go at market at once, at whatever the book gives.", rest=quantity(run["remaining"]))
