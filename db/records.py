"""Values that the database returns where the domain has none: cycles, events, alarms, filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from core.domain.account import Level
from core.domain.history.holding import Edit, ProtectionLevels
from core.domain.instrument import Side
from core.domain.intent import ExitReason, ExternalEntry, ExternalExit
from core.domain.money import Contracts, Price
from core.domain.order import Fill, Order, OrderStatus, Purpose
from core.domain.reason import Reason


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """An ended cycle of a part. Money in USDT; fees and funding are signed, negative = paid."""

    account: str
    symbol: str
    side: Side
    part: str
    number: int
    started: datetime
    ended: datetime
    contracts: Contracts  #: entered in all, recoveries included
    average_entry: Price | None
    average_exit: Price | None
    realised_pnl: Decimal  #: before fees and funding
    fees: Decimal
    funding: Decimal
    reason: ExitReason
    words: Reason
    life: str = ""  #: the exchange's position life it was part of
    strategy: str = "manual"
    recoveries: int = 0  #: recovery steps that added something

    @property
    def net(self) -> Decimal:
        return self.realised_pnl + self.fees + self.funding


@dataclass(frozen=True, slots=True)
class Only:
    """A filter of cycles; None does not narrow. A time is that of a cycle's end."""

    symbol: str | None = None
    side: Side | None = None
    strategy: str | None = None
    reason: ExitReason | None = None
    recovered: bool | None = None  #: with recovery steps, or without any
    since: datetime | None = None
    until: datetime | None = None  #: up to, and not with


@dataclass(frozen=True, slots=True)
class OrdersOnly:
    """A filter of orders; None does not narrow."""

    symbol: str | None = None
    status: OrderStatus | None = None
    purpose: Purpose | None = None
    part: str | None = None


class FillRecord(NamedTuple):
    """An execution and the part and cycle that it belongs to; None: it was somebody else's."""

    fill: Fill
    part: str | None
    cycle: int | None


@dataclass(frozen=True, slots=True)
class CycleFacts:
    """Everything kept of one cycle: what its steps are made from."""

    orders: tuple[Order, ...]
    exits: tuple[ExternalExit, ...]
    levels: tuple[ProtectionLevels, ...]
    edits: tuple[Edit, ...]
    entries: tuple[ExternalEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncRow:
    """How far the exchange's history has been read, and the read under way."""

    account: str
    reached: datetime | None = None  #: everything up to here is kept
    asked_at: datetime | None = None  #: when a person last asked for it
    began_at: datetime | None = None
    ended_at: datetime | None = None  #: of the newest run that came to its end
    done: int = 0  #: windows of time of the present or last run
    of: int = 0
    trouble: Reason | None = None  #: why the last run ended early

    @property
    def under_way(self) -> bool:
        return self.began_at is not None and self.done < self.of and not self.trouble

    @property
    def waiting(self) -> bool:
        """Return whether a read was asked for that no bot has begun yet."""
        return self.asked_at is not None and (self.began_at is None or self.began_at < self.asked_at)


class EventKind(StrEnum):
    """The kind of an event: something decided or asked for, or a fact, which is told once."""

    DECISION = "decision"
    ORDER_CREATED = "order_created"
    ORDER_CHANGED = "order_changed"  #: more of it has filled, or it has ended
    ORDER_CANCELLED = "order_cancelled"
    FILL = "fill"
    POSITION_OPENED = "position_opened"  #: the first fill of a cycle
    POSITION_CLOSED = "position_closed"
    RISK_FAILURE = "risk_failure"


@dataclass(frozen=True, slots=True)
class Event:
    """An event: which rule said what of which part, what was done, how it ended; or a fact in numbers."""

    at: datetime
    account: str
    part: str | None
    rule: str
    because: Reason
    action: Reason | None
    outcome: str | None
    kind: str = EventKind.DECISION
    symbol: str | None = None
    quantity: Decimal | None = None  #: contracts: ordered, filled so far, of one fill, or entered in all
    price: Decimal | None = None  #: limit, average of what filled, or of the fill
    amount: Decimal | None = None  #: USDT: the fee of a fill, the net result of a position


@dataclass(frozen=True, slots=True)
class EventsOnly:
    """A filter of events; None does not narrow."""

    part: str | None = None
    rule: str | None = None
    kind: EventKind | None = None
    since: datetime | None = None
    until: datetime | None = None  #: up to, and not with


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something the operator has to know, open until it has passed."""

    account: str
    subject: str
    words: Reason
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class BotRow:
    """The switch of one account's bot, and its last heartbeat."""

    account: str
    running: bool
    manually_stopped: bool
    level: Level
    changed_at: datetime | None
    changed_by: str
    why: Reason | None
    heartbeat_at: datetime | None
    level_at: datetime | None = None
    level_by: str = ""
    level_why: Reason | None = None
    level_lowered_at: datetime | None = None  #: when a person last took protection back


class PairCounts(NamedTuple):
    """Counts of an account's take-profit/stop-loss pairs: how many were placed, and what became of them."""

    placed: int  #: cycles that had a take-profit or stop-loss on the exchange
    target_hits: int
    stop_hits: int
    both_filled: int  #: a gap set off both legs before the other could be cancelled
    orphans: int  #: orders that were found without an open part, and removed


class LeaseRow(NamedTuple):
    """The lease of an account: who may act on it, by the database's clock."""

    holder: str
    epoch: int
    expires_at: datetime
