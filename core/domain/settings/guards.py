"""The guards that raise the safety level automatically, by the settings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.domain.account import Level
from core.domain.intent import Limits

ARMED_LEVELS = (Level.NO_NEW_ENTRIES, Level.NO_ADDED_RISK, Level.REDUCE_ONLY, Level.FLATTEN)


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits at which the level is raised automatically; None: off. Fractions of equity."""

    max_daily_loss: Decimal | None = Limits().max_daily_loss
    max_drawdown: Decimal | None = None
    max_stop_losses: int | None = None
    stop_loss_minutes: int = 60
    stale_guard_seconds: int | None = None
    exchange_guard_seconds: int | None = None
    guard_level: Level = Level.NO_ADDED_RISK  #: after losses
