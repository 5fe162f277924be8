"""The interface of an exchange's extension of the engine: commands, orders of its own, and hooks for time, prices and
positions.

Every change of an extension comes through a command of the engine, so that a run can be repeated and nothing is lost.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.behaviour import Behaviours
from core.simulator.engine.commands import EngineCommand
from core.simulator.engine.state import BookOrder

Handlers = dict[type[EngineCommand[Any]], Callable[[Any], Any]]


class Extension:
    """A part of the exchange that one wire adds; each hook does nothing until it is overridden."""

    name = ""
    behaviours: ClassVar[Behaviours] = {}

    @property
    def handlers(self) -> Handlers:
        """Return what carries out each kind of command that this extension adds."""
        return {}

    def begin(self, balance: Decimal | None) -> None:
        """Begin anew; `balance` (USDT) is what accounts hold then, None: what the setup says."""

    def state(self) -> Any:
        """Return what `restore` needs, in values that `pack` can write; None where there is nothing."""
        return None

    def restore(self, state: Any) -> None:
        """Go on from what `state` gave."""

    def before_step(self, now: int) -> None:
        """Act on the time (ms) of a step before the prices move in it."""

    def after_step(self, now: int) -> None:
        """Act on the time (ms) of a step once its prices have moved."""

    def evaluate(self, symbol: str) -> None:
        """Act on the prices of that instrument, which moved; plain orders have been filled already."""

    def waits_on(self, symbol: str) -> bool:
        """Return whether anything here wants each small step of that price."""
        return False

    def behaviour_changed(self, names: list[str]) -> None:
        """Act on behaviours that were set."""

    def order_changed(self, order: BookOrder) -> None:
        """Act on a plain order that was filled or ended."""

    def position_ended(self, owner: ExchangeAccount, symbol: str, side: str) -> None:
        """Act on a position that is flat."""

    def keeps_closing_orders(self, owner: ExchangeAccount) -> bool:
        """Return whether resting orders that close outlive their position in this account."""
        return False

    def stop_trading(self, owner: ExchangeAccount, symbols: set[str]) -> None:
        """End what waits on these instruments: the account is being liquidated."""


Extensions = tuple[Extension, ...]
