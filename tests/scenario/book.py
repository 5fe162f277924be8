"""What the trader of the scenario holds: eighteen parts on three instruments, long and short, most sharing a position.

Values in USDT; take-profit, stop-loss and recovery in percent of the value, so that one number widens all of them.
Those of a group have the same distances: they end and begin together until a fault or a hand parts them.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.domain.instrument import Side
from core.domain.intent import RecoveryChoice, ReopenChoice, Target
from core.services.trading.requests import Draft
from tests.scenario.days import ETH, SOL
from tests.stack import BTC

#: instrument, side, values, take-profit %, stop-loss %, minutes until it opens again, recovery steps at most
PARTS = (
    (BTC, Side.LONG, (3000, 2000, 1200, 900), "1.0", "3.0", 1, 2),
    (BTC, Side.LONG, (5000,), "1.6", "2.4", 5, 0),
    (BTC, Side.SHORT, (4000, 2500, 1000), "1.0", "3.0", 1, 2),
    (ETH, Side.LONG, (1500, 900, 600), "1.2", "2.6", 2, 1),
    (ETH, Side.SHORT, (1200,), "1.4", "2.2", 3, 0),
    (SOL, Side.SHORT, (1000, 1000, 700, 500), "1.0", "3.0", 1, 3),
    (SOL, Side.LONG, (800, 650), "1.2", "3.0", 10, 2),
)
BALANCE = "100000"


def drafts(account: str, width: Decimal) -> list[Draft]:
    """The parts with every distance multiplied by `width`."""
    return [
        _draft(account, symbol, side, value, width * Decimal(profit), width * Decimal(loss), minutes, steps)
        for symbol, side, values, profit, loss, minutes, steps in PARTS
        for value in values
    ]


def _draft(
    account: str, symbol: str, side: Side, value: int, profit: Decimal, loss: Decimal, minutes: int, steps: int
) -> Draft:
    gain, risk = profit * value / 100, loss * value / 100
    recovery = RecoveryChoice(False)
    if steps:
        recovery = RecoveryChoice(True, -risk / 2, Decimal(value) / 4, gain, risk, max_steps=steps)
    return Draft(
        account=account,
        symbol=symbol,
        side=side,
        position_value=Decimal(value),
        leverage=Decimal(10),
        take_profit=Target(pnl_usdt=gain),
        stop_loss=Target(pnl_usdt=-risk),
        recovery=recovery,
        reopen=ReopenChoice(True, delay=timedelta(minutes=minutes)),
    )
