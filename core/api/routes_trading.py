"""Routes for orders, positions, executions, results and events of one account. They read what the bot has written."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from core.api import request_bodies, responses
from core.api.problems import Problem, about
from core.api.requests import AccountId, ExactRoute, House, Key, asked_of, once, the_account
from core.api.tokens import Reader, Trader
from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.order import OrderStatus, Purpose
from core.domain.risk_result import CheckName
from core.domain.snapshot import AccountSnapshot
from core.services.reporting.ledger import MOST, EventKind, EventsOnly, Only, OrdersOnly
from core.wiring import Services

router = APIRouter(prefix="/trading", tags=["trading"], route_class=ExactRoute)

PURPOSES = {purpose.name.lower(): purpose for purpose in Purpose if purpose is not Purpose.FOREIGN}
Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of one page.")]
After = Annotated[str | None, Query(max_length=400, description="The `next` of the page before.")]
SymbolQuery = Annotated[str | None, Query(pattern=r"^[A-Z0-9]{1,20}-USDT-PERP$")]
PartQuery = Annotated[str | None, Query(pattern=r"^[0-9a-z]{6}$")]
StrategyQuery = Annotated[str | None, Query(min_length=1, max_length=40, pattern=request_bodies.NAME)]
OrderId = Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,36}$", description="Client order id, such as op00a7k201E01.")]
SymbolPath = Annotated[str, Path(pattern=r"^[A-Z0-9]{1,20}-USDT-PERP$")]
GroupName = Literal["symbol", "side", "strategy", "reason", "recovery"]
PurposeName = Literal["entry", "recovery", "protect", "safety_net", "take_profit", "stop_loss", "close", "balance"]


def seen(services: Services, account: str) -> tuple[AccountSnapshot | None, datetime | None, bool]:
    """Return the account as it was last seen, when, and whether that is too long ago. None: not seen yet."""
    the_account(services, account)
    snapshot = services.reports.snapshot(account)
    if snapshot is None:
        return None, None, True
    return snapshot, snapshot.as_of, snapshot.stale(services.reports.clock.now())


# --- orders


@router.post("/orders", status_code=201, response_model=responses.AskedOut)
def open_by_order(body: request_bodies.OpenIn, request: Request, key: Key, services: House, caller: Trader) -> Response:
    """Open a part: its entry is ordered, and its take-profit and stop-loss rest from the first fill on."""
    return opened(body, request, key, services, caller)


def opened(body: request_bodies.OpenIn, request: Request, key: str, services: Services, caller: Trader) -> Response:
    the_account(services, body.account)

    def work(click: str) -> responses.AskedOut:
        asked = services.positions.open(body.value(), click, caller.by, again=body.again)
        return responses.AskedOut.model_validate(asked)

    return once(services, caller, key, asked_of(request, body), work, 201)


@router.get("/orders")
def orders(
    account: AccountId,
    services: House,
    caller: Reader,
    symbol: SymbolQuery = None,
    status: OrderStatus | None = None,
    purpose: PurposeName | None = None,
    part: PartQuery = None,
    after: After = None,
    limit: Limit = 100,
) -> responses.PageOut[responses.OrderOut]:
    """Return our orders of all cycles, newest first."""
    the_account(services, account)
    only = OrdersOnly(symbol, status, PURPOSES[purpose] if purpose else None, part)
    page = services.ledger.orders(account, only, after, limit)
    return responses.PageOut(items=[responses.OrderOut.of(order) for order in page.items], next=page.next)


@router.get("/orders/active")
def active_orders(account: AccountId, services: House, caller: Reader) -> responses.SeenOut[responses.ActiveOrderOut]:
    """Return every live order at the exchange, ours and foreign, as last seen."""
    snapshot, as_of, stale = seen(services, account)
    items = [responses.ActiveOrderOut.model_validate(order) for order in (snapshot.orders if snapshot else ())]
    return responses.SeenOut(account=account, as_of=as_of, stale=stale, items=items)


@router.get("/orders/{order_id}")
def order(order_id: OrderId, account: AccountId, services: House, caller: Reader) -> responses.OrderOut:
    """Return one order of ours."""
    return _order(services, account, order_id)


def _order(services: Services, account: str, name: str) -> responses.OrderOut:
    the_account(services, account)
    found = services.ledger.order(account, name)
    if found is None:
        raise Problem(404, f"order {name} is none of ours on {account}", [about("order_id", name, "an id of ours")])
    return responses.OrderOut.of(found)


@router.delete("/orders/{order_id}", response_model=responses.AskedOut)
def cancel_order(
    order_id: OrderId,
    account: AccountId,
    request: Request,
    services: House,
    caller: Trader,
    key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=128, pattern=r"^[\x21-\x7e]+$")] = None,
) -> Response:
    """Cancel what has not filled of an entry. What has filled stays, and stays protected; orders that protect cannot be
    cancelled here.
    """
    _order(services, account, order_id)

    def work(click: str) -> responses.AskedOut:
        return responses.AskedOut.model_validate(services.orders.cancel(account, order_id, click, caller.by))

    asked = asked_of(request, None) | {"account": account, "id": order_id}
    return once(services, caller, key or f"cancel {account} {order_id}", asked, work)


# --- positions


@router.get("/positions")
def positions(account: AccountId, services: House, caller: Reader) -> responses.SeenOut[responses.PositionOut]:
    """Return what the exchange holds."""
    snapshot, as_of, stale = seen(services, account)
    items = [responses.PositionOut.model_validate(row) for row in (snapshot.positions if snapshot else ())]
    return responses.SeenOut(account=account, as_of=as_of, stale=stale, items=items)


@router.post("/positions/sync", status_code=202, response_model=responses.AskedOut)
def sync(body: request_bodies.SyncIn, request: Request, key: Key, services: House, caller: Trader) -> Response:
    """Ask the bot to look at every position now, and to read what is new in the exchange's history."""
    the_account(services, body.account)

    def work(click: str) -> responses.AskedOut:
        return responses.AskedOut.model_validate(services.ledger.sync(body.account, click, caller.by))

    return once(services, caller, key, asked_of(request, body), work, 202)


@router.get("/positions/{instrument}")
def position(
    instrument: SymbolPath, account: AccountId, services: House, caller: Reader
) -> responses.SeenOut[responses.PositionOut]:
    """Return what the exchange holds of one contract: long, short, both or nothing."""
    found = positions(account, services, caller)
    return found.model_copy(update={"items": [one for one in found.items if one.symbol == instrument]})


# --- the past


@router.get("/trades")
def trades(
    account: AccountId,
    services: House,
    caller: Reader,
    symbol: SymbolQuery = None,
    side: Side | None = None,
    part: PartQuery = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: After = None,
    limit: Limit = 100,
) -> responses.PageOut[responses.TradeOut]:
    """Return executions at the exchange, ours and those of others. `side` is that of the position."""
    the_account(services, account)
    only = Only(symbol=symbol, side=side, since=aware("since", since), until=aware("until", until))
    page = services.ledger.trades(account, only, part, after, limit)
    items = [
        responses.TradeOut(
            **{field.name: getattr(one.fill, field.name) for field in fields(one.fill)}, part=one.part, cycle=one.cycle
        )
        for one in page.items
    ]
    return responses.PageOut(items=items, next=page.next)


@router.get("/performance")
def performance(
    account: AccountId,
    services: House,
    caller: Reader,
    symbol: SymbolQuery = None,
    side: Side | None = None,
    strategy: StrategyQuery = None,
    reason: ExitReason | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    by: Annotated[GroupName | None, Query(description="Only the groups of this kind; nothing: of every kind.")] = None,
) -> responses.PerformanceOut:
    """Return measures of ended cycles: win rate, PnL, profit factor, expectancy, Sharpe, Sortino, drawdown."""
    the_account(services, account)
    only = Only(symbol, side, strategy, reason, since=aware("since", since), until=aware("until", until))
    told = responses.PerformanceOut.model_validate(services.history.performance(account, only))
    return told if by is None else told.model_copy(update={"groups": {by: told.groups[by]}})


@router.get("/statistics")
def statistics(account: AccountId, services: House, caller: Reader) -> responses.StatisticsOut:
    """Return the account now, and counts of its take-profit/stop-loss pairs."""
    snapshot, as_of, _stale = seen(services, account)
    money, guarded = (snapshot.money, snapshot.protection) if snapshot else (None, None)
    pairs = services.pairs.figures(account)
    return responses.StatisticsOut(
        account=account,
        as_of=as_of,
        equity=None if money is None else money.equity,
        available=None if money is None else money.available,
        margin_used=None if money is None else money.margin_used,
        floating_pnl=None if money is None else money.floating_pnl,
        parts_held=guarded.parts if guarded else 0,
        parts_protected=guarded.protected if guarded else 0,
        pairs_placed=pairs.placed,
        target_hits=pairs.target_hits,
        stop_hits=pairs.stop_hits,
        both_filled=pairs.both_filled,
        orphans=pairs.orphans,
        sibling_cancels=pairs.cancels,
        sibling_cancel_p50_seconds=None if pairs.cancel_p50 is None else pairs.cancel_p50.total_seconds(),
        sibling_cancel_p99_seconds=None if pairs.cancel_p99 is None else pairs.cancel_p99.total_seconds(),
    )


@router.get(
    "/events",
    response_model=responses.PageOut[responses.EventOut],
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def events(
    account: AccountId,
    services: House,
    caller: Reader,
    part: PartQuery = None,
    rule: Annotated[str | None, Query(pattern=r"^[a-z][a-z _-]{0,39}$")] = None,
    kind: EventKind | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: After = None,
    limit: Limit = 100,
    format: Annotated[
        Literal["json", "csv"], Query(description="csv: all of it in one file, whatever `after` and `limit` say.")
    ] = "json",
) -> Response | responses.PageOut[responses.EventOut]:
    """Return what was asked, decided and done, and why; and each order, fill, position and refusal by the
    risk control.
    """
    the_account(services, account)
    only = EventsOnly(part, rule, kind, aware("since", since), aware("until", until))
    if format == "csv":
        headers = {"content-disposition": 'attachment; filename="events.csv"'}
        return StreamingResponse(services.ledger.events_csv(account, only), headers=headers, media_type="text/csv")
    page = services.ledger.events(account, only, after, limit)
    return responses.PageOut(items=[responses.EventOut.model_validate(event) for event in page.items], next=page.next)


@router.get("/risk-checks")
def risk_checks(
    account: AccountId,
    services: House,
    caller: Reader,
    part: PartQuery = None,
    check: Annotated[CheckName | None, Query(description="Refusals by this check only.")] = None,
    passed: bool | None = None,
    after: After = None,
    limit: Limit = 100,
) -> responses.PageOut[responses.RiskCheckOut]:
    """Return the risk control's result for each order that adds risk: let through, or refused with value and limit."""
    the_account(services, account)
    page = services.risk.checks(account, part=part, check=check, passed=passed, after=after, limit=limit)
    return responses.PageOut(items=[responses.RiskCheckOut.model_validate(one) for one in page.items], next=page.next)


def aware(field: str, at: datetime | None) -> datetime | None:
    """Return a given time in UTC. Raises Problem for one without a zone, or outside of the calendar."""
    if at is None:
        return None
    given = at.isoformat()
    try:
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        words = f"{field} {given} has no zone: 2026-01-31T12:00:00Z is allowed"
    except OverflowError:
        words = f"{field} {given} is outside of the calendar: the years 1 to 9999 are allowed"
    raise Problem(422, words, [about(field, given, "a time with its zone", words)])
