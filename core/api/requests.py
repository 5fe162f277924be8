"""Reads requests and makes responses: exact numbers, one account, one answer for each idempotency key.

Whoever asks for something names the request with a key of its own. The same key is the same request: it is done
once, and answered each time with the answer of the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from core.api.problems import MEDIA, Problem, about, of_services
from core.api.tokens import Caller
from core.domain.account import Account
from core.domain.errors import Misconfigured
from core.services.access.idempotency import KeptAnswer
from core.wiring import Services, get_services

REPLAYED = "idempotency-replayed"

House = Annotated[Services, Depends(get_services)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Names this request. The same key again is the same request, with the same answer.",
    ),
]
AccountId = Annotated[
    str,
    Query(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", description="One of /accounts, such as paper-okx."),
]
PartName = Annotated[str, Path(pattern=r"^[0-9a-z]{6}$", description="Six letters and digits.")]


def decoded(body: bytes) -> Any:
    """Return JSON with exact numbers. Raises json.JSONDecodeError for invalid or harmful documents."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise json.JSONDecodeError("it is not UTF-8", "", 0) from None
    except RecursionError:
        raise json.JSONDecodeError("it is nested too deep", "", 0) from None
    except (ValueError, ArithmeticError) as error:
        raise json.JSONDecodeError(str(error)[:80], "", 0) from None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


class _Exact(Request):
    async def json(self) -> Any:
        return decoded(await self.body())


class ExactRoute(APIRoute):
    """A route whose numbers never pass through a float."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handler(_Exact(request.scope, request.receive))

        return exact


def the_account(services: Services, name: str) -> Account:
    """Return the account of this name. Raises Problem for one that is not known."""
    known = services.accounts.list()
    found = next((one for one in known if one.id == name), None)
    if found is None:
        names = ", ".join(one.id for one in known)
        raise Problem(404, f"account {name!r} is not known", [about("account", name, f"one of {names}")])
    return found


def once(
    services: Services,
    caller: Caller,
    key: str,
    asked: dict[str, Any],
    work: Callable[[str], BaseModel],
    status: int = 200,
) -> Response:
    """Do what was asked under this key, once; the services' refusal is an answer too."""

    def answer(click: str) -> tuple[int, str]:
        try:
            return status, work(click).model_dump_json()
        except Misconfigured as error:
            problem = of_services(error, asked)
        except Problem as refused:
            problem = refused
        return problem.status, json.dumps(problem.body)

    try:
        return told(services.answers.once(caller.token.id, key, asked, answer))
    except Misconfigured as reused:
        raise of_services(reused, {"Idempotency-Key": key}, 409) from None


def told(answer: KeptAnswer) -> Response:
    """Return an answer as a response; a stored one is marked as such."""
    headers = {REPLAYED: "false" if answer.new else "true"}
    media = MEDIA if answer.status >= 400 else "application/json"
    return Response(answer.body, answer.status, headers, media)


def asked_of(request: Request, body: BaseModel | None) -> dict[str, Any]:
    """Return what a request asks for, as it is compared and quoted."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    said = {} if body is None else body.model_dump(mode="json", exclude_unset=True)
    return {**said, "request": f"{request.method} {path}"}
