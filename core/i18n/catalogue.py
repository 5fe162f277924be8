"""Opens the catalogues of translated sentences in `locale/`, one gettext domain for the whole product."""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DOMAIN = "perpdeck"
FOLDER = Path(__file__).parents[2] / "locale"


def source(language: str) -> Path:
    """Return the file that a translator edits."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def compiled(language: str) -> Path:
    """Return the file that gettext reads; the installation makes it."""
    return source(language).with_suffix(".mo")


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the sentences of a language; those of English are the keys themselves.

    A compiled file that is missing or older than its source is made anew in memory, so that nobody reads old words.
    """
    if language == "en":
        return gettext.NullTranslations()
    written, made = source(language), compiled(language)
    if made.exists() and made.stat().st_mtime >= written.stat().st_mtime:
        with made.open("rb") as file:
            return gettext.GNUTranslations(file)
    return gettext.GNUTranslations(BytesIO(compile_catalogue(language)))


def compile_catalogue(language: str) -> bytes:
    """Return a translator's file in the form that gettext reads; sentences marked as doubtful are left out."""
    with source(language).open("rb") as file:
        catalogue = read_po(file, locale=language, domain=DOMAIN)
    made = BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()
