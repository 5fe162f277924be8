"""Serves `/readyz`: whether this process can do its work now, for a supervisor or a load balancer. It names nothing."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from core.domain.errors import PerpdeckError
from core.wiring import get_services

DEAD = "dead"


async def readyz(request: Request) -> JSONResponse:
    """Return 200 while the database answers and no bot that should run is silent; 503 otherwise."""
    try:
        states = await run_in_threadpool(_states)
    except PerpdeckError:
        return JSONResponse({"status": "unavailable", "database": "unavailable"}, 503)
    if DEAD in states:
        return JSONResponse({"status": "unavailable", "database": "ok", "bots": "silent"}, 503)
    return JSONResponse({"status": "ready", "database": "ok", "bots": "ok"})


def _states() -> list[str]:
    services = get_services()
    return [services.levels.status(account.id).state for account in services.accounts.list()]
