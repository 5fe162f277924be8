"""The interface of execution styles: each answers one question, "what should be working right now?".

Progress is what was filled, so a restart continues where it stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.instrument import Instrument
from core.domain.intent import ExecutionKind, ExecutionStyle
from core.domain.money import NONE_HELD, Contracts, Price
from core.domain.order import OrderKind
from core.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an execution: an entry, a recovery step or a close."""

    style: ExecutionStyle
    instrument: Instrument
    planned: Contracts  #: the parent: all that is to be filled
    filled: Contracts
    working: bool  #: an order of it is live
    orders: int  #: orders of it that reached the exchange
    refusal: Reason | None  #: what the exchange said where the newest order was refused
    started_at: datetime
    withdrawn: bool = False  #: the trader has taken back what has not filled
    hurried: bool = False  #: the trader wants what is missing at market now
    name: str = ""  #: part and execution; what is drawn at random is drawn from this
    buys: bool = True  #: False: its orders sell
    near: Price | None = None  #: our own side of the book now: the bid of one who buys; None: no fresh price
    sent_at: datetime | None = None  #: when the newest request of it was recorded, refused ones too
    ended_at: datetime | None = None  #: when its newest order ended; None while it works, or none was sent
    working_price: Price | None = None  #: of the live limit order; None where none is live
    resting: bool = False  #: the live order is a limit order, not one at market
    hurried_at: datetime | None = None  #: when the trader said so; None: not known
    unfilled: Contracts = NONE_HELD  #: what its newest order left unfilled when it ended
    market_orders: int = 0  #: of its orders, those at market
    first_price: Price | None = None  #: at which its first order was placed or, at market, filled

    @property
    def missing(self) -> Contracts:
        return self.instrument.round_quantity(self.planned - self.filled)

    @property
    def done(self) -> Reason:
        """Return how far it is."""
        return Reason("execution.filled", filled=self.filled, planned=self.planned)

    def at_market(self, quantity: Contracts) -> Reason:
        """Return what an order at market for this quantity does."""
        if self.buys:
            return Reason("execution.buys_at_market", quantity=quantity)
        return Reason("execution.sells_at_market", quantity=quantity)

    def at_price(self, quantity: Contracts, price: Price) -> Reason:
        """Return what a limit order for this quantity does."""
        if self.buys:
            return Reason("execution.buys_at", quantity=quantity, price=price)
        return Reason("execution.sells_at", quantity=quantity, price=price)

    def missing_at_market(self, quantity: Contracts, why: Reason) -> Reason:
        """Return what an order at market for the contracts that are missing does, and why it is sent now."""
        if self.buys:
            return Reason("execution.buys_missing", quantity=quantity, why=why)
        return Reason("execution.sells_missing", quantity=quantity, why=why)


@dataclass(frozen=True, slots=True)
class Place:
    """Send this order now."""

    kind: OrderKind
    quantity: Contracts
    price: Price | None
    because: Reason


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing; look again at `until` where a time matters."""

    because: Reason
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel what is working; whether it is replaced is told when it has ended."""

    because: Reason


@dataclass(frozen=True, slots=True)
class Complete:
    """End the execution, whatever was filled."""

    because: Reason


Step = Place | Wait | Withdraw | Complete


class Execution(Protocol):
    """An execution style."""

    def next_order(self, progress: Progress, now: datetime) -> Step: ...


def execution_for(kind: ExecutionKind, styles: Mapping[ExecutionKind, Execution]) -> Execution:
    """Return the style's execution. Raises ValueError where it is not offered."""
    if kind not in styles:
        offered = ", ".join(sorted(styles))
        raise ValueError(f"execution style {kind} is not offered; one of: {offered}")
    return styles[kind]
