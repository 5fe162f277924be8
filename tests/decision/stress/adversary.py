"""An exchange that does its worst, in memory and drawn from a seed; it speaks the exchange port.

How it fills, in prose. A market order takes what it asks for at the last price, at once; in trouble it may be
cut short (its rest is lost), or trickle in over the next moments. A limit order fills when the last price reaches
it, whole or in pieces. An OCO waits for the price its triggers watch; the leg reached first is set off and sends a
market order, which fills like any other. A closing order never closes more than is held: the rest is lost. TP and
SL that travel with an entry rest once the entry has ended with something filled, for what was filled. An OCO that
dies with the position is cancelled when the position goes flat; one that travelled with an entry is not.

Its troubles: a write may get lost before it takes effect, or after; it may take effect late, within the request's
lifetime; it may be refused for a while; an accepted order may not be found or listed for some seconds, an ended one
still listed; sizes are read a moment late; reads fail; the price moves and jumps between any two calls; and a person
trades the same position by hand. `calm()` ends all of that; what happened until then stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from core.domain.account import AccountState, PositionKey
from core.domain.action import AmendOrder, Attached, CancelOrder, PlaceOco, PlaceOrder
from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.history.position_history import ClosedPosition
from core.domain.ids import meaning, same_step
from core.domain.instrument import Instrument, OrderSide, TriggerBy
from core.domain.money import ZERO, Contracts, Price
from core.domain.observation import PortFacts, Position, Ticker
from core.domain.order import Fill, Funding, Leg, Order, OrderKind, OrderStatus, Purpose
from tests.builders import FACTS, NOON, NOTHING_HELD, STOP_PASSED, TARGET_PASSED

LONGEST_HIDDEN = 8.0  #: seconds an accepted order may be unknown to reads
CLIENT_TIMEOUT = 5.0  #: seconds a client waits before it calls a request unanswered


@dataclass(frozen=True, slots=True)
class Trouble:
    """How likely each trouble is, per call or per moment."""

    lost_before: float = 0.2
    lost_after: float = 0.2
    late: float = 0.1
    refused: float = 0.05
    refused_for_good: float = 0.01
    hidden: float = 0.2
    read_fails: float = 0.05
    cut_short: float = 0.15
    trickle: float = 0.15
    child_fails: float = 0.03
    attach_fails: float = 0.1
    slow_cancel: float = 0.15
    moves: float = 0.5
    jumps: float = 0.06
    lag: float = 0.1
    fills_late: float = 3.0  #: seconds before a fill shows up in the list of fills


CALM = Trouble(**dict.fromkeys(Trouble.__dataclass_fields__, 0.0))


@dataclass(slots=True)
class Resting:
    """One order as the exchange keeps it."""

    client_order_id: str
    exchange_order_id: str
    kind: OrderKind
    side: OrderSide
    quantity: Decimal
    created_at: datetime
    visible_at: datetime
    updated_at: datetime
    price: Decimal | None = None
    tp: Decimal | None = None
    sl: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.MARK
    reduce_only: bool = False
    dies_with_position: bool = False
    attached: Attached | None = None
    filled: Decimal = ZERO
    value: Decimal = ZERO
    fee: Decimal = ZERO
    status: OrderStatus = OrderStatus.WORKING
    leg: Leg | None = None
    failure: str = ""
    listed_until: datetime | None = None
    cancel_at: datetime | None = None

    @property
    def working(self) -> bool:
        return self.status is OrderStatus.WORKING

    @property
    def taking(self) -> bool:
        """It fills at market now: a market order, or an OCO that was set off."""
        return self.kind is OrderKind.MARKET or self.leg is not None


class Adversary:
    """One account with one position on one side; what a person does by hand is `by_hand_*`."""

    def __init__(
        self, dice: Random, key: PositionKey, instrument: Instrument, trouble: Trouble, facts: PortFacts = FACTS
    ) -> None:
        self.dice, self.key, self.instrument, self.trouble, self.facts = dice, key, instrument, trouble, facts
        self.now = NOON
        self.last = self.mark = Decimal(1000)
        self.held = ZERO
        self.opened_at = NOON
        self.orders: dict[str, Resting] = {}
        self.all_fills: list[Fill] = []
        self.meanings: dict[str, tuple[object, ...]] = {}
        self.placements = 0
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self._before: tuple[datetime, Decimal] = (NOON, ZERO)
        self._numbers = 0

    # -- time and prices ---------------------------------------------------------------------------------------

    def calm(self) -> None:
        """No trouble from here on; what is on its way still arrives."""
        self.trouble = CALM
        self.mark = self.last

    def pass_time(self, seconds: float) -> None:
        """Let time go by: late requests arrive, orders trickle in, the price moves."""
        self.now += timedelta(seconds=seconds)
        due = [item for item in self._late if item[0] <= self.now]
        if due:
            self._late = [item for item in self._late if item[0] > self.now]
            now = self.now
            for self.now, effect in due:  # each at its own moment: hidden for so long from then on
                try:
                    effect()
                except Refused:
                    continue  # nobody is listening for this answer any more
            self.now = now
        if self.dice.random() < self.trouble.moves:
            self._move()
        self._work()

    def _move(self) -> None:
        dice, step = self.dice, self.instrument.price_tick
        size = dice.choice((0.04, 0.08, 0.15)) if dice.random() < self.trouble.jumps else 0.004
        last = self.last * Decimal(1 + dice.uniform(-size, size))
        self.last = max(last // step * step, Decimal(100))
        self.mark = self.last + step * dice.randint(-3, 3)

    def _work(self) -> None:
        """Everything that is due at this price: cancels, triggers, fills."""
        for order in list(self.orders.values()):
            if not order.working:
                continue
            if order.cancel_at is not None and order.cancel_at <= self.now and order.leg is None:
                self._end(order, OrderStatus.CANCELED)
            elif order.taking:
                self._take(order, trickle=self.trouble.trickle)
            elif order.kind.rests_on_trigger:
                self._trigger(order)
            elif order.price is not None:
                self._reach(order)

    def _trigger(self, order: Resting) -> None:
        price = self.last if order.trigger_by is TriggerBy.LAST else self.mark
        up = order.side is OrderSide.SELL
        if order.sl is not None and (price <= order.sl if up else price >= order.sl):
            order.leg = Leg.STOP_LOSS
        elif order.tp is not None and (price >= order.tp if up else price <= order.tp):
            order.leg = Leg.TAKE_PROFIT
        else:
            return
        if self.dice.random() < self.trouble.child_fails:
            self._end(order, OrderStatus.REFUSED, "the exchange was busy")
        else:
            self._take(order, trickle=self.trouble.trickle)

    def _reach(self, order: Resting) -> None:
        assert order.price is not None
        if (self.last <= order.price) if order.side is OrderSide.BUY else (self.last >= order.price):
            piece = self._piece(order) if self.dice.random() < self.trouble.trickle else order.quantity - order.filled
            self._fill(order, piece, order.price)

    def _take(self, order: Resting, trickle: float = 0.0) -> None:
        if self.dice.random() < trickle:
            self._fill(order, self._piece(order), self.last)
            return
        if self.dice.random() < self.trouble.cut_short:
            self._fill(order, self._piece(order), self.last)
            if order.working:
                self._end(order, OrderStatus.CANCELED)
            return
        self._fill(order, order.quantity - order.filled, self.last)

    def _piece(self, order: Resting) -> Decimal:
        step = self.instrument.quantity_step
        whole = int((order.quantity - order.filled) / step)
        return step * self.dice.randint(0, whole)

    def _fill(self, order: Resting, quantity: Decimal, price: Decimal) -> None:
        closing = order.side is self.key.side.closing
        self._remember_size()
        short = closing and quantity > self.held
        quantity = min(quantity, self.held) if closing else quantity
        if quantity > ZERO:
            if not closing and self.held == ZERO:
                self.opened_at = self.now
            self.held += -quantity if closing else quantity
            fee = -price * quantity * self.instrument.contract_value * self.instrument.taker_fee
            order.filled += quantity
            order.value += quantity * price
            order.fee += fee
            order.updated_at = self.now
            self._numbers += 1
            child = f"{order.exchange_order_id}c" if order.leg else order.exchange_order_id
            self._note_fill(child, order.client_order_id if order.leg is None else "", order.side, quantity, price, fee)
        if order.filled == order.quantity:
            self._end(order, OrderStatus.FILLED)
        elif short:
            self._end(order, OrderStatus.CANCELED)
        if closing and self.held == ZERO:
            self._flat()

    def _note_fill(
        self,
        order_id: str,
        client_id: str,
        side: OrderSide,
        quantity: Decimal,
        price: Decimal,
        fee: Decimal,
        origin: str = "order",
    ) -> None:
        self._numbers += 1
        self.all_fills.append(
            Fill(
                f"f{self._numbers}",
                order_id,
                client_id,
                self.key.symbol,
                self.key.side,
                side,
                Contracts(quantity),
                Price(price),
                fee,
                False,
                ZERO,
                self.now,
                origin,
            )
        )

    def _flat(self) -> None:
        for order in list(self.orders.values()):
            plain_close = order.side is self.key.side.closing and not order.kind.rests_on_trigger
            if order.working and order.leg is None and (order.dies_with_position or plain_close):
                self._end(order, OrderStatus.CANCELED)

    def _end(self, order: Resting, status: OrderStatus, failure: str = "") -> None:
        order.status, order.failure, order.updated_at = status, failure, self.now
        if self.dice.random() < self.trouble.lag:
            order.listed_until = self.now + timedelta(seconds=self.dice.uniform(0, 2))
        if order.attached is not None and order.filled > ZERO and self.dice.random() >= self.trouble.attach_fails:
            net, order.attached = order.attached, None
            algo = self._new(net.client_order_id, OrderKind.OCO, self.key.side.closing, order.filled)
            algo.tp, algo.sl, algo.trigger_by, algo.reduce_only = net.tp_trigger, net.sl_trigger, net.trigger_by, True
            if net.tp_trigger is None or net.sl_trigger is None:
                algo.kind = OrderKind.CONDITIONAL

    def _remember_size(self) -> None:
        if self._before[0] != self.now:
            self._before = (self.now, self.held)

    # -- writes ------------------------------------------------------------------------------------------------

    def _send(self, effect: Callable[[], str], latest: datetime | None = None) -> str:
        """Carry a write to the exchange through all that may happen to it on the way."""
        dice = self.dice
        self.pass_time(dice.uniform(0.02, 0.3))
        end = self._fate()
        if end == "arrives":
            return effect()
        if end == "refused":
            raise Refused("too many requests", exchange_code="50011", transient=True)
        if end == "for good":
            raise Refused("not now", exchange_code="51000", exchange_words="not now")
        if end == "after":
            try:
                effect()
            except Refused:
                end = "before"
        elif end == "late":
            lifetime = self.facts.request_lifetime.total_seconds()
            arrives = self.now + timedelta(seconds=dice.uniform(0, lifetime))
            if latest is None or arrives <= latest:
                self._late.append((arrives, effect))
        self.pass_time(dice.uniform(0.5, CLIENT_TIMEOUT))
        raise OutcomeUnknown("no answer")

    def _fate(self) -> str:
        trouble, left = self.trouble, self.dice.random()
        chances = {
            "before": trouble.lost_before,
            "after": trouble.lost_after,
            "late": trouble.late,
            "refused": trouble.refused,
            "for good": trouble.refused_for_good,
        }
        for end, chance in chances.items():
            if left < chance:
                return end
            left -= chance
        return "arrives"

    def _new(self, client_id: str, kind: OrderKind, side: OrderSide, quantity: Decimal) -> Resting:
        self._numbers += 1
        hidden = self.dice.uniform(0.2, LONGEST_HIDDEN) if self.dice.random() < self.trouble.hidden else 0.0
        identity = client_id or f"x{self._numbers}"
        order = Resting(
            client_id,
            f"x{self._numbers}",
            kind,
            side,
            quantity,
            self.now,
            self.now + timedelta(seconds=hidden),
            self.now,
        )
        self.orders[identity] = order
        return order

    def _check_new(self, client_id: str, said: tuple[object, ...], quantity: Decimal, *, opens: bool = False) -> None:
        rules = self.instrument
        if client_id in self.orders:
            raise Refused("duplicate id", exchange_code="51016", exchange_words="duplicate id")
        if quantity < rules.min_quantity or quantity % rules.quantity_step:
            raise Refused("quantity", exchange_code="51121", exchange_words="quantity")
        if opens and rules.notional(quantity, self.mark) < rules.min_notional * Decimal("0.8"):  # it may have moved
            raise Refused("value", exchange_code="-4164", exchange_words="value")
        self.meanings[client_id] = said
        self.placements += 1

    def place(self, request: PlaceOrder, deadline: datetime | None = None) -> str:
        return self._send(lambda: self._place(request), deadline)

    def _place(self, request: PlaceOrder) -> str:
        closing = request.side is self.key.side.closing
        said = (request.kind, request.side, request.quantity)
        self._check_new(request.client_order_id, said, request.quantity, opens=not closing)
        if closing and self.held == ZERO:
            raise Refused("nothing is held", exchange_code=NOTHING_HELD, exchange_words="nothing is held")
        order = self._new(request.client_order_id, request.kind, request.side, request.quantity)
        order.price, order.attached, order.reduce_only = request.price, request.attached, closing
        if order.taking:
            self._take(order, trickle=self.trouble.trickle)
        else:
            self._reach(order)
        return order.exchange_order_id

    def place_oco(self, request: PlaceOco) -> str:
        return self._send(lambda: self._place_oco(request))

    def _place_oco(self, request: PlaceOco) -> str:
        self._check_new(request.client_order_id, (OrderKind.OCO, request.side, request.quantity), request.quantity)
        self._check_triggers(request.tp_trigger, request.sl_trigger, request.trigger_by)
        both = request.tp_trigger is not None and request.sl_trigger is not None
        kind = OrderKind.OCO if both else OrderKind.CONDITIONAL
        order = self._new(request.client_order_id, kind, request.side, request.quantity)
        order.tp, order.sl, order.trigger_by = request.tp_trigger, request.sl_trigger, request.trigger_by
        order.reduce_only, order.dies_with_position = True, request.dies_with_position
        return order.exchange_order_id

    def _check_triggers(self, tp: Decimal | None, sl: Decimal | None, trigger_by: TriggerBy) -> None:
        price = self.last if trigger_by is TriggerBy.LAST else self.mark
        sign = self.key.side.sign
        if sl is not None and (price - sl) * sign <= 0:
            raise Refused("the stop is passed", exchange_code=STOP_PASSED, exchange_words="the stop is passed")
        if tp is not None and (tp - price) * sign <= 0:
            raise Refused("the target is passed", exchange_code=TARGET_PASSED, exchange_words="the target is passed")

    def amend(self, request: AmendOrder) -> None:
        self._send(lambda: self._amend(request))

    def _amend(self, request: AmendOrder) -> str:
        order = self.orders.get(request.order.client_order_id)
        if order is None or not order.working or order.leg is not None:
            raise Refused("it has ended", exchange_code="51527")
        self._check_triggers(request.tp_trigger, request.sl_trigger, order.trigger_by)
        order.quantity = order.quantity if request.quantity is None else request.quantity
        order.tp = order.tp if request.tp_trigger is None else request.tp_trigger
        order.sl = order.sl if request.sl_trigger is None else request.sl_trigger
        order.updated_at = self.now
        return order.exchange_order_id

    def cancel(self, request: CancelOrder) -> None:
        self._send(lambda: self._cancel(request.order.client_order_id or request.order.exchange_order_id))

    def _cancel(self, identity: str) -> str:
        order = self.orders.get(identity)
        if order is None:
            raise Refused("unknown order", exchange_code="51603")
        if order.working and order.leg is None:
            if self.dice.random() < self.trouble.slow_cancel:
                order.cancel_at = self.now + timedelta(seconds=self.dice.uniform(0, 2))
            else:
                self._end(order, OrderStatus.CANCELED)
        return order.exchange_order_id

    def set_hedge_mode(self) -> None:
        raise Refused("it is set already")

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        self._read()

    # -- reads -------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        self.pass_time(self.dice.uniform(0.01, 0.1))
        if self.dice.random() < self.trouble.read_fails:
            self.pass_time(self.dice.uniform(0.1, 2))
            raise Unavailable("no answer")

    def positions(self) -> list[Position]:
        self._read()
        held = self.held
        if self.dice.random() < self.trouble.lag and self.now - self._before[0] < timedelta(seconds=1.5):
            held = self._before[1]
        if held == ZERO:
            return []
        position = Position(
            symbol=self.key.symbol,
            side=self.key.side,
            contracts=Contracts(held),
            average_price=Price(self.last),
            mark_price=Price(self.mark),
            last_price=Price(self.last),
            liquidation_price=None,
            leverage=Decimal(10),
            margin=ZERO,
            unrealised_pnl=ZERO,
            realised_pnl=ZERO,
            funding=ZERO,
            position_id="p1",
            opened_at=self.opened_at,
            updated_at=self.now,
        )
        return [position]

    def working_orders(self) -> list[Order]:
        self._read()
        found = []
        for order in self.orders.values():
            if order.visible_at > self.now:
                continue
            if order.working and order.leg is None:
                found.append(self._as_order(order))
            elif order.listed_until is not None and order.listed_until > self.now:
                stale = replace(order, status=OrderStatus.WORKING, leg=None, filled=ZERO, value=ZERO, failure="")
                found.append(self._as_order(stale))
        return found

    def find(self, client_order_id: str, symbol: str, kind: OrderKind) -> Order | None:
        self._read()
        order = self.orders.get(client_order_id)
        return None if order is None or order.visible_at > self.now else self._as_order(order)

    def _as_order(self, order: Resting) -> Order:
        said = meaning(order.client_order_id)
        average = Price(order.value / order.filled) if order.filled else None
        return Order(
            client_order_id=order.client_order_id,
            exchange_order_id=order.exchange_order_id,
            symbol=self.key.symbol,
            position_side=self.key.side,
            part=said.part if said else None,
            cycle=said.cycle if said else None,
            purpose=said.purpose if said else Purpose.FOREIGN,
            side=order.side,
            kind=order.kind,
            quantity=Contracts(order.quantity),
            status=order.status,
            price=None if order.price is None else Price(order.price),
            tp_trigger=None if order.tp is None else Price(order.tp),
            sl_trigger=None if order.sl is None else Price(order.sl),
            trigger_by=order.trigger_by if order.kind.rests_on_trigger else None,
            reduce_only=order.reduce_only,
            dies_with_position=order.dies_with_position,
            filled=Contracts(order.filled),
            average_price=average,
            fee=order.fee,
            triggered_leg=order.leg,
            child_order_ids=(f"{order.exchange_order_id}c",) if order.leg else (),
            failure=order.failure,
            created_at=order.created_at,
            updated_at=order.updated_at,
        )

    def fills(self, since: datetime, until: datetime | None = None) -> list[Fill]:
        self._read()
        shown = self.now - timedelta(seconds=self.trouble.fills_late)
        return [fill for fill in self.all_fills if since <= fill.at <= min(shown, until or shown)]

    def funding(self, since: datetime, until: datetime | None = None) -> list[Funding]:
        self._read()
        return []

    def closed_positions(self, since: datetime, until: datetime | None = None) -> list[ClosedPosition]:
        self._read()
        return []

    def ticker(self, symbol: str) -> Ticker:
        self._read()
        half = self.instrument.price_tick
        bid, ask = Price(self.last - half), Price(self.last + half)
        return Ticker(symbol, Price(self.last), bid, ask, Price(self.mark), self.now)

    def instruments(self) -> dict[str, Instrument]:
        return {self.instrument.symbol: self.instrument}

    def account_state(self) -> AccountState:
        self._read()
        rich = Decimal(1_000_000)
        return AccountState(rich, rich, ZERO, ZERO, True, True, False, self.now)

    def under_maintenance(self) -> bool:
        return False

    def other_conditional_orders(self) -> list[Order]:
        return []

    def usage(self) -> dict[str, tuple[int, int]]:
        return {}

    # -- a person at the exchange's own page --------------------------------------------------------------------

    def by_hand_close(self, quantity: Decimal, origin: str = "order") -> None:
        """Close contracts, or be liquidated or deleveraged."""
        quantity = min(quantity, self.held)
        if quantity <= ZERO:
            return
        self._remember_size()
        self.held -= quantity
        self._numbers += 1
        self._note_fill(f"h{self._numbers}", "", self.key.side.closing, quantity, self.last, ZERO, origin)
        if self.held == ZERO:
            self._flat()

    def by_hand_add(self, quantity: Decimal) -> None:
        self._remember_size()
        if self.held == ZERO:
            self.opened_at = self.now
        self.held += quantity
        self._numbers += 1
        self._note_fill(f"h{self._numbers}", "", self.key.side.opening, quantity, self.last, ZERO)

    def by_hand_rest(self, quantity: Decimal) -> None:
        """Leave a limit order of the person's own, far away."""
        order = self._new("", OrderKind.LIMIT, self.key.side.opening, quantity)
        order.price = Decimal(1) if self.key.side.sign > 0 else Decimal(1_000_000)

    def by_hand_cancel(self) -> None:
        """Cancel one of whatever rests."""
        live = [order for order in self.orders.values() if order.working and order.leg is None]
        if live:
            self._end(self.dice.choice(live), OrderStatus.CANCELED)

    def by_hand_amend(self) -> None:
        """Move the triggers or the size of an OCO."""
        live = [o for o in self.orders.values() if o.working and o.leg is None and o.kind.rests_on_trigger]
        if live:
            order = self.dice.choice(live)
            far = self.instrument.price_tick * self.dice.randint(40, 400)
            if order.sl is not None:
                order.sl = self.last - far * self.key.side.sign
            order.quantity = max(order.quantity - self._piece(order), self.instrument.min_quantity)

    # -- the truth, for the checks ------------------------------------------------------------------------------

    def filled_of(self, part: str, cycle: int, *purposes: Purpose) -> Decimal:
        """What the orders of one cycle of a part really filled, for these purposes."""
        return sum((order.filled for order in self._of(part, cycle, purposes)), ZERO)

    def filled_steps(self, part: str, cycle: int) -> dict[int, Decimal]:
        """What each recovery step really added, its pieces together; by what its ids have in common."""
        steps: dict[int, Decimal] = {}
        for order in self._of(part, cycle, (Purpose.RECOVERY,)):
            if order.filled > ZERO:
                step = same_step(order.client_order_id)
                steps[step] = steps.get(step, ZERO) + order.filled
        return steps

    def pieces(self) -> Counter[Purpose]:
        """Orders that filled something beside others of the same execution, by purpose."""
        runs: Counter[tuple[str, int, Purpose, int]] = Counter()
        for order in self.orders.values():
            said = meaning(order.client_order_id)
            if said is not None and order.filled > ZERO and not order.kind.rests_on_trigger:
                recovering = said.purpose is Purpose.RECOVERY
                step = same_step(order.client_order_id) if recovering else 0
                runs[said.part, said.cycle, said.purpose, step] += 1
        found: Counter[Purpose] = Counter()
        for (_, _, purpose, _), orders in runs.items():
            found[purpose] += orders if orders > 1 else 0
        return found

    def _of(self, part: str, cycle: int, purposes: tuple[Purpose, ...]) -> Iterator[Resting]:
        for order in self.orders.values():
            said = meaning(order.client_order_id)
            if said is not None and (said.part, said.cycle) == (part, cycle) and said.purpose in purposes:
                yield order

    @property
    def on_the_way(self) -> bool:
        """Some request has not arrived yet."""
        return bool(self._late)
