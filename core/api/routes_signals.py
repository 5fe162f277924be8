"""The webhook for strategies and TradingView: one message, one request, one answer, however often it is delivered.

A signal proves itself by a secret in its body, by a signature over its bytes, or by a token. It is late after its
own maximum age; one that was answered before gets the same answer, late or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import ValidationError

from core.api import request_bodies, responses
from core.api.problems import Problem, about, of_services, of_validation
from core.api.reasons import ReasonOut
from core.api.requests import ExactRoute, House, decoded, once, the_account, told
from core.api.tokens import Caller, CallerLimits, address, admit, brought, check
from core.domain.account import PositionKey
from core.domain.errors import Misconfigured
from core.domain.instrument import Side
from core.domain.reason import Reason
from core.domain.token import Scope
from core.services.access.idempotency import click as click_of
from core.services.access.tokens import Admission
from core.services.trading.requests import Asked
from core.wiring import Services

AHEAD_SECONDS = 30  #: so far may a sender's clock be before ours
NO_PROOF = Reason("api.signal_without_proof")


async def _body(request: Request) -> bytes:
    return await request.body()


def routes(limits: CallerLimits) -> APIRouter:
    """Return the webhook's routes, with their own rate limits."""
    router = APIRouter(tags=["signals"], route_class=ExactRoute)
    schema = request_bodies.SignalIn.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs")

    @router.post(
        "/signals",
        status_code=201,
        response_model=responses.SignalOut,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "security": [{}, {"HTTPBearer": []}],
        },
    )
    def signal(
        request: Request,
        raw: Annotated[bytes, Depends(_body)],
        services: House,
        signature: Annotated[str | None, Header(alias="X-Perpdeck-Signature", max_length=200)] = None,
    ) -> Response:
        """Open a part, or end the parts of a strategy: those that are open are closed, and none that waits is opened
        again. Its `id` is its key: the same id twice is one order."""
        return _answered(request, raw, services, signature, limits)

    return router


def _answered(
    request: Request, raw: bytes, services: Services, signature: str | None, limits: CallerLimits
) -> Response:
    try:
        given = decoded(raw)
    except json.JSONDecodeError as error:
        raise Problem(422, f"body is not JSON: {error.msg}", [about("body", None, "a JSON object")]) from None
    given = given if isinstance(given, dict) else {}
    admitted = _proof(request, raw, given, services, signature, limits)
    caller = check(limits.let_in(address(request.scope), admitted), Scope.TRADE)
    try:
        wish = request_bodies.SignalIn.model_validate(given)
    except ValidationError as error:
        problems = list(of_validation(error.errors(include_url=False)))
        raise Problem(422, "; ".join(one["words"] for one in problems), problems) from None
    return _done(wish, services, caller)


def _proof(
    request: Request, raw: bytes, given: dict[str, Any], services: Services, signature: str | None, limits: CallerLimits
) -> Admission:
    """Return who sends a signal, by its first proof. A wrong secret or signature costs no database query."""
    token, secret = brought(request.headers), given.get("secret")
    if token:
        return admit(services, token, address(request.scope), limits)
    if signature is not None:
        return services.tokens.admit_signature(signature, raw)
    if isinstance(secret, str):
        return services.tokens.admit_secret(secret)
    return Admission(None, NO_PROOF)


def _done(wish: request_bodies.SignalIn, services: Services, caller: Caller) -> Response:
    the_account(services, wish.account)
    asked = wish.model_dump(mode="json", exclude_unset=True, exclude={"secret"}) | {"request": "POST /signals"}
    key = f"signal {wish.id}"
    try:
        before = services.answers.kept(caller.token.id, key, asked)
    except Misconfigured as reused:
        raise of_services(reused, {}, 409) from None
    if before is not None:
        return told(before)
    late = _late(wish, services.reports.clock.now())
    if late is not None and not services.positions.asked_for(click_of(caller.token.id, key)):
        raise late
    work: Callable[[str], responses.SignalOut]
    if wish.action == "open":

        def work(click: str) -> responses.SignalOut:
            opened = services.positions.open(wish.draft(), click, caller.by, again=wish.again)
            return _out(wish, [opened])
    else:

        def work(click: str) -> responses.SignalOut:
            held = PositionKey(wish.account, wish.contract, Side(wish.side))
            return _out(wish, services.positions.end_strategy(held, wish.strategy, click, caller.by))

    return once(services, caller, key, asked, work, 201)


def _late(wish: request_bodies.SignalIn, now: datetime) -> Problem | None:
    """Return the response to a signal that comes too late, or from the future; None where it is on time."""
    age = (now - wish.time).total_seconds()
    if -AHEAD_SECONDS <= age <= wish.max_age_seconds:
        return None
    allowed = f"{AHEAD_SECONDS} s ahead of ours to {wish.max_age_seconds} s ago"
    words = f"time {wish.time.isoformat()} is {age:.0f} s ago: {allowed} is allowed; nothing was done"
    return Problem(422, words, [about("time", wish.time.isoformat(), allowed, words)])


def _out(wish: request_bodies.SignalIn, done: list[Asked]) -> responses.SignalOut:
    nothing = Reason("api.signal_nothing_open", strategy=wish.strategy, side=Side(wish.side), symbol=wish.contract)
    words = done[0].words if done else nothing
    told = ReasonOut.of(words)
    parts = [one.part for one in done]
    return responses.SignalOut(id=wish.id, action=wish.action, parts=parts, words=told.text, reason=told)
