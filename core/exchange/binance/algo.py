"""Conditional orders: they are in lists of their own, and once triggered they place an ordinary order.

The two are told as one: the conditional order carries what its child has filled and paid. Looks them up by client id;
what a look-up cannot tell yet stays working, so that it is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from core.domain.errors import Unavailable
from core.domain.ids import meaning
from core.domain.money import Contracts, Price, total
from core.domain.order import Order, OrderStatus
from core.exchange.binance.account.history import BinanceHistory
from core.exchange.binance.codes import GONE
from core.exchange.binance.fields import number_or_zero, price_or_none, text, to_name
from core.exchange.binance.parse import fold, parse_algo, parse_order
from core.exchange.binance.rest_session import BinanceSession
from core.exchange.fields import Row
from core.exchange.rest import RestCaller

FINISHED = "FINISHED"
TOLD_AT_LAST = timedelta(seconds=60)  #: executions, or an order, that are not listed by then never will be


class Algos:
    """Looks up single orders, ordinary and conditional. `now` is Binance's time. Thread-safe."""

    def __init__(
        self, session: BinanceSession, rest: RestCaller, history: BinanceHistory, now: Callable[[], datetime]
    ) -> None:
        self._session, self._rest, self._history, self._now = session, rest, history, now
        self._fees: dict[tuple[str, str], Order] = {}  #: per ordinary order the newest state whose fee was read
        self._ordinary: set[str] = set()  #: names of ours that belong to no conditional order

    # -- one order by its name -------------------------------------------------------------------------------

    def find(self, client_order_id: str, symbol: str) -> Order | None:
        """Return a conditional order with what its child has done; None: Binance knows it in neither of its lists."""
        row = self.row(client_order_id) or self._listed(client_order_id, symbol)
        if row is None:
            return None
        algo = parse_algo(row)
        told = self.folded(algo)
        if told.working and text(row, "algoStatus") == FINISHED and told is algo:
            return self._without_child(algo, row)
        return told

    def find_ordinary(self, symbol: str, **identity: str) -> Order | None:
        """Return an ordinary order by `origClientOrderId` or `orderId`; None: Binance does not know it."""
        asked = {"symbol": to_name(symbol), **identity}
        row = self._known(f"order {next(iter(identity.values()))}", lambda: self._session.futures_get_order(**asked))
        if row is None:
            return None
        order = parse_order(row)
        self.note(order)
        return self.with_fee(order)

    def row(self, client_id: str) -> Row | None:
        """Return Binance's row of a conditional order; None where it says that there is none."""
        return self._known(f"order {client_id}", lambda: self._session.futures_get_algo_order(clientAlgoId=client_id))

    def _listed(self, client_id: str, symbol: str) -> Row | None:
        """Return the row of an order in Binance's list: one placed a moment ago may be listed before it can be looked
        up.
        """
        rows = self._rest.rows(
            f"resting TP and SL of {symbol}", lambda: self._session.futures_get_open_algo_orders(symbol=to_name(symbol))
        )
        return next((row for row in rows if row.get("clientAlgoId") == client_id), None)

    def _known(self, what: str, call: Callable[[], object]) -> Row | None:
        try:
            return self._rest.row(what, call)
        except Unavailable as silence:
            if silence.exchange_code in GONE:
                return None
            raise

    # -- parent and child ------------------------------------------------------------------------------------

    def note(self, order: Order) -> None:
        """Remember an ordinary order that was seen, so that its executions get its client id."""
        self._history.note(order)

    def placed(self, client_id: str, *, conditional: bool) -> None:
        """Remember that we placed an order of this id, so that it need not be looked up."""
        if conditional:
            self._ordinary.discard(client_id)
        else:
            self._ordinary.add(client_id)

    def parent(self, order: Order) -> Order | None:
        """Return the conditional order of ours that placed this ordinary one, and shares its id; None: there is none.

        That there is none is believed at once of what we placed ourselves, and of others once they are so old that
        a parent would have shown.
        """
        said, name = meaning(order.client_order_id), order.client_order_id
        if said is None or not said.purpose.protects or name in self._ordinary:
            return None
        row = self.row(name)
        if row is None and not self._recent(order):
            self._ordinary.add(name)
        return None if row is None else parse_algo(row)

    def folded(self, algo: Order, child: Order | None = None) -> Order:
        """Return a conditional order with its child, which is looked up where it is not at hand."""
        if not algo.working:
            return algo
        if child is None and algo.child_order_ids:
            child = self.find_ordinary(algo.symbol, orderId=algo.child_order_ids[0])
        elif child is not None:
            child = self.with_fee(child)
        return algo if child is None else fold(algo, child)

    def _without_child(self, algo: Order, row: Row) -> Order:
        """Return a finished conditional order whose child is not known (yet): its row tells what was filled, not the
        cost.
        """
        filled, average = Contracts(number_or_zero(row, "actualQty")), price_or_none(row, "actualPrice")
        if filled and average is not None:
            ended = OrderStatus.FILLED if filled >= algo.quantity else OrderStatus.CANCELED
            told = algo.but(status=ended, filled=filled, average_price=average)
            if not algo.child_order_ids:
                return told
            child = self.with_fee(told.but(exchange_order_id=algo.child_order_ids[0]))
            return told.but(status=child.status, fee=child.fee)
        if self._recent(algo):
            return algo
        return algo.but(status=OrderStatus.CANCELED, failure="the exchange no longer knows the order that it placed")

    # -- fees ------------------------------------------------------------------------------------------------

    def with_fee(self, order: Order) -> Order:
        """Return an ordinary order with its fees, which only executions tell; read once per amount filled.

        An order that has just ended, and whose executions are not all listed yet, is told as working for so long.
        """
        if not order.filled:
            return order
        key = (order.symbol, order.exchange_order_id)
        known = self._fees.get(key)
        if known is not None and known.filled == order.filled:
            return order.but(fee=known.fee, average_price=order.average_price or known.average_price)
        trades = self._history.of_order(*key)
        listed = total(trade.quantity for trade in trades)
        value = total(trade.quantity * trade.price for trade in trades)
        told = order.but(
            fee=total(trade.fee for trade in trades),
            average_price=order.average_price or (Price(value / listed) if listed else None),
        )
        if listed >= order.filled:
            self._fees[key] = told
        elif order.status.ended and self._recent(order):
            return told.but(status=OrderStatus.WORKING)
        return told

    def _recent(self, order: Order) -> bool:
        return order.updated_at is not None and self._now() - order.updated_at < TOLD_AT_LAST
