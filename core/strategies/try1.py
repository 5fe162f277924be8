"""Try1Strategy: a few numbers per contract, and the intent they make. It never sees an exchange, a price or a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from core.domain.account import PositionKey
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import ExecutionStyle, Intent, RecoveryChoice, ReopenChoice, Target, Wanted

SETTLED_IN = "-USDT-PERP"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of the strategy. Money in USDT; the stop is the loss without its sign."""

    symbol: str
    side: Side = Side.LONG
    position_value: Decimal = Decimal(1000)
    leverage: Decimal = Decimal(10)
    take_profit_usdt: Decimal = Decimal(50)
    stop_loss_usdt: Decimal = Decimal(100)
    trigger_by: TriggerBy = TriggerBy.MARK
    entry: ExecutionStyle = ExecutionStyle()
    recovery: RecoveryChoice = RecoveryChoice(enabled=True)
    reopen: ReopenChoice = ReopenChoice(enabled=True)

    def __post_init__(self) -> None:
        if not self.symbol.endswith(SETTLED_IN):
            raise ValueError(f"{self.symbol} is not a USDT perpetual: a name like BTC{SETTLED_IN} is needed")


@dataclass(frozen=True)
class Try1Strategy:
    """A strategy that enters once, takes 50 or loses 100 USDT, averages down on the way, and begins again
    afterwards.
    """

    name: ClassVar[str] = "try1"
    parameters: Parameters

    @classmethod
    def preset(cls, symbol: str) -> Try1Strategy:
        """Return the strategy for a contract: its own numbers, or the general ones. Raises ValueError for what is no
        USDT perpetual.
        """
        return cls(PRESETS[symbol] if symbol in PRESETS else Parameters(symbol))

    def on(self, side: Side) -> Try1Strategy:
        """Return the strategy on this side."""
        return replace(self, parameters=replace(self.parameters, side=side))

    def intent(self, account: str, asked_by: str, asked_at: datetime | None) -> Intent:
        """Return what should be held, for the book to give a name to."""
        it = self.parameters
        return Intent(
            part="",
            key=PositionKey(account, it.symbol, it.side),
            wanted=Wanted.OPEN,
            position_value=it.position_value,
            leverage=it.leverage,
            entry=it.entry,
            take_profit=Target(pnl_usdt=it.take_profit_usdt, trigger_by=it.trigger_by),
            stop_loss=Target(pnl_usdt=-it.stop_loss_usdt, trigger_by=it.trigger_by),
            strategy=self.name,
            own_recovery=it.recovery,
            own_reopen=it.reopen,
            asked_by=asked_by,
            asked_at=asked_at,
        )


#: A contract that moves further in a day gets less value and leverage, so that 100 USDT lie equally far away.
PRESETS: Mapping[str, Parameters] = {
    "BTC-USDT-PERP": Parameters("BTC-USDT-PERP"),
    "ETH-USDT-PERP": Parameters("ETH-USDT-PERP", position_value=Decimal(800), leverage=Decimal(8)),
    "SOL-USDT-PERP": Parameters("SOL-USDT-PERP", position_value=Decimal(600), leverage=Decimal(5)),
}
