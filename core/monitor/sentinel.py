"""Checks one account independently and raises alarms; never trades.

It looks on its own, past the loop's memory: is there a stop-loss and a take-profit for every contract that should
have one, does our PnL agree with the exchange's, are snapshot and heartbeat fresh as pages and others read them, and
does something rest there that the loop does not list.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from core.alerts import Alerts
from core.domain.account import PositionKey
from core.domain.money import total
from core.domain.observation import Position
from core.domain.reason import Reason
from core.monitor.guard import AccountGuard

STALE_AFTER = timedelta(seconds=30)
BEAT_AFTER = timedelta(seconds=20)  #: the heartbeat comes every 2 s
PNL_DRIFT = Decimal("1")  #: USDT between our unrealised PnL and the exchange's, per position
SUBJECTS = ("sentinel-", "scheduler")  #: what the alarms it clears begin with


def findings(guard: AccountGuard) -> Iterator[tuple[str, Reason]]:
    """Yield subject and reason of everything that is wrong. Raises Unavailable where the exchange does not answer."""
    look = guard.reconciler.last_look
    now = guard.clock.now()
    if look is None or now - look.at > STALE_AFTER:
        never = Reason("sentinel.never_looked")
        stale = never if look is None else Reason("sentinel.stale_look", age=now - look.at)
        yield f"sentinel-stale/{guard.account.id}", stale
    else:
        yield from _shown(guard, now)
    others = guard.port.other_conditional_orders()
    if others:
        symbols = tuple(sorted({order.symbol for order in others}))
        yield f"sentinel-foreign/{guard.account.id}", Reason("sentinel.foreign", orders=len(others), symbols=symbols)
    resting = guard.port.working_orders()
    for position in guard.port.positions():
        key = PositionKey(guard.account.id, position.symbol, position.side)
        result = guard.reconciler.results.get(key)
        if result is None:
            continue
        here = [order for order in resting if order.part is not None]
        here = [one for one in here if (one.symbol, one.position_side) == (position.symbol, position.side)]
        stops = total(part.size for part in result.parts if part.targets[1] is not None)
        targets = total(part.size for part in result.parts if part.targets[0] is not None)
        stopped = total(order.quantity - order.filled for order in here if order.sl_trigger is not None)
        targeted = total(order.quantity - order.filled for order in here if order.tp_trigger is not None)
        if stopped < stops:  # with both gone the stop-loss is what matters
            yield f"sentinel-bare/{key}", Reason("sentinel.bare", position=str(key), covered=stopped, wanted=stops)
        elif targeted < targets:
            why = Reason("sentinel.target", position=str(key), covered=targeted, wanted=targets)
            yield f"sentinel-target/{key}", why
        known = total(part.size for part in result.parts)
        if known != position.contracts or not known:
            continue
        by_us = total(part.unrealised_pnl(position.mark_price) for part in result.parts)
        by_exchange = result.seen.instrument.pnl(
            position.side, position.contracts, position.average_price, position.mark_price
        )
        realised = total(part.realised_pnl for part in result.parts)
        drifts = abs(by_us - by_exchange) > PNL_DRIFT and not realised
        if drifts and not _was_shared(guard, position):
            why = Reason("sentinel.drift", position=str(key), ours=by_us, theirs=by_exchange)
            yield f"sentinel-drift/{key}", why


def _shown(guard: AccountGuard, now: datetime) -> Iterator[tuple[str, Reason]]:
    """Yield what is wrong with the snapshot and, while the bot may act, its heartbeat."""
    found, row = guard.store.snapshots.latest(guard.account.id), guard.store.bots.get(guard.account.id)
    if found is not None and now - found.as_of > STALE_AFTER:
        yield f"sentinel-picture/{guard.account.id}", Reason("sentinel.stale_picture", age=now - found.as_of)
    if row.heartbeat_at is not None and now - row.heartbeat_at > BEAT_AFTER:
        yield f"sentinel-heartbeat/{guard.account.id}", Reason("sentinel.stale_heartbeat", age=now - row.heartbeat_at)


def _was_shared(guard: AccountGuard, position: Position) -> bool:
    """Return whether another part has ended within this position's life: the exchange's average is still blended with
    it.
    """
    return any(
        (cycle.symbol, cycle.side) == (position.symbol, position.side) and cycle.ended >= position.opened_at
        for cycle in guard.store.history.cycles(guard.account.id)
    )


def check(guard: AccountGuard, alerts: Alerts) -> list[Reason]:
    """Raise what is wrong as alarms, clear what has passed; return what is wrong."""
    now, account = guard.clock.now(), guard.account.id
    found = dict(findings(guard))
    for subject, why in found.items():
        if guard.store.alarms.raise_alarm(account, subject, why, now):
            alerts.say(account, subject, str(why))
    open_ones = {alarm.subject for alarm in guard.store.alarms.open(account)}
    passed = {subject for subject in open_ones if subject.startswith(SUBJECTS) and subject not in found}
    if passed:
        guard.store.alarms.clear(account, open_ones - passed, now)
    return list(found.values())
