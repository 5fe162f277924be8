"""Reasons as values: a code of the catalogue and the values that stand in its sentence.

Rules, services and adapters make reasons; the database keeps code and values; pages, API, alerts and Telegram put them
into words. Nobody reads a fact back out of a sentence: whoever needs it asks for `code` and `values`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from string import Formatter
from types import NoneType
from typing import Any, Protocol, TypeAlias, cast

from core.domain.money import plain
from core.domain.sentences import SENTENCES

_set = object.__setattr__
_NUMBERS = re.compile(r"[\d.,+-]+")
_WORD_BEGINS = re.compile(r"(?<!^)(?=[A-Z])")

#: what may stand in a sentence; words of an enumeration become reasons of their own ("level.reduce_only")
Value: TypeAlias = "Decimal | int | str | bool | datetime | timedelta | Reason | tuple[Value, ...] | None"

_UNITS = {timedelta(days=1): "span.days", timedelta(hours=1): "span.hours", timedelta(minutes=1): "span.minutes"}

TEXT = "text"  #: the code of what others have said (an exchange, a person, an old row): shown as it is


@dataclass(frozen=True, slots=True, init=False)
class Reason:
    """A reason why something was done, not done or refused: `Reason("recovery.waits_for_trigger", step=1, pnl=...)`.

    `str()` gives the English sentence. `code` names a row of `core.domain.sentences`; `values` fill its places.
    """

    code: str
    items: tuple[tuple[str, Value], ...]  #: by name, so that two that say the same are equal

    def __init__(self, code: str, /, **values: Value | StrEnum) -> None:
        _set(self, "code", code)
        items = sorted(values.items()) if len(values) > 1 else values.items()
        for _name, value in items:
            if type(value) not in _AS_THEY_ARE:  # a look at the type is all that most values cost: rules make thousands
                _set(self, "items", tuple((name, _value(value)) for name, value in items))
                return
        _set(self, "items", tuple(items))

    @property
    def values(self) -> dict[str, Value]:
        """Return the values by their names in the sentence."""
        return dict(self.items)

    def __str__(self) -> str:
        return put(self, ENGLISH)

    def __bool__(self) -> bool:
        return True


_AS_THEY_ARE = frozenset({Decimal, int, str, bool, datetime, timedelta, NoneType, Reason})


class Language(Protocol):
    """Puts reasons into one language: sentences, numbers and times."""

    def sentence(self, english: str) -> str:
        """Return the sentence of the catalogue in this language, its places unfilled."""

    def number(self, value: Decimal | int, spec: str) -> str:
        """Return a number as this language writes it; `spec` is a format of Python's, "" for all its digits."""

    def moment(self, value: datetime) -> str:
        """Return a time."""

    def begun(self, words: str) -> str:
        """Return words with the capital letter with which a sentence begins."""


class _English:
    def sentence(self, english: str) -> str:
        return english

    def number(self, value: Decimal | int, spec: str) -> str:
        if spec:
            return format(value, spec)
        return plain(value) if isinstance(value, Decimal) else str(value)

    def begun(self, words: str) -> str:
        return words[:1].upper() + words[1:]

    def moment(self, value: datetime) -> str:
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


ENGLISH: Language = _English()


def text(words: str) -> Reason:
    """Return what others have said as a reason: it is shown as it is, in every language."""
    return Reason(TEXT, words=words)


def N_(sentence: str) -> str:
    """Mark a sentence of a table for the catalogue and return it as it is: it is translated where it is shown."""
    return sentence


def as_reason(words: Reason | str) -> Reason:
    """Return a reason as it is, and anybody's words as a reason of code `text`."""
    return words if isinstance(words, Reason) else text(words)


def put(reason: Reason, language: Language) -> str:
    """Return the sentence of a reason in a language. A code that is not known is named with its values."""
    english = SENTENCES.get(reason.code)
    values = reason.values
    if english is None:
        return " ".join([reason.code, *(f"{name}={_shown(value, '', language)}" for name, value in values.items())])
    written = []
    for words, name, spec, _conversion in _parsed(language.sentence(english)):
        written.append(words)
        if name is not None:
            written.append(_shown(values.get(name), spec or "", language))
    return "".join(written)


def shape(reason: Reason) -> str:
    """Return what a reason says without its numbers and times: the same while nothing changes but those."""
    return f"{reason.code}({','.join(f'{name}={_shape(value)}' for name, value in reason.items)})"


def places(sentence: str) -> dict[str, str]:
    """Return the places of a sentence: name to format."""
    return {name: spec or "" for _words, name, spec, _conversion in _parsed(sentence) if name is not None}


def to_json(reason: Reason) -> dict[str, Any]:
    """Return code and values as JSON; `from_json` reads them back exactly."""
    return {"code": reason.code, "values": {name: _to_json(value) for name, value in reason.items}}


def from_json(data: Mapping[str, Any]) -> Reason:
    """Return the reason that `to_json` has written."""
    values = data["values"]
    found = object.__new__(Reason)  # thousands are read at once; their values need no conversion any more
    object.__setattr__(found, "code", str(data["code"]))
    object.__setattr__(found, "items", tuple([(name, _from_json(values[name])) for name in sorted(values)]))
    return found


def nested(value: Value) -> tuple[Reason, ...]:
    """Return the reasons that stand in a place of a sentence: one, several, or none."""
    if isinstance(value, tuple):
        return tuple(one for several in value for one in nested(several))
    return (value,) if isinstance(value, Reason) else ()


def amount(value: Decimal, language: Language = ENGLISH) -> str:
    """Return an amount of USDT for a sentence: signed, two decimals."""
    return f"{language.number(value, '+,.2f')} USDT"


def code_of(word: StrEnum) -> str:
    """Return the code of an enumeration's word in the catalogue: `level.reduce_only` for Level.REDUCE_ONLY."""
    return f"{_WORD_BEGINS.sub('_', type(word).__name__).lower()}.{word.name.lower()}"


def _value(value: Value | StrEnum) -> Value:
    if isinstance(value, StrEnum):
        return Reason(code_of(value))
    if isinstance(value, list | tuple):
        return tuple(_value(one) for one in value)
    return value


def _shape(value: Value) -> str:
    if isinstance(value, Reason):
        return shape(value)
    if isinstance(value, tuple):
        return "+".join(map(_shape, value))
    if isinstance(value, str):
        return _NUMBERS.sub("#", value)
    return str(value) if value is None or isinstance(value, bool) else "#"


_cache: dict[str, list[tuple[str, str | None, str | None, str | None]]] = {}


def _parsed(sentence: str) -> list[tuple[str, str | None, str | None, str | None]]:
    found = _cache.get(sentence)
    if found is None:
        found = _cache[sentence] = list(Formatter().parse(sentence))
    return found


def _shown(value: Value, spec: str, language: Language) -> str:
    if spec == "begin":
        return language.begun(_shown(value, "", language))
    if isinstance(value, Reason):
        return put(value, language)
    if isinstance(value, tuple):
        return _listed(value, spec, language)
    if isinstance(value, bool) or value is None:
        return put(Reason({True: "word.yes", False: "word.no", None: "word.none"}[value]), language)
    if isinstance(value, timedelta):
        return _span(value, spec, language)
    if isinstance(value, datetime):
        return language.moment(value)
    if isinstance(value, Decimal | int):
        return amount(Decimal(value), language) if spec == "usdt" else language.number(value, spec)
    return value


def _listed(values: tuple[Value, ...], spec: str, language: Language) -> str:
    """Return several values: "1, 2, 3"; with the format "or" as "1, 2 or 3", with "sentences" divided by semicolons."""
    if spec == "or":
        *first, last = (_shown(one, "", language) for one in values) if values else ("",)
        return put(Reason("word.or", first=", ".join(first), last=last), language) if first else last
    if spec == "sentences":
        return "; ".join(_shown(one, "", language) for one in values)
    return ", ".join(_shown(one, spec, language) for one in values)


def _span(value: timedelta, spec: str, language: Language) -> str:
    """Return a length of time: "15.0 s"; with the format "clock" as 4:12 or 1:04:12, with "span" as 15 s, 4 min, 2 h, 3
    d.
    """
    if spec == "span":
        for unit, code in _UNITS.items():
            if value >= unit and not value % unit:
                return put(Reason(code, n=value // unit), language)
        return put(Reason("span.seconds", n=Decimal(str(value.total_seconds()))), language)
    if spec != "clock":
        return put(
            Reason("span.seconds", n=language.number(Decimal(str(value.total_seconds())), spec or ".1f")), language
        )
    minutes, seconds = divmod(max(0, int(value.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _to_json(value: Value) -> Any:
    if isinstance(value, Reason):
        return to_json(value)
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"microseconds": value // timedelta(microseconds=1)}
    if isinstance(value, tuple):
        return [_to_json(one) for one in value]
    return value


def _from_json(data: Any) -> Value:
    if isinstance(data, list | tuple):
        return tuple(_from_json(one) for one in data)
    if not isinstance(data, dict):
        return cast("Value", data)
    if "code" in data:
        return from_json(data)
    if "decimal" in data:
        return Decimal(data["decimal"])
    if "time" in data:
        return datetime.fromisoformat(data["time"])
    return timedelta(microseconds=data["microseconds"])
