"""The components of the engine that each wire's half builds on, composed once for a run."""

from dataclasses import dataclass
from typing import Self

from core.simulator.engine.exchange import ExchangeState, Setup
from core.simulator.engine.margin import Margin
from core.simulator.engine.orders import Orders
from core.simulator.engine.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Components:
    """The collaborators that components and extensions are given instead of the engine."""

    exchange: ExchangeState
    margin: Margin
    orders: Orders
    settlement: Settlement

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return the components of a new exchange with that setup."""
        exchange = ExchangeState(setup)
        orders = Orders(exchange)
        return cls(exchange, Margin(exchange), orders, Settlement(exchange, orders))
