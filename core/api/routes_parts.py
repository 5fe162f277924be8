"""Routes for parts: preview, open, move take-profit and stop-loss, close all or a share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from core.api import request_bodies, responses
from core.api.execution_styles import style
from core.api.problems import Problem, about
from core.api.requests import AccountId, ExactRoute, House, Key, PartName, asked_of, once, the_account
from core.api.routes_trading import opened, seen
from core.api.tokens import Caller, Reader, Trader
from core.services.trading.choices import choice_problems
from core.services.trading.requests import Asked
from core.wiring import Services

router = APIRouter(prefix="/parts", tags=["parts"], route_class=ExactRoute)

RunName = Annotated[
    str,
    Path(
        pattern=r"^[0-9]{1,6}[ERC][0-9]{0,6}$",
        description="Cycle, E for entry, R for a recovery step with its number, C for a close: 1E, 3R2, 2C.",
    ),
]


@router.get("")
def parts(
    account: AccountId,
    services: House,
    caller: Reader,
    strategy: Annotated[str | None, Query(min_length=1, max_length=40, pattern=request_bodies.NAME)] = None,
) -> responses.SeenOut[responses.PartOut]:
    """Return every part that is held, asked for, or waits to be opened again."""
    snapshot, as_of, stale = seen(services, account)
    found = [part for part in snapshot.parts if strategy in (None, part.strategy)] if snapshot else []
    items = [responses.PartOut.of(part) for part in found]
    return responses.SeenOut(account=account, as_of=as_of, stale=stale, items=items)


@router.post("", status_code=201, response_model=responses.AskedOut)
def open_part(body: request_bodies.OpenIn, request: Request, key: Key, services: House, caller: Trader) -> Response:
    """Open a part; the same as POST /trading/orders."""
    return opened(body, request, key, services, caller)


@router.post("/preview")
def preview(body: request_bodies.DraftIn, services: House, caller: Reader) -> responses.PreviewOut:
    """Return what it would cost and bring at the newest price, and why it would be refused. Nothing is asked for: it
    needs no key.
    """
    the_account(services, body.account)
    draft = body.value()
    found = services.positions.preview(draft)
    problems = (*found.problems, *choice_problems(draft.recovery, draft.reopen))
    twin = None if problems else services.positions.twin(draft)
    notes = (*found.notes, twin) if twin else found.notes
    return responses.PreviewOut.model_validate(replace(found, problems=problems, notes=notes))


@router.get("/{part}")
def part(part: PartName, account: AccountId, services: House, caller: Reader) -> responses.PartOut:
    """Return one part, as last seen."""
    found = next((one for one in parts(account, services, caller).items if one.part == part), None)
    if found is None:
        raise _unknown(part, f"part {part} is not among those last seen on {account}")
    return found


@router.post("/{part}/targets", response_model=responses.AskedOut)
def targets(
    part: PartName, body: request_bodies.TargetsIn, request: Request, key: Key, services: House, caller: Trader
) -> Response:
    """Move take-profit and stop-loss; the resting orders are amended and the part stays protected throughout."""
    take_profit = None if body.take_profit is None else body.take_profit.value()
    stop_loss = None if body.stop_loss is None else body.stop_loss.value()

    def work(click: str) -> Asked:
        return services.positions.edit_targets(part, take_profit, stop_loss, click, caller.by, keep=body.keep)

    return _of_part(part, asked_of(request, body), key, services, caller, work)


@router.post("/{part}/close", response_model=responses.AskedOut)
def close(
    part: PartName, body: request_bodies.CloseIn, request: Request, key: Key, services: House, caller: Trader
) -> Response:
    """Close a part, or so many of its contracts, at market or in a style."""
    worked = None if body.style is None else style(body.style)

    def work(click: str) -> Asked:
        return services.positions.close(part, click, caller.by, body.contracts, reopen=body.reopen, style=worked)

    return _of_part(part, asked_of(request, body), key, services, caller, work)


@router.post("/{part}/runs/{run}", response_model=responses.AskedOut)
def tell(
    part: PartName,
    run: RunName,
    body: request_bodies.RunIn,
    request: Request,
    key: Key,
    services: House,
    caller: Trader,
) -> Response:
    """Finish an execution under way at market, or cancel what has not filled; of a close: withdraw the close."""

    def work(click: str) -> Asked:
        return services.positions.tell(part, run, click, caller.by, finish=body.do == "finish")

    return _of_part(part, asked_of(request, body), key, services, caller, work)


def _of_part(
    part: str,
    asked: dict[str, object],
    key: str,
    services: Services,
    caller: Caller,
    work: Callable[[str], Asked],
) -> Response:
    """Do something with a part, where it is known, and return the response."""
    if not services.positions.known(part):
        raise _unknown(part, f"part {part} is not known")
    return once(services, caller, key, asked, lambda click: responses.AskedOut.model_validate(work(click)))


def _unknown(part: str, words: str) -> Problem:
    return Problem(404, words, [about("part", part, "a part of GET /parts", words)])
