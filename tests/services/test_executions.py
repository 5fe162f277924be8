"""The report on an execution: what it was to be, what it came to, and what it cost against its arrival price."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.action import OutcomeKind
from core.domain.errors import Misconfigured
from core.domain.instrument import OrderSide, Side
from core.domain.intent import ExecutionKind
from core.domain.money import Contracts, Price
from core.domain.order import Fill, Order, OrderKind, OrderStatus, Purpose
from core.services.reporting.executions import ExecutionReport, Executions, report_of
from db.repositories.executions import ExecutionFacts, Placement
from db.store import Store

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SYMBOL = "COIN-USDT-PERP"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def placed(number: int, quantity: str, *, seconds: float = 0, **changes: Any) -> Placement:
    """Decided by 1,000 USDT, arrived, the whole is ten contracts."""
    one = Placement(
        client_order_id=f"op00000101E{number:02}",
        side=OrderSide.BUY,
        kind=OrderKind.MARKET,
        quantity=Contracts(D(quantity)),
        recorded_at=at(seconds),
        outcome=OutcomeKind.DONE,
        attempts=1,
        reference=Price(D(1000)),
        planned=Contracts(D(10)),
    )
    return replace(one, **changes)


def had(number: int, filled: str, price: str, *, fee: str = "0", status: str = "filled") -> Order:
    return Order(
        client_order_id=f"op00000101E{number:02}",
        exchange_order_id=f"x{number}",
        symbol=SYMBOL,
        position_side=Side.LONG,
        part="000001",
        cycle=1,
        purpose=Purpose.ENTRY,
        side=OrderSide.BUY,
        kind=OrderKind.MARKET,
        quantity=Contracts(D(10)),
        status=OrderStatus(status),
        filled=Contracts(D(filled)),
        average_price=Price(D(price)) if D(filled) else None,
        fee=D(fee),
    )


def filled(quantity: str, *, seconds: float, maker: bool = False) -> Fill:
    return Fill(
        exchange_fill_id=f"t{seconds}",
        exchange_order_id="x1",
        client_order_id="op00000101E01",
        symbol=SYMBOL,
        position_side=Side.LONG,
        side=OrderSide.BUY,
        quantity=Contracts(D(quantity)),
        price=Price(D(1000)),
        fee=D(0),
        maker=maker,
        realised_pnl=D(0),
        at=at(seconds),
    )


def report(
    placements: list[Placement], orders: list[Order], fills: list[Fill] | None = None, **changes: Any
) -> ExecutionReport:
    """An entry of a long part; one contract is 0.1 coin."""
    facts = ExecutionFacts(
        account="paper-okx",
        symbol=SYMBOL,
        side=Side.LONG,
        strategy="try1",
        part="000001",
        cycle=1,
        run="1E",
        purpose=Purpose.ENTRY,
        kind=ExecutionKind.TWAP,
        contract_value=D("0.1"),
        placements=tuple(placements),
        orders=tuple(orders),
        fills=tuple(fills or ()),
    )
    return report_of(replace(facts, **changes))


def test_a_whole_one() -> None:
    """Four contracts at 1,001 and six at 1,006: on average 1,004, four above 1,000: 40 bp, and 4 USDT on one coin."""
    found = report(
        [placed(1, "4"), placed(2, "6", seconds=20, reference=Price(D(1005)))],
        [had(1, "4", "1001", fee="-0.2002"), had(2, "6", "1006", fee="-0.3018")],
        [filled("4", seconds=0.5), filled("1", seconds=21, maker=True), filled("5", seconds=22.5)],
    )
    assert (found.planned, found.filled, found.filled_share) == (10, 10, 1)
    assert (found.arrival, found.average) == (1000, 1004)
    assert (found.slippage_bp, found.slippage_usdt) == (D("40.00"), D("4.00000000"))
    assert (found.fees, found.maker_share) == (D("-0.502"), D("0.1"))
    assert (found.orders, found.refusals, found.working) == (2, 0, False)
    assert (found.began, found.ended, found.duration) == (NOON, at(22.5), timedelta(seconds=22.5))
    assert (found.run, found.first_order) == ("1E", "op00000101E01")


@pytest.mark.parametrize(
    ("story", "side", "average", "bp", "usdt"),
    [
        ("a buyer pays more", OrderSide.BUY, "1002", "20.00", "2"),
        ("a buyer pays less", OrderSide.BUY, "999", "-10.00", "-1"),
        ("a seller gets less", OrderSide.SELL, "998", "20.00", "2"),
        ("a seller gets more", OrderSide.SELL, "1001", "-10.00", "-1"),
    ],
)
def test_positive_slippage_is_worse(story: str, side: OrderSide, average: str, bp: str, usdt: str) -> None:
    found = report([placed(1, "10", side=side)], [had(1, "10", average)])
    assert (found.slippage_bp, found.slippage_usdt) == (D(bp), D(usdt)), story


def test_nothing_has_filled_yet() -> None:
    found = report([placed(1, "4")], [had(1, "0", "0", status="working")])
    assert (found.filled, found.average, found.slippage_bp, found.slippage_usdt) == (0, None, None, None)
    assert (found.maker_share, found.ended, found.duration) == (None, None, None)
    assert found.working


def test_before_its_fills_have_been_read() -> None:
    """Fills are read at the end of a cycle, and from time to time: until all are there nothing is told of makers."""
    order = replace(had(1, "4", "1000"), updated_at=at(3))
    for fills in ([], [filled("1", seconds=1, maker=True)]):
        found = report([placed(1, "4")], [order], fills)
        assert (found.maker_share, found.ended) == (None, at(3))


def test_refused_and_lost_requests_are_no_orders() -> None:
    """One refused in its answer, one that the exchange took and refused afterwards, one that never arrived."""
    placements = [
        placed(1, "10", outcome=OutcomeKind.REFUSED),
        placed(2, "10", seconds=5),
        placed(3, "10", seconds=10, outcome=OutcomeKind.LOST),
        placed(4, "10", seconds=15, reference=Price(D(2000))),
    ]
    found = report(placements, [had(2, "0", "0", status="refused"), had(4, "10", "1000")])
    assert (found.orders, found.refusals) == (1, 2)
    assert found.arrival == 1000, "of the first request, whatever became of it"


def test_what_was_planned() -> None:
    """A run tells its whole with each order, and knows it best at the end; a close at market orders what is left."""
    placements = [placed(1, "4"), placed(2, "4", planned=Contracts(D(6)))]
    assert report(placements, []).planned == 6
    close: dict[str, Any] = {"kind": ExecutionKind.MARKET, "purpose": Purpose.CLOSE}
    assert report(placements, [], **close).planned == 10
    assert report([placed(1, "4", planned=None)], []).planned == 4


def test_an_order_from_before_prices_were_kept() -> None:
    old = placed(1, "10", reference=None, planned=None)
    found = report([old], [had(1, "10", "1001")], contract_value=None)
    assert (found.arrival, found.slippage_bp, found.slippage_usdt, found.average) == (None, None, None, 1001)
    known = report([placed(1, "10")], [had(1, "10", "1001")], contract_value=None)
    assert (known.slippage_bp, known.slippage_usdt) == (D("10.00"), None)


def test_more_than_planned_is_all_of_it() -> None:
    assert report([placed(1, "10")], [had(1, "11", "1000")]).filled_share == 1


def test_an_empty_list_and_an_unknown_place(store: Store) -> None:
    executions = Executions(store.executions)
    page = executions.reports("paper-okx")
    assert (page.items, page.next) == ((), None)
    assert executions.of("000001", 1) == []
    with pytest.raises(Misconfigured, match="no place that a page has ended at"):
        executions.reports("paper-okx", after="nonsense")
