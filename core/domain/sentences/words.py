"""Single words that stand inside sentences: of enumerations, and yes, no, none."""

from __future__ import annotations

SENTENCES = {
    "text": "{words}",
    "word.yes": "yes",
    "word.no": "no",
    "word.none": "none",
    "word.or": "{first} or {last}",
}
