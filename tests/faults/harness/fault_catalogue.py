"""What the weather is made of: the faults and the ways of an exchange that a storm draws from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.domain.account import Exchange

Fault = dict[str, Any]


def _spoilt(order: str, algo: str) -> tuple[Fault, ...]:
    """What can happen to a request on its way, whoever is asked."""
    return (
        {"kind": "lost_after", "match": {"method": "POST", "path": order}},
        {"kind": "lost_after", "match": {"method": "POST", "path": algo}},
        {"kind": "lost_after", "match": {"method": "POST"}},
        {"kind": "lost_before", "match": {"method": "POST", "path": order}},
        {"kind": "lost_before", "match": {"method": "POST", "path": algo}},
        {"kind": "lost_before", "match": {"method": "POST"}},
        {"kind": "late", "match": {"method": "POST", "path": order}, "seconds": 3},
        {"kind": "late", "match": {"method": "POST", "path": algo}, "seconds": 4},
        {"kind": "slow", "match": {"method": "POST"}, "seconds": 0.01},
        {"kind": "html_502", "match": {"method": "POST"}, "executed": True},
        {"kind": "html_502", "match": {"method": "POST"}, "executed": False},
        {"kind": "reset", "match": {"method": "POST"}, "executed": True},
        {"kind": "reset", "match": {"method": "POST"}, "executed": False},
        {"kind": "reset", "match": {"method": "GET"}, "probability": 0.06},
        {"kind": "not_found", "seconds": 4, "probability": 0.7},
        {"kind": "partial_fill", "fraction": "0.4", "rest": "cancel", "probability": 0.5},
        {"kind": "partial_fill", "fraction": "0.5", "rest": "work", "probability": 0.5},
        {"kind": "accept_delay", "seconds": 3, "probability": 0.5},
    )


def _code(code: str, http: int, *, executed: bool = False, **more: Any) -> Fault:
    return {"kind": "code", "match": {"method": "POST"}, "code": code, "http": http, "executed": executed, **more}


FAULTS: Mapping[Exchange, tuple[Fault, ...]] = {
    Exchange.OKX: (
        *_spoilt("trade/order", "trade/order-algo"),
        {"kind": "late", "match": {"method": "POST", "path": "trade/amend-algos"}, "seconds": 2},
        _code("50011", 429),
        _code("50004", 200, executed=True),
        _code("50026", 200),
        _code("50013", 429, match={"method": "GET"}, probability=0.06),
        {"kind": "reject", "code": "51008", "match": {"path": "trade/order"}, "count": 1, "probability": 0.8},
        {"kind": "reject", "code": "51000", "match": {"path": "trade/order-algo"}, "count": 2, "probability": 0.8},
    ),
    Exchange.BINANCE: (
        *_spoilt("v1/order", "v1/algoOrder"),
        {"kind": "lost_after", "match": {"method": "DELETE"}},
        {"kind": "late", "match": {"method": "DELETE"}, "seconds": 2},
        _code("-1003", 429, count=1),
        _code("-1003", 418, count=1),
        _code("-1007", 408),
        _code("-1007", 408, executed=True),
        _code("-1006", 400, executed=True),
        _code("-1001", 400, match={"method": "DELETE"}, executed=True),
        _code("-1021", 400),
        {"kind": "http_503", "match": {"method": "POST"}, "variant": "A"},
        {"kind": "http_503", "match": {"method": "POST"}, "variant": "A", "executed": True},
        {"kind": "http_503", "variant": "B", "probability": 0.06},
        {"kind": "http_503", "match": {"method": "POST"}, "variant": "C"},
        {"kind": "json_list", "match": {"method": "POST"}, "executed": True, "http": 200},
        {"kind": "reject", "code": "-2019", "match": {"path": "v1/order"}, "count": 1, "probability": 0.8},
        {"kind": "reject", "code": "-4014", "match": {"path": "v1/algoOrder"}, "count": 2, "probability": 0.8},
        {"kind": "not_found", "match": {"path": "v1/algoOrder"}, "seconds": 30, "count": 2},
        {"kind": "algo_vanish", "seconds": 3, "count": 1, "probability": 1},
        {"kind": "trigger_reject", "count": 1, "probability": 1},
        {"kind": "trigger_stuck", "seconds": 30, "count": 1, "probability": 1},
    ),
}
WAYS: Mapping[Exchange, Mapping[str, tuple[Any, ...]]] = {
    Exchange.OKX: {
        "oversize_close": ("trim", "reject"),
        "attached_after_close": ("stay", "cancel"),
        "liquidation_algos": ("cancel", "stay"),
        "effective_fail_code": ("1", "0"),
        "fail_envelope_zero": (False, True),
        "extra_fields": (False, True),
        "fill_steps": (1, 3),
        "order_delay_seconds": (0, 0, 1),
        "position_history_lag_seconds": (0, 2),
    },
    Exchange.BINANCE: {
        "extra_fields": (False, True),
        "fill_steps": (1, 3),
        "order_delay_seconds": (0, 0, 1),
        "binance_flavour": ("live", "demo"),
        "binance_replies": ("new", "old"),
        "binance_closing_clash": ("refuse", "refuse_4118", "knock_out"),
        "binance_closing_limits_after_flat": ("expire", "stay"),
        "binance_hidden_seconds": (0, 0, 1),
        "binance_algo_hidden_seconds": (0, 0, 2),
        "binance_open_algos": ("waiting", "unended"),
        "binance_trigger_delay_seconds": (0, 0, 2),
        "binance_would_trigger": ("working", "last"),
    },
}
