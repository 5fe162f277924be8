"""Previews what a safety level would do, and how far each guard is from its limit, in numbers; changes nothing.

Pure: the bot's row and its newest snapshot go in. Money in USDT; fees negative, as they are paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from core.domain.account import Level
from core.domain.money import ZERO, total
from core.domain.order import Purpose
from core.domain.settings.guards import Guards
from core.domain.snapshot import AccountSnapshot, PartSnapshot
from core.monitor.kill_switch import Facts, armed
from db.records import BotRow


@dataclass(frozen=True, slots=True)
class ClosingPreview:
    """A part that flatten would close at market, at the newest mark price."""

    part: str
    symbol: str
    side: str
    contracts: Decimal
    pnl: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class LevelPreview:
    """What would change under a level. Counts are of parts, but for `entries`."""

    level: Level
    present: Level
    bot_runs: bool  #: a stopped bot does nothing of this until it is started
    held: int
    entering: int  #: asked for and not yet complete
    entries: int  #: resting entry orders that would be withdrawn
    recovering: int  #: held, with recovery on
    reopening: int  #: waiting to be opened again
    closing: tuple[ClosingPreview, ...]  #: flatten only
    unclosed: int  #: positions that hold something of others, which stays

    @property
    def pnl(self) -> Decimal:
        return total(one.pnl for one in self.closing)

    @property
    def fees(self) -> Decimal:
        return total(one.fee for one in self.closing)


@dataclass(frozen=True, slots=True)
class GuardFigure:
    """A guard's present value and its limit. `limit` None: off; `now` None: not known yet."""

    key: str  #: the setting it is
    now: Decimal | None
    limit: Decimal | None
    unit: str  #: % | s | ""
    set_off: bool


def preview_of(level: Level, bot: BotRow, snapshot: AccountSnapshot | None) -> LevelPreview:
    """Return what a level would change, from the newest snapshot; without one nothing is known to be held."""
    parts, orders, positions = (snapshot.parts, snapshot.orders, snapshot.positions) if snapshot else ((), (), ())
    held = [part for part in parts if part.held]
    resting = [order for order in orders if order.part and order.purpose in (Purpose.ENTRY, Purpose.RECOVERY)]
    withdraws = level in (Level.REDUCE_ONLY, Level.FLATTEN)
    return LevelPreview(
        level=level,
        present=bot.level,
        bot_runs=bot.running,
        held=len(held),
        entering=sum(part.entering for part in parts),
        entries=len(resting) if withdraws else 0,
        recovering=sum(part.recovery is not None for part in held),
        reopening=sum(part.reopen is not None and part.reopen.due is not None for part in parts),
        closing=tuple(_closings(held, snapshot)) if level is Level.FLATTEN and snapshot else (),
        unclosed=sum(one.residual > ZERO for one in positions),
    )


def _closings(held: list[PartSnapshot], snapshot: AccountSnapshot) -> Iterator[ClosingPreview]:
    for part in held:
        rules = snapshot.instruments.get(part.symbol)
        value = part.coins * (part.mark_price or part.average_entry or ZERO)
        yield ClosingPreview(
            part=part.name,
            symbol=part.symbol,
            side=part.side,
            contracts=part.size,
            pnl=part.unrealised_pnl or ZERO,
            fee=-value * (rules.taker_fee if rules else ZERO),
        )


def figures(guards: Guards, known: Facts) -> tuple[GuardFigure, ...]:
    """Return every guard's value and limit in the order of the settings."""
    off = {one.subject for one in armed(guards, known)}
    silence = None if known.silence is None else Decimal(int(known.silence.total_seconds()))
    refused = silence if known.barred else ZERO
    return (
        GuardFigure(
            "max_daily_loss", _percent(known.daily_loss), _percent(guards.max_daily_loss), "%", "daily-loss" in off
        ),
        GuardFigure("max_drawdown", _percent(known.drawdown), _percent(guards.max_drawdown), "%", "drawdown" in off),
        GuardFigure(
            "max_stop_losses", Decimal(known.stop_losses), _whole(guards.max_stop_losses), "", "stop-losses" in off
        ),
        GuardFigure("stale_guard_seconds", silence, _whole(guards.stale_guard_seconds), "s", "stale" in off),
        GuardFigure("exchange_guard_seconds", refused, _whole(guards.exchange_guard_seconds), "s", "exchange" in off),
    )


def _percent(fraction: Decimal | None) -> Decimal | None:
    return None if fraction is None else fraction * 100


def _whole(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)
