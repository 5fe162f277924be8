"""Small makers of domain values with numbers that a float would lose."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.domain.account import Account, Environment, Exchange, PositionKey
from core.domain.action import PlaceOrder
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import ExecutionStyle, Intent, Target, Wanted
from core.domain.money import Contracts, Price
from core.domain.order import Fill, Order, OrderKind, OrderStatus, Purpose

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
ACCOUNT = "paper-okx"
BTC = "BTC-USDT-PERP"
LONG = PositionKey(ACCOUNT, BTC, Side.LONG)

PAPER = Account(ACCOUNT, "Paper OKX", Exchange.OKX, Environment.PAPER, "", "", "a1b2", "read_only,trade")


def contracts(text: str) -> Contracts:
    return Contracts(Decimal(text))


def price(text: str) -> Price:
    return Price(Decimal(text))


def draft(**changes: Any) -> Intent:
    wanted = Intent(
        part="",
        key=LONG,
        wanted=Wanted.OPEN,
        position_value=Decimal("1000.000000000000000001"),
        leverage=Decimal(5),
        entry=ExecutionStyle(),
        take_profit=Target(pnl_usdt=Decimal(50)),
        stop_loss=Target(pnl_usdt=Decimal(-100), trigger_by=TriggerBy.LAST),
        asked_at=NOON,
    )
    return wanted.but(**changes)


def entry(part: str, number: int = 1, cycle: int = 1, **changes: Any) -> PlaceOrder:
    values: dict[str, Any] = {
        "part": part,
        "cycle": cycle,
        "client_order_id": f"op{part}{cycle:02}E{number:02}",
        "purpose": Purpose.ENTRY,
        "symbol": BTC,
        "position_side": Side.LONG,
        "side": OrderSide.BUY,
        "kind": OrderKind.MARKET,
        "quantity": contracts("0.99"),
    }
    return PlaceOrder(**{**values, **changes})


def order(part: str | None, number: int = 1, cycle: int = 1, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "client_order_id": f"op{part}{cycle:02}E{number:02}",
        "exchange_order_id": f"{cycle}{number}",
        "symbol": BTC,
        "position_side": Side.LONG,
        "part": part,
        "cycle": cycle,
        "purpose": Purpose.ENTRY,
        "side": OrderSide.BUY,
        "kind": OrderKind.LIMIT,
        "quantity": contracts("0.99"),
        "status": OrderStatus.WORKING,
        "price": price("100250.1"),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Order(**{**values, **changes})


def fill(number: int, order_id: str, client_order_id: str = "", **changes: Any) -> Fill:
    values: dict[str, Any] = {
        "exchange_fill_id": f"t{number}",
        "exchange_order_id": order_id,
        "client_order_id": client_order_id,
        "symbol": BTC,
        "position_side": Side.LONG,
        "side": OrderSide.BUY,
        "quantity": contracts("0.33"),
        "price": price("100250.1"),
        "fee": Decimal("-0.16541266500000000001"),
        "maker": False,
        "realised_pnl": Decimal(0),
        "at": NOON,
    }
    return Fill(**{**values, **changes})
