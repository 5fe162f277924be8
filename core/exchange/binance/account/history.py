"""Reads the account's past: executions under the client ids of their orders, income, and positions from open to flat.

Binance lists executions per contract and without the client ids of their orders; which contracts traded is told by
the income, and the names are asked for once per order. What was read is remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.errors import Unavailable
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Side
from core.domain.money import ZERO
from core.domain.order import Fill, Funding, Order
from core.domain.reason import Reason
from core.exchange.binance.account.growing_list import GrowingList
from core.exchange.binance.account.ledger import (
    FUNDING_FEE,
    SETTLE,
    Income,
    Trade,
    origin_of,
    paid,
    parse_fill,
    parse_funding,
    parse_income,
    parse_trade,
)
from core.exchange.binance.account.position_history import (
    HistoryMismatch,
    Life,
    PositionLeg,
    closed_position,
    fold,
    funding_of,
)
from core.exchange.binance.codes import GONE
from core.exchange.binance.fields import is_ours, moment, number, text, to_name, to_symbol
from core.exchange.binance.rest_session import BinanceSession
from core.exchange.fields import Row, milliseconds
from core.exchange.rest import Priority, RestCaller

log = logging.getLogger("perpdeck.binance")

MOST = 1000  #: rows in one answer
TRADES_OVERLAP, INCOME_OVERLAP = timedelta(minutes=1), timedelta(minutes=10)
INCOME_GOOD_FOR_SECONDS = 5.0  #: it weighs much, and fills, funding and lives are asked for one after the other
FEW_NAMES = 5  #: unknown orders that are asked for one by one
FURTHER = timedelta(days=7)  #: a life that began earlier is looked for in steps of this
TRIES = 3  #: to see what is held and what was executed at one moment
NO_SUCH_CONTRACT = frozenset({"-1121", "-1122"})
MINUTE = timedelta(minutes=1)

Legs = tuple[PositionLeg, ...]
Sizes = dict[tuple[str, Side | None], Decimal]  #: signed size by our symbol and leg; flat legs are absent


class BinanceHistory:
    """Reads the account's past. Thread-safe. `now` is Binance's time."""

    def __init__(
        self, session: BinanceSession, rest: RestCaller, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._session, self._rest, self._now, self._monotonic = session, rest, now, monotonic
        self._trades: dict[str, GrowingList[Trade]] = {}
        self._income = GrowingList[Income](most=MOST, overlap=INCOME_OVERLAP)
        self._income_read_at: float | None = None
        self._names: dict[str, dict[str, str]] = {}  #: by symbol: client id by number of an order
        self._rates: dict[tuple[str, datetime], Decimal] = {}

    # -- income ----------------------------------------------------------------------------------------------

    def income(
        self, since: datetime, until: datetime | None = None, priority: Priority = Priority.HISTORY
    ) -> list[Income]:
        """Return bookings of that time, oldest first. Raises Unavailable."""
        read_at, now = self._income_read_at, self._monotonic()
        begins = self._income.begins
        fresh = read_at is not None and now - read_at < INCOME_GOOD_FOR_SECONDS
        if not fresh or begins is None or since < begins:
            self._income.reach(lambda begin, end: self._income_page(begin, end, priority), since, self._now(), until)
            if until is None:
                self._income_read_at = now
        return self._income.known(since, until)

    def known_income(self, symbol: str) -> list[Income]:
        """Return bookings of one contract as far as they were read. Sends no request."""
        name = to_name(symbol)
        return [row for row in self._income.known() if row.symbol == name]

    def _income_page(self, begin: datetime, end: datetime, priority: Priority) -> list[Income]:
        rows = self._rest.rows("income", lambda: self._session.futures_income_history(**_between(begin, end)), priority)
        return [parse_income(row) for row in rows]

    def funding(self, since: datetime, until: datetime | None, priority: Priority) -> list[Funding]:
        """Return funding fees of that time, oldest first."""
        rows = self.income(since, until, priority)
        return [parse_funding(row) for row in rows if row.kind == FUNDING_FEE and is_ours(row.symbol)]

    # -- executions ------------------------------------------------------------------------------------------

    def trades(
        self, symbol: str, since: datetime, until: datetime | None = None, priority: Priority = Priority.LOOK
    ) -> list[Trade]:
        """Return executions in one contract, oldest first. Raises Unavailable."""
        journal = self._trades.setdefault(symbol, GrowingList[Trade](most=MOST, overlap=TRADES_OVERLAP))
        journal.reach(
            lambda begin, end: self._trades_page(symbol, priority, **_between(begin, end)), since, self._now(), until
        )
        return journal.known(since, until)

    def of_order(self, symbol: str, order_id: str) -> list[Trade]:
        """Return all executions of one order, as far as Binance lists them yet. Raises Unavailable."""
        return self._trades_page(symbol, Priority.LOOK, orderId=order_id)

    def _trades_page(self, symbol: str, priority: Priority, **asked: Any) -> list[Trade]:
        name = to_name(symbol)
        try:
            rows = self._rest.rows(
                f"executions in {name}", lambda: self._session.futures_account_trades(symbol=name, **asked), priority
            )
        except Unavailable as silence:
            if silence.exchange_code not in NO_SUCH_CONTRACT:
                raise
            log.warning("executions in %s are not told any more: the contract is gone", name)
            rows = []
        return [parse_trade(row, self._in_usdt(row, priority)) for row in rows]

    def _in_usdt(self, row: Row, priority: Priority) -> Decimal:
        """Return the fee of an execution in USDT, at the price of its minute: the same whenever it is asked for."""
        amount, currency = paid(row)
        if currency == SETTLE or not amount:
            return amount
        minute = moment(row, "time").replace(second=0, microsecond=0)
        if (currency, minute) not in self._rates:
            self._rates[currency, minute] = self._rate(currency, minute, priority)
        return amount * self._rates[currency, minute]

    def _rate(self, currency: str, minute: datetime, priority: Priority) -> Decimal:
        asked = {"symbol": f"{currency}{SETTLE}", "interval": "1m", "limit": 1, **_times(minute, minute + MINUTE)}
        try:
            bars = self._rest.rows(f"price of {currency}", lambda: self._session.futures_klines(**asked), priority)
        except Unavailable as silence:
            if silence.exchange_code not in NO_SUCH_CONTRACT:
                raise
            log.warning("a fee in %s, which has no price here, is counted as so many USDT", currency)
            return Decimal(1)
        if not bars:
            raise Unavailable(Reason("binance.no_price_then", currency=currency, at=minute))
        return number({"close": bars[0][4]}, "close")

    def fills(self, since: datetime, until: datetime | None, priority: Priority, symbols: frozenset[str]) -> list[Fill]:
        """Return executions of the account, oldest first: in the contracts that had income, and in `symbols` beside
        them.
        """
        found: list[Fill] = []
        for symbol in sorted(self._traded(since, until, priority) | symbols):
            trades = self.trades(symbol, since, until, priority)
            names = self.names(symbol, trades, priority)
            found += [parse_fill(trade, names[trade.order_id]) for trade in trades]
        return sorted(found, key=lambda fill: (fill.at, fill.symbol, int(fill.exchange_fill_id.rpartition(":")[2])))

    def _traded(self, since: datetime, until: datetime | None, priority: Priority) -> frozenset[str]:
        rows = self.income(since, until, priority)
        return frozenset(to_symbol(row.symbol) for row in rows if is_ours(row.symbol) and row.kind != FUNDING_FEE)

    # -- names of orders -------------------------------------------------------------------------------------

    def note(self, order: Order) -> None:
        """Remember the client id of an ordinary order that was seen."""
        self.note_name(order.symbol, order.exchange_order_id, order.client_order_id)

    def note_name(self, symbol: str, order_id: str, client_id: str) -> None:
        self._names.setdefault(symbol, {})[order_id] = client_id

    def names(self, symbol: str, trades: Sequence[Trade], priority: Priority) -> dict[str, str]:
        """Return client ids of the orders of these executions, by number. Raises Unavailable."""
        known = self._names.setdefault(symbol, {})
        missing = sorted({trade.order_id for trade in trades} - known.keys())
        if len(missing) > FEW_NAMES:
            self._names_at_once(symbol, min(trade.at for trade in trades if trade.order_id in missing), priority)
        for order_id in missing:
            if order_id not in known:
                known[order_id] = self._name(symbol, order_id, priority)
        return {trade.order_id: known[trade.order_id] for trade in trades}

    def _names_at_once(self, symbol: str, since: datetime, priority: Priority) -> None:
        """Read a page of the orders placed since then and remember their client ids; an older order is looked up by
        itself.
        """
        asked = {"symbol": to_name(symbol), "startTime": milliseconds(since - MINUTE), "limit": MOST}
        rows = self._rest.rows(f"orders in {symbol}", lambda: self._session.futures_get_all_orders(**asked), priority)
        for row in rows:
            self.note_name(symbol, text(row, "orderId"), str(row.get("clientOrderId") or ""))

    def _name(self, symbol: str, order_id: str, priority: Priority) -> str:
        """Return the client id of one order; "" where Binance no longer knows it."""
        asked = {"symbol": to_name(symbol), "orderId": order_id}
        try:
            row = self._rest.row(f"order {order_id}", lambda: self._session.futures_get_order(**asked), priority)
        except Unavailable as silence:
            if silence.exchange_code in GONE:
                return ""
            raise
        return str(row.get("clientOrderId") or "")

    # -- lives -----------------------------------------------------------------------------------------------

    def legs(
        self, symbol: str, held: Sizes, since: datetime, priority: Priority, newest: datetime | None = None
    ) -> Legs:
        """Return the legs of one contract, whole from `since` on.

        Raises Unavailable, and HistoryMismatch where the executions do not lead to what is held, or none is from
        `newest` or after it.
        """
        earliest, trades = since, self.trades(symbol, since, None, priority)
        if newest is not None and not any(trade.at >= newest for trade in trades):
            raise HistoryMismatch(Reason("binance.not_listed_yet", symbol=symbol))
        while True:
            sides = {trade.position_side for trade in trades}
            known = {side for name, side in held if name == symbol} <= sides
            legs = tuple(
                fold([trade for trade in trades if trade.position_side is side], side, held.get((symbol, side), ZERO))
                for side in sorted(sides, key=str)
            )
            if known and all(leg.lives[0].whole for leg in legs if leg.lives):
                return legs
            if self._is_all(symbol, earliest):
                if not known:
                    raise HistoryMismatch(Reason("binance.held_without_executions", symbol=symbol))
                return legs
            earliest -= FURTHER
            self.trades(symbol, earliest, earliest, priority)  # reads back, and not the newest once more
            trades = self._trades[symbol].known(earliest)

    def _is_all(self, symbol: str, since: datetime) -> bool:
        """Return whether Binance keeps nothing older than what was read."""
        begins = self._trades[symbol].begins
        return begins is not None and begins > since

    def closed_positions(
        self,
        since: datetime,
        until: datetime | None,
        priority: Priority,
        symbols: frozenset[str],
        held: Callable[[], Sizes],
        leverage: Callable[[str], Decimal],
    ) -> list[ClosedPosition]:
        """Return positions whose newest close lies in that time, oldest first. `held` reads what is held now."""
        found: list[ClosedPosition] = []
        traded = sorted(self._traded(since, until, priority) | symbols)
        now_held = held() if traded else {}
        for symbol in traded:
            legs, now_held = self._legs_at_one_moment(symbol, since, priority, now_held, held)
            lives = [life for leg in legs for life in leg.lives if _closed_within(life, since, until)]
            if not lives:
                continue
            self.income(min(life.opened_at for life in lives), None, priority)
            income, names = self.known_income(symbol), self.names(symbol, [_close_of(life) for life in lives], priority)
            for life in lives:
                origin = origin_of(names[_close_of(life).order_id])
                found.append(closed_position(life, legs, income, origin, leverage(symbol)))
        return sorted(found, key=lambda life: (life.updated_at, life.life))

    def _legs_at_one_moment(
        self, symbol: str, since: datetime, priority: Priority, before: Sizes, held: Callable[[], Sizes]
    ) -> tuple[Legs, Sizes]:
        """Return legs from executions during which the holdings did not change, and the newest holdings."""
        for _ in range(TRIES):
            legs = self._legs_if_they_agree(symbol, before, since, priority)
            after = held()
            if legs is not None and _same(symbol, before, after):
                return legs, after
            before = after
        raise Unavailable(Reason("binance.executions_disagree", symbol=symbol))

    def _legs_if_they_agree(self, symbol: str, held: Sizes, since: datetime, priority: Priority) -> Legs | None:
        try:
            return self.legs(symbol, held, since, priority)
        except HistoryMismatch:
            return None

    def funding_share(self, leg: PositionLeg, legs: Legs) -> Decimal:
        """Return the funding of the position that a leg is in, as far as the income was read."""
        assert leg.current is not None
        return funding_of(leg.current, legs, self.known_income(leg.current.symbol))


def _close_of(life: Life) -> Trade:
    assert life.last_close is not None
    return life.last_close


def _closed_within(life: Life, since: datetime, until: datetime | None) -> bool:
    close = life.last_close
    return close is not None and close.at >= since and (until is None or close.at <= until)


def _same(symbol: str, one: Sizes, other: Sizes) -> bool:
    return {key: size for key, size in one.items() if key[0] == symbol} == {
        key: size for key, size in other.items() if key[0] == symbol
    }


def _between(begin: datetime, end: datetime) -> dict[str, int]:
    return {**_times(begin, end), "limit": MOST}


def _times(begin: datetime, end: datetime) -> dict[str, int]:
    return {"startTime": milliseconds(begin), "endTime": milliseconds(end)}
