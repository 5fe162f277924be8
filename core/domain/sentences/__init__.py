"""The catalogue of sentences: every code of a reason with its English, places in braces.

One file a topic. A place may carry a format: one of Python's for numbers (`+,.2f`), `usdt` for a signed amount with its
currency, `clock` for a length of time as 4:12 and `span` for one in whole units (15 s, 2 h), and for several values
`or` ("1, 2 or 3") or `sentences` ("one; two"); `begin` makes the first letter a capital. The other languages lie in
`locale/`.
"""

from __future__ import annotations

from core.domain.sentences import (
    access,
    accounts,
    actions,
    alerts,
    bot,
    bot_status,
    closing,
    differences,
    entry,
    environment,
    exchange,
    execution,
    fields,
    record,
    recovery,
    risk,
    settings,
    trading,
    words,
)

SENTENCES: dict[str, str] = {}

for topic in (
    access,
    accounts,
    actions,
    alerts,
    bot,
    bot_status,
    closing,
    differences,
    entry,
    environment,
    exchange,
    execution,
    fields,
    record,
    recovery,
    risk,
    settings,
    trading,
    words,
):
    doubled = SENTENCES.keys() & topic.SENTENCES.keys()
    if doubled:
        raise ValueError(f"codes that stand in the catalogue twice: {sorted(doubled)}")
    SENTENCES.update(topic.SENTENCES)
