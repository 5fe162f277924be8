"""Toy: a tiny exchange in memory. Orders, positions, fills, funding and lives of one account; time stands still.

Long and short are held apart. A take-profit and a stop-loss are one order (an OCO) that dies with its position. A buy
pays the ask and a sell gets the bid, one tick around the last price; what rests fills at its own price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from core.domain.account import AccountState
from core.domain.action import AmendOrder, CancelOrder, PlaceOco, PlaceOrder
from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import Instrument, OrderSide, Side, TriggerBy
from core.domain.money import ZERO, Contracts, Price, total
from core.domain.observation import Position, Ticker
from core.domain.order import Fill, Funding, Leg, Order, OrderKind, OrderStatus
from core.exchange.orders import read_client_id
from core.exchange.port import Candle, Push

TICK, FUNDING_RATE, FUNDING_HOURS = Decimal("0.1"), Decimal("0.0001"), 8
BEGINNING = datetime(2026, 1, 5, tzinfo=UTC)
MINUTES = {"1m": 1, "5m": 5}


class No(Exception):
    """The exchange refuses a request; its code stands in front of the words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass
class Life:
    """One leg from its first contract to flat."""

    symbol: str
    side: Side
    opened_at: datetime
    updated_at: datetime
    held: Decimal = ZERO
    largest: Decimal = ZERO
    average: Decimal = ZERO
    closed: Decimal = ZERO
    closed_value: Decimal = ZERO
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    last_close: LastClose | None = None
    closed_at: datetime | None = None

    @property
    def realised(self) -> Decimal:
        return self.pnl + self.fees + self.funding


def contract(base: str) -> Instrument:
    return Instrument(
        symbol=f"{base}-USDT-PERP",
        exchange_symbol=f"{base}/USDT",
        base=base,
        quote="USDT",
        settle="USDT",
        contract_value=Decimal("0.01"),
        price_tick=TICK,
        quantity_step=Decimal("0.01"),
        min_quantity=Contracts(Decimal("0.01")),
        max_market_quantity=Contracts(Decimal(10_000)),
        max_limit_quantity=Contracts(Decimal(20_000)),
        min_notional=ZERO,
        max_leverage=Decimal(100),
    )


@dataclass
class ToyExchange:
    """The exchange itself. `emit` is told of everything that moves; `arrange_fill` lets the next order fill in part."""

    balance: Decimal
    price_at_start: Decimal
    emit: Callable[[Push], None] = lambda push: None
    now: datetime = BEGINNING
    slices: int = 1
    partial: tuple[Decimal, bool] | None = None  #: fraction of the next order, and whether the rest works on
    under_maintenance_until: datetime = BEGINNING
    hidden_seconds: float | None = None  #: what is accepted from now on cannot be found for so long
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    payments: list[Funding] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    leverages: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contracts = {one.symbol: one for one in map(contract, ("BTC", "ETH", "SOL"))}
        self.last = dict.fromkeys(self.contracts, self.price_at_start)
        self.mark = dict(self.last)
        self._numbers = count(1)
        self._sliced: dict[str, Decimal] = {}  #: order number -> contracts that fill each second
        self._parents: dict[str, str] = {}  #: number of an order that an OCO has placed -> that OCO's
        self._hidden: dict[str, datetime] = {}

    # -- what may be read

    def ticker(self, symbol: str, at: datetime) -> Ticker:
        last = self.last[symbol]
        return Ticker(symbol, Price(last), Price(last - TICK), Price(last + TICK), Price(self.mark[symbol]), at)

    def candles(self, symbol: str, bar: str, limit: int) -> list[Candle]:
        length = timedelta(minutes=MINUTES[bar])
        newest = self.now - (self.now - BEGINNING) % length
        price = self.last[symbol]
        times = [newest - length * back for back in reversed(range(limit))]
        return [Candle(at, price, price, price, price, ZERO, complete=at + length <= self.now) for at in times]

    def leverage(self, symbol: str) -> Decimal:
        return self.leverages.get(symbol, Decimal(3))

    def positions(self) -> list[Position]:
        return [self._position(life) for life in self.lives if life.held]

    def _position(self, life: Life) -> Position:
        rules, mark = self.contracts[life.symbol], self.mark[life.symbol]
        return Position(
            symbol=life.symbol,
            side=life.side,
            contracts=Contracts(life.held),
            average_price=Price(life.average),
            mark_price=Price(mark),
            last_price=Price(self.last[life.symbol]),
            liquidation_price=None,
            leverage=self.leverage(life.symbol),
            margin=rules.notional(life.held, mark) / self.leverage(life.symbol),
            unrealised_pnl=rules.pnl(life.side, life.held, life.average, mark),
            realised_pnl=life.realised,
            funding=life.funding,
            position_id=f"{life.symbol}:{life.side}",
            opened_at=life.opened_at,
            updated_at=life.updated_at,
        )

    def account(self) -> AccountState:
        held = self.positions()
        used, open_pnl = total(one.margin for one in held), total(one.unrealised_pnl for one in held)
        equity = self.balance + open_pnl
        return AccountState(
            equity=equity,
            available=equity - used,
            margin_used=used,
            unrealised_pnl=open_pnl,
            hedge_mode=True,
            can_trade=True,
            can_withdraw=False,
            as_of=self.now,
        )

    def working(self, *, on_trigger: bool) -> list[Order]:
        return [one for one in self.orders if one.working and self._shown(one, on_trigger)]

    def find(self, client_order_id: str, *, on_trigger: bool) -> Order | None:
        named = [one for one in self.orders if one.client_order_id == client_order_id]
        return next((one for one in reversed(named) if self._shown(one, on_trigger)), None)

    def _shown(self, order: Order, on_trigger: bool) -> bool:
        number = order.exchange_order_id
        visible = self._hidden.get(number, self.now) <= self.now
        return visible and number not in self._parents and order.kind.rests_on_trigger is on_trigger

    def closed(self) -> list[ClosedPosition]:
        return [self._closed(life) for life in sorted(self.lives, key=_closed_at) if life.last_close is not None]

    def _closed(self, life: Life) -> ClosedPosition:
        assert life.last_close is not None
        return ClosedPosition(
            symbol=life.symbol,
            side=life.side,
            position_id=f"{life.symbol}:{life.side}",
            opened_at=life.opened_at,
            updated_at=_closed_at(life),
            last_close=life.last_close,
            closed=Contracts(life.closed),
            largest=Contracts(life.largest),
            average_entry=Price(life.average),
            average_exit=Price(life.closed_value / life.closed),
            pnl=life.pnl,
            fees=life.fees,
            funding=life.funding,
            penalty=ZERO,
            realised=life.realised,
            leverage=self.leverage(life.symbol),
        )

    # -- what may be asked for

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        if leverage > self.contracts[symbol].max_leverage:
            raise No("leverage", f"at most {self.contracts[symbol].max_leverage}")
        self.leverages[symbol] = leverage

    def place(self, asked: PlaceOrder) -> str:
        rules = self._rules(asked.symbol, asked.client_order_id)
        taking = self._taking_price(asked.symbol, asked.side)
        crosses = asked.price is None or _reached(asked.side, asked.price, taking)
        most = rules.max_market_quantity if asked.price is None else rules.max_limit_quantity
        if asked.quantity < rules.min_quantity or asked.quantity % rules.quantity_step or asked.quantity > most:
            raise No("size", f"{asked.quantity} contracts are not allowed")
        if asked.price is not None and asked.price % TICK:
            raise No("tick", f"{asked.price} is no multiple of {TICK}")
        if asked.reduce_only and self._held(asked.symbol, asked.position_side) < asked.quantity:
            raise No("nothing_held", "less than that is held")
        cost = rules.notional(asked.quantity, asked.price or taking) / self.leverage(asked.symbol)
        if not asked.reduce_only and cost > self.account().available:
            raise No("margin", "not enough money")
        if asked.kind is OrderKind.POST_ONLY and crosses:
            raise No("post_only", "it would take from the book")
        number = self.accept(
            asked.client_order_id,
            asked.symbol,
            asked.position_side,
            asked.side,
            asked.kind,
            asked.quantity,
            price=asked.price,
            reduce_only=asked.reduce_only,
        )
        if crosses:
            self._take(number)
        elif asked.kind in (OrderKind.IOC, OrderKind.FOK):
            self._change(number, status=OrderStatus.EXPIRED, failure="it could not be filled at once")
        return number

    def place_oco(self, asked: PlaceOco) -> str:
        self._rules(asked.symbol, asked.client_order_id)
        watched = self.last if asked.trigger_by is TriggerBy.LAST else self.mark
        now = watched[asked.symbol]
        up = asked.side is OrderSide.SELL
        if asked.sl_trigger is not None and (now <= asked.sl_trigger) is up:
            raise No("stop_passed", "the price has passed the stop-loss")
        if asked.tp_trigger is not None and (now >= asked.tp_trigger) is up:
            raise No("target_passed", "the price has passed the take-profit")
        both = asked.tp_trigger is not None and asked.sl_trigger is not None
        return self.accept(
            asked.client_order_id,
            asked.symbol,
            asked.position_side,
            asked.side,
            OrderKind.OCO if both else OrderKind.CONDITIONAL,
            asked.quantity,
            tp_trigger=asked.tp_trigger,
            sl_trigger=asked.sl_trigger,
            trigger_by=asked.trigger_by,
            reduce_only=True,
            dies_with_position=asked.dies_with_position,
        )

    def amend(self, asked: AmendOrder) -> None:
        order = self._named(asked.order.client_order_id, asked.order.exchange_order_id)
        if not order.working:
            raise No("ended", "the order has ended")
        changes = {"quantity": asked.quantity or order.quantity, "price": asked.price or order.price}
        self._change(order.exchange_order_id, **changes)

    def cancel(self, asked: CancelOrder) -> None:
        self.cancel_named(asked.order.client_order_id, asked.order.exchange_order_id)

    def cancel_named(self, client_order_id: str, number: str) -> None:
        order = self._named(client_order_id, number)
        if not order.working:
            raise No("ended", "the order has ended")
        self._change(order.exchange_order_id, status=OrderStatus.CANCELED)

    # -- time and prices

    def move(self, symbol: str, last: Decimal, mark: Decimal | None = None) -> None:
        self.last[symbol], self.mark[symbol] = last, last if mark is None else mark
        for order in [one for one in self.orders if one.working and one.symbol == symbol]:
            if order.kind.rests_on_trigger:
                self._trigger(order)
            elif order.exchange_order_id not in self._sliced:
                self._fill_resting(order)
        self.emit(Push("prices", symbol))

    def _fill_resting(self, order: Order) -> None:
        if order.price is not None and _reached(order.side, order.price, self._taking_price(order.symbol, order.side)):
            self._fill(order.exchange_order_id, order.remaining, order.price, maker=True)

    def advance(self, seconds: float) -> None:
        """Slices fill once a second, and funding is paid at 0, 8 and 16 o'clock."""
        end = self.now + timedelta(seconds=seconds)
        for _ in range(int(seconds) if self._sliced else 0):
            self._next_slices()
        period = timedelta(hours=FUNDING_HOURS)
        due = BEGINNING + ((self.now - BEGINNING) // period + 1) * period
        while due <= end:
            self._pay_funding(due)
            due += period
        self.now = end

    def _pay_funding(self, at: datetime) -> None:
        for life in [one for one in self.lives if one.held]:
            notional = self.contracts[life.symbol].notional(life.held, self.mark[life.symbol])
            amount = -life.side.sign * notional * FUNDING_RATE
            life.funding += amount
            self.balance += amount
            self.payments.append(Funding(life.symbol, life.side, amount, at, str(next(self._numbers))))

    # -- the exchange's own hand

    def close_at_market(self, side: Side, symbol: str, quantity: Decimal | None, origin: str = "order") -> None:
        quantity = self._held(symbol, side) if quantity is None else quantity
        number = self.accept("", symbol, side, side.closing, OrderKind.MARKET, Contracts(quantity), reduce_only=True)
        self._fill(number, Contracts(quantity), self._taking_price(symbol, side.closing), origin=origin)

    # -- inside

    def _rules(self, symbol: str, client_order_id: str) -> Instrument:
        if symbol not in self.contracts:
            raise No("contract", f"{symbol} does not exist")
        if client_order_id and any(one.client_order_id == client_order_id for one in self.orders):
            raise No("exists", f"{client_order_id} stands already")
        return self.contracts[symbol]

    def accept(
        self,
        client_order_id: str,
        symbol: str,
        position_side: Side,
        side: OrderSide,
        kind: OrderKind,
        quantity: Contracts,
        **more: object,
    ) -> str:
        number, name = str(next(self._numbers)), read_client_id(client_order_id)
        order = Order(
            client_order_id=client_order_id,
            exchange_order_id=number,
            symbol=symbol,
            position_side=position_side,
            part=name.part,
            cycle=name.cycle,
            purpose=name.purpose,
            side=side,
            kind=kind,
            quantity=quantity,
            status=OrderStatus.WORKING,
            created_at=self.now,
            updated_at=self.now,
        )
        self.orders.append(order.but(**more))
        if self.hidden_seconds is not None:
            self._hidden[number] = self.now + timedelta(seconds=self.hidden_seconds)
        self._tell(number)
        return number

    def _named(self, client_order_id: str, number: str) -> Order:
        for one in reversed(self.orders):
            if (number and one.exchange_order_id == number) or (not number and one.client_order_id == client_order_id):
                return one
        raise No("unknown", "there is no such order")

    def _order(self, number: str) -> Order:
        return self._named("", number)

    def _change(self, number: str, **changes: object) -> None:
        at = next(place for place, one in enumerate(self.orders) if one.exchange_order_id == number)
        self.orders[at] = self.orders[at].but(**{"updated_at": self.now, **changes})
        if self.orders[at].status.ended:
            self._sliced.pop(number, None)
        parent = self._parents.get(number)
        if parent is not None:
            child = self.orders[at]
            self._change(
                parent, status=child.status, filled=child.filled, average_price=child.average_price, fee=child.fee
            )
        else:
            self._tell(number)

    def _tell(self, number: str) -> None:
        order = self._order(number)
        if self._shown(order, order.kind.rests_on_trigger):
            self.emit(Push("orders", order.symbol, orders=(order,)))

    def _taking_price(self, symbol: str, side: OrderSide) -> Price:
        return Price(self.last[symbol] + (TICK if side is OrderSide.BUY else -TICK))

    def _held(self, symbol: str, side: Side) -> Decimal:
        return total(life.held for life in self.lives if (life.symbol, life.side) == (symbol, side))

    def _take(self, number: str) -> None:
        """Fill an order from the book: whole, in part where a test arranged it, or in slices."""
        order = self._order(number)
        partial, self.partial = self.partial, None
        if partial is not None:
            self._fill(number, Contracts(order.quantity * partial[0]), self._taking_price(order.symbol, order.side))
            if not partial[1]:
                self._change(number, status=OrderStatus.CANCELED, failure="the rest found no counterparty")
            return
        if self.slices > 1:
            self._sliced[number] = order.quantity / self.slices
        self._fill(number, Contracts(order.quantity / self.slices), self._taking_price(order.symbol, order.side))

    def _next_slices(self) -> None:
        for number, size in list(self._sliced.items()):
            order = self._order(number)
            quantity = Contracts(min(size, order.remaining))
            self._fill(number, quantity, self._taking_price(order.symbol, order.side))

    def _trigger(self, oco: Order) -> None:
        """Set an OCO off where its price is reached: it places an order at market, of what is still held."""
        if oco.child_order_ids:
            return
        price = (self.last if oco.trigger_by is TriggerBy.LAST else self.mark)[oco.symbol]
        up, leg = oco.side is OrderSide.SELL, None
        if oco.sl_trigger is not None and (price <= oco.sl_trigger if up else price >= oco.sl_trigger):
            leg = Leg.STOP_LOSS
        elif oco.tp_trigger is not None and (price >= oco.tp_trigger if up else price <= oco.tp_trigger):
            leg = Leg.TAKE_PROFIT
        if leg is None:
            return
        child = str(next(self._numbers))
        quantity = Contracts(min(oco.quantity, self._held(oco.symbol, oco.position_side)))
        self._parents[child] = oco.exchange_order_id
        self._change(oco.exchange_order_id, triggered_leg=leg, child_order_ids=(child,))
        placed = replace(oco, exchange_order_id=child, kind=OrderKind.MARKET, quantity=quantity, created_at=self.now)
        self.orders.append(placed.but(tp_trigger=None, sl_trigger=None, trigger_by=None, dies_with_position=False))
        self._take(child)

    def _fill(
        self, number: str, quantity: Contracts, price: Price, *, maker: bool = False, origin: str = "order"
    ) -> None:
        order = self._order(number)
        rules = self.contracts[order.symbol]
        fee = -rules.notional(quantity, price) * (rules.maker_fee if maker else rules.taker_fee)
        pnl = self._book(order, quantity, price, fee, origin)
        self.balance += pnl + fee
        self.fills.append(
            Fill(
                exchange_fill_id=str(next(self._numbers)),
                exchange_order_id=number,
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                position_side=order.position_side,
                side=order.side,
                quantity=quantity,
                price=price,
                fee=fee,
                maker=maker,
                realised_pnl=pnl,
                at=self.now,
                origin=origin,
            )
        )
        filled = Contracts(order.filled + quantity)
        value = (order.average_price or ZERO) * order.filled + price * quantity
        self._change(
            number,
            filled=filled,
            average_price=Price(value / filled),
            fee=order.fee + fee,
            status=OrderStatus.FILLED if filled >= order.quantity else OrderStatus.WORKING,
        )
        self.emit(Push("positions", order.symbol))
        self.emit(Push("account"))
        if not self._held(order.symbol, order.position_side):
            self._end_protection(order.symbol, order.position_side)

    def _end_protection(self, symbol: str, side: Side) -> None:
        for one in list(self.orders):
            if one.working and one.dies_with_position and (one.symbol, one.position_side) == (symbol, side):
                self._change(one.exchange_order_id, status=OrderStatus.CANCELED)

    def _book(self, order: Order, quantity: Decimal, price: Decimal, fee: Decimal, origin: str) -> Decimal:
        """Open or close contracts of a leg; return the profit of what was closed."""
        side = order.position_side
        life = next((one for one in self.lives if one.held and (one.symbol, one.side) == (order.symbol, side)), None)
        if life is None:
            life = Life(order.symbol, side, self.now, self.now)
            self.lives.append(life)
        life.updated_at, life.fees = self.now, life.fees + fee
        if order.side is side.opening:
            life.average = (life.average * life.held + price * quantity) / (life.held + quantity)
            life.held += quantity
            life.largest = max(life.largest, life.held)
            return ZERO
        pnl = self.contracts[order.symbol].pnl(side, quantity, life.average, price)
        life.held, life.closed = life.held - quantity, life.closed + quantity
        life.closed_value, life.pnl, life.closed_at = life.closed_value + price * quantity, life.pnl + pnl, self.now
        life.last_close = LastClose.PARTIAL if life.held else LastClose.FULL
        if origin == "liquidation":
            life.last_close = LastClose.LIQUIDATED
        return pnl


def _closed_at(life: Life) -> datetime:
    return life.closed_at or life.opened_at


def _reached(side: OrderSide, price: Decimal, taking: Decimal) -> bool:
    """Whether an order at this price takes from the book."""
    return taking <= price if side is OrderSide.BUY else taking >= price
