"""Execution reports: how well the orders of each entry, recovery step and close were filled; pure.

Slippage is measured against the arrival price: the side of the book that an order at market would have taken when
the first order was decided. Positive is worse than that, for buyers and sellers alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.action import OutcomeKind
from core.domain.instrument import OrderSide, Side
from core.domain.intent import ExecutionKind
from core.domain.money import ZERO, Contracts, Price, total
from core.domain.order import OrderStatus, Purpose
from core.services.reporting.paging import Page, page_of, place_of
from db.repositories.executions import ExecutionFacts, ExecutionRepository, ExecutionsOnly

__all__ = ["ExecutionReport", "Executions", "ExecutionsOnly", "report_of"]

BASIS_POINTS = Decimal(10_000)
PLACES = Decimal("1e-8")  #: of averages and amounts in USDT
LIMIT = 100


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """The report of one execution. None is what is not known: no fill yet, or an older order stored without
    its price.
    """

    account: str
    symbol: str
    side: Side  #: of the position
    buys: bool
    strategy: str
    part: str
    cycle: int
    run: str  #: 1E, 3R2, 2C
    purpose: Purpose
    kind: ExecutionKind
    first_order: str  #: client id of its first request; names the report
    planned: Contracts
    filled: Contracts
    arrival: Price | None
    average: Price | None
    slippage_bp: Decimal | None  #: hundredths of a percent of the arrival price
    slippage_usdt: Decimal | None  #: what the difference cost; negative: what it saved
    fees: Decimal  #: USDT, negative = paid
    maker_share: Decimal | None  #: of the contracts filled, 0 to 1; None until all its fills have been read
    orders: int  #: that reached the exchange
    refusals: int
    working: bool  #: an order of it is live
    began: datetime  #: the first request was written down
    ended: datetime | None  #: the newest fill; until fills have been read, the newest word on an order that filled

    @property
    def duration(self) -> timedelta | None:
        """Return the time from the first request to the newest fill."""
        return None if self.ended is None else max(self.ended - self.began, timedelta())

    @property
    def filled_share(self) -> Decimal:
        """Return the share of the planned contracts that has filled, 0 to 1."""
        return min(self.filled / self.planned, Decimal(1)) if self.planned else ZERO


class Executions:
    """Reads execution reports. Raises Misconfigured for a place that no page ended at, Unavailable where the database
    does not answer.
    """

    def __init__(self, executions: ExecutionRepository) -> None:
        self._executions = executions

    def reports(
        self, account: str, only: ExecutionsOnly | None = None, after: str | None = None, limit: int = LIMIT
    ) -> Page[ExecutionReport]:
        """Return the reports of an account, newest first."""
        rows = self._executions.find(account, only or ExecutionsOnly(), place_of(after), limit + 1)
        return page_of([(place, report_of(facts)) for place, facts in rows], limit)

    def of(self, part: str, cycle: int) -> list[ExecutionReport]:
        """Return the reports of one cycle of a part, oldest first."""
        return [report_of(facts) for facts in self._executions.of_cycle(part, cycle)]


def report_of(facts: ExecutionFacts) -> ExecutionReport:
    """Return the report of an execution."""
    first, last = facts.placements[0], facts.placements[-1]
    filled = Contracts(total(order.filled for order in facts.orders))
    # a close at market orders what is left each time, everything else tells the whole with each order
    whole = first.planned if facts.kind is ExecutionKind.MARKET and facts.purpose is Purpose.CLOSE else last.planned
    average, arrival, buys = _average(facts), first.reference, first.side is OrderSide.BUY
    worse = None if average is None or not arrival else (average - arrival) * (1 if buys else -1)
    refused = {one.client_order_id for one in facts.placements if one.outcome is OutcomeKind.REFUSED}
    refused |= {order.client_order_id for order in facts.orders if order.status is OrderStatus.REFUSED}
    by_makers = total(fill.quantity for fill in facts.fills if fill.maker)
    read = total(fill.quantity for fill in facts.fills) >= filled > ZERO
    return ExecutionReport(
        account=facts.account,
        symbol=facts.symbol,
        side=facts.side,
        buys=buys,
        strategy=facts.strategy,
        part=facts.part,
        cycle=facts.cycle,
        run=facts.run,
        purpose=facts.purpose,
        kind=facts.kind,
        first_order=first.client_order_id,
        planned=whole if whole is not None else first.quantity,
        filled=filled,
        arrival=arrival,
        average=Price(round(average, 8)) if average is not None else None,
        slippage_bp=None if worse is None or not arrival else round(worse / arrival * BASIS_POINTS, 2),
        slippage_usdt=None
        if worse is None or facts.contract_value is None
        else (worse * filled * facts.contract_value).quantize(PLACES),
        fees=total(order.fee for order in facts.orders),
        maker_share=by_makers / filled if read else None,
        orders=len([order for order in facts.orders if order.client_order_id not in refused]),
        refusals=len(refused),
        working=any(order.working for order in facts.orders),
        began=first.recorded_at,
        ended=max((fill.at for fill in facts.fills), default=None) if read else _newest_word(facts),
    )


def _average(facts: ExecutionFacts) -> Decimal | None:
    priced = [(one.filled, one.average_price) for one in facts.orders if one.filled and one.average_price is not None]
    quantity = total(filled for filled, _ in priced)
    return total(filled * price for filled, price in priced) / quantity if quantity else None


def _newest_word(facts: ExecutionFacts) -> datetime | None:
    told = [order.updated_at for order in facts.orders if order.filled and order.updated_at is not None]
    return max(told, default=None)
