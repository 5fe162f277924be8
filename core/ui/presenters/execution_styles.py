"""Execution styles as form fields and as sentences.

Pure. Shares are typed in percent and spans in minutes or seconds; an empty number is left out of the style.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.money import Price
from core.domain.reason import Reason
from core.i18n.translate import _
from core.ui.presenters.format import price, quantity
from core.ui.presenters.forms import typed

MARKET, LIMIT, TWAP, ICEBERG = ExecutionKind.MARKET, ExecutionKind.LIMIT, ExecutionKind.TWAP, ExecutionKind.ICEBERG
MINUTES, SECONDS = timedelta(minutes=1), timedelta(seconds=1)
SHARES = frozenset({"follow", "randomness", "visible"})  #: typed in percent
SPANS: Mapping[str, timedelta] = {"timeout": MINUTES, "duration": MINUTES, "reprice": SECONDS, "refresh": SECONDS}


@dataclass(frozen=True, slots=True)
class Number:
    """One field of a style: its label, the step of a click, and what an empty one means."""

    label: Callable[[], str]
    step: float
    nothing: Callable[[], str]


NUMBERS: Mapping[str, Number] = {
    "price": Number(lambda: _("Limit price"), 1.0, lambda: _("own side")),
    "timeout": Number(lambda: _("Time-out, minutes"), 5.0, lambda: _("none")),
    "reprice": Number(lambda: _("Moved after, seconds"), 5.0, lambda: _("never")),
    "follow": Number(lambda: _("Gives way by at most, %"), 0.1, lambda: "1"),
    "duration": Number(lambda: _("Over, minutes"), 5.0, lambda: _("needed")),
    "slices": Number(lambda: _("Slices"), 1.0, lambda: _("needed")),
    "randomness": Number(lambda: _("Differ by up to, %"), 5.0, lambda: _("not at all")),
    "visible": Number(lambda: _("Shown at once, %"), 5.0, lambda: _("needed")),
    "refresh": Number(lambda: _("Placed anew after, seconds"), 5.0, lambda: _("never")),
}
FIELDS: Mapping[ExecutionKind, tuple[str, ...]] = {
    MARKET: (),
    LIMIT: ("price", "timeout", "reprice", "follow"),
    TWAP: ("duration", "slices", "randomness"),
    ICEBERG: ("price", "visible", "refresh", "timeout"),
}
_SHARES = ("field.follow", "field.randomness", "field.visible")  #: typed in percent
_IN_PERCENT = {"style.number_range": "style.percent_range", "style.number_missing": "style.percent_missing"}
DEFAULTS: Mapping[str, Any] = {
    "price": None,
    "timeout": 60.0,
    "reprice": None,
    "follow": 1.0,
    "duration": 30.0,
    "slices": 10.0,
    "randomness": 20.0,
    "visible": 20.0,
    "refresh": 30.0,
    "passive": False,
    "at_end": AtEnd.STOP,
}


def style(kind: ExecutionKind, given: Mapping[str, Any]) -> ExecutionStyle:
    """Return the style in the fields; those that the kind does not have are left out."""
    numbers = {name: _exact(name, given.get(name)) for name in FIELDS[kind]}
    meant = {name: number for name, number in numbers.items() if number is not None}
    if kind is not MARKET:
        meant["at_end"] = AtEnd(given.get("at_end") or AtEnd.STOP)
    if kind is TWAP:
        meant["passive"] = bool(given.get("passive"))
    return ExecutionStyle(kind=kind, **meant)


def shown(wanted: ExecutionStyle) -> dict[str, Any]:
    """Return a style as its fields show it; numbers that its kind does not have stand at their defaults."""
    own = {name: _typed(name, getattr(wanted, name)) for name in FIELDS[wanted.kind]}
    return {**DEFAULTS, **own, "passive": wanted.passive, "at_end": wanted.at_end}


def _exact(name: str, value: float | None) -> Any:
    number = typed(value)
    if number is None:
        return None
    if name in SPANS:
        return SPANS[name] * float(number)
    if name == "slices":
        return int(number)
    return number / 100 if name in SHARES else Price(number)


def _typed(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if name in SPANS:
        return float(value / SPANS[name])
    return float(value * 100) if name in SHARES else float(value)


# -- in words -----------------------------------------------------------------------------------------------------


def name(kind: str) -> str:
    """Return a style's name, as its button says it."""
    return {MARKET: _("Market"), LIMIT: _("Limit"), TWAP: "TWAP", ICEBERG: _("Iceberg")}[ExecutionKind(kind)]


def meaning(kind: ExecutionKind) -> str:
    """Return what a style does, in one sentence."""
    return {
        MARKET: _("One order that fills at once at the price of the moment."),
        LIMIT: _("One order that fills at its price or better, or not at all."),
        TWAP: _("Slices spread over time, so that the whole comes near the average price of that time."),
        ICEBERG: _("A limit order of which the book sees a share; the next share follows when it has filled."),
    }[kind]


def end_words(at_end: AtEnd) -> str:
    return _("is left") if at_end is AtEnd.STOP else _("goes at market")


def words(wanted: ExecutionStyle, tick: object = None) -> str:
    """Return a style in one line: limit 99,000.0, for 60 min, then the rest is left."""
    told = list(_words(wanted, tick))
    if wanted.kind is not MARKET and (wanted.timeout or wanted.kind is TWAP):
        told.append(_("then the rest {does}", does=end_words(wanted.at_end)))
    return ", ".join(told)


def _words(wanted: ExecutionStyle, tick: object) -> Iterable[str]:
    at = price(wanted.price, tick) if wanted.price else _("own side of the book")  # type: ignore[arg-type]
    if wanted.kind is MARKET:
        yield _("at market")
    elif wanted.kind is LIMIT:
        yield _("limit at {p}", p=at)
        if wanted.reprice:
            share = _percent(wanted.follow)
            yield _("moved after {span}, by {share} at most", span=span(wanted.reprice), share=share)
    elif wanted.kind is TWAP:
        yield _("TWAP in {n} slices over {span}", n=wanted.slices or 0, span=span(wanted.duration or timedelta()))
        if wanted.randomness:
            yield _("differing by up to {share}", share=_percent(wanted.randomness))
        if wanted.passive:
            yield _("as limit orders")
    else:
        yield _("iceberg of {share} at {p}", share=_percent(wanted.visible or Decimal(0)), p=at)
        if wanted.refresh:
            yield _("placed anew after {span}", span=span(wanted.refresh))
    if wanted.timeout and wanted.kind in (LIMIT, ICEBERG):
        yield _("for {span}", span=span(wanted.timeout))


def _percent(share: Decimal) -> str:
    return f"{quantity(share * 100)} %"


def as_typed(problem: Reason) -> Reason:
    """Return a problem with a share in the percent that its field is typed in; any other as it is."""
    inner = problem.values.get("problem")
    if isinstance(inner, Reason):
        return Reason(problem.code, **{**problem.values, "problem": as_typed(inner)})
    field = problem.values.get("field")
    if problem.code not in _IN_PERCENT or not isinstance(field, Reason) or field.code not in _SHARES:
        return problem
    values = {name: one * 100 if isinstance(one, Decimal) else one for name, one in problem.values.items()}
    return Reason(_IN_PERCENT[problem.code], **values)


def span(length: timedelta) -> str:
    """Return a length of time in words: 90 s, 30 min, 1.5 h."""
    seconds = Decimal(length // timedelta(milliseconds=1)) / 1000
    for size, unit in ((3600, _("h")), (60, _("min"))):
        if seconds >= 2 * size or (seconds >= size and not seconds % size):
            return f"{quantity(round(seconds / size, 1))} {unit}"
    return f"{quantity(round(seconds, 1))} {_('s')}"
