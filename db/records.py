"""What the database hands out where the domain has no word of its own: history, explanations, switches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from core.domain.account import Level
from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.money import Contracts, Price


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """One ended life of a part. Money in USDT; fees and funding are signed, negative = paid."""

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
    words: str
    life: str = ""  #: the exchange's position life it was part of

    @property
    def net(self) -> Decimal:
        return self.realised_pnl + self.fees + self.funding


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the explanation: which rule said what of which part, what was done, how it ended."""

    at: datetime
    account: str
    part: str | None
    rule: str
    because: str
    action: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something the operator has to know, open until it has passed."""

    account: str
    subject: str
    words: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class BotRow:
    """The switch of one account's bot, and its sign of life."""

    account: str
    running: bool
    manually_stopped: bool
    level: Level
    changed_at: datetime | None
    changed_by: str
    why: str
    heartbeat_at: datetime | None


class LeaseRow(NamedTuple):
    """Who may act on an account, by the database's clock."""

    holder: str
    epoch: int
    expires_at: datetime
