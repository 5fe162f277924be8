"""The settings a trader may change: read, checked, stored, and carried from one Perpdeck to another as a file.

A value out of range is refused in words and nothing is stored; an import is stored whole or not at all. `None` where
a setting may be empty means no limit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from core.domain.errors import Misconfigured
from core.domain.money import plain
from core.services.settings.definitions import FRACTIONS, OFFERED
from core.services.settings.definitions import Preference as Preference
from db.store import Store

Value = bool | int | Decimal | str | tuple[str, ...] | None
KIND, VERSION = "perpdeck settings", 1
_BY_KEY: Mapping[str, Preference] = {one.key: one for one in OFFERED}


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that an import would change; values as the page shows them."""

    key: str
    label: str
    unit: str
    old: Value
    new: Value


class Preferences:
    """Reads and stores settings; the bot takes them from its next look."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def all(self) -> list[Preference]:
        """Every setting with its value now."""
        stored = self.store.settings.all()
        return [replace(one, value=_shown(one, stored[one.key])) if one.key in stored else one for one in OFFERED]

    def value(self, key: str) -> Value:
        """One setting as it stands. Raises Misconfigured for one that is not known."""
        one, stored = _known(key), self.store.settings.all()
        return _shown(one, stored[key]) if key in stored else one.value

    def set(self, key: str, value: Any, by: str) -> None:
        """Store one setting. Raises Misconfigured where the key or the value is not allowed."""
        self.set_all({key: value}, by)

    def set_all(self, values: Mapping[str, Any], by: str) -> None:
        """Store several, all or none. Raises Misconfigured with everything that is not allowed."""
        wanted = _checked_all(values)
        _agree({**self._values(), **wanted})
        self.store.settings.set_all({key: _kept(key, value) for key, value in wanted.items()}, by)

    @staticmethod
    def checked(key: str, value: Any) -> Value:
        """The value in the setting's own type. Raises Misconfigured where the key or the value is not allowed."""
        return _checked(_known(key), value)

    def export(self) -> str:
        """All settings as a JSON document, numbers exact and in the units of the page. Holds no secret."""
        values = {key: _plain(value) for key, value in self._values().items()}
        return json.dumps({"kind": KIND, "version": VERSION, "settings": values}, indent=2, sort_keys=True) + "\n"

    def preview_import(self, document: str) -> tuple[Change, ...]:
        """What `import_` would change. Raises Misconfigured with every problem of the document."""
        now, wanted = self._values(), _read(document)
        _agree({**now, **wanted})
        return tuple(
            Change(key, _BY_KEY[key].label, _BY_KEY[key].unit, now[key], value)
            for key, value in wanted.items()
            if now[key] != value
        )

    def import_(self, document: str, by: str) -> tuple[Change, ...]:
        """Store what the document says, all of it or nothing. Raises Misconfigured with every problem."""
        changes = self.preview_import(document)
        self.store.settings.set_all({one.key: _kept(one.key, one.new) for one in changes}, by)
        return changes

    def _values(self) -> dict[str, Value]:
        return {one.key: one.value for one in self.all()}


def _known(key: str) -> Preference:
    if key not in _BY_KEY:
        raise Misconfigured(f"setting {key!r} is not known: one of {', '.join(sorted(_BY_KEY))}")
    return _BY_KEY[key]


def _agree(values: Mapping[str, Value]) -> None:
    """The smallest order may not be larger than the largest."""
    for what, name, unit in (("order value", "order_value", "USDT"), ("order", "order_size", "contracts")):
        low, high = values[f"min_{name}"], values[f"max_{name}"]
        if isinstance(low, Decimal) and isinstance(high, Decimal) and low > high:
            raise Misconfigured(
                f"Smallest {what} {plain(low)} {unit} is above the largest of {plain(high)} {unit}: no order passes"
            )


def _checked(one: Preference, value: Any) -> Value:
    """The value in the setting's own type and unit. Raises Misconfigured with field, value and what is allowed."""
    if isinstance(one.default, bool):
        if not isinstance(value, bool):
            raise Misconfigured(f"{one.label}: {value!r} is neither on nor off")
        return value
    if one.choices:
        return _chosen(one, value)
    if value is None and one.optional:
        return None
    return _number(one, value)


def _chosen(one: Preference, value: Any) -> Value:
    several = isinstance(one.default, tuple)
    given = tuple(value) if several and isinstance(value, list | tuple | set | frozenset) else (value,)
    wrong = [choice for choice in given if choice not in one.choices]
    if wrong:
        raise Misconfigured(f"{one.label}: {wrong[0]!r} is not known: one of {', '.join(one.choices)}")
    if not given:
        raise Misconfigured(f"{one.label}: choose one at least, or switch it off")
    return tuple(sorted(str(choice) for choice in set(given))) if several else str(given[0])


def _number(one: Preference, value: Any) -> Value:
    allowed = f"{plain(Decimal(one.minimum))} to {plain(Decimal(one.maximum))} {one.unit}".rstrip()
    try:
        number = None if value is None or isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        shown = "nothing" if value is None else repr(value)
        raise Misconfigured(f"{one.label}: {shown} is not a number; {allowed} is allowed")
    if not one.minimum <= number <= one.maximum:
        raise Misconfigured(f"{one.label} {plain(number)} is out of range: {allowed} is allowed")
    if not one.whole:
        return number
    if number != int(number):
        raise Misconfigured(f"{one.label} {plain(number)} is not a whole number: {allowed} is allowed")
    return int(number)


def _kept(key: str, value: Value) -> Any:
    """As it is stored: percent as a fraction, several choices as a list."""
    if key in FRACTIONS and isinstance(value, Decimal):
        return value / 100
    return list(value) if isinstance(value, tuple) else value


def _shown(one: Preference, stored: Any) -> Value:
    """A stored value in the setting's own type and unit."""
    if stored is None or isinstance(stored, bool):
        return stored
    if one.choices:
        return tuple(sorted(stored)) if isinstance(one.default, tuple) else str(stored)
    if one.whole:
        return int(stored)
    return Decimal(str(stored)) * (100 if one.key in FRACTIONS else 1)


def _plain(value: Value) -> Any:
    """For a file: exact numbers as text."""
    if isinstance(value, Decimal):
        return plain(value)
    return list(value) if isinstance(value, tuple) else value


def _read(document: str) -> dict[str, Value]:
    """The settings of an exported document, each checked. Raises Misconfigured with every problem."""
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        raise Misconfigured("the file is not JSON: choose one that was exported here") from None
    if not isinstance(found, dict) or found.get("kind") != KIND or not isinstance(found.get("settings"), dict):
        raise Misconfigured("the file holds no settings of Perpdeck: choose one that was exported here")
    if found.get("version") != VERSION:
        raise Misconfigured(f"the file is of version {found.get('version')!r}: {VERSION} is understood")
    return _checked_all(found["settings"])


def _checked_all(values: Mapping[str, Any]) -> dict[str, Value]:
    """Each in its own type. Raises Misconfigured with every problem."""
    wanted, problems = {}, []
    for key, value in values.items():
        try:
            wanted[key] = _checked(_known(key), value)
        except Misconfigured as problem:
            problems.append(str(problem))
    if problems:
        raise Misconfigured(*problems)
    return wanted
