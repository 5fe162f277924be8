"""The intent of a part: what should be held, as the operator or a strategy asked for it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from core.domain.account import Level, PositionKey
from core.domain.difference import Choice, DifferenceAnswer, DifferenceKind, Division
from core.domain.instrument import Instrument, Side, TriggerBy
from core.domain.money import Contracts, Price

T = TypeVar("T")


class Wanted(StrEnum):
    OPEN = "open"
    CLOSED = "closed"  #: for good
    RENEWED = "renewed"  #: this cycle is closed, and the reopen rule begins the next

    @property
    def closes(self) -> bool:
        """Return whether what is held now is to be closed."""
        return self is not Wanted.OPEN


class ExecutionKind(StrEnum):
    """The way an entry, a recovery step or a close is worked; see `core.execution`."""

    MARKET = "market"
    LIMIT = "limit"
    TWAP = "twap"  #: slices over a span of time
    ICEBERG = "iceberg"  #: a limit order of which only a part is shown

    @property
    def sliced(self) -> bool:
        """Return whether the whole is ordered in several orders over time, with nothing working in between."""
        return self in (ExecutionKind.TWAP, ExecutionKind.ICEBERG)


class AtEnd(StrEnum):
    """What is done with contracts that are missing when an execution's time is over."""

    STOP = "stop"  #: they are left
    MARKET = "market"  #: they are ordered at market


class ExitReason(StrEnum):
    """The reason why a cycle ended, by the origin of the closing order."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    CLOSED_BY_US = "closed_by_us"
    CLOSED_BY_HAND = "closed_by_hand"
    LIQUIDATED = "liquidated"
    DELEVERAGED = "deleveraged"
    NOT_ENTERED = "not_entered"  #: the exchange refused the entry, or it timed out unfilled
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True)
class ExecutionStyle:
    """The execution style of an order: the kind and its numbers. What a kind does not name it ignores."""

    kind: ExecutionKind = ExecutionKind.MARKET
    price: Price | None = None  #: limit price; an iceberg without one rests at our own side of the book
    timeout: timedelta | None = None  #: of limit and iceberg: what has not filled by then is cancelled
    at_end: AtEnd = AtEnd.STOP  #: at the time-out, or at the end of a TWAP's duration
    reprice: timedelta | None = None  #: limit: moved to our side of the book after so long without being filled
    follow: Decimal = Decimal("0.01")  #: limit: how far repricing may give way, as a share of the limit price
    duration: timedelta | None = None  #: TWAP: from the first slice to the end
    slices: int | None = None  #: TWAP; fewer where they would be smaller than the smallest order
    randomness: Decimal = Decimal(0)  #: TWAP: slices' sizes and times differ by up to this share, 0 to 0.5
    passive: bool = False  #: TWAP: slices are limit orders at our own side of the book
    visible: Decimal | None = None  #: iceberg: the share of the whole that is shown at once, above 0 to 1
    refresh: timedelta | None = None  #: iceberg: what is shown is placed anew at the newest price after so long


@dataclass(frozen=True, slots=True)
class Instruction:
    """The trader's instruction to one execution: cancel its rest, or enter (close) it at market now."""

    run: str  #: names the execution: cycle, letter of its purpose and, of a recovery, its step: 1E, 3R2, 2C
    finish: bool
    asked_at: datetime | None = None  #: None: before it was written down


@dataclass(frozen=True, slots=True)
class Adding:
    """A recovery step that is being worked in several orders; its size is fixed when it begins."""

    step: int
    contracts: Contracts
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """The execution style of a requested close, and since when it runs."""

    style: ExecutionStyle
    asked_at: datetime


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
        """Return the price at which this target is reached, before rounding to the tick."""
        if self.price is not None:
            return self.price
        if self.percent is not None:
            return average * (1 + side.sign * self.percent / 100)
        assert self.pnl_usdt is not None
        return average + side.sign * self.pnl_usdt / (contracts * instrument.contract_value)


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery rule (averaging down): when, how much, and where TP and SL go afterwards. Money in USDT, all but the
    first positive.
    """

    trigger_pnl: Decimal = Decimal(-50)  #: a step is taken while the unrealised PnL lies under this
    add_notional: Decimal = Decimal(100)  #: position value that one step adds
    tp_usdt: Decimal = Decimal(50)  #: of the whole, from its new average
    sl_usdt: Decimal = Decimal(100)
    max_steps: int | None = None
    max_loss: Decimal | None = None  #: no step is taken once the unrealised loss has reached this
    pause: timedelta = timedelta(seconds=15)  #: between two steps of one part
    style: ExecutionStyle = ExecutionStyle()  #: how a step is worked


@dataclass(frozen=True, slots=True)
class RecoveryChoice:
    """A part's own choices of recovery; None follows the settings for all parts."""

    enabled: bool | None = None
    trigger_pnl: Decimal | None = None
    add_notional: Decimal | None = None
    tp_usdt: Decimal | None = None
    sl_usdt: Decimal | None = None
    max_steps: int | None = None
    max_loss: Decimal | None = None
    style: ExecutionStyle | None = None

    def over(self, everybody: Recovery | None) -> Recovery | None:
        """Return the recovery rule that holds for this part; None: none."""
        enabled = self.enabled if self.enabled is not None else everybody is not None
        if not enabled:
            return None
        return _chosen(everybody or Recovery(), self)


@dataclass(frozen=True, slots=True)
class ReopenRule:
    """The reopen rule: which ends are followed by a new cycle, and how soon."""

    after: frozenset[ExitReason] = frozenset({ExitReason.TAKE_PROFIT, ExitReason.STOP_LOSS, ExitReason.CLOSED_BY_HAND})
    delay: timedelta = timedelta(minutes=5)
    max_cycles: int | None = None  #: no further cycle after so many
    loss_budget: Decimal | None = None  #: USDT; no further cycle once all cycles together have lost as much
    retry: timedelta = timedelta(seconds=30)  #: a reopen that failed is tried again so soon


@dataclass(frozen=True, slots=True)
class ReopenChoice:
    """A part's own choices of reopening; None follows the settings for all parts."""

    enabled: bool | None = None
    after: frozenset[ExitReason] | None = None
    delay: timedelta | None = None
    max_cycles: int | None = None
    loss_budget: Decimal | None = None

    def over(self, everybody: ReopenRule | None) -> ReopenRule | None:
        """Return the reopen rule that holds for this part; None: it is never opened again."""
        enabled = self.enabled if self.enabled is not None else everybody is not None
        if not enabled:
            return None
        return _chosen(everybody or ReopenRule(), self)


class WhenRefused(StrEnum):
    """What is done with a part whose stop-loss the exchange refuses."""

    RETRY = "retry"  #: computed anew with the contract's rules and sent again, with an alarm
    CLOSE = "close"  #: the same, and closed at market once it has been bare for too long
    ALARM = "alarm"  #: an alarm, and nothing more is sent


@dataclass(frozen=True, slots=True)
class Unguarded:
    """What is done, and after how long, while the exchange refuses a part's protection."""

    then: WhenRefused = WhenRefused.RETRY
    longest: timedelta = timedelta(seconds=5)  #: bare for longer than this, CLOSE closes


@dataclass(frozen=True, slots=True)
class TargetEdit:
    """TP and SL as the trader moved them by hand, for one cycle, until the next recovery step."""

    take_profit: Target | None
    stop_loss: Target | None
    step: int  #: recovery steps that had been taken then


@dataclass(frozen=True, slots=True)
class Intent:
    """A part as the trader wants it held. One row for ever; recovery and reopen update it in place."""

    part: str  #: six letters and digits, see `ids`
    key: PositionKey
    wanted: Wanted
    position_value: Decimal  #: notional in USDT that the trader asked for
    leverage: Decimal
    entry: ExecutionStyle
    take_profit: Target | None
    stop_loss: Target | None
    recovery: Recovery | None = None  #: what holds now: the part's own choice over the settings
    reopen: ReopenRule | None = None
    unguarded: Unguarded = Unguarded()
    strategy: str = "manual"
    cycle: int = 1
    contracts: Contracts | None = None  #: size of this cycle, fixed when it starts; None: not started
    cycle_started_at: datetime | None = None
    cycle_ended_at: datetime | None = None
    exit_reason: ExitReason | None = None
    reduce_to: Contracts | None = None  #: a partial close was asked for: hold this many
    closing: Closing | None = None  #: how a close that was asked for is worked; None: at market
    adding: Adding | None = None  #: the recovery step that is being worked piece by piece
    told: Instruction | None = None  #: the trader's newest word on an execution of this part
    external_exits: tuple[ExternalExit, ...] = ()
    external_entries: tuple[ExternalEntry, ...] = ()
    own_recovery: RecoveryChoice = RecoveryChoice()
    own_reopen: ReopenChoice = ReopenChoice()
    own_unguarded: WhenRefused | None = None
    edit: TargetEdit | None = None
    reopen_at: datetime | None = None  #: the trader's word on when the next cycle begins
    earned: Decimal = Decimal(0)  #: USDT, net of all ended cycles; counted only where a loss budget needs it
    version: int = 1
    asked_by: str = "operator"
    asked_at: datetime | None = None

    @property
    def living(self) -> bool:
        """Return whether the current cycle has not ended."""
        return self.cycle_ended_at is None

    @property
    def begun(self) -> bool:
        """Return whether a cycle is under way: its size is fixed and it has not ended."""
        return self.living and self.contracts is not None

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
class ExternalEntry:
    """Contracts that somebody else opened and the trader has given to a part: adopted or assigned.

    What they had cost before, in fees and funding, is not the part's.
    """

    quantity: Contracts
    price: Price
    at: datetime
    entry_id: str  #: names the difference that it answers, so that it is answered once


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits on what may be opened, and how soon it may be given up; `None` means no limit.

    Values in USDT or fractions of equity.
    """

    min_order_size: Decimal | None = None  #: contracts
    max_order_size: Decimal | None = None  #: contracts
    min_order_value: Decimal | None = None
    max_order_value: Decimal | None = None
    max_position_value_pct: Decimal | None = None  #: value of one position, leverage included
    max_leverage: Decimal | None = None
    max_price_deviation: Decimal = Decimal("0.05")
    min_holding_seconds: Decimal | None = None  #: holds back no stop, no target, no close for good and no flatten
    risk_per_trade_pct: Decimal | None = Decimal("0.30")  #: of the equity: what an entry may lose at its stop
    risk_per_trade_cap: Decimal | None = Decimal(600)  #: and never more than this
    reduce_oversized_risk: bool = False  #: what would lose more at its stop by now is closed in part
    max_daily_loss: Decimal | None = Decimal("0.10")  #: nothing is added from this loss of the day on
    max_open_parts: int | None = None  #: of one account

    def most_risk(self, equity: Decimal | None) -> Decimal | None:
        """Return the USDT that an entry may lose at its stop, both fees included; None: nothing limits it."""
        share = None if equity is None or self.risk_per_trade_pct is None else equity * self.risk_per_trade_pct
        return min((limit for limit in (share, self.risk_per_trade_cap) if limit is not None), default=None)


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything wanted of one position."""

    key: PositionKey
    intents: tuple[Intent, ...]
    level: Level = Level.RUN
    limits: Limits = field(default_factory=Limits)
    answers: tuple[DifferenceAnswer, ...] = ()  #: of the trader, to differences between exchange and book
    division: Division = Division.NEWEST  #: of what somebody else closes of a shared position
    price_protect: bool = False  #: stops and targets wait while last and mark price lie too far apart (Binance)

    def answered(self, kind: DifferenceKind, mark: str) -> Choice | None:
        """Return the trader's answer to this very difference; None: none, or to another."""
        found = (answer.choice for answer in self.answers if (answer.kind, answer.mark) == (kind, mark))
        return next(found, None)


def _chosen(everybody: T, choice: object) -> T:
    """Return `everybody` with each value that `choice` has of its own."""
    own = {field.name: getattr(choice, field.name) for field in fields(choice) if field.name != "enabled"}  # type: ignore[arg-type]
    return replace(everybody, **{name: value for name, value in own.items() if value is not None})  # type: ignore[type-var]
