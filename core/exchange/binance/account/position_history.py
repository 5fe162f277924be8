"""Computes positions from open to flat by their executions: Binance keeps no such list and gives no opening time.

Executions are folded leg by leg (long, short, or both in one in one-way mode) from a size that follows from what is
held now. A life runs from the first contract to flat; in one-way mode an order may end one and begin the next.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.history.funding import FundedHolding, untold_share
from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import Side
from core.domain.money import ZERO, Contracts, Price, total
from core.exchange.binance.account.ledger import FUNDING_FEE, INSURANCE, Income, Trade

BOOKED_LATE = timedelta(minutes=1)  #: what a liquidation cost may be booked so long after it

LegSide = Side | None  #: None: the one leg of one-way mode


class HistoryMismatch(Exception):
    """Raised where the executions do not lead to what is held: one of the two is newer than the other."""


@dataclass(slots=True)
class Life:
    """A position from the first contract to flat, or to now."""

    symbol: str
    side: Side
    opened_at: datetime
    whole: bool = True  #: False: it began before the executions that are known
    size: Decimal = ZERO
    largest: Decimal = ZERO
    average: Decimal = ZERO  #: of what is held, as exchanges count it
    opened: Decimal = ZERO
    opened_value: Decimal = ZERO
    closed: Decimal = ZERO
    closed_value: Decimal = ZERO
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    ended_at: datetime | None = None
    last_close: Trade | None = None

    @property
    def position_id(self) -> str:
        return position_id(self.symbol, self.side)

    def add(self, quantity: Decimal, price: Decimal) -> None:
        self.average = (self.average * self.size + price * quantity) / (self.size + quantity)
        self.size += quantity
        self.largest = max(self.largest, self.size)
        self.opened += quantity
        self.opened_value += price * quantity

    def take(self, quantity: Decimal, trade: Trade) -> None:
        self.size -= quantity
        self.closed += quantity
        self.closed_value += trade.price * quantity
        self.pnl += trade.realised_pnl
        self.last_close = trade
        if not self.size:
            self.ended_at = trade.at


@dataclass(slots=True)
class PositionLeg:
    """One leg of a contract: its positions from open to flat, oldest first, and how much was held when."""

    side: LegSide
    lives: list[Life] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    sizes: list[Decimal] = field(default_factory=list)  #: signed, after the execution at the same place in `times`
    start: Decimal = ZERO

    def held_at(self, at: datetime) -> Decimal:
        """Return the signed size just before that moment."""
        place = bisect_left(self.times, at)
        return self.sizes[place - 1] if place else self.start

    @property
    def current(self) -> Life | None:
        return self.lives[-1] if self.lives and self.lives[-1].ended_at is None else None


def position_id(symbol: str, side: Side) -> str:
    """Return the id of a position, which Binance does not give: its contract and side."""
    return f"{symbol}:{side.name}"


def fold(trades: Sequence[Trade], side: LegSide, held: Decimal) -> PositionLeg:
    """Return one leg from its executions (oldest first) and its signed size after the last of them.

    Raises HistoryMismatch where they do not belong together.
    """
    size = held - total(trade.signed for trade in trades)
    leg = PositionLeg(side, start=size)
    life: Life | None = None
    if size:
        if not trades or (side is not None and size * side.sign < ZERO):
            raise HistoryMismatch(f"{size} held before the executions of {side or 'both sides'}")
        life = _unknown_beginning(trades[0].symbol, size, trades[0].at)
        leg.lives.append(life)
    for trade in trades:
        after = size + trade.signed
        if side is not None and after * side.sign < ZERO:
            raise HistoryMismatch(f"more of {trade.symbol} {side} was closed than was held")
        closes = min(abs(size), trade.quantity) if size * trade.signed < ZERO else ZERO
        opens = trade.quantity - closes
        if life is not None and closes:
            life.fees += trade.fee * closes / trade.quantity
            life.take(closes, trade)
        if opens:
            if life is None or life.ended_at is not None:
                now_held = side or (Side.LONG if trade.signed > ZERO else Side.SHORT)
                life = Life(trade.symbol, now_held, trade.at)
                leg.lives.append(life)
            life.fees += trade.fee * opens / trade.quantity
            life.add(opens, trade.price)
        if life is not None and life.ended_at is not None and not opens:
            life = None
        size = after
        leg.times.append(trade.at)
        leg.sizes.append(size)
    return leg


def _unknown_beginning(symbol: str, size: Decimal, at: datetime) -> Life:
    side = Side.LONG if size > ZERO else Side.SHORT
    return Life(symbol, side, at, whole=False, size=abs(size), largest=abs(size))


# -- money -------------------------------------------------------------------------------------------------------


def funding_of(life: Life, legs: Iterable[PositionLeg], income: Iterable[Income]) -> Decimal:
    """Return the position's share of the funding of its contract; Binance does not say which leg a payment was for."""
    legs = tuple(legs)
    payments: dict[datetime, list[Decimal]] = {}
    for row in _within(life, income, FUNDING_FEE):
        payments.setdefault(row.at, []).append(row.amount)
    share = ZERO
    for at, amounts in payments.items():
        held = [leg.held_at(at) for leg in legs]
        long, short = total(max(size, ZERO) for size in held), total(max(-size, ZERO) for size in held)
        own = long if life.side is Side.LONG else short
        share += untold_share(amounts, life.side, FundedHolding(own, long, short))
    return share


def _within(life: Life, income: Iterable[Income], kind: str, late: timedelta = timedelta()) -> list[Income]:
    """Return bookings of one kind in the position's time; `late`: how long after its end one may still come."""
    end = None if life.ended_at is None else life.ended_at + late
    return [row for row in income if row.kind == kind and row.at > life.opened_at and (end is None or row.at <= end)]


def closed_position(
    life: Life, legs: Iterable[PositionLeg], income: Sequence[Income], origin: str, leverage: Decimal
) -> ClosedPosition:
    """Return a position of which something was closed, as the history shows it. `origin`: of its newest close."""
    assert life.last_close is not None
    over = life.ended_at is not None
    funding = funding_of(life, legs, income)
    penalty = total(row.amount for row in _within(life, income, INSURANCE, BOOKED_LATE))
    return ClosedPosition(
        symbol=life.symbol,
        side=life.side,
        position_id=life.position_id,
        opened_at=life.opened_at,
        updated_at=life.last_close.at,
        last_close=_last_close(origin, over),
        closed=Contracts(life.closed),
        largest=Contracts(life.largest),
        average_entry=Price(life.opened_value / life.opened) if life.opened else None,
        average_exit=Price(life.closed_value / life.closed),
        pnl=life.pnl,
        fees=life.fees,
        funding=funding,
        penalty=penalty,
        realised=life.pnl + life.fees + funding + penalty,
        leverage=leverage,
    )


def _last_close(origin: str, over: bool) -> LastClose:
    if origin == "liquidation":
        return LastClose.LIQUIDATED if over else LastClose.LIQUIDATED_IN_PART
    if origin == "deleveraging":
        return LastClose.DELEVERAGED if over else LastClose.DELEVERAGED_IN_PART
    return LastClose.FULL if over else LastClose.PARTIAL
