"""The port for OKX over python-okx: it holds reads and settings, and places every order.

A write returns, or raises Refused (nothing happened) or OutcomeUnknown (go and look). Source of all parameters:
OKX V5 docs, trade and account.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.domain.account import AccountState
from core.domain.action import AmendOrder, Attached, CancelOrder, PlaceOco, PlaceOrder
from core.domain.errors import OutcomeUnknown, Refused
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Instrument, Side, TriggerBy
from core.domain.money import Price, plain
from core.domain.observation import PortFacts, Position, Ticker
from core.domain.order import Fill, Funding, Order, OrderKind
from core.domain.reason import Reason
from core.exchange.clock import ExchangeClock
from core.exchange.okx.addresses import REGIONS
from core.exchange.okx.codes import CANCEL_OF_ENDED, FACTS, REST_POLICY, WRONG_PARAMETER
from core.exchange.okx.fields import to_inst_id
from core.exchange.okx.limits import LIMITS
from core.exchange.okx.reads import OKXReads
from core.exchange.okx.rest_session import OKXSession
from core.exchange.okx.settings import CROSS, OKXSettings
from core.exchange.port import Candle, Credentials
from core.exchange.rest import NO_ANSWER, RestCaller
from core.exchange.throttle import Throttle

log = logging.getLogger("perpdeck.okx")

AT_MARKET = "-1"
ORDER_WORD = {
    OrderKind.MARKET: "market",
    OrderKind.LIMIT: "limit",
    OrderKind.POST_ONLY: "post_only",
    OrderKind.IOC: "ioc",
    OrderKind.FOK: "fok",
}


class OKXClient:
    """One account at OKX: an `ExchangePort`.

    Live by default; `demo` for OKX's demo trading, `rest_url` for any stand-in.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        rest_url: str = "",  #: empty: the address of the global region
        demo: bool = False,
        proxy: str | None = None,
        throttle: Throttle | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.demo = demo
        self.throttle = throttle or Throttle(LIMITS)
        clock = ExchangeClock(now)
        session = OKXSession(
            credentials,
            flag="1" if demo else "0",
            rest_url=rest_url or REGIONS["global"].rest_url,
            proxy=proxy,
            throttle=self.throttle,
            exchange_now=clock.now,
        )
        self._session = session
        self._rest = RestCaller(REST_POLICY, clock, session.get_system_time, sleep=sleep, monotonic=monotonic)
        self._reads = OKXReads(session, self._rest, demo=demo, now=now, monotonic=monotonic)
        self._settings = OKXSettings(session, self._rest, self._reads)

    @property
    def facts(self) -> PortFacts:
        """Return what OKX can and cannot do."""
        return FACTS

    def usage(self) -> dict[str, tuple[int, int]]:
        """Return requests in the present window and the limit, per endpoint."""
        return self.throttle.usage()

    def close(self) -> None:
        """Close the connections; nothing is sent or tried again afterwards."""
        self._rest.closed = True
        self._session.close()

    # -- reads: see OKXReads

    def instruments(self) -> dict[str, Instrument]:
        """Return every perpetual settled in USDT by our symbol, with its rules and this account's fees."""
        return self._reads.instruments()

    def account_state(self) -> AccountState:
        """Return money in USDT, position mode and what the key may do."""
        return self._reads.account_state()

    def positions(self) -> list[Position]:
        """Return all positions in USDT contracts, in one answer; flat contracts are absent."""
        return self._reads.positions()

    def working_orders(self) -> list[Order]:
        """Return every live order, ordinary and conditional, ours and foreign."""
        return self._reads.working_orders()

    def other_conditional_orders(self) -> list[Order]:
        """Return live orders of the kinds that we never place and that `working_orders` lacks."""
        return self._reads.other_conditional_orders()

    def find(self, client_order_id: str, symbol: str, kind: OrderKind) -> Order | None:
        """Return one order by our id, live or ended; None: the exchange says that it does not know it."""
        return self._reads.find(client_order_id, symbol, kind)

    def fills(self, since: datetime, until: datetime | None = None) -> list[Fill]:
        """Return all executions of that time (three months at most), oldest first."""
        return self._reads.fills(since, until)

    def funding(self, since: datetime, until: datetime | None = None) -> list[Funding]:
        """Return all funding fees of that time (three months at most), oldest first."""
        return self._reads.funding(since, until)

    def closed_positions(self, since: datetime, until: datetime | None = None) -> list[ClosedPosition]:
        """Return lives of positions whose newest close lies in that time, oldest first."""
        return self._reads.closed_positions(since, until)

    def ticker(self, symbol: str) -> Ticker:
        """Return last, bid, ask and mark price, as of the moment we asked."""
        return self._reads.ticker(symbol)

    def candles(self, symbol: str, bar: str, limit: int) -> list[Candle]:
        """Return the newest `limit` bars, oldest first."""
        return self._reads.candles(symbol, bar, limit)

    def leverage(self, symbol: str) -> Decimal:
        """Return the leverage set for this contract; one value for both sides."""
        return self._reads.leverage(symbol)

    def server_time(self) -> datetime:
        """Return the exchange's clock; also what our signatures and deadlines go by from now on."""
        return self._rest.measure_clock()

    def exchange_now(self) -> datetime:
        """Return the exchange's clock by the difference measured last; asks nobody."""
        return self._rest.clock.now()

    def under_maintenance(self) -> bool:
        """Return whether trading is being worked on now; asked at most once a minute."""
        return self._reads.under_maintenance()

    # -- settings: see OKXSettings

    def set_hedge_mode(self) -> None:
        """Switch the account to hedge mode. Raises Refused while anything is held or rests."""
        self._settings.set_hedge_mode()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a contract's leverage, where it differs, and read it back. Raises Refused where OKX will not, or it did
        not take.
        """
        self._settings.set_leverage(symbol, leverage)

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
            row = self._rest.write(what, call, protects=protects, deadline=deadline)
        except Refused as refusal:
            if refusal.exchange_code == WRONG_PARAMETER:
                self._settings.forget_mode()  # perhaps somebody changed the position mode
            raise
        if not row.get(identity):
            raise OutcomeUnknown(
                Reason("exchange.yes_without", what=what, field=identity, exchange="OKX"), exchange_code=NO_ANSWER
            )
        return str(row[identity])

    def _direction(self, side: Side, *, reduce_only: bool) -> dict[str, Any]:
        """Return the parameters that name the position: in hedge mode a closing order cannot open; net mode needs
        reduceOnly.
        """
        if self._settings.hedged():
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
            self._rest.write(
                what,
                lambda: self._session.amend_algo_order(inst_id, **_algo_identity(order), newSz=size, **legs),
                protects=True,
            )
            return
        price = plain(request.price) if request.price is not None else ""
        self._rest.write(what, lambda: self._session.amend_order(inst_id, **_identity(order), newSz=size, newPx=price))

    def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel. Returns also where the order had ended already: the next look tells how."""
        order = request.order
        inst_id = to_inst_id(order.symbol)

        def call() -> Any:
            if order.kind.rests_on_trigger:
                return self._session.cancel_algo_order([{"instId": inst_id, **_algo_identity(order)}])
            return self._session.cancel_order(inst_id, **_identity(order))

        try:
            self._rest.write(f"cancel of {_name(order)}", call, protects=True)
        except Refused as refusal:
            if refusal.exchange_code not in CANCEL_OF_ENDED:
                raise
            log.info(
                "cancel had nothing to do id=%s code=%s %s", _name(order), refusal.exchange_code, refusal.exchange_words
            )


class OKXTestnetClient(OKXClient):
    """A client that always uses OKX's demo trading."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{**settings, "demo": True})


# -- the words of one order


def _legs(tp: Price | None, sl: Price | None, by: TriggerBy) -> dict[str, str]:
    """Return the parameters of TP and SL, both executed at market."""
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
