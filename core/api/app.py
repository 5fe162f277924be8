"""Builds the API as one ASGI app, mounted by the dashboard at /api/v1. It uses the same services as the pages and
decides nothing: what it opens is guarded, and what it may not do is refused in the same words.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.telemetry import TelemetryConfig
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from core.api import (
    problems,
    reference_page,
    request_bodies,
    responses,
    routes_control,
    routes_executions,
    routes_parts,
    routes_signals,
    routes_trading,
)
from core.api.limits import STRANGER_RATE, TOKEN_RATE, BodyLimit, Limiter, Rate
from core.api.tokens import CallerLimits, Door
from core.wiring import Services, get_services

WORDS = """\
The guarded path of the dashboard for programs: whatever is asked for here is checked by the same services, carried \
out by the same bot and explained on the same pages.

Each request carries a token made in Settings, API. Whoever asks for something names the request with an \
Idempotency-Key: the same key is the same request, done once, and answered each time with its first answer. \
Numbers are exact: send them as numbers or text, they come back as text. Times are UTC. Money is in USDT, quantities \
are in contracts.

Errors are application/problem+json and name the field, its value and what is allowed."""
PROBLEM = {"content": {problems.MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No token, or one that is not taken", **PROBLEM},
    403: {"description": "The token may not do this", **PROBLEM},
    404: {"description": "Not known", **PROBLEM},
    408: {"description": "The body did not come in time", **PROBLEM},
    409: {"description": "The key was used for another request", **PROBLEM},
    413: {"description": "The body is too long", **PROBLEM},
    422: {"description": "Refused, with what is allowed; nothing was done", **PROBLEM},
    429: {"description": "Too many requests", **PROBLEM},
    503: {"description": "The database or the bot does not answer; send the same again", **PROBLEM},
}
SILENT: TelemetryConfig = {  # what is asked here goes into our own record, and nowhere else
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def build(
    version: str,
    services: Callable[[], Services] = get_services,
    monotonic: Callable[[], float] = time.monotonic,
    rate: Rate = TOKEN_RATE,
) -> FastAPI:
    """Return the app. `services` is called at each request, since the services start after it."""
    limits = CallerLimits(Limiter(rate, monotonic), Limiter(STRANGER_RATE, monotonic))
    app = FastAPI(
        title="Perpdeck API",
        version=version,
        description=WORDS,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=ERRORS,
        redirect_slashes=False,
        telemetry=SILENT,
    )
    app.dependency_overrides[get_services] = services
    problems.install(app)
    groups = (routes_trading.router, routes_parts.router, routes_executions.router, routes_control.router)
    for router in (*groups, routes_signals.routes(limits)):
        app.include_router(router)
    _tell_problems(app)

    async def docs(request: Request) -> Response:
        return HTMLResponse(reference_page.page(app.openapi(), str(request.base_url).rstrip("/")))

    async def document(request: Request) -> Response:
        return JSONResponse(app.openapi() | {"servers": [{"url": request.scope.get("root_path", "") or "/"}]})

    async def front(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/docs", 303)

    app.add_route("/docs", docs, include_in_schema=False)
    app.add_route("/openapi.json", document, include_in_schema=False)
    app.add_route("/", front, include_in_schema=False)
    app.add_middleware(BodyLimit)
    app.add_middleware(Door, services=services, limits=limits)
    return app


def _tell_problems(app: FastAPI) -> None:
    """Describe errors in the OpenAPI document as problems; the framework's own error bodies are never sent."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = made()
            told = found["components"]["schemas"]
            for name in ("HTTPValidationError", "ValidationError"):
                told.pop(name, None)
            parts = responses.ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
            told |= parts.pop("$defs") | {"ProblemOut": parts}
            signal = request_bodies.SignalIn.model_json_schema(ref_template="#/components/schemas/{model}")
            told |= {name: one for name, one in signal["$defs"].items() if name not in told}
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
