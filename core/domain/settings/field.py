"""The metadata of a setting, and how its value is read: typed in, from a file, or from the database.

Values stand in the unit that the trader types (10 %, 5 min). Rules get them in their own measure (0.10, a timedelta);
the database keeps percentages as shares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from reprlib import repr as shortened
from types import NoneType
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from core.domain.money import plain
from core.domain.reason import N_, Reason
from core.domain.settings.refusal import refusal
from core.domain.settings.unit import NO_UNIT, Range, Unit

Value: TypeAlias = "bool | int | Decimal | StrEnum | tuple[StrEnum, ...] | None"

_NUMBER = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,18})?")


AT_ONCE = N_("Holds for running parts at once.")


@dataclass(frozen=True, slots=True)
class Setting:
    """The metadata of a setting beside its name, type and default."""

    label: str
    help: str
    group: str
    allowed: Range | None = None  #: of a number
    choices: tuple[StrEnum, ...] = ()  #: empty: every word of its type
    feeds: Mapping[type, str] = field(default_factory=dict)  #: a rule's class: the attribute that takes the value
    name: str = ""  #: what it is called for one part, outside its group; empty: as its label
    at_once: bool = False  #: a change reaches running parts at once
    not_above: str = ""  #: key of another setting that it may not exceed

    def __call__(self, schema: dict[str, Any]) -> None:
        """Write range, unit and group into the setting's JSON schema."""
        schema["group"] = self.group
        if self.allowed is not None:
            low, high = self.allowed.low, self.allowed.high
            schema |= {"unit": str(self.allowed.unit), "minimum": float(low), "maximum": float(high)}


FROM_RULE: Any = object()


def setting(
    label: str,
    help: str,
    *,
    group: str,
    default: Any = FROM_RULE,
    allowed: Range | None = None,
    **more: Any,
) -> Any:
    """Return a field of the model of settings.

    Its type decides the rest: `bool` is a switch, `int` and `Decimal` are numbers in the range `allowed`, an
    enumeration is one of its words, a tuple of one is several; `| None` may be empty. Without a `default` it is that
    of the rule it feeds. `more`: choices, feeds, name, at_once and not_above of `Setting`.
    """
    one = Setting(label, help, group, allowed, **more)
    if default is FROM_RULE:
        kind, attribute = next(iter(one.feeds.items()))
        default = _typed(one, getattr(kind(), attribute))
    return Field(default=default, title=label, description=help, json_schema_extra=one)


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a setting, for a form, a file or the database."""

    key: str
    setting: Setting
    kind: type  #: bool, int, Decimal or an enumeration
    several: bool  #: several words of the enumeration
    optional: bool  #: may be empty, which means no limit
    default: Value

    @classmethod
    def of(cls, key: str, found: FieldInfo) -> Definition:
        """Return what a field of the model says. Raises TypeError for a type that no form can show."""
        one, annotation = found.json_schema_extra, found.annotation
        if not isinstance(one, Setting):
            raise TypeError(f"{key} is no setting: make it with setting(...)")
        kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not NoneType]
        several = get_origin(annotation) is tuple
        kind: Any = get_args(annotation)[0] if several else kinds[0]
        if not (isinstance(kind, type) and issubclass(kind, bool | int | Decimal | StrEnum)):
            raise TypeError(f"{key}: a setting is a switch, a number or a word, not {annotation}")
        if (kind in (int, Decimal)) is (one.allowed is None):
            raise TypeError(f"{key}: a number has a range, and nothing else has")
        optional = NoneType in get_args(annotation)
        return cls(key, one, kind, several, optional, found.default)

    @property
    def label(self) -> str:
        return self.setting.label

    @property
    def choices(self) -> tuple[StrEnum, ...]:
        """Return the words that may be chosen; none for a switch or a number."""
        if not issubclass(self.kind, StrEnum):
            return ()
        return self.setting.choices or tuple(self.kind)

    @property
    def name(self) -> Reason:
        """Return its label, as it stands in sentences of the settings page."""
        return Reason(f"setting.{self.key}")

    @property
    def own_name(self) -> Reason:
        """Return its label where it is chosen for one part."""
        return Reason(f"setting.{self.key}.own") if self.setting.name else self.name

    # -- reading ---------------------------------------------------------------------------------------------

    def read(self, value: object) -> Value:
        """Return what was typed in or stands in a file, in the setting's own type.

        Raises PydanticCustomError with a reason that names field, value and what is allowed.
        """
        if value is None and self.optional:
            return None
        if self.kind is bool:
            if not isinstance(value, bool):
                raise self._wrong("not_a_switch", value=shortened(value))
            return value
        if issubclass(self.kind, StrEnum):
            return self._chosen(value, self.choices)
        if value is None:
            raise self._wrong("empty", allowed=self.allowed.words)
        number = self._exact(value)
        if problem := self.allowed.problem(self.name, number):
            raise refusal(problem)
        if self.kind is int and number != int(number):
            raise self._wrong("not_whole", value=number, allowed=self.allowed.words)
        return int(number) if self.kind is int else number

    def read_stored(self, value: object) -> Value:
        """Return what the database keeps. A range that has become narrower since does not unmake it.

        Raises PydanticCustomError for what is not of the setting's type.
        """
        if value is None:
            return None if self.optional else self.default
        if issubclass(self.kind, StrEnum):
            return () if self.several and value == [] else self._chosen(value, tuple(self.kind))
        if self.kind is bool:
            return self.read(value)
        number = self._exact(value)
        return int(number) if self.kind is int else number / self.unit.share

    @property
    def allowed(self) -> Range:
        """Return the range of a number."""
        assert self.setting.allowed is not None, f"{self.key} is no number"
        return self.setting.allowed

    @property
    def unit(self) -> Unit:
        return NO_UNIT if self.setting.allowed is None else self.setting.allowed.unit

    def above(self, value: Decimal | int, largest: Decimal | int) -> Reason:
        """Return the problem of a value that exceeds another setting."""
        unit = self.unit.word
        return Reason("setting_problem.crossed", field=self.name, value=value, largest=largest, unit=unit)

    def _exact(self, value: object) -> Decimal:
        number = exact(value)
        if number is None:
            code = "not_exact" if isinstance(value, float) else "not_a_number"
            raise self._wrong(code, value=shortened(value), allowed=self.allowed.words)
        return number

    def _chosen(self, value: object, choices: tuple[StrEnum, ...]) -> StrEnum | tuple[StrEnum, ...]:
        listed = self.several and isinstance(value, list | tuple | set | frozenset)
        given = list(value) if listed else [value]  # type: ignore[call-overload]
        known = {str(choice): choice for choice in choices}
        wrong = [choice for choice in given if not isinstance(choice, str) or choice not in known]
        if wrong:
            raise self._wrong("not_a_choice", value=shortened(wrong[0]), known=tuple(known))
        if not given:
            raise self._wrong("nothing_chosen")
        chosen = tuple(sorted({known[str(choice)] for choice in given}))
        return chosen if self.several else chosen[0]

    def _wrong(self, code: str, **values: Any) -> PydanticCustomError:
        return refusal(Reason(f"setting_problem.{code}", field=self.name, **values))

    # -- writing ---------------------------------------------------------------------------------------------

    def stored(self, value: Value) -> Any:
        """Return a value as the database keeps it: a percentage as a share, words as text."""
        if isinstance(value, Decimal):
            return value * self.unit.share
        return _text(value)

    def exported(self, value: Value) -> Any:
        """Return a value for a file: exact numbers as text."""
        return plain(value) if isinstance(value, Decimal) else _text(value)

    def converter(self, rule: type) -> Callable[[Any], Any] | None:
        """Return the function that makes a value into that of a rule's attribute, in its own unit; None where it is the
        same.
        """
        wanted, share, span = _types(rule)[self.setting.feeds[rule]], self.unit.share, self.unit.span
        if self.several:
            return frozenset
        if timedelta in wanted:
            if span is None:
                raise TypeError(f"{self.key} has no unit of time")
            return lambda value: None if value is None else value * span
        if self.kind is Decimal and share != 1:
            return lambda value: None if value is None else value * share
        return None


def exact(value: object) -> Decimal | None:
    """Return an exact number from an int, a Decimal or text of digits; None for all else, float and bool too."""
    if isinstance(value, Decimal):
        return value if value.is_finite() and -20 < value.adjusted() < 20 else None
    if isinstance(value, bool) or not isinstance(value, int | str) or not _NUMBER.fullmatch(str(value)):
        return None
    return Decimal(value)


def _text(value: Value) -> Any:
    if isinstance(value, tuple):
        return [str(word) for word in value]
    return str(value) if isinstance(value, StrEnum) else value


def _typed(one: Setting, value: Any) -> Value:
    """Return a rule's value in the unit of its setting."""
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    unit = NO_UNIT if one.allowed is None else one.allowed.unit
    if isinstance(value, timedelta):
        assert unit.span is not None, f"{one.label} has no unit of time"
        return value // unit.span
    found: Value = value / unit.share if isinstance(value, Decimal) else value
    return found


@cache
def _types(kind: type) -> dict[str, tuple[Any, ...]]:
    return {name: get_args(hint) or (hint,) for name, hint in get_type_hints(kind).items()}
