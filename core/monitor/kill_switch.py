"""Raises the level automatically: at losses, stop-losses, stale data, or an exchange that refuses us.

`armed` decides from plain facts, `facts` reads them from the database, `watch` acts. The level is only ever raised;
taking it back is a person's, and from then on losses are measured anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.alerts import Alerts
from core.domain.account import Level
from core.domain.reason import Reason
from core.domain.settings.guards import Guards
from core.domain.settings.trader import TraderSettings
from db.store import Store

BY = "guard"
SUBJECT = "guard/"  #: what its alarms begin with


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards know of the account now. USDT; None: not known."""

    equity: Decimal | None
    day_start: Decimal | None  #: equity when the day began, or since the level was lowered by hand
    peak: Decimal | None
    stop_losses: int  #: within the time that the guards ask for
    silence: timedelta | None  #: since the last complete look
    barred: str  #: words of an exchange that turns us away; empty: it does not
    maintenance: bool

    @property
    def daily_loss(self) -> Decimal | None:
        """Return the day's loss as a fraction; negative is a gain."""
        return _lost(self.day_start, self.equity)

    @property
    def drawdown(self) -> Decimal | None:
        """Return the drawdown as a fraction of the peak."""
        return _lost(self.peak, self.equity)


@dataclass(frozen=True, slots=True)
class Arming:
    """A triggered guard: the level to raise to, and why."""

    subject: str
    level: Level
    why: Reason


def armed(guards: Guards, known: Facts) -> tuple[Arming, ...]:
    """Return every triggered guard, with its reason in numbers."""
    return tuple(_armed(guards, known))


def _armed(guards: Guards, known: Facts) -> Iterator[Arming]:
    after_loss, blind = guards.guard_level, Level.NO_ADDED_RISK
    loss, fall = known.daily_loss, known.drawdown
    if guards.max_daily_loss is not None and loss is not None and loss >= guards.max_daily_loss:
        limit = guards.max_daily_loss
        why = Reason("kill_switch.daily_loss", lost=loss, began=known.day_start, limit=limit)
        yield Arming("daily-loss", after_loss, why)
    if guards.max_drawdown is not None and fall is not None and fall >= guards.max_drawdown:
        equity, peak, limit = known.equity, known.peak, guards.max_drawdown
        why = Reason("kill_switch.drawdown", equity=equity, lost=fall, peak=peak, limit=limit)
        yield Arming("drawdown", after_loss, why)
    if guards.max_stop_losses is not None and known.stop_losses >= guards.max_stop_losses:
        count, minutes, most = known.stop_losses, guards.stop_loss_minutes, guards.max_stop_losses
        why = Reason("kill_switch.stop_losses", count=count, minutes=minutes, limit=most)
        yield Arming("stop-losses", after_loss, why)
    silent = known.silence or timedelta()
    if guards.stale_guard_seconds is not None and silent >= timedelta(seconds=guards.stale_guard_seconds):
        longest = timedelta(seconds=guards.stale_guard_seconds)
        yield Arming("stale", blind, Reason("kill_switch.stale", silence=silent, limit=longest))
    if guards.exchange_guard_seconds is None:
        return
    if known.maintenance:
        yield Arming("exchange", blind, Reason("kill_switch.maintenance"))
    elif known.barred and silent >= timedelta(seconds=guards.exchange_guard_seconds):
        yield Arming("exchange", blind, Reason("kill_switch.barred", silence=silent, words=known.barred))


def facts(store: Store, account: str, guards: Guards, now: datetime) -> Facts:
    """Read from the database what the guards depend on. Raises Unavailable."""
    found, lowered = store.snapshots.latest(account), store.bots.get(account).level_lowered_at
    health = found.health if found else None
    window = now - timedelta(minutes=guards.stop_loss_minutes)
    return Facts(
        equity=found.money.equity if found and found.money else None,
        day_start=store.equity.day_start(account, now),
        peak=store.equity.peak(account, lowered),
        stop_losses=store.equity.stop_losses(account, _later(window, lowered)),
        silence=found.age(now) if found else None,
        barred=str(health.barred) if health and health.barred else "",
        maintenance=health is not None and health.maintenance,
    )


def watch(store: Store, account: str, alerts: Alerts, now: datetime) -> tuple[Arming, ...]:
    """Raise the level where a guard is triggered, with an alarm; returns the triggered guards.

    An alarm ends when its guard is no longer set off and the level that a guard has set is gone.
    """
    guards = TraderSettings.of_stored(store.settings.all()).rule(Guards)
    found = armed(guards, facts(store, account, guards, now))
    highest = max(found, key=lambda one: one.level.rank, default=None)
    if highest is not None:
        store.bots.raise_level(account, highest.level, by=BY, why=highest.why)
    for one in found:
        words = Reason("kill_switch.raised", level=one.level, why=one.why)
        if store.alarms.raise_alarm(account, f"{SUBJECT}{one.subject}", words, now):
            alerts.say(account, f"{SUBJECT}{one.subject}", str(words))
    bot = store.bots.get(account)
    if bot.level is Level.RUN or bot.level_by != BY:
        store.alarms.clear(account, {f"{SUBJECT}{one.subject}" for one in found}, now, only=(SUBJECT,))
    return found


def _lost(from_: Decimal | None, to: Decimal | None) -> Decimal | None:
    if from_ is None or to is None or from_ <= 0:
        return None
    return (from_ - to) / from_


def _later(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else max(one, other)
