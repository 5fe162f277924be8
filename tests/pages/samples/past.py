"""What a sample account has behind it: executions, risk checks, orders and the exchange's word on a cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import OrderSide, Side
from core.domain.intent import ExecutionKind
from core.domain.money import Contracts
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.domain.reason import text
from core.domain.risk_result import Check, CheckName
from core.services.reporting.executions import ExecutionReport
from db.records import CycleRecord
from db.repositories.risk_checks import RiskCheck
from tests.pages.samples.snapshot import BTC, PAPER, now, price


def execution_reports() -> list[ExecutionReport]:
    """A close at market, and before it an entry by TWAP that half of it made the market."""
    twap = ExecutionReport(
        account=PAPER.id,
        symbol=BTC,
        side=Side.LONG,
        buys=True,
        strategy="manual",
        part="00a7k2",
        cycle=1,
        run="1E",
        purpose=Purpose.ENTRY,
        kind=ExecutionKind.TWAP,
        first_order="op00a7k201E01",
        planned=Contracts(Decimal("0.99")),
        filled=Contracts(Decimal("0.99")),
        arrival=price("100200.1"),
        average=price("100250.1"),
        slippage_bp=Decimal("4.99"),
        slippage_usdt=Decimal("0.495"),
        fees=Decimal("-0.3474"),
        maker_share=Decimal("0.5"),
        orders=10,
        refusals=1,
        working=False,
        began=now() - timedelta(hours=2),
        ended=now() - timedelta(hours=1.5),
    )
    close = replace(twap, run="1C", purpose=Purpose.CLOSE, kind=ExecutionKind.MARKET, buys=False, orders=1, refusals=0)
    return [replace(close, began=now() - timedelta(hours=1), slippage_bp=None, slippage_usdt=None), twap]


def risk_rows() -> list[RiskCheck]:
    """An entry that was let through, and one that was refused three times."""
    words = "order value 2000 USDT is above your limit: 1500 USDT at most"
    failed = Check(CheckName.ORDER_VALUE, Decimal(2000), Decimal(1500), "USDT", text(words))
    let, at = Check(CheckName.BALANCE, Decimal(100), Decimal(9000), "USDT"), now() - timedelta(minutes=4)
    none: tuple[Any, ...] = ("", None, None, "", "")
    refused = (failed.name, failed.value, failed.limit, failed.unit, words)
    return [
        RiskCheck(8, at, PAPER.id, BTC, "00a7k2", "E", "op00a7k201E01", True, *none, (let,), 0, None),
        RiskCheck(7, at, PAPER.id, BTC, "00a7k6", "E", "", False, *refused, (let, failed), 2, now()),
    ]


def _filled(name: str, part: str, side: OrderSide, hours_ago: float, at: str, leg: Leg | None) -> Order:
    return Order(
        client_order_id=name,
        exchange_order_id=f"x{name}",
        symbol=BTC,
        position_side=Side.LONG,
        part=part,
        cycle=1,
        purpose=Purpose.PROTECT if leg else Purpose.ENTRY,
        side=side,
        kind=OrderKind.OCO if leg else OrderKind.MARKET,
        quantity=Contracts(Decimal("0.99")),
        status=OrderStatus.FILLED,
        filled=Contracts(Decimal("0.99")),
        average_price=price(at),
        fee=Decimal("-0.4962"),
        triggered_leg=leg,
        updated_at=now() - timedelta(hours=hours_ago),
    )


def entry_of(part: str) -> Order:
    """The entry of a cycle that began ten hours ago."""
    return _filled(f"op{part}01E01", part, OrderSide.BUY, 10, "100250.1", None)


def exit_of(part: str) -> Order:
    """Its take-profit, an hour ago."""
    return _filled(f"op{part}01P01", part, OrderSide.SELL, 1, "105300.7", Leg.TAKE_PROFIT)


def life_of(cycle: CycleRecord) -> ClosedPosition:
    """The exchange's word on a cycle; of the third it tells ten cents less."""
    off = Decimal("-0.10") if cycle.number == 3 else Decimal(0)
    return ClosedPosition(
        symbol=cycle.symbol,
        side=cycle.side,
        position_id=cycle.life.split("@")[0],
        opened_at=datetime.fromtimestamp(int(cycle.life.split("@")[1]) / 1000, UTC),
        updated_at=cycle.ended,
        last_close=LastClose.FULL,
        closed=cycle.contracts,
        largest=cycle.contracts,
        average_entry=cycle.average_entry,
        average_exit=cycle.average_exit,
        pnl=cycle.realised_pnl,
        fees=cycle.fees + off,
        funding=cycle.funding,
        penalty=Decimal(0),
        realised=cycle.net + off,
        leverage=Decimal(10),
    )
