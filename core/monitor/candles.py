"""Reads price bars of what is held, so that pages can draw them: one request for each contract, the same for every
kind of account. Pages never ask an exchange; what they find is as old as its own time says.
"""

from __future__ import annotations

from core.domain.money import plain
from core.exchange.port import Candle
from core.monitor.guard import AccountGuard

BAR, BARS = "1m", 180
EVERY_SECONDS = 5


def read_candles(guard: AccountGuard) -> None:
    """Read the newest bars of each contract that the account holds something of. Raises Unavailable."""
    found = list(guard.reconciler.results.values())
    for symbol in sorted({result.key.symbol for result in found if result.seen.position is not None}):
        began = guard.clock.now()
        bars = guard.port.candles(symbol, BAR, BARS)
        guard.store.candles.put(guard.account.id, symbol, [_row(bar) for bar in bars], began)


def _row(bar: Candle) -> dict[str, str]:
    prices = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume}
    opened = str(int(bar.opened_at.timestamp() * 1000))
    return {"t": opened, **{name: plain(value) for name, value in prices.items()}}
