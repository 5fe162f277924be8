"""Reads positions with what Binance does not tell of them: leverage, opening time, and fees and funding so far.

A life's beginning is found in the executions once and remembered until the position is flat. Until the executions
agree with the position, the time of its newest change stands in for it. None of this ever fails a look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.errors import Unavailable
from core.domain.instrument import Side
from core.domain.money import ZERO, Contracts, Price
from core.domain.observation import Position
from core.exchange.binance.account.history import BinanceHistory, Legs, Sizes
from core.exchange.binance.account.position_history import HistoryMismatch, Life, PositionLeg, position_id
from core.exchange.binance.fields import (
    either,
    is_ours,
    moment,
    number,
    number_or_zero,
    price,
    price_or_none,
    text,
    to_symbol,
    word,
)
from core.exchange.binance.parse import POSITION_SIDE
from core.exchange.fields import Row
from core.exchange.rest import Priority

log = logging.getLogger("perpdeck.binance")

TRY_AGAIN_AFTER_SECONDS = 5.0  #: where the executions did not agree with the position
INCOME_EVERY_SECONDS = 600.0  #: funding is paid every few hours
FIRST_LOOK_BACK = timedelta(days=6)
LISTED_WITHIN = timedelta(seconds=60)  #: an execution is listed at last so long after it happened
SECOND = timedelta(seconds=1)
SAME_PRICE = Decimal("0.0001")  #: two averages differ by less than this fraction where they are one

Key = tuple[str, Side]
State = tuple[Decimal, Decimal, datetime]  #: signed size, average price, and when it last changed


@dataclass(frozen=True, slots=True)
class Found:
    """What the executions said of a position when it was at `state`."""

    state: State
    agreed: bool
    opened_at: datetime
    realised: Decimal
    funding: Decimal
    asked_at: float

    @property
    def good_for_seconds(self) -> float:
        return INCOME_EVERY_SECONDS if self.agreed else TRY_AGAIN_AFTER_SECONDS


def sizes(rows: list[Row]) -> Sizes:
    """Return signed sizes by our symbol and leg."""
    return {
        (to_symbol(text(row, "symbol")), word(row, "positionSide", POSITION_SIDE)): number(row, "positionAmt")
        for row in rows
        if is_ours(row.get("symbol")) and number(row, "positionAmt")
    }


class Holdings:
    """Remembers when positions of one account were opened. Thread-safe: at worst one is looked up twice."""

    def __init__(self, history: BinanceHistory, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._history, self._now, self._monotonic = history, now, monotonic
        self._found: dict[Key, Found] = {}
        self._income_asked_at: float | None = None

    def positions(self, rows: list[Row], leverages: Mapping[str, Decimal]) -> list[Position]:
        """Return everything held; `rows` are those of positionRisk."""
        held = sizes(rows)
        made = [
            self._position(row, held, leverages)
            for row in rows
            if is_ours(row.get("symbol")) and number(row, "positionAmt")
        ]
        still = {(position.symbol, position.side) for position in made}
        self._found = {key: found for key, found in list(self._found.items()) if key in still}
        return made

    def _position(self, row: Row, held: Sizes, leverages: Mapping[str, Decimal]) -> Position:
        symbol, amount = to_symbol(text(row, "symbol")), number(row, "positionAmt")
        side = word(row, "positionSide", POSITION_SIDE) or (Side.LONG if amount > ZERO else Side.SHORT)
        updated_at, average = moment(row, "updateTime"), number(row, "entryPrice")
        found = self._life(symbol, side, held, (amount, average, updated_at))
        return Position(
            symbol=symbol,
            side=side,
            contracts=Contracts(abs(amount)),
            average_price=Price(average),
            mark_price=price(row, "markPrice"),
            last_price=None,
            liquidation_price=price_or_none(row, "liquidationPrice"),
            leverage=leverages.get(symbol) or number_or_zero(row, "leverage"),
            margin=number_or_zero(row, "isolatedMargin")
            or number_or_zero(row, either(row, "positionInitialMargin", "initialMargin")),
            unrealised_pnl=number(row, either(row, "unRealizedProfit", "unrealizedProfit")),
            realised_pnl=found.realised,
            funding=found.funding,
            position_id=position_id(symbol, side),
            opened_at=found.opened_at,
            updated_at=updated_at,
        )

    def _life(self, symbol: str, side: Side, held: Sizes, state: State) -> Found:
        known, now = self._found.get((symbol, side)), self._monotonic()
        if known is not None and known.state == state and now - known.asked_at < known.good_for_seconds:
            return known
        since = known.opened_at if known is not None and known.agreed else self._now() - FIRST_LOOK_BACK
        found = self._asked(symbol, side, held, since, state)
        if found is None:
            opened_at = known.opened_at if known is not None else state[2]
            realised, funding = (known.realised, known.funding) if known is not None else (ZERO, ZERO)
            found = Found(state, False, opened_at, realised, funding, now)
        self._found[symbol, side] = found
        return found

    def _asked(self, symbol: str, side: Side, held: Sizes, since: datetime, state: State) -> Found | None:
        """Return what the executions say; None where they cannot be read or do not agree with the position yet."""
        changed_lately = self._now() - state[2] <= LISTED_WITHIN
        try:
            newest = state[2] - SECOND if changed_lately else None
            legs = self._history.legs(symbol, held, since, Priority.LOOK, newest)
        except (Unavailable, HistoryMismatch) as trouble:
            log.info("the life of %s %s is not known yet: %s", symbol, side, trouble)
            return None
        leg = next((leg for leg in legs if leg.side in (side, None) and _is(leg.current, side, state[1])), None)
        return None if leg is None else self._told(leg, legs, state)

    def _told(self, leg: PositionLeg, legs: Legs, state: State) -> Found:
        life = leg.current
        assert life is not None
        self._read_income(life)
        funding = self._history.funding_share(leg, legs)
        realised = life.pnl + life.fees + funding
        return Found(state, True, life.opened_at, realised, funding, self._monotonic())

    def _read_income(self, life: Life) -> None:
        """Read the position's funding at intervals; a young position had none yet."""
        now = self._monotonic()
        due = self._income_asked_at is None or now - self._income_asked_at >= INCOME_EVERY_SECONDS
        if due and self._now() - life.opened_at > timedelta(seconds=INCOME_EVERY_SECONDS):
            self._income_asked_at = now
            try:
                self._history.income(life.opened_at, None, Priority.HISTORY)
            except Unavailable as silence:
                log.info("the funding of %s is not known yet: %s", life.symbol, silence)


def _is(life: Life | None, side: Side, average: Decimal) -> bool:
    """Return whether this is the position with that average."""
    if life is None or life.side is not side:
        return False
    return not life.whole or abs(life.average - average) <= average * SAME_PRICE
