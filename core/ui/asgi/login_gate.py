"""Middleware that requires a session for every page, file, upload and websocket, once a password is set.

Plain ASGI, so that it sees websockets too. Open are the login page, `/healthz` and `/readyz`; the API and `/metrics`
have doors of their own. A socket whose session has ended is cut at its next message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.errors import PerpdeckError
from core.domain.reason import Reason
from core.i18n import translate
from core.i18n.translate import _, told
from core.services.access.login import SESSION, Login
from core.ui.asgi.login_page import login_page

COOKIE = "perpdeck_session"
LOG_IN, LOG_OUT = "/login", "/logout"
OPEN = frozenset({LOG_IN, LOG_OUT, "/healthz", "/readyz"})
API, METRICS = "/api/v1", "/metrics"  #: ask each request for a token by themselves
MACHINES = ("/_stcore", "/api/", METRICS, "/media", "/component", "/static")  #: asked by programs, not typed
NO_SESSION = 4401  #: websocket close code
LONGEST_FORM = 4096  #: bytes
_GUESSES = ThreadPoolExecutor(2, "login")  #: passwords are tried two at a time, apart from everybody else's work


class Gate:
    """Lets a request through when no password is set or its session lives."""

    def __init__(self, app: ASGIApp, login: Callable[[], Login]) -> None:
        self.app, self._login = app, login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        try:
            login = self._login()
        except PerpdeckError as error:  # nothing has started yet: nobody is let through
            return await _refused(scope, receive, send, str(error), 503)
        token = HTTPConnection(scope).cookies.get(COOKIE)
        path = scope["path"]
        if scope["type"] == "http" and path in (LOG_IN, LOG_OUT):
            answer = await (_log_in if path == LOG_IN else _log_out)(Request(scope, receive), login, token)
            return await answer(scope, receive, send)
        own_door = scope["type"] == "http" and (path in (API, METRICS) or path.startswith(f"{API}/"))
        if path in OPEN or own_door or (not login.on and scope["type"] == "http"):
            return await self.app(scope, receive, send)
        if login.on and login.session(token) is None:
            if scope["type"] == "http" and not path.startswith(MACHINES) and scope["method"] in ("GET", "HEAD"):
                return await RedirectResponse(LOG_IN, 303)(scope, receive, send)
            return await _refused(scope, receive, send, _("Log in first."), 401)
        if scope["type"] == "http":
            return await self.app(scope, receive, send)
        return await self._guarded(scope, receive, send, lambda: login.on and login.session(token) is None)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, ended: Callable[[], bool]) -> None:
        """Serve a websocket, closed at its first message after its session has ended."""
        cut = False

        async def while_it_lives() -> Message:
            nonlocal cut
            message = await receive()
            if message["type"] == "websocket.receive" and ended():
                cut = True
                await send({"type": "websocket.close", "code": NO_SESSION})
                return {"type": "websocket.disconnect", "code": NO_SESSION}
            return message

        async def until_cut(message: Message) -> None:
            if not cut:
                await send(message)

        await self.app(scope, while_it_lives, until_cut)


async def _refused(scope: Scope, receive: Receive, send: Send, words: str, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": NO_SESSION})
    else:
        await JSONResponse({"detail": words}, status)(scope, receive, send)


async def _log_in(request: Request, login: Login, token: str | None) -> Response:
    """Return the login page, or the response to what its form sends."""
    if not login.on or login.session(token) is not None:
        return RedirectResponse("/", 303)
    if request.method in ("GET", "HEAD"):
        return _page()
    if request.method != "POST":
        return JSONResponse({"detail": "GET or POST"}, 405, {"allow": "GET, POST"})
    if not _from_here(request):
        return _page(_("This form was sent from another site. Open the dashboard itself and try again."), 403)
    form = await _form(request)
    if form is None:
        return _page(_("Enter the password."), 413)
    password = form.get("password")
    typed = password if isinstance(password, str) else ""
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(_GUESSES, login.come_in, typed, _address(request))
    if answer.session is None:
        headers = {"retry-after": str(int(answer.locked.total_seconds()) + 1)} if answer.locked else {}
        return _page(told(answer.words or Reason("login.enter_password")), 429 if answer.locked else 401, headers)
    entered = RedirectResponse("/", 303)
    entered.set_cookie(
        COOKIE,
        answer.token,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return entered


async def _log_out(request: Request, login: Login, token: str | None) -> Response:
    """End the session here and everywhere. A foreign page cannot: the cookie does not travel with its links."""
    await asyncio.to_thread(login.leave, token, _address(request))
    gone = RedirectResponse(LOG_IN if login.on else "/", 303)
    gone.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return gone


def _page(words: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(
        login_page(translate.language(), words), status, {"cache-control": "no-store", **(headers or {})}
    )


def _from_here(request: Request) -> bool:
    """Return whether the form was sent by our own page: browsers name its origin with every POST."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def _address(request: Request) -> str:
    """Return where a request comes from, as the server says: a proxy counts as the client unless it runs on this
    machine.
    """
    return request.client.host if request.client else "an unknown address"


async def _form(request: Request) -> FormData | None:
    """Return the form's fields; None where more was sent than a password can be."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LONGEST_FORM:
        return None
    return await request.form(max_files=0, max_fields=2)
