"""The reading half of the port for OKX: every method returns or raises Unavailable.

Looks at perpetuals settled in USDT and at cross positions, which is what we trade; other holdings of the account
are not ours to read into the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from okx.PublicData import PublicAPI

from core.domain.account import AccountState
from core.domain.errors import Unavailable
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Instrument
from core.domain.observation import Position, Ticker
from core.domain.order import Fill, Funding, Order, OrderKind
from core.domain.reason import Reason
from core.exchange.cached_value import CachedValue
from core.exchange.fields import Row
from core.exchange.okx.catalogue import parse_candle, parse_fees, parse_instruments
from core.exchange.okx.codes import NO_SUCH_ORDER
from core.exchange.okx.fields import is_ours, milliseconds, number, text, to_inst_id
from core.exchange.okx.ledger import parse_account, parse_fill, parse_funding, parse_life
from core.exchange.okx.paging import page_limit, read_pages
from core.exchange.okx.parse import fold, parent_of, parse_algo, parse_mark, parse_order, parse_position, parse_ticker
from core.exchange.okx.rest_session import OKXSession
from core.exchange.port import Candle
from core.exchange.rest import Priority, RestCaller

SWAP = "SWAP"
MOST_CANDLES = 300  #: in one answer
RECENT_FILLS, RECENT_BILLS = timedelta(days=3), timedelta(days=7)  #: older ones are in slower lists
MARGIN = timedelta(hours=1)  #: the slower list is asked a little before the quick one ends
MILLISECOND = timedelta(milliseconds=1)
LIFE = ("posId", "cTime", "uTime")  #: what tells two rows of the positions' history apart
CONFIG_GOOD_FOR_SECONDS = STATUS_GOOD_FOR_SECONDS = 60.0
FEES_GOOD_FOR_SECONDS = 3600.0
BARS = {"1D": "1Dutc", "1W": "1Wutc"}  #: days that begin at midnight UTC
TRADING_SERVICES = ("5", "8", "9")  #: of system/status: trading, in batches of accounts, in batches of products


class OKXReads:
    """Reads one account at OKX (or at an address that answers like it)."""

    def __init__(
        self,
        session: OKXSession,
        rest: RestCaller,
        *,
        demo: bool,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._session, self._rest, self._demo, self._now = session, rest, demo, now
        self.config = CachedValue(self._read_config, CONFIG_GOOD_FOR_SECONDS, monotonic)  #: the account's settings
        self._status = CachedValue(self._read_status, STATUS_GOOD_FOR_SECONDS, monotonic)
        self._fees = CachedValue(self._read_fees, FEES_GOOD_FOR_SECONDS, monotonic)
        self._oldest: dict[str, str] = {}  #: per list of live orders the row at its old end

    # -- the account

    def account_state(self) -> AccountState:
        """Return money in USDT, position mode and what the key may do."""
        row = self._rest.row("balance", lambda: self._session.get_account_balance(ccy="USDT"))
        return parse_account(row, self.config.value(), self._now())

    def _read_config(self) -> Row:
        return self._rest.row("account settings", self._session.get_account_config)

    def positions(self) -> list[Position]:
        """Return all cross positions in USDT contracts, in one answer. Flat contracts are absent."""
        rows = self._rest.rows("positions", lambda: self._session.get_positions(instType=SWAP))
        ours = (row for row in rows if is_ours(row.get("instId")) and row.get("mgnMode") == "cross")
        return [position for position in map(parse_position, ours) if position is not None]

    def leverage(self, symbol: str) -> Decimal:
        """Return the leverage set for cross positions in this contract; one value for both sides."""
        return self.leverages(symbol)[0]

    def leverages(self, symbol: str) -> list[Decimal]:
        """Return the leverage of both sides of a contract, as OKX lists them."""
        rows = self._rest.rows(
            f"leverage of {symbol}",
            lambda: self._session.get_leverage("cross", instId=to_inst_id(symbol)),
            Priority.HISTORY,
        )
        if not rows:
            raise Unavailable(Reason("exchange.no_leverage", symbol=symbol, exchange="OKX"))
        return [number(row, "lever") for row in rows]

    # -- orders

    def working_orders(self) -> list[Order]:
        """Return every live ordinary order and every resting TP and SL, ours and foreign.

        An order placed by a conditional one that was set off is not listed; `find` tells of both in one.
        """
        ordinary = self._pages(
            "working orders",
            lambda after: self._session.get_order_list(instType=SWAP, after=after, limit=page_limit()),
            "ordId",
        )
        conditional = self._algos("conditional,oco")
        return [parse_order(row) for row in ordinary if not parent_of(row)] + conditional

    def other_conditional_orders(self) -> list[Order]:
        """Return trigger and trailing orders, which we never place: they are in lists of their own."""
        return [*self._algos("trigger"), *self._algos("move_order_stop")]

    def _algos(self, kinds: str) -> list[Order]:
        rows = self._pages(
            f"resting {kinds} orders",
            lambda after: self._session.order_algos_list(ordType=kinds, instType=SWAP, after=after, limit=page_limit()),
            "algoId",
        )
        return [parse_algo(row) for row in rows]

    def _pages(self, what: str, call: Callable[[str], Any], cursor: str) -> list[Row]:
        """Return the pages of a list that only grows at its new end, so that a row's place from the oldest never
        changes.
        """
        rows = read_pages(self._rest, what, call, cursor, oldest=self._oldest.get(what, ""))
        self._oldest[what] = str(rows[-1][cursor]) if rows else ""
        return [row for row in rows if is_ours(row.get("instId"))]

    def find(self, client_order_id: str, symbol: str, kind: OrderKind) -> Order | None:
        """Return one order by our id; None: OKX says that it does not know it.

        A conditional order that was set off is told with what its child orders have filled.
        """
        if not kind.rests_on_trigger:
            return self._find_ordinary(symbol, clOrdId=client_order_id)
        row = self._known(
            f"order {client_order_id}", lambda: self._session.get_algo_order_details(algoClOrdId=client_order_id)
        )
        if row is None:
            return None
        algo = parse_algo(row)
        children = (self._find_ordinary(symbol, ordId=child) for child in algo.child_order_ids)
        return fold(algo, [child for child in children if child is not None])

    def _find_ordinary(self, symbol: str, **identity: str) -> Order | None:
        name = next(iter(identity.values()))
        row = self._known(f"order {name}", lambda: self._session.get_order(to_inst_id(symbol), **identity))
        return None if row is None else parse_order(row)

    def _known(self, what: str, call: Callable[[], Any]) -> Row | None:
        """Return the row, or None where OKX says that there is no such order. Raises Unavailable for
        everything else.
        """
        try:
            rows = self._rest.rows(what, call)
        except Unavailable as silence:
            if silence.exchange_code in NO_SUCH_ORDER:
                return None
            raise
        return rows[0] if rows else None

    # -- history

    def fills(self, since: datetime, until: datetime | None = None) -> list[Fill]:
        """Return all executions in USDT contracts since then (three months at most), oldest first."""
        recent = self._rest.clock.now() - since < RECENT_FILLS - MARGIN
        begin, end = milliseconds(since), "" if until is None else milliseconds(until)

        def page(after: str) -> Any:
            if recent:
                return self._session.get_fills(instType=SWAP, after=after, begin=begin, end=end, limit=page_limit())
            return self._session.fills_history(instType=SWAP, after=after, begin=begin, end=end, limit=page_limit())

        rows = read_pages(self._rest, "fills", page, "billId", priority=Priority.HISTORY)
        found = [parse_fill(row) for row in rows if is_ours(row.get("instId"))]
        return sorted(found, key=lambda fill: (fill.at, int(fill.exchange_fill_id)))

    def funding(self, since: datetime, until: datetime | None = None) -> list[Funding]:
        """Return all funding fees since then (three months at most), oldest first. OKX does not tell the side."""
        archive = self._rest.clock.now() - since >= RECENT_BILLS - MARGIN
        within = {"begin": milliseconds(since), "end": "" if until is None else milliseconds(until)}

        def page(after: str) -> Any:
            return self._session.bills(
                archive=archive, instType=SWAP, type="8", after=after, limit=page_limit(), **within
            )

        rows = read_pages(self._rest, "funding", page, "billId", priority=Priority.HISTORY)
        found = [parse_funding(row) for row in rows if is_ours(row.get("instId"))]
        return sorted(found, key=lambda paid: (paid.at, int(paid.exchange_id)))

    def closed_positions(self, since: datetime, until: datetime | None = None) -> list[ClosedPosition]:
        """Return cross positions whose newest close lies in that time (three months at most), oldest first.

        A life that is still held is among them once a part of it was closed; its row moves with each close.
        """
        before = milliseconds(since - MILLISECOND)  # OKX leaves out the edge itself
        latest = "" if until is None else milliseconds(until + MILLISECOND)

        def page(after: str) -> Any:
            # with both edges the page is counted from the newest; with `before` alone from the oldest
            edge = after or latest or milliseconds(self._rest.clock.now() + MARGIN)
            return self._session.get_positions_history(instType=SWAP, after=edge, before=before, limit=page_limit())

        rows = read_pages(self._rest, "closed positions", page, "uTime", identity=LIFE, priority=Priority.HISTORY)
        ours = (row for row in rows if is_ours(row.get("instId")) and row.get("mgnMode") == "cross")
        return sorted(map(parse_life, ours), key=lambda life: (life.updated_at, life.life))

    # -- the market

    def instruments(self) -> dict[str, Instrument]:
        """Return every perpetual settled in USDT by our symbol, with its rules and this account's fees."""
        rows = self._rest.rows("contracts", lambda: PublicAPI.get_instruments(self._session, SWAP), Priority.HISTORY)
        return parse_instruments(rows, self._fees.value())

    def _read_fees(self) -> Any:
        return parse_fees(self._rest.row("fees", lambda: self._session.get_fee_rates(SWAP), Priority.HISTORY))

    def ticker(self, symbol: str) -> Ticker:
        """Return last, bid, ask and mark price, as of the moment we asked: OKX's own stamp is that of the
        last trade.
        """
        inst_id, asked = to_inst_id(symbol), self._now()
        row = self._rest.row(f"prices of {symbol}", lambda: self._session.get_ticker(inst_id))
        mark = self._rest.row(f"mark price of {symbol}", lambda: self._session.get_mark_price(SWAP, instId=inst_id))
        return parse_ticker(row, parse_mark(mark)[1], asked)

    def candles(self, symbol: str, bar: str, limit: int) -> list[Candle]:
        """Return the newest `limit` bars, oldest first."""
        rows: list[Sequence[str]] = []
        after = ""
        while len(rows) < limit:
            wanted = min(limit - len(rows), MOST_CANDLES)
            page = self._candles(symbol, BARS.get(bar, bar), after, wanted)
            rows += page
            if len(page) < wanted:
                break
            after = str(page[-1][0])
        return [parse_candle(row) for row in reversed(rows)]

    def _candles(self, symbol: str, bar: str, after: str, limit: int) -> list[Any]:
        return self._rest.rows(
            f"candles of {symbol}",
            lambda: self._session.get_candlesticks(to_inst_id(symbol), after=after, bar=bar, limit=str(limit)),
            Priority.HISTORY,
        )

    def under_maintenance(self) -> bool:
        """Return whether OKX says that it is under maintenance; asked at most once a minute."""
        return bool(self._status.value())

    def _read_status(self) -> bool:
        rows = self._rest.rows("system status", self._session.status, Priority.HISTORY)
        world = "2" if self._demo else "1"
        return any(
            text(row, "state") == "ongoing"
            and text(row, "serviceType") in TRADING_SERVICES
            and str(row.get("env") or world) == world
            for row in rows
        )
