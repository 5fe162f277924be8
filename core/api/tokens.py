"""Authenticates requests of the API by token and checks scopes and rates, also for requests of this machine.

Open are the reference pages on the loopback, and the door for signals, which carry their own proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.api.limits import Limiter, too_many
from core.api.problems import Problem
from core.domain.errors import PerpdeckError
from core.domain.reason import Reason
from core.domain.token import ApiToken
from core.domain.token import Scope as May
from core.services.access.login import loopback, network
from core.services.access.tokens import UNKNOWN, Admission
from core.wiring import Services

REFERENCE = frozenset({"", "/", "/docs", "/openapi.json"})
SIGNALS = "/signals"
CALLER = "perpdeck.caller"
ASK = {"www-authenticate": 'Bearer realm="perpdeck"'}

bearer = HTTPBearer(
    auto_error=False, description="A token made in Settings, API. Its scope is read, trade or admin; each includes less"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The program that sends a request."""

    token: ApiToken

    @property
    def by(self) -> str:
        """Return the caller's name in the audit trail."""
        return f"API token {self.token.name}"


class CallerLimits:
    """Rate limits of callers: those with a token, and addresses whose attempts failed."""

    def __init__(self, tokens: Limiter, strangers: Limiter) -> None:
        self.tokens, self.strangers = tokens, strangers

    def known(self, token: ApiToken) -> None:
        """Count one request of a token. Raises Problem where it has none left."""
        seconds = self.tokens.wait(token.id)
        if seconds:
            raise too_many(seconds, self.tokens.rate)

    def may_try(self, address: str) -> None:
        """Check an address. Raises Problem for one that failed too often."""
        seconds = self.strangers.wait(network(address), 0)
        if seconds:
            raise too_many(seconds, self.strangers.rate)

    def failed(self, address: str, words: Reason | str) -> Problem:
        """Count one failed attempt of an address and return the response to it."""
        seconds = self.strangers.wait(network(address))
        return too_many(seconds, self.strangers.rate) if seconds else Problem(401, words, headers=ASK)

    def let_in(self, address: str, admitted: Admission) -> Caller:
        """Return the caller. Raises Problem where nobody was admitted, and where a token has no request left."""
        if admitted.token is None:
            raise self.failed(address, admitted.words or UNKNOWN)
        self.known(admitted.token)
        return Caller(admitted.token)


class Door:
    """Middleware that authenticates a request before anything of it is read."""

    def __init__(self, app: ASGIApp, services: Callable[[], Services], limits: CallerLimits) -> None:
        self.app, self._services, self._limits = app, services, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        open_here = path in REFERENCE and loopback(address(scope))
        if not open_here and path != SIGNALS:
            try:
                scope[CALLER] = await run_in_threadpool(caller_of, scope, self._services, self._limits)
            except Problem as problem:
                return await problem.response()(scope, receive, send)
            except PerpdeckError as error:
                return await Problem(503, str(error), headers={"retry-after": "5"}).response()(scope, receive, send)
        return await self.app(scope, receive, send)


def caller_of(scope: Scope, services: Callable[[], Services], limits: CallerLimits) -> Caller:
    """Return whose token a request carries. Raises Problem for nobody and for too many, Unavailable."""
    where, text = address(scope), brought(Headers(scope=scope))
    if not text:
        raise limits.failed(where, "a token is needed: Authorization: Bearer <token>, made in Settings, API")
    return limits.let_in(where, admit(services(), text, where, limits))


def brought(headers: Headers) -> str:
    """Return the token in the usual header; empty where there is none."""
    kind, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else ""


def admit(services: Services, text: str, where: str, limits: CallerLimits) -> Admission:
    """Return who brings this token. Failed attempts of an address are slowed down; a token that was accepted before is
    not: many callers share an address, behind a proxy or as senders of signals.
    """
    if not services.tokens.came_in(text):
        limits.may_try(where)
    return services.tokens.admit(text)


def address(scope: Scope) -> str:
    """Return where a request comes from, as the server says."""
    return scope["client"][0] if scope.get("client") else ""


def check(caller: Caller, needed: May) -> Caller:
    """Return the caller. Raises Problem where its token may not do this."""
    if not caller.token.scope.covers(needed):
        has = caller.token.scope
        raise Problem(403, f"token {caller.token.id} may {has} only: this needs a token with the scope {needed}")
    return caller


def _who(needed: May) -> Callable[..., Caller]:
    def caller(request: Request, _shown: Annotated[object, Depends(bearer)] = None) -> Caller:
        return check(request.scope[CALLER], needed)

    return caller


Reader = Annotated[Caller, Depends(_who(May.READ))]
Trader = Annotated[Caller, Depends(_who(May.TRADE))]
Admin = Annotated[Caller, Depends(_who(May.ADMIN))]
