"""Error responses as application/problem+json (RFC 9457): each problem names the field, the value and what is allowed.

Values that could be secrets are never repeated, and what nobody foresaw shows no inside.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.api.execution_styles import KIND
from core.api.reasons import ReasonOut
from core.domain.errors import Misconfigured, PerpdeckError
from core.domain.reason import Reason, as_reason
from core.services.trading.problem_fields import field_of

log = logging.getLogger("perpdeck.api")

MEDIA = "application/problem+json"
LONGEST_VALUE = 80
SECRET = ("secret", "authorization", "x-perpdeck-signature")
_STYLE = {
    "timeout": "timeout_seconds",
    "reprice": "reprice_seconds",
    "follow": "follow",
    "duration": "duration_seconds",
    "slices": "slices",
    "randomness": "randomness",
    "visible": "visible",
    "refresh": "refresh_seconds",
}
#: fields of the services -> where they are asked for
FIELDS = {
    **{name: f"entry.{path}" for name, path in _STYLE.items()},
    **{f"recovery_{name}": f"recovery.style.{path}" for name, path in _STYLE.items()},
    "limit_price": "entry.price",
    "contract": "symbol",
    "order": "id",
    "key": "Idempotency-Key",
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
    """An error response. `detail` says why, each of `problems` is about one field."""

    def __init__(
        self,
        status: int,
        detail: Reason | str,
        problems: Sequence[Body] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.reason = as_reason(detail)
        super().__init__(str(self.reason))
        self.status = status
        self.problems, self.headers = tuple(problems), dict(headers or {})

    @property
    def body(self) -> Body:
        return document(self.status, self.reason, self.problems)

    def response(self) -> Response:
        return JSONResponse(self.body, self.status, self.headers, MEDIA)


def document(status: int, detail: Reason, problems: Iterable[Body] = ()) -> Body:
    """Return the body of an error response."""
    told = ReasonOut.of(detail)
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": told.text}
    return body | told.model_dump() | {"problems": list(problems)}


def about(field: str, value: object, allowed: str, words: Reason | str = "") -> Body:
    """Return one field's problem: its value and what is allowed; values that could be secrets are left out."""
    shown = None if value is None or any(name in field.lower() for name in SECRET) else _short(value)
    told = ReasonOut.of(as_reason(words or f"{field}: {allowed} is allowed"))
    body = {"field": field, "value": shown, "allowed": allowed, "words": told.text}
    return body | {"code": told.code, "values": told.values}


def of_services(error: Misconfigured, given: Mapping[str, Any], status: int = 422) -> Problem:
    """Return a refusal of the services as a response. `given` is what was asked, for the values."""
    return Problem(status, error.reason, [of_reason(one, given) for one in error.problems])


def of_reason(problem: Reason, given: Mapping[str, Any]) -> Body:
    """Return a reason as a problem with its field, the value that was given for it, and what is allowed instead."""
    named = field_of(problem)
    field = FIELDS.get(named, named)
    value: Any = given
    for step in field.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    allowed = problem.values.get("allowed")
    return about(field, value, str(allowed if isinstance(allowed, Reason) else problem), problem)


def install(app: FastAPI) -> None:
    """Install handlers that turn every error of this app into a problem response."""
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
    """Return the response to an error of ours; only two kinds come here: wrong input, and something that does not
    answer.
    """
    if isinstance(error, Misconfigured):
        return of_services(error, {}).response()
    assert isinstance(error, PerpdeckError)
    return Problem(503, error.reason, headers={"retry-after": "5"}).response()


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("a request failed: %s %s", request.method, request.url.path, exc_info=error)
    return Problem(500, "this request met an error it did not expect; the log of Perpdeck has the details").response()


def of_validation(errors: Iterable[Mapping[str, Any] | ErrorDetails]) -> Iterator[Body]:
    """Yield a problem for each value that does not fit the schema."""
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
            yield about(field, error.get("input"), shown["allowed"], f"{field}{given} is not allowed: {message}")


def _short(value: object) -> str:
    """Return a value for a sentence; structures are named and not repeated, since anything may be in them."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[: LONGEST_VALUE + 1])
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
