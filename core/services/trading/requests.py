"""Requests of a person and their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.decision.preview.preview import OrderTerms
from core.domain.instrument import Side
from core.domain.intent import ExecutionStyle, RecoveryChoice, ReopenChoice, Target, WhenRefused
from core.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class Draft:
    """A position that a person may open. `position_value` in USDT, `leverage` as a multiple."""

    account: str
    symbol: str
    side: Side
    position_value: Decimal
    leverage: Decimal
    take_profit: Target | None
    stop_loss: Target | None
    entry: ExecutionStyle = field(default_factory=ExecutionStyle)
    strategy: str = "manual"
    recovery: RecoveryChoice = RecoveryChoice()  #: what it chooses for itself; the rest follows the settings
    reopen: ReopenChoice = ReopenChoice()
    when_refused: WhenRefused | None = None  #: its stop-loss, by the exchange; None follows the settings

    @property
    def terms(self) -> OrderTerms:
        return OrderTerms(self.side, self.position_value, self.leverage, self.take_profit, self.stop_loss, self.entry)


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of a request: the part it is about, whether it was new, and what happens now."""

    part: str
    new: bool
    words: Reason
