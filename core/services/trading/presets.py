"""The strategy's presets as drafts that a person may change before opening."""

from __future__ import annotations

from core.domain.instrument import Side
from core.services.trading.requests import Draft
from core.strategies.try1 import PRESETS, Try1Strategy

STRATEGY = Try1Strategy.name


def preset(account: str, symbol: str, side: Side) -> Draft:
    """Return Try1Strategy's numbers for a contract, as a draft."""
    strategy = Try1Strategy.preset(symbol).on(side)
    it = strategy.intent(account, "", None)
    return Draft(
        account=account,
        symbol=symbol,
        side=side,
        position_value=it.position_value,
        leverage=it.leverage,
        take_profit=it.take_profit,
        stop_loss=it.stop_loss,
        entry=it.entry,
        strategy=it.strategy,
        recovery=it.own_recovery,
        reopen=it.own_reopen,
    )


def with_presets(symbols: list[str], chosen: str) -> list[str]:
    """Return the contracts that presets are offered for: those with numbers of their own, then the chosen one."""
    own = [symbol for symbol in PRESETS if symbol in symbols]
    return own if chosen in own else [*own, chosen]
