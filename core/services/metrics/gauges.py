"""Gauges of `/metrics` read from an account's snapshot: protection, money, streams, request limits.

Pure. A snapshot that is no longer renewed goes on telling what it last saw; its ages grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.pair import PairState
from core.domain.snapshot import AccountSnapshot
from core.services.metrics.series import Bounded, Labels, Samples


def told_by(snapshot: AccountSnapshot, where: Labels, now: datetime, into: Samples, bounded: Bounded) -> None:
    """Add every gauge of one account's snapshot but its age. `where` is account and exchange."""
    for name, value in (*_protection(snapshot, now), *_orders(snapshot, now), *_health(snapshot, now)):
        if value is not None:
            into.most(name, where, value)
    _positions(snapshot, where, into, bounded)
    for endpoint, requests in snapshot.health.requests.items():
        named = (*where, bounded("endpoint", endpoint))
        into.most("perpdeck_requests_used", named, requests.used)
        into.most("perpdeck_requests_limit", named, requests.limit)
    runtime = snapshot.runtime
    spread = into.spread("perpdeck_loop_seconds", where)
    spread.counts, spread.total = list(runtime.loops), Decimal(str(runtime.loop_seconds))
    into.most("perpdeck_loop_failures_total", where, runtime.failures)


def _protection(snapshot: AccountSnapshot, now: datetime) -> Iterator[tuple[str, Decimal | float | None]]:
    yield "perpdeck_parts_held", len(snapshot.held)
    yield "perpdeck_parts_unprotected", sum(not part.protected for part in snapshot.held)
    yield "perpdeck_unprotected_seconds", _age(snapshot.runtime.bare_since, now) or 0
    yield "perpdeck_unprotected_seconds_today", snapshot.protection.bare_seconds_today
    yield "perpdeck_differences", len(snapshot.differences)
    late = [age for part in snapshot.parts if part.reopen and (age := _age(part.reopen.due, now))]
    yield "perpdeck_reopens_overdue", len(late)
    yield "perpdeck_reopen_overdue_seconds", max(late, default=0)


def _orders(snapshot: AccountSnapshot, now: datetime) -> Iterator[tuple[str, Decimal | float | None]]:
    holding = {part.name for part in snapshot.held}
    ours = [order for order in snapshot.orders if not order.foreign and order.kind.rests_on_trigger]
    orphans = [order for order in ours if order.part not in holding]
    yield "perpdeck_orphan_orders", len(orphans)
    yield "perpdeck_orphan_orders_age_seconds", max((_age(order.created_at, now) or 0 for order in orphans), default=0)
    yield "perpdeck_foreign_orders", sum(order.foreign for order in snapshot.orders)
    conditional = snapshot.conditional
    yield "perpdeck_conditional_orders_used", None if conditional is None else conditional.used
    yield "perpdeck_conditional_orders_limit", None if conditional is None else conditional.most


def _health(snapshot: AccountSnapshot, now: datetime) -> Iterator[tuple[str, Decimal | float | None]]:
    health, money = snapshot.health, snapshot.money
    yield "perpdeck_stream_connected", int(health.stream_connected)
    yield "perpdeck_stream_age_seconds", _age(health.stream_heard_at, now)
    yield "perpdeck_exchange_ok", int(health.exchange_trouble is None)
    yield "perpdeck_equity_usdt", None if money is None else money.equity
    yield "perpdeck_available_usdt", None if money is None else money.available
    yield "perpdeck_margin_used_usdt", None if money is None else money.margin_used


def _positions(snapshot: AccountSnapshot, where: Labels, into: Samples, bounded: Bounded) -> None:
    """Add a gauge for each side of a contract on which something is held, also where no pair rests on it."""
    sides = [(held.symbol, held.side) for held in snapshot.positions]
    for symbol, side in (*sides, *((part.symbol, part.side) for part in snapshot.held)):
        of = (*where, bounded("symbol", symbol), side)
        for name in ("tradeengine_active_oco_pairs_per_position", "perpdeck_parts_per_position"):
            into.add(name, of, 0)
    for part in snapshot.held:
        of = (*where, bounded("symbol", part.symbol), part.side)
        into.add("perpdeck_parts_per_position", of)
        into.add("tradeengine_active_oco_pairs_per_position", of, int(part.pair.state is PairState.WORKING))
    for held in snapshot.positions:
        of = (*where, bounded("symbol", held.symbol), held.side)
        into.add("perpdeck_residual_contracts", of, held.residual)
        into.add("perpdeck_unrealised_usdt", of, held.unrealised_pnl)


def _age(at: datetime | None, now: datetime) -> float | None:
    """Return the seconds since then; None where it lies ahead or is not known."""
    passed = now - at if at else timedelta(-1)
    return passed.total_seconds() if passed >= timedelta() else None
