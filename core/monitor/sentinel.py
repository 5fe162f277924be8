"""The watchdog: compares, alarms, never trades.

It looks on its own, past the loop's memory: is there a stop-loss and a take-profit for every contract that should
have one, does our PnL agree with the exchange's, are picture and heartbeat fresh as pages and others read them, and
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
from core.monitor.guard import AccountGuard

STALE_AFTER = timedelta(seconds=30)
BEAT_AFTER = timedelta(seconds=20)  #: the heartbeat comes every 2 s
PNL_DRIFT = Decimal("1")  #: USDT between our unrealised PnL and the exchange's, per position
SUBJECTS = ("sentinel-", "scheduler")  #: what the alarms it clears begin with


def findings(guard: AccountGuard) -> Iterator[tuple[str, str]]:
    """Subject and words of everything wrong. Raises Unavailable where the exchange does not answer."""
    look = guard.reconciler.last_look
    now = guard.clock.now()
    if look is None or now - look.at > STALE_AFTER:
        age = "never" if look is None else f"{(now - look.at).total_seconds():.0f} s ago"
        yield f"sentinel-stale/{guard.account.id}", f"the last complete look at the exchange was {age}"
    else:
        yield from _shown(guard, now)
    others = guard.port.other_conditional_orders()
    if others:
        where = ", ".join(sorted({order.symbol for order in others}))
        words = f"{len(others)} trigger or trailing orders rest on {where}; they are not ours and are left alone"
        yield f"sentinel-foreign/{guard.account.id}", words
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
            yield f"sentinel-bare/{key}", f"{key}: stop-losses cover {stopped} of {stops} contracts"
        elif targeted < targets:
            yield f"sentinel-target/{key}", f"{key}: take-profits cover {targeted} of {targets} contracts"
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
            yield f"sentinel-drift/{key}", f"{key}: our PnL {by_us:.2f} USDT, the exchange's {by_exchange:.2f} USDT"


def _shown(guard: AccountGuard, now: datetime) -> Iterator[tuple[str, str]]:
    """What others read of the bot: its picture, and its sign of life while it may act."""
    found, row = guard.store.snapshots.latest(guard.account.id), guard.store.bots.get(guard.account.id)
    if found is not None and now - found[1] > STALE_AFTER:
        words = f"the picture that pages show is {(now - found[1]).total_seconds():.0f} s old"
        yield f"sentinel-picture/{guard.account.id}", words
    if row.heartbeat_at is not None and now - row.heartbeat_at > BEAT_AFTER:
        words = f"the heartbeat that others read is {(now - row.heartbeat_at).total_seconds():.0f} s old"
        yield f"sentinel-heartbeat/{guard.account.id}", words


def _was_shared(guard: AccountGuard, position: Position) -> bool:
    """Another part has ended within this life of the position: the exchange's average is still blended with it."""
    return any(
        (cycle.symbol, cycle.side) == (position.symbol, position.side) and cycle.ended >= position.opened_at
        for cycle in guard.store.history.cycles(guard.account.id)
    )


def check(guard: AccountGuard, alerts: Alerts) -> list[str]:
    """Raise what is wrong as alarms, clear what has passed; returns the sentences."""
    now, account = guard.clock.now(), guard.account.id
    found = dict(findings(guard))
    for subject, words in found.items():
        if guard.store.alarms.raise_alarm(account, subject, words, now):
            alerts.say(account, subject, words)
    open_ones = {alarm.subject for alarm in guard.store.alarms.open(account)}
    passed = {subject for subject in open_ones if subject.startswith(SUBJECTS) and subject not in found}
    if passed:
        guard.store.alarms.clear(account, open_ones - passed, now)
    return list(found.values())
