"""The rules for every part that the settings make: limits, recovery, reopening, and refused stop-losses."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.difference import Division
from core.domain.intent import Limits, Recovery, ReopenRule, Unguarded
from core.domain.settings.trader import TraderSettings

KEYS = tuple(TraderSettings.model_fields)  #: rows of the settings table that rules are made of


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for every part that has made no choice of its own."""

    limits: Limits = Limits()
    recovery: Recovery | None = None
    reopen: ReopenRule | None = None
    unguarded: Unguarded = Unguarded()
    division: Division = Division.PRO_RATA
    price_protect: bool = False

    @classmethod
    def of(cls, settings: TraderSettings) -> Rules:
        """Return the rules that these settings make."""
        return cls(
            limits=settings.rule(Limits),
            recovery=settings.rule(Recovery) if settings.recovery_enabled else None,
            reopen=settings.rule(ReopenRule) if settings.reopen_enabled else None,
            unguarded=settings.rule(Unguarded),
            division=settings.division,
            price_protect=settings.price_protect,
        )
