"""Routes for execution reports: one for each entry, recovery step and close."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from core.api import responses
from core.api.execution_responses import ExecutionOut, WorkedPurpose
from core.api.requests import AccountId, ExactRoute, House, the_account
from core.api.routes_trading import PURPOSES, After, Limit, PartQuery, StrategyQuery, SymbolQuery, aware
from core.api.tokens import Reader
from core.domain.intent import ExecutionKind
from core.services.reporting.executions import ExecutionsOnly

router = APIRouter(prefix="/executions", tags=["executions"], route_class=ExactRoute)


@router.get("")
def executions(
    account: AccountId,
    services: House,
    caller: Reader,
    symbol: SymbolQuery = None,
    strategy: StrategyQuery = None,
    kind: Annotated[ExecutionKind | None, Query(description="Worked in this style.")] = None,
    purpose: WorkedPurpose | None = None,
    part: PartQuery = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: After = None,
    limit: Limit = 100,
) -> responses.PageOut[ExecutionOut]:
    """Return arrival price, average, slippage, fees, duration and maker share of each execution. Times: when
    it began.
    """
    the_account(services, account)
    wanted = PURPOSES[purpose] if purpose else None
    only = ExecutionsOnly(symbol, strategy, kind, wanted, part, aware("since", since), aware("until", until))
    page = services.executions.reports(account, only, after, limit)
    return responses.PageOut(items=[ExecutionOut.of(one) for one in page.items], next=page.next)
