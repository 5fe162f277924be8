"""What should be held, as the operator or a strategy asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.domain.account import Level, PositionKey
from core.domain.instrument import Instrument, Side, TriggerBy
from core.domain.money import Contracts, Price


class Wanted(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class EntryKind(StrEnum):
    """How an entry is worked. TWAP and ICEBERG slice it; see `core.execution`."""

    MARKET = "market"
    LIMIT = "limit"
    TWAP = "twap"
    ICEBERG = "iceberg"


class ExitReason(StrEnum):
    """Why a cycle ended, told by the origin of the closing order."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    CLOSED_BY_US = "closed_by_us"
    CLOSED_BY_HAND = "closed_by_hand"
    LIQUIDATED = "liquidated"
    DELEVERAGED = "deleveraged"
    NOT_ENTERED = "not_entered"  #: the exchange refused the entry, or it timed out unfilled
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True)
class EntryStyle:
    """How to enter: the kind and its numbers."""

    kind: EntryKind = EntryKind.MARKET
    price: Price | None = None  #: limit price
    timeout: timedelta | None = None  #: a limit entry that did not fill by then is cancelled


@dataclass(frozen=True, slots=True)
class Target:
    """A take-profit or stop-loss: exactly one of USDT of PnL, a price, or percent of the entry price.

    `pnl_usdt` and `percent` are signed like the PnL itself: a stop is negative.
    """

    pnl_usdt: Decimal | None = None
    price: Price | None = None
    percent: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.MARK

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.pnl_usdt, self.price, self.percent)) != 1:
            raise ValueError("a target is given as one of: USDT of PnL, a price, a percentage")

    def raw_price(self, instrument: Instrument, side: Side, average: Decimal, contracts: Decimal) -> Decimal:
        """The price at which this target is reached, before rounding to the tick."""
        if self.price is not None:
            return self.price
        if self.percent is not None:
            return average * (1 + side.sign * self.percent / 100)
        assert self.pnl_usdt is not None
        return average + side.sign * self.pnl_usdt / (contracts * instrument.contract_value)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Averaging down: when, how much, and where TP and SL go afterwards. Money in USDT."""

    trigger_pnl: Decimal = Decimal(-50)
    add_notional: Decimal = Decimal(100)
    tp_usdt: Decimal = Decimal(50)
    sl_usdt: Decimal = Decimal(100)
    max_steps: int | None = None
    max_loss: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReopenRule:
    """Which ends are followed by a new cycle, and how soon."""

    after: frozenset[ExitReason] = frozenset({ExitReason.TAKE_PROFIT, ExitReason.STOP_LOSS, ExitReason.CLOSED_BY_HAND})
    delay: timedelta = timedelta(minutes=5)
    max_cycles: int | None = None
    loss_budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One part: what the trader wants held. One row for ever; recovery and reopen update it in place."""

    part: str  #: six letters and digits, see `ids`
    key: PositionKey
    wanted: Wanted
    position_value: Decimal  #: notional in USDT that the trader asked for
    leverage: Decimal
    entry: EntryStyle
    take_profit: Target | None
    stop_loss: Target | None
    recovery: Recovery | None = None
    reopen: ReopenRule | None = None
    strategy: str = "manual"
    cycle: int = 1
    contracts: Contracts | None = None  #: size of this cycle, fixed when it starts; None: not started
    cycle_started_at: datetime | None = None
    cycle_ended_at: datetime | None = None
    exit_reason: ExitReason | None = None
    reduce_to: Contracts | None = None  #: a partial close was asked for: hold this many
    external_exits: tuple[ExternalExit, ...] = ()
    version: int = 1
    asked_by: str = "operator"
    asked_at: datetime | None = None

    @property
    def living(self) -> bool:
        """True until the current cycle has ended."""
        return self.cycle_ended_at is None

    def but(self, **changes: object) -> Intent:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ExternalExit:
    """Contracts of a part that were closed by an order not ours: a person, a liquidation."""

    quantity: Contracts
    price: Price
    fee: Decimal  #: signed, negative = paid
    reason: ExitReason
    at: datetime
    exchange_fill_id: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits on what may be opened; `None` means no limit. Values in USDT or fractions of equity."""

    min_order_value: Decimal | None = None
    max_order_value: Decimal | None = None
    max_position_value_pct: Decimal | None = None
    max_leverage: Decimal | None = None
    max_price_deviation: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything wanted of one position."""

    key: PositionKey
    intents: tuple[Intent, ...]
    level: Level = Level.RUN
    limits: Limits = field(default_factory=Limits)
