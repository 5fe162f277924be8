"""Which field of a form or request a problem is about."""

from __future__ import annotations

import re

from core.domain.reason import TEXT, Reason

#: how a code begins -> the field, where the problem does not carry it among its values
_BY_CODE = {
    "style.price_": "limit_price",
    "style.timeout_": "timeout",
    "style.reprice_": "reprice",
    "style.follow_": "follow",
    "style.duration_": "duration",
    "style.slices_": "slices",
    "style.randomness_": "randomness",
    "style.visible_": "visible",
    "style.refresh_": "refresh",
}
_BY_WORDS = {
    "position value": "position_value",
    "leverage": "leverage",
    "limit price": "limit_price",
    "time-out": "timeout",
    "reprice time": "reprice",
    "give-way": "follow",
    "duration": "duration",
    "slices": "slices",
    "randomness": "randomness",
    "visible share": "visible",
    "refresh time": "refresh",
    "execution": "run",
    "recovery slices": "recovery_slices",
    "recovery time-out": "recovery_timeout",
    "take-profit": "take_profit",
    "stop-loss": "stop_loss",
    "contracts": "contracts",
    "contract": "contract",
    "setting": "setting",
    "order": "order",
    "account": "account",
    "after": "after",
    "key": "key",
    "part": "part",
}


def field_of(problem: Reason) -> str:
    """Return the name of the field that a problem is about, as in `field.limit_price`; "" where it is about none."""
    field = problem.values.get("field")
    if isinstance(field, Reason):
        return field.code.removeprefix("field.")
    if problem.code == TEXT:
        words = str(problem)
        return next((name for start, name in _BY_WORDS.items() if re.match(rf"{start}\b", words, re.IGNORECASE)), "")
    return next((name for start, name in _BY_CODE.items() if problem.code.startswith(start)), "")
