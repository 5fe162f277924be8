"""Puts every sentence, number and date of the dashboard into the trader's language.

Keys, addresses and file names never pass here. Language and decimal sign are one choice for the whole server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import get_decimal_symbol, get_group_symbol

from core.domain.money import plain
from core.domain.reason import Reason, put
from core.i18n.catalogue import translations

MOMENT = "yyyy-MM-dd HH:mm:ss 'UTC'"


@dataclass(frozen=True, slots=True)
class Speech:
    """A language as the trader has chosen it; reasons are put into it (`core.domain.reason.Language`)."""

    language: str = "en"  #: en or tr
    local_numbers: bool = False  #: numbers with the language's own signs: 1.234,50 in Turkish

    @property
    def own_signs(self) -> bool:
        """Return whether numbers look other than in English."""
        return self.local_numbers and self.language != "en"

    def sentence(self, english: str) -> str:
        """Return a sentence of the catalogue in this language, its places unfilled."""
        return translations(self.language).gettext(english) if english else ""

    def plural(self, one: str, many: str, number: int) -> str:
        """Return the form that fits a number, its places unfilled."""
        return translations(self.language).ngettext(one, many, number)

    def number(self, value: Decimal | int, spec: str = "") -> str:
        """Return a number; `spec` is a format of Python's, "" for all its digits."""
        if spec:
            written = format(value, spec)
        else:
            written = plain(value) if isinstance(value, Decimal) else str(value)
        if not self.own_signs:
            return written
        return written.translate(
            {ord("."): get_decimal_symbol(self.language), ord(","): get_group_symbol(self.language)}
        )

    def read(self, written: str) -> str:
        """Return a number that `number` has written with the signs that Python reads."""
        if not self.own_signs:
            return written.replace(",", "")
        return written.replace(get_group_symbol(self.language), "").replace(get_decimal_symbol(self.language), ".")

    def moment(self, value: datetime) -> str:
        """Return a time in UTC."""
        return self.date(value.astimezone(UTC), MOMENT)

    def begun(self, words: str) -> str:
        """Return words with the capital letter with which a sentence begins."""
        first = words[:1].replace("i", "İ") if self.language == "tr" else words[:1]
        return first.upper() + words[1:]

    def date(self, value: datetime, pattern: str) -> str:
        """Return a time in its own zone by a CLDR pattern (`dd MMM HH:mm`), months and days in this language."""
        return format_datetime(value, pattern, locale=Locale(self.language))

    def told(self, words: Reason | str) -> str:
        """Return a reason as a sentence; words of others as they are."""
        return put(words, self) if isinstance(words, Reason) else words


_speech = Speech()


def use(language: str, *, local_numbers: bool = False) -> None:
    """Set the language of everything from now on: en or tr."""
    global _speech
    _speech = Speech(language, local_numbers)


def speech() -> Speech:
    """Return the language in force, with its choices."""
    return _speech


def language() -> str:
    """Return the language in use."""
    return _speech.language


def _(sentence: str, **values: object) -> str:
    """Return `sentence` in the trader's language, with `{name}` places filled from `values`."""
    translated = _speech.sentence(sentence)
    return translated.format(**values) if values else translated


def number(value: Decimal | int, spec: str = "") -> str:
    """Return a number with the trader's signs for decimals and thousands; `spec` is a format of Python's."""
    return _speech.number(value, spec)


def counted(one: str, many: str, number: int) -> str:
    """Return the form of a sentence that fits `number`; both forms may name `{n}`."""
    return _speech.plural(one, many, number).format(n=number)


def told(words: Reason | str) -> str:
    """Return a reason as a sentence in the trader's language; words of others as they are."""
    return _speech.told(words)
