"""Requests that the tests send, in few words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.domain.action import Attached, PlaceOco, PlaceOrder
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.order import OrderKind, Purpose

BTC = "BTC-USDT-PERP"
D = Decimal


def entry(**changes: Any) -> PlaceOrder:
    """Buy 2 contracts of BTC at market."""
    values: dict[str, Any] = {
        "part": "00a7k2", "cycle": 3, "client_order_id": "op00a7k203E01", "purpose": Purpose.ENTRY, "symbol": BTC,
        "position_side": Side.LONG, "side": OrderSide.BUY, "kind": OrderKind.MARKET, "quantity": D("2.00"),
    }  # fmt: skip
    return PlaceOrder(**(values | changes))


def close(**changes: Any) -> PlaceOrder:
    """Sell them again."""
    values = {"client_order_id": "op00a7k203C01", "purpose": Purpose.CLOSE, "side": OrderSide.SELL, "reduce_only": True}
    return entry(**(values | changes))


def protection(**changes: Any) -> PlaceOco:
    """TP and SL for 20 contracts long of BTC."""
    values: dict[str, Any] = {
        "part": "00a7k2", "cycle": 3, "client_order_id": "op00a7k203P01", "symbol": BTC, "position_side": Side.LONG,
        "side": OrderSide.SELL, "quantity": D(20), "tp_trigger": D("65872.60"), "sl_trigger": D("64872.5"),
        "trigger_by": TriggerBy.MARK,
    }  # fmt: skip
    return PlaceOco(**(values | changes))


def net(**changes: Any) -> Attached:
    """TP and SL that travel with the entry."""
    values: dict[str, Any] = {
        "client_order_id": "op00a7k203N01", "tp_trigger": D(70000), "sl_trigger": D(60000),
        "trigger_by": TriggerBy.LAST,
    }  # fmt: skip
    return Attached(**(values | changes))
