"""Requests that the tests send, in few words."""

from __future__ import annotations

from typing import Any

from core.domain.action import PlaceOco, PlaceOrder
from core.domain.order import Purpose
from tests.wire import words
from tests.wire.words import BTC, D

__all__ = ["BTC", "D", "close", "entry", "stop", "target"]


def entry(**changes: Any) -> PlaceOrder:
    """Buy 0.01 BTC at market."""
    return words.entry(**({"quantity": D("0.010")} | changes))


def close(**changes: Any) -> PlaceOrder:
    """Sell them again."""
    return words.close(**({"quantity": D("0.010")} | changes))


def stop(**changes: Any) -> PlaceOco:
    """The stop-loss of 0.01 BTC long."""
    values = {
        "client_order_id": "op00a7k203S01",
        "purpose": Purpose.STOP_LOSS,
        "quantity": D("0.010"),
        "tp_trigger": None,
        "sl_trigger": D("63000.00"),
    }
    return words.protection(**(values | changes))


def target(**changes: Any) -> PlaceOco:
    """Its take-profit."""
    values = {
        "client_order_id": "op00a7k203T01",
        "purpose": Purpose.TAKE_PROFIT,
        "sl_trigger": None,
        "tp_trigger": D(70000),
    }
    return stop(**(values | changes))
