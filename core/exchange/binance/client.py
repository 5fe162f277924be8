"""The port for Binance USD-M futures over python-binance: it holds reads and settings, and places every order.

A write returns, or raises Refused (nothing happened) or OutcomeUnknown (go and look). Take-profit and stop-loss are
orders of their own in the book of conditional orders. Source of all parameters: Binance USD-M docs, trade and account.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.domain.account import AccountState
from core.domain.action import AmendOrder, CancelOrder, PlaceOco, PlaceOrder
from core.domain.errors import Misconfigured, OutcomeUnknown, Refused, Unavailable
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Instrument, OrderSide, Side, TriggerBy
from core.domain.money import plain
from core.domain.observation import PortFacts, Position, Ticker
from core.domain.order import Fill, Funding, Order, OrderKind
from core.domain.reason import Reason
from core.exchange.binance.addresses import DEMO, LIVE
from core.exchange.binance.codes import CLASH, FACTS, GONE, MEANS, MODE_CHANGED, NOTHING_HELD, REST_POLICY, Says
from core.exchange.binance.fields import text, to_name
from core.exchange.binance.limits import ORDER_LIMITS, Budget
from core.exchange.binance.reads import BinanceReads
from core.exchange.binance.rest_session import BinanceSession
from core.exchange.binance.settings import BinanceSettings
from core.exchange.clock import ExchangeClock
from core.exchange.fields import Row
from core.exchange.port import Candle, Credentials
from core.exchange.rest import NO_ANSWER, RestCaller
from core.exchange.throttle import Throttle

log = logging.getLogger("perpdeck.binance")

SIDE = {OrderSide.BUY: "BUY", OrderSide.SELL: "SELL"}
POSITION = {Side.LONG: "LONG", Side.SHORT: "SHORT"}
WORKING_TYPE = {TriggerBy.LAST: "CONTRACT_PRICE", TriggerBy.MARK: "MARK_PRICE"}
TIME_IN_FORCE = {OrderKind.LIMIT: "GTC", OrderKind.POST_ONLY: "GTX", OrderKind.IOC: "IOC", OrderKind.FOK: "FOK"}


class BinanceClient:
    """One account at Binance USD-M futures: an `ExchangePort`.

    Live by default; `demo` for the testnet, `rest_url` for any stand-in.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        rest_url: str = "",  #: empty: Binance's own
        demo: bool = False,
        proxy: str | None = None,
        budget: Budget | None = None,  #: of this machine's address; accounts share it
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.demo, self._now = demo, now
        self.budget = budget or Budget(sleep=sleep)
        self._orders = Throttle(ORDER_LIMITS, monotonic=monotonic, sleep=sleep)
        clock = ExchangeClock(now)
        session = BinanceSession(
            credentials,
            rest_url=rest_url or (DEMO if demo else LIVE)[0],
            proxy=proxy,
            budget=self.budget,
            orders=self._orders,
            exchange_now=clock.now,
        )
        self._session = session
        self._rest = RestCaller(REST_POLICY, clock, session.futures_time, sleep=sleep, monotonic=monotonic)
        self._reads = BinanceReads(session, self._rest, self.budget, now=now, monotonic=monotonic)
        self._settings = BinanceSettings(session, self._rest, self._reads)
        self.last_write: datetime | None = None  #: our clock just before the newest accepted order or cancel was sent

    @property
    def facts(self) -> PortFacts:
        """Return what Binance can and cannot do."""
        return FACTS

    def usage(self) -> dict[str, tuple[int, int]]:
        """Return weight used in this minute and orders sent, each with its limit."""
        weight = (self.budget.used(self._rest.clock.now()), self.budget.most)
        return {"weight 1m": weight, **self._orders.usage()}

    def close(self) -> None:
        """Close the connections; nothing is sent or tried again afterwards."""
        self._rest.closed = True
        self._session.close()

    # -- reads: see BinanceReads

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

    # -- settings: see BinanceSettings

    def set_hedge_mode(self) -> None:
        """Switch the account to hedge mode. Raises Refused while anything is held or rests."""
        self._settings.set_hedge_mode()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a contract's leverage, where it differs, and read it back. Raises Refused where Binance will not, or it
        did not take.
        """
        self._settings.set_leverage(symbol, leverage)

    def forget_settings(self, symbol: str | None = None) -> None:
        """Read settings anew: leverage of a contract was changed by somebody (None: a setting of the account)."""
        self._settings.forget(symbol)

    # -- placing

    def place(self, request: PlaceOrder, deadline: datetime | None = None) -> str:
        """Place an ordinary order, return its orderId. Past `deadline` (or its lifetime) Binance drops it."""
        if request.attached is not None:
            raise Misconfigured(Reason("binance.no_attached"))
        what = f"order {request.client_order_id}"
        closes = request.reduce_only or not request.purpose.adds_risk
        if not closes:
            self._opening(what, lambda: self._settings.prepare(request.symbol))
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
                raise Misconfigured(Reason("binance.no_such_kind", what=what, kind=request.kind))
            asked |= {"price": plain(request.price), "timeInForce": TIME_IN_FORCE[request.kind]}
        self._reads.algos.placed(request.client_order_id, conditional=False)
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
        self._reads.history.note_name(request.symbol, order_id, request.client_order_id)
        return order_id

    def place_oco(self, request: PlaceOco) -> str:
        """Place one leg, a take-profit or a stop-loss at market, return its algoId.

        Raises Misconfigured for both at once: each is an order of its own here.
        """
        if (request.tp_trigger is None) == (request.sl_trigger is None):
            raise Misconfigured(Reason("binance.no_oco"))
        if request.trigger_by not in WORKING_TYPE:
            raise Misconfigured(Reason("binance.no_trigger", trigger=request.trigger_by))
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
        self._reads.algos.placed(request.client_order_id, conditional=True)
        row = self._sent(what, request.symbol, lambda: self._session.futures_create_algo_order(**asked), True, None)
        return _identity(what, row, "algoId")

    def _sent(
        self, what: str, symbol: str, call: Callable[[], Any], protects: bool, deadline: datetime | None = None
    ) -> Row:
        """Send one order or change of one, and note that it may rest in this contract from now on."""
        began = self._now()
        self._reads.open_orders.wrote(symbol)
        try:
            row = self._rest.write(what, call, protects=protects, deadline=deadline)
        except Refused as refusal:
            if refusal.exchange_code in MODE_CHANGED:
                self._settings.forget_mode()  # somebody changed the position mode
            raise
        if row:  # nothing else moves anything, and the stream tells nothing then
            self.last_write = began
        return row

    def _opening(self, what: str, prepare: Callable[[], None]) -> None:
        """Prepare what an opening order needs; a missing answer counts as a temporary refusal, as nothing was placed
        yet.
        """
        try:
            prepare()
        except OutcomeUnknown as silence:
            raise Refused(
                Reason("exchange.not_sent", what=what, why=silence.reason),
                exchange_code=silence.exchange_code,
                exchange_words=silence.exchange_words,
                transient=True,
            ) from silence

    def _direction(self, side: Side, *, reduce_only: bool) -> dict[str, str]:
        """Return the parameters that name the position: in hedge mode a closing order cannot open, and reduceOnly is
        refused.
        """
        if self._settings.hedged():
            return {"positionSide": POSITION[side]}
        return {"reduceOnly": "true"} if reduce_only else {}

    def _why_not_closed(self, request: PlaceOrder, refusal: Refused) -> Refused:
        """Return why a close was refused: nothing is held, or resting orders on the same side stand in its way."""
        what = f"order {request.client_order_id}"
        try:
            held = next(
                (
                    size
                    for (symbol, side), size in self._reads.held().items()
                    if symbol == request.symbol and side in (request.position_side, None)
                    if size * request.position_side.sign > 0
                ),
                Decimal(0),
            )
            if not held:
                return Refused(
                    Reason("exchange.nothing_held", what=what),
                    exchange_code=NOTHING_HELD,
                    exchange_words=refusal.exchange_words,
                )
            resting = [
                order
                for order in self._reads.open_orders.orders()
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
        return Refused(Reason("exchange.refused", what=what, words=words), exchange_code=CLASH, exchange_words=words)

    # -- changing

    def amend(self, request: AmendOrder) -> None:
        """Change size or price of a working limit order. Raises Refused where the order has ended.

        A new size at or below what was filled ends the order. Raises Misconfigured for a conditional order, which
        cannot be changed here.
        """
        order, what = request.order, f"change of {_name(request.order)}"
        price = request.price if request.price is not None else order.price
        if order.kind.rests_on_trigger or price is None:
            raise Misconfigured(Reason("binance.changes_limits_only", what=what))
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
        """Return the ids of ordinary orders that a conditional order has placed; empty where none are known."""
        try:
            found = self._reads.algos.find(order.client_order_id, order.symbol) if order.client_order_id else None
        except Unavailable as silence:
            raise OutcomeUnknown(
                Reason("exchange.cancel_unanswered", order=_name(order), why=silence.reason),
                exchange_code=silence.exchange_code,
            ) from silence
        return found.child_order_ids if found is not None and found.working else ()

    def _cancel_algo(self, order: Order) -> Callable[[], Any]:
        """Return the call that cancels a conditional order, by our id where it has one: numbers are counted per
        contract.
        """
        named = (
            {"clientAlgoId": order.client_order_id} if order.client_order_id else {"algoId": order.exchange_order_id}
        )
        return lambda: self._session.futures_cancel_algo_order(**named)

    def _canceled(self, order: Order, call: Callable[[], Any]) -> bool:
        """Cancel with this call; False where there was nothing to cancel (any more)."""
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
        """Return a key for the user stream; the same one again while it is valid. Raises Unavailable."""
        return text(self._rest.row("listen key", self._session.make_listen_key), "listenKey")

    def renew_listen_key(self, key: str) -> None:
        """Renew the key for another hour. Raises Unavailable with code -1125 where it is gone."""
        self._rest.read("listen key", lambda: self._session.renew_listen_key(key))


class BinanceTestnetClient(BinanceClient):
    """A client that always uses Binance's testnet."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{**settings, "demo": True})


# -- the words of one order


def _ordinary_identity(order: Order) -> dict[str, str]:
    if order.exchange_order_id:
        return {"orderId": order.exchange_order_id}
    return {"origClientOrderId": order.client_order_id}


def _identity(what: str, row: Row, field: str) -> str:
    if not row.get(field):
        raise OutcomeUnknown(
            Reason("exchange.yes_without", what=what, field=field, exchange="Binance"), exchange_code=NO_ANSWER
        )
    return str(row[field])


def _name(order: Order) -> str:
    return order.client_order_id or order.exchange_order_id
