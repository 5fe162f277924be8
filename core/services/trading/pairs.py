"""Take-profit/stop-loss pairs: the state of each, and counts over all that were placed.

Where the exchange has an OCO both legs are one order; elsewhere they are two, and the bot ends the one that is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.instrument import Side
from core.domain.order import OrderStatus
from core.domain.pair import PairState
from core.domain.snapshot import AccountSnapshot, LegSnapshot, OrderSnapshot, PartSnapshot
from db.repositories.bots import SnapshotRepository
from db.repositories.pairs import PairRepository

TROUBLE = (PairState.BARE, PairState.BOTH_FILLED, PairState.TARGET_ONLY, PairState.STOP_ONLY, PairState.FILLING)


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg as last seen."""

    client_order_id: str
    status: OrderStatus
    price: Decimal | None  #: where it is set off; None where that is not known any more
    distance_pct: Decimal | None  #: of that price from the mark
    quantity: Decimal
    filled: Decimal
    since: datetime | None
    changed_at: datetime | None

    @property
    def rests(self) -> bool:
        return self.status is OrderStatus.WORKING


@dataclass(frozen=True, slots=True)
class PairRow:
    """The pair of one part in its present cycle."""

    part: str
    strategy: str
    symbol: str
    side: Side
    state: PairState
    size: Decimal  #: contracts that the part holds now
    take_profit: LegRow | None
    stop_loss: LegRow | None

    @property
    def one_order(self) -> bool:
        """Return whether the exchange keeps both legs as one order."""
        both = self.take_profit, self.stop_loss
        return None not in both and len({leg.client_order_id for leg in both if leg}) == 1

    @property
    def leftover(self) -> LegRow | None:
        """Return the leg that still rests although the other has filled."""
        if self.one_order or self.state not in (PairState.TAKE_PROFIT, PairState.STOP_LOSS):
            return None
        other = self.stop_loss if self.state is PairState.TAKE_PROFIT else self.take_profit
        return other if other is not None and other.rests and not other.filled else None


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Counts over all pairs of an account since it is known."""

    placed: int
    target_hits: int
    stop_hits: int
    both_filled: int
    orphans: int
    cancels: int  #: siblings that were ended after the other leg had filled, as far as two orders made the pair
    cancel_p50: timedelta | None  #: from a leg's fill to the end of its sibling
    cancel_p99: timedelta | None


class Pairs:
    """Reads pairs. Raises Unavailable where the database does not answer."""

    def __init__(self, snapshots: SnapshotRepository, pairs: PairRepository) -> None:
        self._snapshots, self._pairs = snapshots, pairs

    def list(self, account: str) -> list[PairRow]:
        """Return every pair last seen, those in trouble first."""
        found = self._snapshots.latest(account)
        return pairs_of(found) if found else []

    def figures(self, account: str) -> PairFigures:
        """Return counts and the time that cancels took, over everything that is stored."""
        counts, took = self._pairs.counts(account), self._pairs.cancel_latencies(account)
        return PairFigures(*counts, len(took), percentile(took, 50), percentile(took, 99))


def pairs_of(snapshot: AccountSnapshot) -> list[PairRow]:
    """Return the pairs in a snapshot; parts that never had one are left out."""
    orders = {order.client_order_id: order for order in snapshot.orders}
    rows = [_pair(part, orders) for part in snapshot.parts if part.pair.state is not PairState.NONE]
    return sorted(rows, key=lambda row: (_rank(row), row.symbol, row.part))


def percentile(took: Sequence[timedelta], percent: int) -> timedelta | None:
    """Return the percentile of sorted times: the smallest that `percent` of them do not exceed; None of nothing."""
    return took[-(-len(took) * percent // 100) - 1] if took else None


def _rank(row: PairRow) -> int:
    return TROUBLE.index(row.state) if row.state in TROUBLE else len(TROUBLE) + (row.leftover is None)


def _pair(part: PartSnapshot, orders: Mapping[str, OrderSnapshot]) -> PairRow:
    target, stop = part.pair.take_profit, part.pair.stop_loss
    target_order = orders.get(target.client_order_id) if target else None
    stop_order = orders.get(stop.client_order_id) if stop else None
    return PairRow(
        part=part.name,
        strategy=part.strategy,
        symbol=part.symbol,
        side=part.side,
        state=part.pair.state,
        size=part.size,
        take_profit=_leg(target, target_order.take_profit_trigger if target_order else None, part.mark_price),
        stop_loss=_leg(stop, stop_order.stop_loss_trigger if stop_order else None, part.mark_price),
    )


def _leg(leg: LegSnapshot | None, price: Decimal | None, mark: Decimal | None) -> LegRow | None:
    """Return a leg with its trigger price; None where it does not rest any more."""
    if leg is None:
        return None
    return LegRow(
        client_order_id=leg.client_order_id,
        status=leg.status,
        price=price,
        distance_pct=(price / mark - 1) * 100 if price is not None and mark else None,
        quantity=leg.quantity,
        filled=leg.filled,
        since=leg.created_at,
        changed_at=leg.updated_at,
    )
