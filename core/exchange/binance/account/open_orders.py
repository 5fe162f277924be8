"""Reads every live order of the account in one list, at a request weight that does not grow with the number of orders.

The whole account weighs 80; one contract 2. So the whole is read now and then, and in between (or while weight is
scarce) the contracts where anything is known to be: orders, a position, or something that we wrote. Orders placed by
conditional ones that were set off are not listed as orders of their own: the one that placed them carries what they do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from core.domain.order import Order
from core.exchange.binance.algo import Algos
from core.exchange.binance.fields import is_ours, to_name
from core.exchange.binance.parse import parse_algo, parse_order
from core.exchange.binance.rest_session import BinanceSession
from core.exchange.fields import Row
from core.exchange.rest import RestCaller

WHOLE_EVERY_SECONDS = 10.0
FEW_CONTRACTS = 6  #: so many are read one by one; more of them are quicker and hardly dearer at once
WHOLE_WEIGHT = 80
WRITTEN_FOR_SECONDS = 90.0  #: what was accepted may not be listed for so long


class OpenOrders:
    """Reads the ordinary and the conditional orders. Thread-safe."""

    def __init__(
        self,
        session: BinanceSession,
        rest: RestCaller,
        algos: Algos,
        monotonic: Callable[[], float],
        has_room: Callable[[int], bool],
    ) -> None:
        """Take session and readers; `has_room` tells whether so much weight may be used now."""
        self._session, self._rest, self._algos, self._monotonic = session, rest, algos, monotonic
        self._has_room = has_room
        self._lock = threading.Lock()
        self._whole_at: float | None = None
        self._with_orders: frozenset[str] = frozenset()
        self._held: frozenset[str] = frozenset()
        self._written: dict[str, float] = {}

    def wrote(self, symbol: str) -> None:
        """Note that something was sent that may rest in this contract from now on."""
        with self._lock:
            self._written[symbol] = self._monotonic()

    def holds(self, symbols: Iterable[str]) -> None:
        """Note the contracts in which something is held."""
        with self._lock:
            self._held = frozenset(symbols)

    def symbols(self) -> frozenset[str]:
        """Return the contracts where anything of the account is known to be."""
        now = self._monotonic()
        with self._lock:
            self._written = {name: at for name, at in self._written.items() if now - at < WRITTEN_FOR_SECONDS}
            return self._with_orders | self._held | frozenset(self._written)

    def orders(self) -> list[Order]:
        """Return every live order, ordinary and conditional, ours and foreign. Raises Unavailable."""
        now, symbols = self._monotonic(), self.symbols()
        whole = self._whole_at is None
        if now - (self._whole_at or 0.0) >= WHOLE_EVERY_SECONDS or len(symbols) > FEW_CONTRACTS:
            whole = whole or self._has_room(WHOLE_WEIGHT)
        if whole:
            found = self._read(None)
        else:
            found = [order for symbol in sorted(symbols) for order in self._read(symbol)]
        with self._lock:
            self._with_orders = frozenset(order.symbol for order in found)
            if whole:
                self._whole_at = now
        return found

    def _read(self, symbol: str | None) -> list[Order]:
        where = {"symbol": to_name(symbol)} if symbol else {}
        of = f" of {symbol}" if symbol else ""
        # conditional ones first: one that is set off in between shows as an ordinary order, and not in neither list
        conditional = self._rows(f"resting TP and SL{of}", lambda: self._session.futures_get_open_algo_orders(**where))
        ordinary = self._rows(f"working orders{of}", lambda: self._session.futures_get_open_orders(**where))
        algos = {_name(order): order for order in map(parse_algo, conditional)}
        orders = [parse_order(row) for row in ordinary]
        for order in orders:
            self._algos.note(order)
            if _name(order) not in algos:
                parent = self._algos.parent(order)
                if parent is not None:
                    algos[_name(order)] = parent
        children = {_name(order): order for order in orders if _name(order) in algos}
        own = [self._algos.with_fee(order) for order in orders if _name(order) not in algos]
        folded = [self._folded(order, children.get(name)) for name, order in algos.items()]
        return own + [order for order in folded if order.working]

    def _folded(self, algo: Order, child: Order | None) -> Order:
        if child is None and not algo.child_order_ids:
            return algo
        return self._algos.folded(algo, child)

    def _rows(self, what: str, call: Callable[[], object]) -> list[Row]:
        rows = self._rest.rows(what, call)
        return [row for row in rows if is_ours(row.get("symbol"))]


def _name(order: Order) -> tuple[str, str]:
    """Return a key for an order: ids are unique within one contract; a triggered order has that of its conditional
    order.
    """
    return order.symbol, order.client_order_id
