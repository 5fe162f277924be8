"""OKX behind the port: what `OKXReads` reads, and every write, over python-okx.

A write returns, or raises Refused (nothing happened) or OutcomeUnknown (go and look). Source of all parameters:
OKX V5 docs, trade and account.
"""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.action import AmendOrder, Attached, CancelOrder, PlaceOco, PlaceOrder
from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.instrument import Side, TriggerBy
from core.domain.money import Price, plain
from core.domain.order import Order, OrderKind
from core.exchange.okx.codes import CANCEL_OF_ENDED, NO_ANSWER, WRONG_PARAMETER
from core.exchange.okx.fields import to_inst_id
from core.exchange.okx.reads import OKXReads

log = logging.getLogger("perpdeck.okx")

HEDGE = "long_short_mode"
CROSS = "cross"
AT_MARKET = "-1"
ORDER_WORD = {
    OrderKind.MARKET: "market",
    OrderKind.LIMIT: "limit",
    OrderKind.POST_ONLY: "post_only",
    OrderKind.IOC: "ioc",
    OrderKind.FOK: "fok",
}


class OKXClient(OKXReads):
    """One account at OKX. Live by default; `demo` for OKX's demo trading, `rest_url` for any stand-in."""

    # -- settings

    def set_hedge_mode(self) -> None:
        """Hold long and short apart. Raises Refused while anything is held or rests."""
        if self._hedged(fresh=True):
            return
        try:
            self._calls.write("hedge mode", lambda: self._session.set_position_mode(HEDGE))
        finally:
            self._config.forget()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Read, set only where different, read back. Raises Refused where OKX will not, or it did not take."""
        what = f"leverage {plain(leverage)} of {symbol}"
        if all(set_to == leverage for set_to in self._calls.first(what, lambda: self._leverages(symbol))):
            return
        self._calls.write(what, lambda: self._session.set_leverage(plain(leverage), CROSS, instId=to_inst_id(symbol)))
        try:
            taken = self._leverages(symbol)
        except Unavailable as silence:
            raise OutcomeUnknown(f"{what}: could not be read back", exchange_code=silence.exchange_code) from silence
        if any(set_to != leverage for set_to in taken):
            raise Refused(f"{what}: did not take, it is {plain(taken[0])}", exchange_code="leverage")

    def _hedged(self, *, fresh: bool = False) -> bool:
        """The position mode; the last one read will do, because it cannot change while anything is held."""
        if fresh:
            self._config.forget()
        config = self._calls.first("the order", lambda: self._config.value(however_old=True))
        return bool(config.get("posMode") == HEDGE)

    # -- placing

    def place(self, request: PlaceOrder, deadline: datetime | None = None) -> str:
        """Place an ordinary order, return its ordId. Past `deadline` (or its lifetime) OKX drops it."""
        asked: dict[str, Any] = {
            "instId": to_inst_id(request.symbol),
            "tdMode": CROSS,
            "side": request.side.value,
            "ordType": ORDER_WORD[request.kind],
            "sz": plain(request.quantity),
            "clOrdId": request.client_order_id,
            **self._direction(request.position_side, reduce_only=request.reduce_only),
        }
        if request.price is not None:
            asked["px"] = plain(request.price)
        if request.attached is not None:
            asked["attachAlgoOrds"] = [_travelling(request.attached)]
        what = f"order {request.client_order_id}"
        protects = request.reduce_only or request.purpose.protects
        return self._placed(what, lambda: self._session.place_order(**asked), "ordId", protects, deadline)

    def place_oco(self, request: PlaceOco) -> str:
        """Place take-profit and stop-loss as one order (or one of them alone), return its algoId."""
        both = request.tp_trigger is not None and request.sl_trigger is not None
        asked: dict[str, Any] = {
            "instId": to_inst_id(request.symbol),
            "tdMode": CROSS,
            "side": request.side.value,
            "ordType": "oco" if both else "conditional",
            "sz": plain(request.quantity),
            "algoClOrdId": request.client_order_id,
            **_legs(request.tp_trigger, request.sl_trigger, request.trigger_by),
            **self._direction(request.position_side, reduce_only=True),
            "reduceOnly": True,
        }
        if request.dies_with_position:
            asked["cxlOnClosePos"] = True
        what = f"TP and SL {request.client_order_id}"
        return self._placed(what, lambda: self._session.place_algo_order(**asked), "algoId", True, None)

    def _placed(self, what: str, call: Any, identity: str, protects: bool, deadline: datetime | None) -> str:
        try:
            row = self._calls.write(what, call, protection=protects, deadline=deadline)
        except Refused as refusal:
            if refusal.exchange_code == WRONG_PARAMETER:
                self._config.forget()  # perhaps somebody changed the position mode
            raise
        if not row.get(identity):
            raise OutcomeUnknown(f"{what}: OKX said yes and gave no {identity}", exchange_code=NO_ANSWER)
        return str(row[identity])

    def _direction(self, side: Side, *, reduce_only: bool) -> dict[str, Any]:
        """Hedge mode names the position, and a closing order cannot open there; net mode needs reduceOnly for that."""
        if self._hedged():
            return {"posSide": side.value}
        return {"reduceOnly": True} if reduce_only else {}

    # -- changing

    def amend(self, request: AmendOrder) -> None:
        """Change a working order in place, only what is given. Raises Refused where the order has ended."""
        order, what = request.order, f"change of {_name(request.order)}"
        inst_id = to_inst_id(order.symbol)
        size = plain(request.quantity) if request.quantity is not None else ""
        if order.kind.rests_on_trigger:
            legs = {
                f"new{leg}{word}": value
                for leg, trigger in (("Tp", request.tp_trigger), ("Sl", request.sl_trigger))
                if trigger is not None
                for word, value in (("TriggerPx", plain(trigger)), ("OrdPx", AT_MARKET))
            }
            self._calls.write(
                what,
                lambda: self._session.amend_algo_order(inst_id, **_algo_identity(order), newSz=size, **legs),
                protection=True,
            )
            return
        price = plain(request.price) if request.price is not None else ""
        self._calls.write(what, lambda: self._session.amend_order(inst_id, **_identity(order), newSz=size, newPx=price))

    def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel. Returns also where the order had ended already: the next look tells how."""
        order = request.order
        inst_id = to_inst_id(order.symbol)

        def call() -> Any:
            if order.kind.rests_on_trigger:
                return self._session.cancel_algo_order([{"instId": inst_id, **_algo_identity(order)}])
            return self._session.cancel_order(inst_id, **_identity(order))

        try:
            self._calls.write(f"cancel of {_name(order)}", call, protection=True)
        except Refused as refusal:
            if refusal.exchange_code not in CANCEL_OF_ENDED:
                raise
            log.info(
                "cancel had nothing to do id=%s code=%s %s", _name(order), refusal.exchange_code, refusal.exchange_words
            )


class OKXTestnetClient(OKXClient):
    """The same, on OKX's demo trading, whatever else is asked for."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{**settings, "demo": True})


# -- the words of one order


def _legs(tp: Price | None, sl: Price | None, by: TriggerBy) -> dict[str, str]:
    """The trigger prices of TP and SL, both executed at market."""
    return {
        f"{leg}{word}": value
        for leg, trigger in (("tp", tp), ("sl", sl))
        if trigger is not None
        for word, value in (("TriggerPx", plain(trigger)), ("OrdPx", AT_MARKET), ("TriggerPxType", by.value))
    }


def _travelling(attached: Attached) -> dict[str, str]:
    legs = _legs(attached.tp_trigger, attached.sl_trigger, attached.trigger_by)
    return {"attachAlgoClOrdId": attached.client_order_id, **legs}


def _identity(order: Order) -> dict[str, str]:
    if order.exchange_order_id:
        return {"ordId": order.exchange_order_id}
    return {"clOrdId": order.client_order_id}


def _algo_identity(order: Order) -> dict[str, str]:
    if order.exchange_order_id:
        return {"algoId": order.exchange_order_id}
    return {"algoClOrdId": order.client_order_id}


def _name(order: Order) -> str:
    return order.client_order_id or order.exchange_order_id
