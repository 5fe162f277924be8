"""One account as the bot last saw it. Written by the bot after each look; read by pages, API, Telegram and metrics.

Quantities in contracts and money in USDT unless a field says otherwise. None: not known. An empty tuple: there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.account import Environment, Exchange, Level
from core.domain.difference import Choice, DifferenceKind
from core.domain.instrument import Instrument, OrderSide, Side, TriggerBy
from core.domain.observation import Ticker
from core.domain.order import OrderKind, OrderStatus, Purpose
from core.domain.snapshot.part import PartSnapshot
from core.domain.snapshot.reasons import StoredReason

STALE_AFTER = timedelta(seconds=15)  #: three looks of the usual watch have failed to come


@dataclass(frozen=True, slots=True)
class BotSnapshot:
    """The bot that made the snapshot."""

    running: bool
    why: StoredReason | None  #: of its last start or stop
    level: Level
    since: datetime | None
    holder: str  #: process that holds the lease


@dataclass(frozen=True, slots=True)
class MoneySnapshot:
    """The account's money, with the PnL at the newest mark prices."""

    equity: Decimal
    available: Decimal
    floating_pnl: Decimal
    margin_used: Decimal
    hedge_mode: bool  #: long and short are held apart
    as_of: datetime


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """How much of one request limit was used in its window."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class HealthSnapshot:
    """The state of the bot's sources; a trouble of None: that source is well."""

    exchange_trouble: StoredReason | None
    stream_connected: bool
    stream_trouble: StoredReason | None
    stream_heard_at: datetime | None
    requests: Mapping[str, RequestUsage]  #: by the exchange's request limit
    barred: StoredReason | None = None  #: an exchange turns us away: a ban, keys that it does not take
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class ProtectionSnapshot:
    """Of the parts that hold something, how many have their whole stop-loss at the exchange."""

    protected: int
    parts: int
    bare_seconds_today: Decimal  #: held without a stop-loss, all parts together


@dataclass(frozen=True, slots=True)
class ConditionalOrders:
    """Conditional orders of the account against what the exchange allows; `most` None: it names no number."""

    used: int
    most: int | None


@dataclass(frozen=True, slots=True)
class PositionSnapshot:
    """One position as the exchange tells it, with what our parts leave unexplained."""

    symbol: str
    side: Side
    contracts: Decimal
    coins: Decimal
    notional: Decimal
    average_price: Decimal
    mark_price: Decimal
    last_price: Decimal | None
    unrealised_pnl: Decimal
    unrealised_pct: Decimal | None  #: of its margin
    leverage: Decimal
    margin: Decimal
    liquidation_price: Decimal | None
    funding: Decimal
    position_id: str
    opened_at: datetime
    residual: Decimal  #: contracts that no part of ours explains; negative: contracts of ours are missing
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """One live order of the last look, ours or foreign."""

    client_order_id: str
    exchange_order_id: str
    part: str | None  #: None: not ours
    purpose: Purpose
    symbol: str
    side: OrderSide
    position_side: Side
    kind: OrderKind
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    take_profit_trigger: Decimal | None
    stop_loss_trigger: Decimal | None
    trigger_by: TriggerBy | None
    status: OrderStatus
    created_at: datetime | None

    @property
    def foreign(self) -> bool:
        return self.part is None


@dataclass(frozen=True, slots=True)
class UnresolvedCommand:
    """A command that was sent and whose outcome is not known yet."""

    client_order_id: str
    purpose: Purpose
    part: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class DifferenceSnapshot:
    """A difference between exchange and book on one position, with what can be answered."""

    kind: DifferenceKind
    symbol: str
    side: Side
    ours: StoredReason  #: what our book says
    theirs: StoredReason  #: what the exchange says
    since: datetime | None
    words: StoredReason
    choices: tuple[Choice, ...]
    answer: Choice | None
    mark: str  #: what tells it from a changed one
    quantity: Decimal
    price: Decimal | None  #: what a residual was opened at, as far as it can be told
    leverage: Decimal | None
    parts: tuple[str, ...]  #: that may take over a residual

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.symbol}/{self.side}"


@dataclass(frozen=True, slots=True)
class AlarmSnapshot:
    """An alarm that is open."""

    subject: str
    words: StoredReason
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class RuntimeMetrics:
    """Metrics of the bot's own process, counted from its start."""

    loops: tuple[int, ...]  #: passes by how long they took, see `core.monitor.runtime_metrics`
    loop_seconds: float  #: of all passes together
    failures: int
    bare_since: datetime | None  #: since when the longest bare part is held without its stop-loss


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """Everything that is shown and measured of one account, and when the exchange was looked at for it."""

    account: str
    name: str
    exchange: Exchange
    environment: Environment
    as_of: datetime  #: of the look at the exchange
    published_at: datetime
    bot: BotSnapshot
    health: HealthSnapshot
    protection: ProtectionSnapshot
    money: MoneySnapshot | None
    conditional: ConditionalOrders | None
    positions: tuple[PositionSnapshot, ...]
    parts: tuple[PartSnapshot, ...]
    orders: tuple[OrderSnapshot, ...]
    unresolved: tuple[UnresolvedCommand, ...]
    differences: tuple[DifferenceSnapshot, ...]
    alarms: tuple[AlarmSnapshot, ...]
    tickers: Mapping[str, Ticker]
    instruments: Mapping[str, Instrument]
    runtime: RuntimeMetrics
    stale_after: timedelta = STALE_AFTER  #: the reader sets it by how often the bot is to look

    @property
    def held(self) -> list[PartSnapshot]:
        """Return the parts that hold something."""
        return [part for part in self.parts if part.held]

    def part(self, name: str) -> PartSnapshot | None:
        """Return one part, or None where the snapshot was made before it."""
        return next((part for part in self.parts if part.name == name), None)

    def tick_of(self, symbol: str) -> Decimal | None:
        """Return the price tick of a contract, or None where it is not known."""
        known = self.instruments.get(symbol)
        return None if known is None else known.price_tick

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the look was; never negative, also where two clocks disagree a little."""
        return max(now - self.as_of, timedelta())

    def stale(self, now: datetime) -> bool:
        """Return whether the numbers may no longer be true."""
        return self.age(now) > self.stale_after
