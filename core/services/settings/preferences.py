"""The settings a trader may change: read, checked, stored, and carried from one Perpdeck to another as a file.

A value out of range is refused in words and nothing is stored; an import is stored whole or not at all. `None` where
a setting may be empty means no limit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from core.domain.settings.field import Definition, Value
from core.domain.settings.model import SettingsModel
from core.domain.settings.trader import TraderSettings
from db.repositories.bots import SettingRepository

KIND, VERSION = "perpdeck settings", 1
Model = TypeVar("Model", bound=SettingsModel)


@dataclass(frozen=True, slots=True)
class Preference:
    """A setting and its present value."""

    definition: Definition
    value: Value


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that an import would change; values as the page shows them."""

    definition: Definition
    old: Value
    new: Value


class ModelPreferences(Generic[Model]):
    """Reads and stores the settings of a model; the bot takes them from its next look."""

    def __init__(self, settings: SettingRepository, model: type[Model]) -> None:
        self._settings, self.model = settings, model

    def now(self) -> Model:
        """Return the settings as they stand. Raises Unavailable."""
        return self.model.of_stored(self._settings.all())

    def all(self) -> list[Preference]:
        """Return every setting with its value now."""
        now = self.now()
        return [Preference(one, getattr(now, key)) for key, one in self.model.definitions.items()]

    def set(self, key: str, value: object, by: str) -> None:
        """Store one setting. Raises Misconfigured where the key or the value is not allowed."""
        self.set_all({key: value}, by)

    def set_all(self, values: Mapping[str, object], by: str) -> None:
        """Store several, all or none. Raises Misconfigured with everything that is not allowed."""
        self._settings.set_all(self.now().changed(values).stored(values), by)

    def export(self) -> str:
        """Return all settings as a JSON document, numbers exact and in the units of the page. Holds no secret."""
        document = {"kind": KIND, "version": VERSION, "settings": self.now().exported()}
        return json.dumps(document, indent=2, sort_keys=True) + "\n"

    def preview_import(self, document: str) -> tuple[Change, ...]:
        """Return what `import_` would change. Raises Misconfigured with every problem of the document."""
        now, given = self.now(), _settings_of(document)
        then = now.changed(given)
        changes = (Change(self.model.definitions[key], getattr(now, key), getattr(then, key)) for key in given)
        return tuple(one for one in changes if one.old != one.new)

    def import_(self, document: str, by: str) -> tuple[Change, ...]:
        """Store what the document says, all of it or nothing. Raises Misconfigured with every problem."""
        changes = self.preview_import(document)
        self._settings.set_all({one.definition.key: one.definition.stored(one.new) for one in changes}, by)
        return changes


class Preferences(ModelPreferences[TraderSettings]):
    """Reads and stores the trader's settings."""

    def __init__(self, settings: SettingRepository) -> None:
        super().__init__(settings, TraderSettings)


def _settings_of(document: str) -> Mapping[str, Any]:
    """Return the settings of an exported document, numbers exact. Raises Misconfigured where it is none."""
    try:
        found = json.loads(document, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Misconfigured(Reason("settings_file.not_json")) from None
    if not isinstance(found, dict) or found.get("kind") != KIND or not isinstance(found.get("settings"), dict):
        raise Misconfigured(Reason("settings_file.no_settings"))
    version = found.get("version")
    if version != VERSION or isinstance(version, bool):
        raise Misconfigured(Reason("settings_file.other_version", version=repr(version)[:20], understood=VERSION))
    settings: Mapping[str, Any] = found["settings"]
    return settings
