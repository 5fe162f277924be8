"""The one door through which every sentence of the dashboard passes on its way to the trader.

Keys, addresses and file names never pass here, so a second language changes words and nothing else. The language
is one for the whole server, as the trader has set it.
"""

from __future__ import annotations

from core.i18n.tr import TURKISH
from core.i18n.tr_patterns import in_turkish

_language = "en"


def use(language: str) -> None:
    """From now on every sentence is in this language: en or tr."""
    global _language
    _language = language


def language() -> str:
    """The language in use."""
    return _language


def _(sentence: str, **values: object) -> str:
    """`sentence` in the trader's language, with `{name}` places filled from `values`."""
    translated = TURKISH.get(sentence, sentence) if _language == "tr" else sentence
    return translated.format(**values) if values else translated


def counted(one: str, many: str, number: int) -> str:
    """The form of a sentence that fits `number`; both forms may name `{n}`."""
    return _(one if number == 1 else many, n=number)


def told(words: str) -> str:
    """A sentence that the bot or a service has made: translated where it is known, as it is where not."""
    return in_turkish(words) if _language == "tr" else words
