"""The reading half of the port for Binance USD-M futures: every method returns or raises Unavailable.

Looks at perpetuals settled in USDT. What weighs much is remembered: settings, lives of positions, what rests where
nothing has been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.account import AccountState
from core.domain.errors import Unavailable
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Instrument
from core.domain.observation import Position, Ticker
from core.domain.order import Fill, Funding, Order, OrderKind
from core.domain.reason import Reason
from core.exchange.binance.account.history import BinanceHistory, Sizes
from core.exchange.binance.account.ledger import parse_account
from core.exchange.binance.account.open_orders import OpenOrders
from core.exchange.binance.account.positions import Holdings, sizes
from core.exchange.binance.algo import Algos
from core.exchange.binance.catalogue import (
    Bracket,
    parse_brackets,
    parse_candle,
    parse_fees,
    parse_instruments,
    weight_limit,
)
from core.exchange.binance.codes import MAINTENANCE, MEANS, NO_RIGHT, OUTCOME_OPEN, PASSES_BY_ITSELF
from core.exchange.binance.fields import number, text, to_name, to_symbol
from core.exchange.binance.limits import Budget
from core.exchange.binance.parse import parse_ticker
from core.exchange.binance.rest_session import BinanceSession
from core.exchange.cached_value import CachedValue
from core.exchange.catalogue import Fees
from core.exchange.fields import Row
from core.exchange.port import Candle
from core.exchange.rest import Priority, RestCaller

MOST_CANDLES = 1000  #: in one answer
RECENT = timedelta(days=2)  #: history of so short a time belongs to a decision; longer ones can wait
CONFIG_GOOD_FOR_SECONDS = STATUS_GOOD_FOR_SECONDS = 60.0
SYMBOLS_GOOD_FOR_SECONDS = 300.0
BRACKETS_GOOD_FOR_SECONDS = FEES_GOOD_FOR_SECONDS = RIGHT_GOOD_FOR_SECONDS = 3600.0
FEES_OF = "BTCUSDT"
BARS = {"1H": "1h", "2H": "2h", "4H": "4h", "6H": "6h", "8H": "8h", "12H": "12h", "1D": "1d", "3D": "3d", "1W": "1w"}


class BinanceReads:
    """Reads one account at Binance (or at an address that answers like it)."""

    def __init__(
        self,
        session: BinanceSession,
        rest: RestCaller,
        budget: Budget,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._session, self._rest, self._budget, self._now = session, rest, budget, now
        exchange_now = rest.clock.now
        self.history = BinanceHistory(session, rest, exchange_now, monotonic)
        self.algos = Algos(session, rest, self.history, exchange_now)
        self.open_orders = OpenOrders(session, rest, self.algos, monotonic, self._has_room)
        self._holdings = Holdings(self.history, exchange_now, monotonic)
        self.config = CachedValue[Row](self._read_config, CONFIG_GOOD_FOR_SECONDS, monotonic)  #: the account's settings
        self._may_trade = CachedValue[bool](self._read_right, RIGHT_GOOD_FOR_SECONDS, monotonic)
        self.symbols = CachedValue[dict[str, Row]](self._read_symbols, SYMBOLS_GOOD_FOR_SECONDS, monotonic)
        self._brackets = CachedValue[dict[str, Bracket]](self._read_brackets, BRACKETS_GOOD_FOR_SECONDS, monotonic)
        self._fees = CachedValue[Fees](self._read_fees, FEES_GOOD_FOR_SECONDS, monotonic)
        self._status = CachedValue[bool](self._read_status, STATUS_GOOD_FOR_SECONDS, monotonic)

    def _has_room(self, weight: int) -> bool:
        return self._budget.has_room(weight, self._rest.clock.now())

    # -- the account

    def account_state(self) -> AccountState:
        """Return money in USDT, position mode and whether the key may trade. Whether it may withdraw is not
        told here.
        """
        account = self._rest.row("balance", lambda: self._session.futures_account(version=3))
        state = parse_account(account, self.config.value(), self._now())
        return state if self._may_trade.value() else replace(state, can_trade=False)

    def _read_right(self) -> bool:
        """Return whether the key may trade: a test order is sent, which Binance checks and never executes."""
        asked = {"symbol": FEES_OF, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "1"}
        try:
            self._rest.read("the right to trade", lambda: self._session.futures_create_test_order(**asked))
        except Unavailable as refusal:
            if refusal.exchange_code in NO_RIGHT:
                return False
            if refusal.exchange_code not in MEANS or refusal.exchange_code in PASSES_BY_ITSELF | OUTCOME_OPEN:
                raise
        return True

    def _read_config(self) -> Row:
        return self._rest.row(
            "account settings", self._session.futures_account_config, Priority.WRITE
        )  # orders wait for it

    def positions(self) -> list[Position]:
        """Return all positions in USDT contracts, in one answer. Flat contracts are absent."""
        rows = self._position_rows()
        held = sizes(rows)
        self.open_orders.holds(symbol for symbol, _ in held)
        return self._holdings.positions(rows, self._leverages({symbol for symbol, _ in held}))

    def _position_rows(self) -> list[Row]:
        return self._rest.rows("positions", lambda: self._session.futures_position_information(version=3))

    def held(self) -> Sizes:
        """Return the signed size of every position, by our symbol and leg. Raises Unavailable."""
        return sizes(self._position_rows())

    def leverage(self, symbol: str) -> Decimal:
        """Return the leverage set for this contract; one value for both sides."""
        return number(self.symbol_config(symbol), "leverage")

    def _leverages(self, symbols: set[str]) -> dict[str, Decimal]:
        """Return leverage by symbol, as it was last read; read anew where one is missing."""
        names = {to_name(symbol) for symbol in symbols}
        if not names:
            return {}
        configs = self.symbols.value()
        if not names <= configs.keys():
            self.symbols.forget()
            configs = self.symbols.value()
        return {to_symbol(name): number(configs[name], "leverage") for name in names & configs.keys()}

    def _read_symbols(self) -> dict[str, Row]:
        rows = self._rest.rows("leverages", self._session.futures_symbol_config)
        return {text(row, "symbol"): row for row in rows}

    def symbol_config(self, symbol: str) -> Row:
        """Return leverage and margin type of one contract, read now. Raises Unavailable."""
        name = to_name(symbol)
        rows = self._rest.rows(f"settings of {symbol}", lambda: self._session.futures_symbol_config(symbol=name))
        row = next((row for row in rows if row.get("symbol") == name), None)
        if row is None:
            raise Unavailable(Reason("exchange.no_settings", symbol=symbol, exchange="Binance"))
        return dict(row)

    # -- orders

    def working_orders(self) -> list[Order]:
        """Return every live order, ordinary and conditional of every kind, ours and foreign.

        An order placed by a conditional one that was set off is not listed; the conditional one tells of both.
        """
        return self.open_orders.orders()

    def other_conditional_orders(self) -> list[Order]:
        """Return nothing: conditional orders of every kind are in one list here, and `working_orders` has them."""
        return []

    def find(self, client_order_id: str, symbol: str, kind: OrderKind) -> Order | None:
        """Return one order by our id; None: Binance says that it does not know it (or not yet, see the facts)."""
        if kind.rests_on_trigger:
            return self.algos.find(client_order_id, symbol)
        return self.algos.find_ordinary(symbol, origClientOrderId=client_order_id)

    # -- history

    def fills(self, since: datetime, until: datetime | None = None) -> list[Fill]:
        """Return all executions in USDT contracts of that time (three months at most), oldest first."""
        return self.history.fills(since, until, self._priority(since, until), self.open_orders.symbols())

    def funding(self, since: datetime, until: datetime | None = None) -> list[Funding]:
        """Return all funding fees of that time (three months at most), oldest first. Binance does not tell the side."""
        return self.history.funding(since, until, self._priority(since, until))

    def closed_positions(self, since: datetime, until: datetime | None = None) -> list[ClosedPosition]:
        """Return positions whose newest close lies in that time, computed from the executions, oldest first.

        A life that is still held is among them once a part of it was closed. One that began more than three months
        ago is told from its oldest execution that Binance still has.
        """
        priority = self._priority(since, until)
        return self.history.closed_positions(
            since, until, priority, self.open_orders.symbols(), self.held, self._last_known_leverage
        )

    def _last_known_leverage(self, symbol: str) -> Decimal:
        return self._leverages({symbol}).get(symbol, Decimal(0))

    def _priority(self, since: datetime, until: datetime | None) -> Priority:
        return Priority.LOOK if until is None and self._rest.clock.now() - since < RECENT else Priority.HISTORY

    # -- the market

    def instruments(self) -> dict[str, Instrument]:
        """Return every perpetual settled in USDT by our symbol, with its rules and this account's fees."""
        info = self._rest.row("contracts", self._session.futures_exchange_info, Priority.HISTORY)
        self._budget.most = weight_limit(info) or self._budget.most
        return parse_instruments(info, self._brackets.value(), self._fees.value())

    def _read_brackets(self) -> dict[str, Bracket]:
        return parse_brackets(
            self._rest.read("margin tables", self._session.futures_leverage_bracket, Priority.HISTORY)
        )

    def _read_fees(self) -> Fees:
        return parse_fees(
            self._rest.row("fees", lambda: self._session.futures_commission_rate(symbol=FEES_OF), Priority.HISTORY)
        )

    def ticker(self, symbol: str) -> Ticker:
        """Return last, bid, ask and mark price, as of the moment we asked."""
        what, name, asked = f"prices of {symbol}", to_name(symbol), self._now()
        price = self._rest.row(what, lambda: self._session.futures_symbol_ticker(symbol=name))
        book = self._rest.row(what, lambda: self._session.futures_orderbook_ticker(symbol=name))
        mark = self._rest.row(what, lambda: self._session.futures_mark_price(symbol=name))
        return parse_ticker(price, book, mark, asked)

    def candles(self, symbol: str, bar: str, limit: int) -> list[Candle]:
        """Return the newest `limit` bars, oldest first."""
        rows: list[Sequence[Any]] = []
        while len(rows) < limit:
            wanted = min(limit - len(rows), MOST_CANDLES)
            before = {"endTime": int(rows[0][0]) - 1} if rows else {}
            page = self._candles(symbol, BARS.get(bar, bar), wanted, before)
            rows = [*page, *rows]
            if len(page) < wanted:
                break
        return [parse_candle(row, self._rest.clock.now()) for row in rows]

    def _candles(self, symbol: str, bar: str, limit: int, before: dict[str, int]) -> list[Any]:
        asked = {"symbol": to_name(symbol), "interval": bar, "limit": limit, **before}
        return self._rest.rows(f"candles of {symbol}", lambda: self._session.futures_klines(**asked), Priority.HISTORY)

    def under_maintenance(self) -> bool:
        """Return whether Binance answers that it is under maintenance; asked at most once a minute."""
        return self._status.value()

    def _read_status(self) -> bool:
        try:
            self._rest.read("system status", self._session.futures_ping)
        except Unavailable as silence:
            if silence.exchange_code in MAINTENANCE:
                return True
            raise
        return False
