"""The commands that the OKX side adds: orders and algo orders of an account, and the account's settings.

`symbol` is the instrument; an order or algo is named by its id, or by its client id where the id is empty.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from core.simulator.engine.commands import Draft, EngineCommand, Plan
from core.simulator.engine.state import BookOrder
from core.simulator.okx.engine.algo_order import OkxAlgo


@dataclass(frozen=True)
class OkxPlace(EngineCommand[BookOrder]):
    """Place a plain order."""

    word: ClassVar[str] = "place"
    account: str
    order: Draft
    plan: Plan = field(default_factory=dict)


@dataclass(frozen=True)
class OkxCancel(EngineCommand[BookOrder]):
    """Cancel a plain order."""

    word: ClassVar[str] = "cancel"
    account: str
    symbol: str
    order_id: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class OkxAmend(EngineCommand[BookOrder]):
    """Change size (the new total), price or attached legs of a plain order."""

    word: ClassVar[str] = "amend"
    account: str
    symbol: str
    order_id: str = ""
    client_id: str = ""
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OkxClosePosition(EngineCommand[BookOrder]):
    """Close a whole position at market; `client_id` and `tag` are those of the order that closes it."""

    word: ClassVar[str] = "close"
    account: str
    symbol: str
    side: str
    cancel_orders: bool = False
    client_id: str = ""
    tag: str = ""


@dataclass(frozen=True)
class OkxClosePart(EngineCommand[BookOrder]):
    """Close some contracts of a position at market."""

    word: ClassVar[str] = "close_part"
    account: str
    symbol: str
    side: str
    size: str


@dataclass(frozen=True)
class OkxPlaceAlgo(EngineCommand[OkxAlgo]):
    """Place an algo order."""

    word: ClassVar[str] = "place_algo"
    account: str
    algo: Draft
    plan: Plan = field(default_factory=dict)


@dataclass(frozen=True)
class OkxCancelAlgo(EngineCommand[OkxAlgo]):
    """Cancel an algo order that waits."""

    word: ClassVar[str] = "cancel_algo"
    account: str
    algo_id: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class OkxAmendAlgo(EngineCommand[OkxAlgo]):
    """Change size or legs of an algo order that waits."""

    word: ClassVar[str] = "amend_algo"
    account: str
    algo_id: str = ""
    client_id: str = ""
    change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OkxSetMode(EngineCommand[None]):
    """Set hedge or net mode."""

    word: ClassVar[str] = "mode"
    account: str
    hedged: bool


@dataclass(frozen=True)
class OkxSetLeverage(EngineCommand[None]):
    """Set the leverage of an instrument, one value for both sides."""

    word: ClassVar[str] = "leverage"
    account: str
    symbol: str
    leverage: str


@dataclass(frozen=True)
class OkxCancelAllAfter(EngineCommand[None]):
    """Cancel all orders of the account unless this comes again within so many seconds; 0 stops the countdown."""

    word: ClassVar[str] = "dead_man"
    account: str
    seconds: int
