"""A position and its orders as observed at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.account import PositionKey
from core.domain.action import Command
from core.domain.instrument import Instrument, Side
from core.domain.money import NONE_HELD, Contracts, Price
from core.domain.order import Fill, Order
from core.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class Position:
    """A position as the exchange reports it. Money in the settlement currency."""

    symbol: str
    side: Side
    contracts: Contracts  #: always positive
    average_price: Price
    mark_price: Price
    last_price: Price | None
    liquidation_price: Price | None
    leverage: Decimal
    margin: Decimal
    unrealised_pnl: Decimal
    realised_pnl: Decimal  #: of this life, with fees and funding
    funding: Decimal  #: of this life, positive = received
    position_id: str  #: the exchange's id; may be used again within 30 days on OKX
    opened_at: datetime  #: with position_id the key of one life
    updated_at: datetime

    @property
    def life(self) -> str:
        """Return the key of this position from open to flat."""
        return f"{self.position_id}@{int(self.opened_at.timestamp() * 1000)}"


@dataclass(frozen=True, slots=True)
class Ticker:
    """Newest prices of a contract."""

    symbol: str
    last: Price
    bid: Price
    ask: Price
    mark: Price
    at: datetime


@dataclass(frozen=True, slots=True)
class PortFacts:
    """Properties of an exchange that decisions depend on."""

    request_lifetime: timedelta  #: after this long a request that was not executed never will be
    native_oco: bool
    can_amend_triggers: bool
    attaches_protection: bool  #: TP and SL can travel with an entry
    stop_passed_codes: frozenset[str] = frozenset()  #: refusals that mean "the stop's price is passed already"
    target_passed_codes: frozenset[str] = frozenset()  #: the same of a take-profit
    nothing_held_codes: frozenset[str] = frozenset()  #: refusals of a close that mean "nothing is held"
    precision_codes: frozenset[str] = frozenset()  #: refusals of a size or a price that is not on the contract's grid
    conditional_settle: timedelta = timedelta(seconds=10)  #: so long an accepted conditional order may be unfindable
    max_conditional: int | None = None  #: conditional orders that an account may have at once; None: not told


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything observed of one position at one moment: the input of `plan`."""

    key: PositionKey
    instrument: Instrument
    facts: PortFacts
    position: Position | None  #: None: the exchange answered "nothing held"; no answer raises Unavailable
    confirmed: bool  #: two agreeing reads of the position's size; finish and reopen demand it
    orders: tuple[Order, ...]  #: ours of the current cycles, live or ended, older ones still live, foreign live
    commands: tuple[Command, ...]  #: placements of the current cycles with their outcomes
    foreign_fills: tuple[Fill, ...]  #: closing fills not ours and not booked yet; read when sizes differ
    ticker: Ticker | None  #: None: no fresh price
    available: Decimal | None  #: USDT free for new positions; None: not known
    hedge_mode: bool
    healthy: bool  #: the exchange answers and is not in maintenance
    as_of: datetime
    differs_since: datetime | None = None  #: since when the position's size has not matched the parts
    equity: Decimal | None = None  #: USDT, with unrealised PnL; None: not known
    settled: bool = True  #: no order of ours has vanished without the exchange telling how it ended
    booked: Mapping[str, Contracts] = field(default_factory=dict)  #: of foreign fills, what ended cycles have too
    conditional_orders: int = 0  #: live ones of the whole account, foreign ones too
    day_start: Decimal | None = None  #: equity when the day began, or since the level was lowered; None: not known
    parts_elsewhere: int = 0  #: open parts of other positions of the account
    legs_elsewhere: int = 0  #: conditional orders that parts of other positions have yet to place
    other_side: Reason | None = None  #: one-way: the other side is held or wanted earlier

    @property
    def flat_confirmed(self) -> bool:
        return self.confirmed and self.position is None

    @property
    def contracts(self) -> Contracts:
        return self.position.contracts if self.position else NONE_HELD

    @property
    def mark(self) -> Price | None:
        if self.position is not None:
            return self.position.mark_price
        return self.ticker.mark if self.ticker else None
