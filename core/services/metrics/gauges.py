"""Gauges of `/metrics` read from an account's snapshot: protection, money, streams, request limits.

Pure. A picture that is no longer renewed goes on telling what it last saw; its ages grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.money import ZERO
from core.domain.order import OrderKind
from core.domain.pair import PairState
from core.services.metrics.series import Bounded, Labels, Samples

Json = dict[str, Any]
ON_TRIGGER = tuple(str(kind) for kind in OrderKind if kind.rests_on_trigger)


def told_by(picture: Json, where: Labels, now: datetime, into: Samples, bounded: Bounded) -> None:
    """Add every gauge of one account's snapshot but its age. `where` is account and exchange."""
    for name, value in (*_protection(picture, now), *_orders(picture, now), *_health(picture, now)):
        if value is not None:
            into.most(name, where, value)
    _positions(picture, where, into, bounded)
    for endpoint, (used, limit) in picture["health"]["requests"].items():
        named = (*where, bounded("endpoint", endpoint))
        into.most("perpdeck_requests_used", named, Decimal(used))
        into.most("perpdeck_requests_limit", named, Decimal(limit))
    vitals = picture.get("vitals")
    if vitals is not None:
        spread = into.spread("perpdeck_loop_seconds", where)
        spread.counts, spread.total = list(vitals["loops"]), Decimal(str(vitals["loop_seconds"]))
        into.most("perpdeck_loop_failures_total", where, vitals["failures"])


def _protection(picture: Json, now: datetime) -> Iterator[tuple[str, Decimal | float | None]]:
    held = [part for part in picture["parts"] if Decimal(part["size"])]
    bare_since = (picture.get("vitals") or {}).get("bare_since")
    yield "perpdeck_parts_held", len(held)
    yield "perpdeck_parts_unprotected", sum(not part["protected"] for part in held)
    yield "perpdeck_unprotected_seconds", _age(bare_since, now) or 0
    yield "perpdeck_unprotected_seconds_today", Decimal(picture["protection"]["bare_seconds_today"])
    yield "perpdeck_differences", len(picture["differences"])
    due = (part["reopen"] and part["reopen"].get("due") for part in picture["parts"])
    late = [age for age in (_age(one, now) for one in due) if age]
    yield "perpdeck_reopens_overdue", len(late)
    yield "perpdeck_reopen_overdue_seconds", max(late, default=0)


def _orders(picture: Json, now: datetime) -> Iterator[tuple[str, Decimal | float | None]]:
    holding = {part["part"] for part in picture["parts"] if Decimal(part["size"])}
    ours = [one for one in picture["orders"] if not one["foreign"] and one["kind"] in ON_TRIGGER]
    orphans = [one for one in ours if one["part"] not in holding]
    yield "perpdeck_orphan_orders", len(orphans)
    yield "perpdeck_orphan_orders_age_seconds", max((_age(one["created_at"], now) or 0 for one in orphans), default=0)
    yield "perpdeck_foreign_orders", sum(one["foreign"] for one in picture["orders"])
    yield "perpdeck_conditional_orders_used", picture["conditional"]["used"]
    yield "perpdeck_conditional_orders_limit", picture["conditional"]["most"]


def _health(picture: Json, now: datetime) -> Iterator[tuple[str, Decimal | float | None]]:
    health, money = picture["health"], picture["metrics"] or {}
    yield "perpdeck_stream_connected", int(health["stream"] == "connected")
    yield "perpdeck_stream_age_seconds", _age(health["stream_heard_at"], now)
    yield "perpdeck_exchange_ok", int(health["exchange"] == "ok")
    for name in ("equity", "available", "margin_used"):
        yield f"perpdeck_{name}_usdt", Decimal(money[name]) if name in money else None


def _positions(picture: Json, where: Labels, into: Samples, bounded: Bounded) -> None:
    """Add a gauge for each side of a contract on which something is held, also where no pair rests on it."""
    held = [part for part in picture["parts"] if Decimal(part["size"])]
    for row in (*picture["positions"], *held):
        of = (*where, bounded("symbol", row["symbol"]), row["side"])
        for name in ("tradeengine_active_oco_pairs_per_position", "perpdeck_parts_per_position"):
            into.add(name, of, 0)
    for part in held:
        of = (*where, bounded("symbol", part["symbol"]), part["side"])
        into.add("perpdeck_parts_per_position", of)
        into.add("tradeengine_active_oco_pairs_per_position", of, int(part["pair"]["state"] == PairState.WORKING))
    for row in picture["positions"]:
        of = (*where, bounded("symbol", row["symbol"]), row["side"])
        into.add("perpdeck_residual_contracts", of, Decimal(row["residual"]))
        into.add("perpdeck_unrealised_usdt", of, Decimal(row["unrealised_pnl"] or ZERO))


def _age(at: str | None, now: datetime) -> float | None:
    """Return the seconds since then; None where it lies ahead or is not known."""
    passed = now - datetime.fromisoformat(at) if at else timedelta(-1)
    return passed.total_seconds() if passed >= timedelta() else None
