"""The one door through which every sentence of the dashboard passes on its way to the trader.

Keys, addresses and file names never pass here, so a second language changes words and nothing else.
"""

from __future__ import annotations

from gettext import translation
from pathlib import Path

_CATALOGUE = translation("perpdeck", Path(__file__).parent / "locales", languages=["en"], fallback=True)


def _(sentence: str, **values: object) -> str:
    """`sentence` in the trader's language, with `{name}` places filled from `values`."""
    translated = _CATALOGUE.gettext(sentence)
    return translated.format(**values) if values else translated


def counted(one: str, many: str, number: int) -> str:
    """The form of a sentence that fits `number`; both forms may name `{n}`."""
    return _CATALOGUE.ngettext(one, many, number).format(n=number)
