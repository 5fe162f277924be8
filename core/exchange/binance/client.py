"""Binance USD-M futures behind the port, over python-binance: what it reads, what it sets, and here every order.

A write returns, or raises Refused (nothing happened) or OutcomeUnknown (go and look). Take-profit and stop-loss are
orders of their own in the book of conditional orders. Source of all parameters: Binance USD-M docs, trade and account.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.action import AmendOrder, CancelOrder, PlaceOco, PlaceOrder
from core.domain.errors import Misconfigured, OutcomeUnknown, Refused, Unavailable
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.money import plain
from core.domain.order import Order, OrderKind
from core.exchange.binance.codes import CLASH, GONE, MEANS, MODE_CHANGED, NO_ANSWER, NOTHING_HELD, Says
from core.exchange.binance.fields import Row, text, to_name
from core.exchange.binance.settings import BinanceSettings

log = logging.getLogger("perpdeck.binance")

SIDE = {OrderSide.BUY: "BUY", OrderSide.SELL: "SELL"}
POSITION = {Side.LONG: "LONG", Side.SHORT: "SHORT"}
WORKING_TYPE = {TriggerBy.LAST: "CONTRACT_PRICE", TriggerBy.MARK: "MARK_PRICE"}
TIME_IN_FORCE = {OrderKind.LIMIT: "GTC", OrderKind.POST_ONLY: "GTX", OrderKind.IOC: "IOC", OrderKind.FOK: "FOK"}


class BinanceClient(BinanceSettings):
    """One account at Binance USD-M futures. Live by default; `demo` for the testnet, `rest_url` for any stand-in."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.last_write: datetime | None = None  #: our clock just before the newest accepted order or cancel was sent

    # -- placing

    def place(self, request: PlaceOrder, deadline: datetime | None = None) -> str:
        """Place an ordinary order, return its orderId. Past `deadline` (or its lifetime) Binance drops it."""
        if request.attached is not None:
            raise Misconfigured("Binance has no TP and SL that travel with an order")
        what = f"order {request.client_order_id}"
        closes = request.reduce_only or not request.purpose.adds_risk
        if not closes:
            self._opening(what, lambda: self._prepare(request.symbol))
        asked = {
            "symbol": to_name(request.symbol),
            "side": SIDE[request.side],
            "type": "MARKET" if request.kind is OrderKind.MARKET else "LIMIT",
            "quantity": plain(request.quantity),
            "newClientOrderId": request.client_order_id,
            "newOrderRespType": "RESULT",
            **self._direction(request.position_side, reduce_only=request.reduce_only),
        }
        if request.kind is not OrderKind.MARKET:
            if request.price is None or request.kind not in TIME_IN_FORCE:
                raise Misconfigured(f"{what}: an order of kind {request.kind} needs a price and a kind Binance has")
            asked |= {"price": plain(request.price), "timeInForce": TIME_IN_FORCE[request.kind]}
        self._algos.placed(request.client_order_id, conditional=False)
        protects = closes or request.purpose.protects
        try:
            row = self._sent(
                what, request.symbol, lambda: self._session.futures_create_order(**asked), protects, deadline
            )
        except Refused as refusal:
            if closes and MEANS.get(refusal.exchange_code) is Says.NOTHING_HELD:
                raise self._why_not_closed(request, refusal) from refusal
            raise
        order_id = _identity(what, row, "orderId")
        self._history.note_name(request.symbol, order_id, request.client_order_id)
        return order_id

    def place_oco(self, request: PlaceOco) -> str:
        """Place one leg, a take-profit or a stop-loss at market, return its algoId.

        Raises Misconfigured for both at once: each is an order of its own here.
        """
        if (request.tp_trigger is None) == (request.sl_trigger is None):
            raise Misconfigured("Binance has no OCO: take-profit and stop-loss are placed one by one")
        if request.trigger_by not in WORKING_TYPE:
            raise Misconfigured(f"Binance has no triggers by {request.trigger_by}: last or mark is allowed")
        trigger = request.tp_trigger if request.sl_trigger is None else request.sl_trigger
        assert trigger is not None
        what = f"{'TP' if request.sl_trigger is None else 'SL'} {request.client_order_id}"
        asked = {
            "algoType": "CONDITIONAL",
            "symbol": to_name(request.symbol),
            "side": SIDE[request.side],
            "type": "TAKE_PROFIT_MARKET" if request.sl_trigger is None else "STOP_MARKET",
            "quantity": plain(request.quantity),
            "triggerPrice": plain(trigger),
            "workingType": WORKING_TYPE[request.trigger_by],
            "clientAlgoId": request.client_order_id,
            **self._direction(request.position_side, reduce_only=True),
        }
        if request.price_protect:
            asked["priceProtect"] = "TRUE"
        self._algos.placed(request.client_order_id, conditional=True)
        row = self._sent(what, request.symbol, lambda: self._session.futures_create_algo_order(**asked), True, None)
        return _identity(what, row, "algoId")

    def _sent(
        self, what: str, symbol: str, call: Callable[[], Any], protects: bool, deadline: datetime | None = None
    ) -> Row:
        """One order or change of one. What may rest in a contract from now on is looked for there."""
        began = self._now()
        self._resting.wrote(symbol)
        try:
            row = self._calls.write(what, call, protects=protects, deadline=deadline)
        except Refused as refusal:
            if refusal.exchange_code in MODE_CHANGED:
                self._config.forget()  # somebody changed the position mode
            raise
        if row:  # nothing else moves anything, and the stream tells nothing then
            self.last_write = began
        return row

    def _opening(self, what: str, prepare: Callable[[], None]) -> None:
        """Nothing has been placed yet, so silence about a setting is a passing refusal of the order."""
        try:
            prepare()
        except OutcomeUnknown as silence:
            raise Refused(
                f"{what} was not sent: {silence}",
                exchange_code=silence.exchange_code,
                exchange_words=silence.exchange_words,
                transient=True,
            ) from silence

    def _direction(self, side: Side, *, reduce_only: bool) -> dict[str, str]:
        """Hedge mode names the position, and a closing order cannot open there; reduceOnly is refused in it."""
        if self._hedged():
            return {"positionSide": POSITION[side]}
        return {"reduceOnly": "true"} if reduce_only else {}

    def _why_not_closed(self, request: PlaceOrder, refusal: Refused) -> Refused:
        """A close was refused: because nothing is held, or because what rests on the same side stands in its way."""
        what = f"order {request.client_order_id}"
        try:
            held = next(
                (
                    size
                    for (symbol, side), size in self._held().items()
                    if symbol == request.symbol and side in (request.position_side, None)
                    if size * request.position_side.sign > 0
                ),
                Decimal(0),
            )
            if not held:
                return Refused(
                    f"{what}: nothing is held", exchange_code=NOTHING_HELD, exchange_words=refusal.exchange_words
                )
            resting = [
                order
                for order in self._resting.orders()
                if (order.symbol, order.position_side) == (request.symbol, request.position_side)
                and order.side is request.side
                and (not order.kind.rests_on_trigger or order.triggered_leg is not None)
            ]
        except Unavailable as silence:
            log.warning("%s was refused and nobody tells why: %s", what, silence)
            return Refused(str(refusal), exchange_code=CLASH, exchange_words=refusal.exchange_words)
        clash = ", ".join(f"{_name(order)} over {plain(order.remaining)}" for order in resting)
        words = f"{refusal.exchange_words} ({refusal.exchange_code}); {plain(abs(held))} are held"
        words += f", and {clash} rests on the same side" if clash else ""
        return Refused(f"{what}: {words}", exchange_code=CLASH, exchange_words=words)

    # -- changing

    def amend(self, request: AmendOrder) -> None:
        """Change size or price of a working limit order. Raises Refused where the order has ended.

        A new size at or below what was filled ends the order. Raises Misconfigured for a conditional order, which
        cannot be changed here.
        """
        order, what = request.order, f"change of {_name(request.order)}"
        price = request.price if request.price is not None else order.price
        if order.kind.rests_on_trigger or price is None:
            raise Misconfigured(f"{what}: Binance changes limit orders only")
        asked = {
            "symbol": to_name(order.symbol),
            "side": SIDE[order.side],
            "quantity": plain(request.quantity if request.quantity is not None else order.quantity),
            "price": plain(price),
            **_ordinary_identity(order),
        }
        self._sent(what, order.symbol, lambda: self._session.futures_modify_order(**asked), False)

    def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel. Returns also where the order had ended already: the next look tells how.

        A conditional order that was set off is cancelled through the order that it placed.
        """
        order = request.order
        if not order.kind.rests_on_trigger:
            self._cancel_ordinary(order, _ordinary_identity(order))
        elif order.child_order_ids or not self._canceled(order, self._cancel_algo(order)):
            for child in order.child_order_ids or self._children(order):
                self._cancel_ordinary(order, {"orderId": child})

    def _cancel_ordinary(self, order: Order, identity: dict[str, str]) -> None:
        asked = {"symbol": to_name(order.symbol), **identity}
        self._canceled(order, lambda: self._session.futures_cancel_order(**asked))

    def _children(self, order: Order) -> tuple[str, ...]:
        """What a conditional order placed that could not be cancelled any more; nothing where nobody knows it."""
        try:
            found = self._algos.find(order.client_order_id, order.symbol) if order.client_order_id else None
        except Unavailable as silence:
            raise OutcomeUnknown(
                f"cancel of {_name(order)}: {silence}", exchange_code=silence.exchange_code
            ) from silence
        return found.child_order_ids if found is not None and found.working else ()

    def _cancel_algo(self, order: Order) -> Callable[[], Any]:
        """By our name where it has one: numbers of conditional orders are counted per contract."""
        named = (
            {"clientAlgoId": order.client_order_id} if order.client_order_id else {"algoId": order.exchange_order_id}
        )
        return lambda: self._session.futures_cancel_algo_order(**named)

    def _canceled(self, order: Order, call: Callable[[], Any]) -> bool:
        """False where there was nothing to cancel (any more)."""
        try:
            self._sent(f"cancel of {_name(order)}", order.symbol, call, True)
        except Refused as refusal:
            if refusal.exchange_code not in GONE:
                raise
            log.info(
                "cancel had nothing to do id=%s code=%s %s", _name(order), refusal.exchange_code, refusal.exchange_words
            )
            return False
        return True

    # -- the key of the stream

    def make_listen_key(self) -> str:
        """A key for the user stream; the same one again while it is alive. Raises Unavailable."""
        return text(self._calls.row("listen key", self._session.make_listen_key), "listenKey")

    def renew_listen_key(self, key: str) -> None:
        """Keep the key alive for another hour. Raises Unavailable with code -1125 where it is gone."""
        self._calls.read("listen key", lambda: self._session.renew_listen_key(key))


class BinanceTestnetClient(BinanceClient):
    """The same, on Binance's testnet, whatever else is asked for."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{**settings, "demo": True})


# -- the words of one order


def _ordinary_identity(order: Order) -> dict[str, str]:
    if order.exchange_order_id:
        return {"orderId": order.exchange_order_id}
    return {"origClientOrderId": order.client_order_id}


def _identity(what: str, row: Row, field: str) -> str:
    if not row.get(field):
        raise OutcomeUnknown(f"{what}: Binance said yes and gave no {field}", exchange_code=NO_ANSWER)
    return str(row[field])


def _name(order: Order) -> str:
    return order.client_order_id or order.exchange_order_id
