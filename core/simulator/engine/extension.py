"""What one exchange adds to the engine: its own commands, its own books, and a word when prices, time or positions move.

Every change of an annex comes through a command of the engine, so that a run can be repeated and nothing is lost.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.simulator.engine.account import Account

if TYPE_CHECKING:
    from core.simulator.engine.engine import Engine


class Annex:
    """Does nothing of its own; each exchange's annex overrides what it needs."""

    name = ""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    @property
    def commands(self) -> dict[str, Callable[..., Any]]:
        """The commands it adds to the engine, by name."""
        return {}

    def begin(self) -> None:
        """Everything fresh."""

    def state(self) -> Any:
        """What `restore` needs, in values that `pack` can write."""
        return None

    def restore(self, state: Any) -> None:
        """Go on from what `state` gave."""

    def truth(self) -> list[Any]:
        """What waits here or ever did, as plain rows, for who may see everything."""
        return []

    def evaluate(self, symbol: str) -> None:
        """The prices of that instrument moved; plain orders have been filled already."""

    def moved_on(self, now: int) -> None:
        """It is that time now (ms)."""

    def switched(self, names: list[str]) -> None:
        """These switches were set."""

    def order_changed(self, order: Any) -> None:
        """A plain order was filled or ended."""

    def position_ended(self, owner: Account, symbol: str, side: str) -> None:
        """That position is flat."""

    def stop_trading(self, owner: Account, symbols: set[str]) -> None:
        """The account is being liquidated: what waits on these instruments ends."""

    def waits_on(self, symbol: str) -> bool:
        """Whether anything here wants each small step of that price."""
        return False
