"""One part within an account's snapshot: what it holds, what guards it, what is under way, and why it did what it did.

Quantities in contracts and money in USDT unless a field says otherwise. None: not known, or there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.action import Rule
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind, ExitReason, Target, Wanted
from core.domain.order import OrderStatus, Purpose
from core.domain.pair import PairState
from core.domain.part import PartStatus
from core.domain.snapshot.reasons import StoredReason


@dataclass(frozen=True, slots=True)
class LevelSnapshot:
    """The take-profit or the stop-loss of a part: what is wanted, where it lies, what covers it at the exchange."""

    wanted: Target | None  #: None: none is wanted
    price: Decimal | None  #: None: none is wanted, or the entry has not filled yet
    distance_pct: Decimal | None  #: of the price from the mark, signed
    pnl: Decimal | None  #: at that price, before fees
    covered: Decimal  #: contracts for which a leg rests at the exchange


@dataclass(frozen=True, slots=True)
class LegSnapshot:
    """One leg of a pair; both name the same order where the exchange keeps them as one."""

    client_order_id: str
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class PairSnapshot:
    """The pair of take-profit and stop-loss orders in the part's present cycle."""

    state: PairState
    take_profit: LegSnapshot | None
    stop_loss: LegSnapshot | None


@dataclass(frozen=True, slots=True)
class RecoverySnapshot:
    """The recovery rule that holds for a part, and the steps it has taken in this cycle."""

    trigger_pnl: Decimal  #: negative
    add_notional: Decimal
    tp_usdt: Decimal
    sl_usdt: Decimal
    max_steps: int | None  #: None: nothing limits them
    max_loss: Decimal | None
    steps: int
    last_at: datetime | None
    next_price: Decimal | None  #: None: nothing is held, or no price gets there


@dataclass(frozen=True, slots=True)
class ReopenSnapshot:
    """When the part's next cycle is due, and the reopen rule that holds for it."""

    due: datetime | None
    holds: bool  #: False: no rule holds, and the trader has asked for the next cycle
    after: tuple[ExitReason, ...] = ()
    delay_minutes: Decimal | None = None
    max_cycles: int | None = None
    loss_budget: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExecutionSnapshot:
    """One execution under way: an entry, a recovery step or a close that is worked order by order."""

    run: str  #: its name within the part: 1E, 3R2, 2C
    purpose: Purpose
    kind: ExecutionKind
    planned: Decimal
    filled: Decimal
    remaining: Decimal
    average: Decimal | None  #: price of what has filled
    working: bool  #: an order of it is live
    price: Decimal | None  #: where its limit order rests
    step: StoredReason  #: what its style does next
    until: datetime | None  #: when something changes by itself, where that is known
    started_at: datetime
    finishing: bool  #: the trader has asked for its rest at market
    withdrawn: bool  #: the trader has taken back its rest

    @property
    def closes(self) -> bool:
        return self.purpose is Purpose.CLOSE


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision of the last look: which rule, why, and what it does if anything."""

    rule: Rule
    because: StoredReason
    action: StoredReason | None


@dataclass(frozen=True, slots=True)
class PartSnapshot:
    """One part as last seen."""

    name: str
    strategy: str
    symbol: str
    side: Side
    status: PartStatus
    wanted: Wanted
    position_value: Decimal  #: that the trader asked for
    contracts: Decimal | None  #: size of this cycle; None: not started
    size: Decimal  #: contracts held now
    coins: Decimal  #: the same in the base asset
    average_entry: Decimal | None
    leverage: Decimal
    mark_price: Decimal | None
    unrealised_pnl: Decimal | None
    realised_pnl: Decimal
    fees: Decimal  #: negative: paid
    take_profit: LevelSnapshot
    stop_loss: LevelSnapshot
    protected: bool  #: its whole size has a stop-loss at the exchange
    protection_seen_at: datetime | None
    pair: PairSnapshot
    cycle: int
    cycle_started_at: datetime | None
    cycle_ended_at: datetime | None
    exit_reason: ExitReason | None
    bare_seconds_today: Decimal  #: held without its stop-loss
    edited: bool  #: its levels are the trader's own until the next recovery step
    recovery: RecoverySnapshot | None
    reopen: ReopenSnapshot | None
    executions: tuple[ExecutionSnapshot, ...]
    why: tuple[Explanation, ...]

    @property
    def held(self) -> bool:
        """Return whether it holds something."""
        return bool(self.size)

    @property
    def living(self) -> bool:
        """Return whether its cycle has not ended."""
        return self.status in _LIVING

    @property
    def open(self) -> bool:
        """Return whether it is entered and no close is asked for."""
        return self.status is PartStatus.OPEN

    @property
    def never_entered(self) -> bool:
        """Return whether its newest cycle ended without ever having been entered."""
        return self.exit_reason is ExitReason.NOT_ENTERED

    @property
    def entering(self) -> bool:
        """Return whether it is asked for and nothing has filled."""
        return self.status in _ENTERING

    @property
    def waits_to_reopen(self) -> bool:
        """True for an ended part that will be opened again."""
        return self.cycle_ended_at is not None and self.reopen is not None and self.reopen.due is not None


_LIVING = (PartStatus.ASKED, PartStatus.OPENING, PartStatus.OPEN, PartStatus.CLOSING)
_ENTERING = (PartStatus.ASKED, PartStatus.OPENING)
