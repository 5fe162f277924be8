"""Carries reasons through pydantic's validators and back to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from core.domain.reason import Reason, text


def refusal(problem: Reason) -> PydanticCustomError:
    """Return a problem in the form in which a validator raises it."""
    return PydanticCustomError("refused", "{words}", {"words": str(problem), "reason": problem})


def reasons_of(error: ValidationError, known: Iterable[str] = ()) -> Iterator[Reason]:
    """Return every problem that validators have told; what pydantic itself says is passed on in its words.

    `known`: the names there are, for one that is not among them.
    """
    for one in error.errors(include_url=False, include_input=False):
        if one["type"] == "extra_forbidden":
            yield Reason("setting_problem.unknown", key=str(one["loc"][0])[:60], known=tuple(sorted(known)))
        else:
            yield one.get("ctx", {}).get("reason") or text(one["msg"])
