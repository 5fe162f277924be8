"""The watchdog: compares, alarms, never trades.

It looks on its own, past the loop's memory: is there a stop-loss for every contract we hold, does our PnL agree
with the exchange's, is the picture fresh, and does something rest there that the loop does not list.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from core.alerts import Alerts
from core.domain.account import PositionKey
from core.domain.money import total
from core.domain.seen import Position
from core.monitor.guard import Guard

STALE_AFTER = timedelta(seconds=30)
PNL_DRIFT = Decimal("1")  #: USDT between our unrealised PnL and the exchange's, per position
SUBJECTS = ("sentinel-", "scheduler")  #: what the alarms it clears begin with


def findings(guard: Guard) -> Iterator[tuple[str, str]]:
    """Subject and words of everything wrong. Raises Unavailable where the exchange does not answer."""
    look = guard.reconciler.last_look
    now = guard.clock.now()
    if look is None or now - look.at > STALE_AFTER:
        age = "never" if look is None else f"{(now - look.at).total_seconds():.0f} s ago"
        yield f"sentinel-stale/{guard.account.id}", f"the last complete look at the exchange was {age}"
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
        ours = [part for part in result.parts if part.size and part.targets[1] is not None]
        wanted = total(part.size for part in ours)
        covered = total(
            order.quantity - order.filled
            for order in resting
            if order.part is not None and order.sl_trigger is not None
            if (order.symbol, order.position_side) == (position.symbol, position.side)
        )
        if covered < wanted:
            yield f"sentinel-bare/{key}", f"{key}: stop-losses cover {covered} of {wanted} contracts"
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


def _was_shared(guard: Guard, position: Position) -> bool:
    """Another part has ended within this life of the position: the exchange's average is still blended with it."""
    return any(
        (cycle.symbol, cycle.side) == (position.symbol, position.side) and cycle.ended >= position.opened_at
        for cycle in guard.store.cycles(guard.account.id)
    )


def check(guard: Guard, alerts: Alerts) -> list[str]:
    """Raise what is wrong as alarms, clear what has passed; returns the sentences."""
    now, account = guard.clock.now(), guard.account.id
    found = dict(findings(guard))
    for subject, words in found.items():
        if guard.store.raise_alarm(account, subject, words, now):
            alerts.say(account, subject, words)
    open_ones = {alarm.subject for alarm in guard.store.alarms(account)}
    passed = {subject for subject in open_ones if subject.startswith(SUBJECTS) and subject not in found}
    if passed:
        guard.store.clear_alarms(account, open_ones - passed, now)
    return list(found.values())
