"""The commands that the Binance side adds: plain and conditional orders, the account's settings, its listen key.

`symbol` is the engine's name of the instrument; an order is named by its id, or by its client id where that is empty.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from core.simulator.binance.engine.algo_order import BinanceAlgo
from core.simulator.engine.commands import Draft, EngineCommand, Plan
from core.simulator.engine.state import BookOrder


@dataclass(frozen=True)
class BinancePlace(EngineCommand[BookOrder]):
    """Place a plain order."""

    word: ClassVar[str] = "binance_place"
    order: Draft
    plan: Plan = field(default_factory=dict)


@dataclass(frozen=True)
class BinanceCancel(EngineCommand[BookOrder]):
    """Cancel a plain order."""

    word: ClassVar[str] = "binance_cancel"
    symbol: str
    order_id: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class BinanceCancelAll(EngineCommand[list[BookOrder]]):
    """Cancel all plain orders of an instrument."""

    word: ClassVar[str] = "binance_cancel_all"
    symbol: str


@dataclass(frozen=True)
class BinanceAmend(EngineCommand[BookOrder]):
    """Change size (the new total) and price of a resting limit order; with a price match the price is empty."""

    word: ClassVar[str] = "binance_amend"
    symbol: str
    side: str
    order_id: str
    client_id: str
    size: str
    price: str
    match: str


@dataclass(frozen=True)
class BinanceCountdown(EngineCommand[None]):
    """Cancel all orders of an instrument unless this comes again in time; 0 stops the countdown."""

    word: ClassVar[str] = "binance_countdown"
    symbol: str
    milliseconds: int


@dataclass(frozen=True)
class BinancePlaceAlgo(EngineCommand[BinanceAlgo]):
    """Place a conditional order."""

    word: ClassVar[str] = "binance_place_algo"
    algo: Draft
    plan: Plan = field(default_factory=dict)


@dataclass(frozen=True)
class BinanceCancelAlgo(EngineCommand[BinanceAlgo]):
    """Cancel a conditional order that waits."""

    word: ClassVar[str] = "binance_cancel_algo"
    algo_id: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class BinanceCancelAlgos(EngineCommand[None]):
    """Cancel all conditional orders of an instrument that wait."""

    word: ClassVar[str] = "binance_cancel_algos"
    symbol: str


@dataclass(frozen=True)
class BinanceSetMode(EngineCommand[None]):
    """Set hedge or one-way mode for the whole account."""

    word: ClassVar[str] = "binance_mode"
    hedged: bool


@dataclass(frozen=True)
class BinanceSetLeverage(EngineCommand[None]):
    """Set the leverage of an instrument."""

    word: ClassVar[str] = "binance_leverage"
    symbol: str
    leverage: int


@dataclass(frozen=True)
class BinanceSetMarginType(EngineCommand[None]):
    """Set isolated or cross margin for an instrument."""

    word: ClassVar[str] = "binance_margin_type"
    symbol: str
    isolated: bool


@dataclass(frozen=True)
class BinanceSetMultiAssets(EngineCommand[None]):
    """Set multi-assets or single-asset mode."""

    word: ClassVar[str] = "binance_multi_assets"
    wanted: bool


@dataclass(frozen=True)
class BinanceMoveMargin(EngineCommand[None]):
    """Move margin into an isolated position's wallet, or out of it."""

    word: ClassVar[str] = "binance_position_margin"
    symbol: str
    side: str
    amount: str
    adding: bool


@dataclass(frozen=True)
class BinanceMakeListenKey(EngineCommand[str]):
    """Make the listen key of these letters, or keep the one that lives for another hour."""

    word: ClassVar[str] = "binance_listen"
    letters: str


@dataclass(frozen=True)
class BinanceRenewListenKey(EngineCommand[str]):
    """Keep the listen key for another hour."""

    word: ClassVar[str] = "binance_listen_on"


@dataclass(frozen=True)
class BinanceDropListenKey(EngineCommand[None]):
    """End the listen key, and tell nobody."""

    word: ClassVar[str] = "binance_listen_no_more"
