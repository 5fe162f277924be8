"""The base class of settings models: forms, storage, files and rules are derived from one field for each setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from core.domain.errors import Misconfigured
from core.domain.reason import Reason
from core.domain.sentences import SENTENCES
from core.domain.settings.field import Definition, Value
from core.domain.settings.refusal import reasons_of

Rule = TypeVar("Rule")
Feed: TypeAlias = "tuple[str, str, Callable[[Any], Any] | None]"  #: attribute of a rule, key, what converts
STORED = "stored"


class SettingsModel(BaseModel):
    """Settings with their values; each field is made with `setting(...)`.

    Values are read strictly: numbers from `int`, `Decimal` or text, never from `float` or `bool`; a key that is not
    known is refused by its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
    definitions: ClassVar[Mapping[str, Definition]] = {}
    feeding: ClassVar[Mapping[type, Sequence[Feed]]] = {}  #: by the rule's class

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.definitions = {key: Definition.of(key, found) for key, found in cls.model_fields.items()}
        feeding: dict[type, list[Feed]] = defaultdict(list)
        for key, one in cls.definitions.items():
            for kind, attribute in one.setting.feeds.items():
                feeding[kind].append((attribute, key, one.converter(kind)))
            SENTENCES[f"setting.{key}"] = one.label
            if one.setting.name:
                SENTENCES[f"setting.{key}.own"] = one.setting.name
        cls.feeding = feeding

    @field_validator("*", mode="before")
    @classmethod
    def _read(cls, value: object, info: ValidationInfo) -> Value:
        assert info.field_name is not None, "a validator of fields"
        one = cls.definitions[info.field_name]
        return one.read_stored(value) if info.context == STORED else one.read(value)

    @classmethod
    def of_stored(cls, rows: Mapping[str, Any]) -> Self:
        """Return the settings that the rows of the settings table say; what is not there has its default.

        Rows of other keys are not looked at. Raises Misconfigured for a value that is not of its setting's type.
        """
        return cls._validated({key: rows[key] for key in rows if key in cls.model_fields}, STORED)

    def changed(self, values: Mapping[str, object]) -> Self:
        """Return these settings with others put in their places. Raises Misconfigured with every problem."""
        given = self._validated(values, None)
        found = self.model_copy(update={key: getattr(given, key) for key in given.model_fields_set})
        problems = tuple(found._crossed())
        if problems:
            raise Misconfigured(*problems)
        return found

    def stored(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the rows of the settings table for these keys."""
        return {key: self.definitions[key].stored(getattr(self, key)) for key in keys}

    def exported(self) -> dict[str, Any]:
        """Return every value as a file holds it, in the units of the page, numbers exact."""
        return {key: one.exported(getattr(self, key)) for key, one in self.definitions.items()}

    def rule(self, kind: type[Rule]) -> Rule:
        """Return a rule of this class with every setting that feeds it."""
        values = {}
        for attribute, key, converter in self.feeding.get(kind, ()):
            value = getattr(self, key)
            values[attribute] = value if converter is None else converter(value)
        return kind(**values)

    @classmethod
    def _validated(cls, values: Mapping[str, object], context: str | None) -> Self:
        try:
            return cls.model_validate(dict(values), context=context)
        except ValidationError as wrong:
            raise Misconfigured(*reasons_of(wrong, cls.model_fields)) from None

    def _crossed(self) -> Iterator[Reason]:
        for one in self.definitions.values():
            value, largest = getattr(self, one.key), getattr(self, one.setting.not_above or one.key)
            if isinstance(value, Decimal | int) and isinstance(largest, Decimal | int) and value > largest:
                yield one.above(value, largest)
