"""What went wrong, as application/problem+json (RFC 9457): each problem names the field, the value and what is allowed.

Values that could be secrets are never repeated, and what nobody foresaw shows no inside.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.api.execution_styles import KIND
from core.domain.errors import Misconfigured, PerpdeckError

log = logging.getLogger("perpdeck.api")

MEDIA = "application/problem+json"
LONGEST_VALUE = 80
SECRET = ("secret", "authorization", "x-perpdeck-signature")
#: how the services begin a sentence about a field -> the field, and where it is asked for
FIELDS = {
    "position value": "position_value",
    "leverage": "leverage",
    "limit price": "entry.price",
    "time-out": "entry.timeout_seconds",
    "reprice time": "entry.reprice_seconds",
    "give-way": "entry.follow",
    "duration": "entry.duration_seconds",
    "slices": "entry.slices",
    "randomness": "entry.randomness",
    "visible share": "entry.visible",
    "refresh time": "entry.refresh_seconds",
    "execution": "run",
    "recovery slices": "recovery.style.slices",
    "recovery time-out": "recovery.style.timeout_seconds",
    "take-profit": "take_profit",
    "stop-loss": "stop_loss",
    "contracts": "contracts",
    "contract": "symbol",
    "setting": "setting",
    "order": "id",
    "account": "account",
    "after": "after",
    "key": "Idempotency-Key",
    "part": "part",
}
#: what pydantic calls a limit -> how a person would
LIMITS = (
    ("ge", "{} or more"),
    ("gt", "more than {}"),
    ("le", "{} at most"),
    ("lt", "less than {}"),
    ("min_length", "{} characters or more"),
    ("max_length", "{} characters at most"),
    ("pattern", "text of the form {}"),
    ("expected", "{}"),
)

Body = dict[str, Any]


class Problem(Exception):
    """An answer that is no success."""

    def __init__(
        self,
        status: int,
        detail: str,
        problems: Sequence[Body] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.problems, self.headers = tuple(problems), dict(headers or {})

    @property
    def body(self) -> Body:
        return document(self.status, self.detail, self.problems)

    def response(self) -> Response:
        return JSONResponse(self.body, self.status, self.headers, MEDIA)


def document(status: int, detail: str, problems: Iterable[Body] = ()) -> Body:
    """The body of a problem."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return told | {"problems": list(problems)}


def about(field: str, value: object, allowed: str, words: str = "") -> Body:
    """One field, what it was, and what may stand there; values that could be secrets are left out."""
    shown = None if value is None or any(name in field.lower() for name in SECRET) else _short(value)
    return {"field": field, "value": shown, "allowed": allowed, "words": words or f"{field}: {allowed} is allowed"}


def of_services(error: Misconfigured, given: Mapping[str, Any], status: int = 422) -> Problem:
    """A refusal of the services. `given` is what was asked, for the values."""
    return Problem(status, str(error), [of_words(str(one), given) for one in error.problems])


def of_words(words: str, given: Mapping[str, Any]) -> Body:
    """A sentence of the services that begins with its field and, after a colon, ends with what is allowed."""
    field = next((name for start, name in FIELDS.items() if re.match(rf"{start}\b", words, re.IGNORECASE)), "")
    value: Any = given
    for step in field.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    allowed = words.partition(": ")[2] or words
    return about(field, value, allowed, words)


def install(app: FastAPI) -> None:
    """Every error of this app becomes a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(PerpdeckError, _ours)
    app.add_exception_handler(Exception, _unforeseen)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = list(of_validation(error.errors()))
    return Problem(422, "; ".join(one["words"] for one in problems), problems).response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this address", 405: "this address does not know that method"}
    return Problem(error.status_code, words.get(error.status_code, str(error.detail)), headers=error.headers).response()


async def _ours(request: Request, error: Exception) -> Response:
    """Of the four kinds only two come here: a wrong input, and something that does not answer."""
    if isinstance(error, Misconfigured):
        return of_services(error, {}).response()
    return Problem(503, str(error), headers={"retry-after": "5"}).response()


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("a request failed: %s %s", request.method, request.url.path, exc_info=error)
    return Problem(500, "this request met an error it did not expect; the log of Perpdeck has the details").response()


def of_validation(errors: Iterable[Mapping[str, Any] | ErrorDetails]) -> Iterator[Body]:
    """What does not fit the schema."""
    for error in errors:
        steps = map(str, error["loc"])
        where = [one for one in steps if one not in ("body", "query", "path", "header") and not one.startswith(KIND)]
        field = _short(".".join(where)) or "body"
        limits = error.get("ctx") or {}
        allowed = [text.format(limits[name]) for name, text in LIMITS if name in limits]
        kind, message = error["type"], str(error["msg"]).removeprefix("Value error, ")
        if kind == "json_invalid":
            yield about("body", None, "a JSON object", f"body is not JSON: {limits.get('error', message)}")
        elif kind == "missing":
            yield about(field, None, "a value", f"{field} is missing")
        elif kind == "extra_forbidden":
            yield about(field, None, "nothing of this name", f"{field} is not known here")
        else:
            shown = about(field, error.get("input"), " and ".join(allowed) or message)
            given = "" if shown["value"] is None else f" {shown['value']}"
            yield shown | {"words": f"{field}{given} is not allowed: {message}"}


def _short(value: object) -> str:
    """A value for a sentence; structures are named and not repeated, since anything may lie in them."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[: LONGEST_VALUE + 1])
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
