"""Runs Perpdeck in one process: the dashboard, the bot behind it, API, `/metrics` and `/healthz`, on one port of
127.0.0.1.

The bot is built and stopped by the lifespan, so neither an edited page nor a cleared cache can make a second one.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api import app as app_module
from core.api import metrics
from core.api.health import readyz
from core.i18n import translate
from core.i18n.translate import _
from core.ui.asgi.click_filter import EachClickOnce
from core.ui.asgi.login_gate import COOKIE, Gate
from core.ui.session import PerpdeckError
from core.wiring import Running, get_services, start_everything

ROOT = Path(__file__).parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
STOP_SECONDS = 10
SWITCH_SECONDS = 0.0005  #: so briefly may a page that is being drawn keep the bot waiting for the interpreter
STREAMLITS_OWN_LINE = "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='"  # the one inline script of its page
HEADERS = {
    "content-security-policy": (
        f"default-src 'self'; script-src 'self' {STREAMLITS_OWN_LINE}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-ancestors 'none'; "
        "base-uri 'self'; form-action 'self'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class SecurityHeaders:
    """Adds the headers that keep foreign pages and scripts out to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, with_headers)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start the bot before the first page and stop it, within a bound, after the last."""
    import pandas  # noqa: F401  paid for here and not by the first page
    import pyarrow  # noqa: F401

    try:
        running = await asyncio.to_thread(_start)
    except PerpdeckError as error:
        print(f"\nPerpdeck cannot start: {error}\n", file=sys.stderr, flush=True)
        logging.getLogger("uvicorn.error").disabled = True  # the sentence is enough; its traceback would bury it
        raise SystemExit(1) from None
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield {}
    finally:
        try:
            await asyncio.wait_for(asyncio.to_thread(running.stop), STOP_SECONDS)
        except TimeoutError:
            print(f"Perpdeck did not stop within {STOP_SECONDS} s; leaving it to the system.", file=sys.stderr)


def _start() -> Running:
    """Start everything, in the trader's language; nothing where others could open the dashboard without a password."""
    running = start_everything()
    try:
        running.services.login.guard_address(st.get_option("server.address"))
        translate.use(running.services.display.shown().language)
    except PerpdeckError:
        running.stop()
        raise
    return running


async def healthz(request: Request) -> JSONResponse:
    """Return for a watchdog whether the database answers, what each bot does, and whether there is one scheduler.

    Without a session, where one is asked for, only whether all is well.
    """
    try:
        bots = await asyncio.to_thread(_bots)
    except PerpdeckError as error:
        told = {"status": "unavailable", "database": str(error), "version": VERSION}
        return JSONResponse(told if _known(request) else {"status": "unavailable"}, status_code=503)
    if not _known(request):
        return JSONResponse({"status": "ok"})
    schedulers = sum(thread.name == "APScheduler" for thread in threading.enumerate())
    told = {"status": "ok", "database": "ok", "bots": bots, "schedulers": schedulers, "version": VERSION}
    return JSONResponse(told)


def _known(request: Request) -> bool:
    login = get_services().login
    return not login.on or login.session(request.cookies.get(COOKIE)) is not None


def _bots() -> dict[str, str]:
    services = get_services()
    return {account.id: services.levels.status(account.id).state for account in services.accounts.list()}


def unexpected(error: BaseException) -> bool:
    """Show an error that nobody foresaw in words on the page, and log its traceback."""
    st.error(
        _(
            "The terminal in which Perpdeck runs has the details. Stops and targets that rest on the exchange "
            "go on guarding your positions, and the bot goes on by itself. Reload the page to try again."
        ),
        title=_("This page met an error it did not expect"),
        icon=":material/bug_report:",
    )
    logging.getLogger("perpdeck.pages").error("a page failed", exc_info=error)
    return True


app = st.App(
    ROOT / "pages" / "menu.py",
    lifespan=lifespan,
    routes=[
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        metrics.route(VERSION),
        Mount("/api/v1", app_module.build(VERSION)),
    ],
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(Gate, login=lambda: get_services().login),
        Middleware(EachClickOnce),
    ],
    on_script_error=unexpected,
)
