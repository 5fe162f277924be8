"""Chooses the events of the account's own stream, and their order.

Of one fill: TRADE_LITE, ACCOUNT_UPDATE, ORDER_TRADE_UPDATE, unless behaviours say otherwise. Of a triggered conditional
order: TRIGGERING, TRIGGERED, the plain order's own events, FINISHED; by choice the plain order's NEW comes before
TRIGGERED. Without a listen key that lives nothing is sent, and nothing is sent twice but by a fault.
"""

from typing import Any

from core.simulator.binance.connection import BinanceSockets
from core.simulator.binance.engine.algo_order import BinanceAlgo
from core.simulator.binance.format import Row
from core.simulator.binance.rows import algo as algo_rows
from core.simulator.binance.rows import events as event_rows
from core.simulator.binance.rows.orders import contract_of
from core.simulator.engine.state import ZERO, BookedFill, BookOrder


class BinanceUserStream:
    """The listener that turns what happens to the account into events."""

    def __init__(self, sockets: BinanceSockets) -> None:
        self.sockets = sockets
        self.exchange, self.context = sockets.runtime.exchange, sockets.runtime.binance
        self._kept: Row | None = None  # TRIGGERED, until the plain order's NEW is out
        self._called = False
        self.exchange.listeners.append(self.on_event)

    def _send(self, event: Row, symbol: str = "", client_id: str = "") -> None:
        key = self.context.listen_key.key
        about = {"channel": event["e"], "instId": symbol, "clOrdId": client_id}
        if symbol:
            about["symbol"] = contract_of(self.context, symbol).wire
        for connection in self.sockets.listening(key) if key else []:
            if not connection.events or event["e"] in connection.events:
                self.sockets.send(connection, key, event, about)

    def on_event(self, what: str, about: Any) -> None:
        """Tell the stream what happened to the account."""
        if not self.sockets.open:
            return
        if what == "order" and about[0].account == "binance":
            self._order(*about)
        elif what == "binance_algo":
            self._algo(about)
        elif what == "balance" and about[0] == "binance":
            self._balance(*about[1:])
        elif what == "leverage" and about[0] == "binance":
            self._send(event_rows.leverage(self.context, about[1]), about[1])
        elif what == "margin_type" and about[0] == "binance":
            event = event_rows.account(self.context, "MARGIN_TYPE_CHANGE", ZERO, [about[1]])
            self._send(event, about[1])
        elif what == "multi_assets" and about == "binance":
            self._send(event_rows.multi_assets(self.context))
        elif what == "listen_key_expired":
            self._expired(about)
        elif what == "price":
            self._margin_call()

    def _order(self, order: BookOrder, fill: BookedFill | None) -> None:
        context, behaviour = self.context, self.exchange.behaviour
        told = event_rows.order(context, order, fill)
        events = [told]
        if fill is not None:
            of_account = event_rows.filled(context, fill)
            events = [of_account, told] if behaviour["binance_account_first"] else [told, of_account]
            if fill.kind not in ("liquidation", "adl"):
                lite = event_rows.trade_lite(context, order, fill)
                events = [lite, *events] if behaviour["binance_trade_lite_first"] else [*events, lite]
        for event in events:
            self._send(event, order.instrument, order.client_id)
        if self._kept is not None and order.algo_id:
            kept, self._kept = self._kept, None
            self._send(kept, order.instrument, order.client_id)

    def _algo(self, algo: BinanceAlgo) -> None:
        event = algo_rows.event(self.context, algo)
        if algo.state == "TRIGGERED" and self.exchange.behaviour["binance_child_first"]:
            self._kept = event
            return
        self._send(event, algo.instrument, algo.client_id)

    def _balance(self, reason: str, key: tuple[str, str] | None) -> None:
        if reason in event_rows.REASONS:
            self._send(event_rows.money_moved(self.context, reason, key), key[0] if key else "")

    def _margin_call(self) -> None:
        """One call each time the account comes close to its liquidation."""
        positions = event_rows.endangered(self.context)
        if positions and not self._called:
            self._send(event_rows.margin_call(self.context, positions))
        self._called = bool(positions)

    def _expired(self, key: str) -> None:
        """Tell those who listen with the key that it has ended, once; nothing is sent to them from then on."""
        event = event_rows.listen_key_expired(self.context, key)
        for connection in self.sockets.listening(key):
            self.sockets.send(connection, key, event, {"channel": event["e"]})
