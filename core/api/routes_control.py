"""Routes for accounts, the bot's switch and its level. Any token may read; changes need the admin scope."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from core.api import request_bodies, responses
from core.api.reasons import ReasonOut
from core.api.requests import AccountId, ExactRoute, House, Key, asked_of, once, the_account
from core.api.tokens import Admin, Reader
from core.domain.account import Level
from core.wiring import Services

router = APIRouter(route_class=ExactRoute)


@router.get("/accounts", tags=["accounts"])
def accounts(services: House, caller: Reader) -> list[responses.AccountOut]:
    """Return every account of this dashboard; their keys are never shown."""
    return [responses.AccountOut.model_validate(one) for one in services.accounts.list()]


# --- the level


@router.get("/level", tags=["level"])
def level(account: AccountId, services: House, caller: Reader) -> responses.LevelOut:
    """Return how much the bot may do, since when, who set it and why."""
    the_account(services, account)
    return _level(services, account)


@router.get("/level/preview", tags=["level"])
def level_preview(
    account: AccountId, services: House, caller: Reader, to: Annotated[Level, Query(description="The level.")]
) -> responses.LevelPreviewOut:
    """Return what a level would do now, in numbers; nothing is done."""
    the_account(services, account)
    found = services.levels.preview(account, to)
    told = {name: getattr(found, name) for name in responses.LevelPreviewOut.model_fields if name != "closing"}
    return responses.LevelPreviewOut(**told, closing=[one.part for one in found.closing])


@router.post("/level", tags=["level"], response_model=responses.LevelOut)
def set_level(body: request_bodies.LevelIn, request: Request, key: Key, services: House, caller: Admin) -> Response:
    """Set the most that the bot may do. `flatten` closes everything that is ours at market."""
    the_account(services, body.account)

    def work(click: str) -> responses.LevelOut:
        services.levels.set_level(body.account, body.level, caller.by, body.why)
        return _level(services, body.account)

    return once(services, caller, key, asked_of(request, body), work)


def _level(services: Services, account: str) -> responses.LevelOut:
    status = services.levels.status(account)
    why = status.level_why
    return responses.LevelOut(
        account=account,
        level=status.level,
        at=status.level_at,
        by=status.level_by,
        why=str(why or ""),
        reason=None if why is None else ReasonOut.of(why),
    )


# --- the bot


@router.get("/bot", tags=["bot"])
def bot(account: AccountId, services: House, caller: Reader) -> responses.BotOut:
    """Return what the bot of an account does."""
    the_account(services, account)
    return _bot(services, account)


@router.post("/bot/start", tags=["bot"], response_model=responses.BotOut)
def start(body: request_bodies.BotIn, request: Request, key: Key, services: House, caller: Admin) -> Response:
    """Start the bot on this account."""
    the_account(services, body.account)

    def work(click: str) -> responses.BotOut:
        services.levels.start(body.account, caller.by)
        return _bot(services, body.account)

    return once(services, caller, key, asked_of(request, body), work)


@router.post("/bot/stop", tags=["bot"], response_model=responses.BotOut)
def stop(body: request_bodies.BotIn, request: Request, key: Key, services: House, caller: Admin) -> Response:
    """Stop the bot: it only observes. Nothing is cancelled and nothing closed."""
    the_account(services, body.account)

    def work(click: str) -> responses.BotOut:
        services.levels.stop(body.account, caller.by, "")
        return _bot(services, body.account)

    return once(services, caller, key, asked_of(request, body), work)


def _bot(services: Services, account: str) -> responses.BotOut:
    status = services.levels.status(account)
    told = {name: getattr(status, name) for name in responses.BotOut.model_fields if name not in ("account", "reason")}
    return responses.BotOut(account=account, reason=ReasonOut.of(status.words), **told)
