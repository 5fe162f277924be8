"""How to enter: each style answers one question, "what should be working right now?".

Progress is what was filled, so a restart continues where it stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.instrument import Instrument
from core.domain.intent import EntryKind, EntryStyle
from core.domain.money import Contracts, Price
from core.domain.order import OrderKind


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an entry stands."""

    style: EntryStyle
    instrument: Instrument
    planned: Contracts
    filled: Contracts
    working: bool  #: an entry order is live
    orders: int  #: entry orders that reached the exchange in this cycle
    refusal: str  #: the exchange's words where the newest entry was refused, else empty
    started_at: datetime
    withdrawn: bool = False  #: the trader has taken back what has not filled

    @property
    def missing(self) -> Contracts:
        return self.instrument.round_quantity(self.planned - self.filled)


@dataclass(frozen=True, slots=True)
class Place:
    """Send this order now."""

    kind: OrderKind
    quantity: Contracts
    price: Price | None
    because: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send; look again at `until` where a time matters."""

    because: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel what is working; it will not be replaced."""

    because: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Nothing more will be entered, whatever was filled."""

    because: str


Step = Place | Wait | Withdraw | Complete


class Execution(Protocol):
    """One style of entering."""

    def next_order(self, progress: Progress, now: datetime) -> Step: ...


def execution_for(kind: EntryKind, styles: Mapping[EntryKind, Execution]) -> Execution:
    """The style's execution. Raises ValueError where it is not offered."""
    if kind not in styles:
        offered = ", ".join(sorted(styles))
        raise ValueError(f"entry style {kind} is not offered; one of: {offered}")
    return styles[kind]
