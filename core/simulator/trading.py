"""Plain orders in the engine: taken in or refused, filled, amended, cancelled; positions closed.

`matching` says when and at what price; this file keeps the books of it.
"""

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from core.simulator import matching
from core.simulator.account import PENALTY_RATE, Account
from core.simulator.values import ZERO, Attached, Bill, Fill, Leg, Order, Position, Refusal, down_to, money

if TYPE_CHECKING:
    from core.simulator.engine import Engine

KINDS = {"market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc"}
NAME = re.compile(r"[A-Za-z0-9]{1,32}")


def number(text: Any, name: str) -> Decimal:
    """The text as a finite number; Refusal naming the parameter."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        raise Refusal("parameter", name) from None
    if not value.is_finite():
        raise Refusal("parameter", name)
    return value


def name_checked(text: str, name: str) -> str:
    if text and not NAME.fullmatch(text):
        raise Refusal("parameter", name)
    return text


class Trading:
    """All that happens to plain orders."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    # -- taking in

    def place(self, account: str, order: dict[str, Any], plan: dict[str, Any] | None = None) -> Order:
        """Accept one order, and let it fill as far as it does; Refusal where it breaks a rule.

        `plan` says what a fault wants: {"fraction", "rest"}, {"accept_delay"} or {"hidden"} (seconds).
        """
        owner = self.engine.accounts[account]
        made = self._checked(owner, order)
        self._fit_to_position(owner, made)
        self._margin(owner, made)
        return self.enter(made, plan or {})

    def enter(self, order: Order, plan: dict[str, Any]) -> Order:
        engine = self.engine
        order.order_id = engine.next_id()
        engine.orders[order.order_id] = engine.live[order.order_id] = order
        engine.named[order.account, order.instrument, order.client_id] = order
        delay = Decimal(str(plan.get("accept_delay", engine.switches["order_delay_seconds"])))
        order.active_from = engine.now + int(delay * 1000)
        if "hidden" in plan:
            engine.hidden[order.order_id] = engine.now + int(Decimal(str(plan["hidden"])) * 1000)
        market, costs = engine.markets[order.instrument], engine.switches
        order.taking = matching.reaches(order, market, costs)
        if order.kind == "post_only" and order.taking:
            self.end(order, "post_only")
            return order
        steps = int(costs["fill_steps"])
        if steps > 1:
            lot = engine.contract(engine.accounts[order.account], order.instrument).lot
            order.next_slice = max(lot, down_to(lot, order.size / steps))
        engine.tell("order", (order, None))
        if order.active_from <= engine.now:
            self._arrive(order, plan)
        return order

    def _arrive(self, order: Order, plan: dict[str, Any]) -> None:
        if "fraction" in plan:
            lot = self.engine.contract(self.engine.accounts[order.account], order.instrument).lot
            part = down_to(lot, order.size * number(plan["fraction"], "fraction"))
            if 0 < part < order.size:
                self._take(order, part)
                if order.living and plan.get("rest") == "cancel":
                    self.end(order, "price_limit")
                order.active_from = self.engine.now + 1
                return
        self._try(order)

    def _checked(self, owner: Account, asked: dict[str, Any]) -> Order:
        engine, symbol = self.engine, str(asked.get("instrument") or "")
        if engine.switches["acct_lv"] == "1":
            raise Refusal("account_mode")
        contract = engine.contract(owner, symbol)
        if symbol in engine.switches["suspended"]:
            raise Refusal("suspended")
        side, kind = asked.get("side"), asked.get("kind")
        if side not in ("buy", "sell"):
            raise Refusal("parameter", "side")
        if kind not in KINDS:
            raise Refusal("parameter", "ordType")
        if asked.get("margin_mode") not in ("cross", "isolated"):
            raise Refusal("parameter", "tdMode")
        position_side = self.position_side(owner, asked.get("position_side"))
        size = number(asked.get("size"), "sz")
        engine.trading.size_checked(owner, symbol, size)
        if kind in matching.AT_ONCE and size > contract.max_market:
            raise Refusal("market_size")
        if size > contract.max_limit:
            raise Refusal("limit_size")
        client_id = name_checked(str(asked.get("client_id") or ""), "clOrdId")
        if client_id and any(o.client_id == client_id and o.account == owner.name for o in engine.live.values()):
            raise Refusal("duplicate_id")
        price = None
        if kind not in matching.AT_ONCE:
            price = self.price_checked(owner, symbol, asked.get("price"), "px")
            price = self._in_band(symbol, side, price, bool(asked.get("clamp")))
        made = Order(
            "", client_id, owner.name, symbol, side, position_side, kind, size, price, owner.lever(symbol), engine.now,
            engine.now, asked["margin_mode"], bool(asked.get("reduce_only")) and position_side == "net",
            name_checked(str(asked.get("tag") or ""), "tag"), self_trade=asked.get("self_trade") or "cancel_maker",
        )  # fmt: skip
        made.attached = self._attached(owner, made, asked.get("attached") or [])
        return made

    def position_side(self, owner: Account, asked: Any) -> str:
        if owner.hedged:
            if asked not in ("long", "short"):
                raise Refusal("parameter", "posSide")
            return str(asked)
        if asked not in (None, "", "net"):
            raise Refusal("parameter", "posSide")
        return "net"

    def size_checked(self, owner: Account, symbol: str, size: Decimal) -> None:
        contract = self.engine.contract(owner, symbol)
        if size < contract.minimum:
            raise Refusal("too_small")
        if size % contract.lot:
            raise Refusal("lot")

    def price_checked(self, owner: Account, symbol: str, asked: Any, name: str) -> Decimal:
        price = number(asked, name)
        if price <= 0 or price % self.engine.contract(owner, symbol).tick:
            raise Refusal("parameter", name)
        return price

    def _in_band(self, symbol: str, side: str, price: Decimal, clamp: bool) -> Decimal:
        high, low = self.engine.markets[symbol].band()
        outside = price > high if side == "buy" else price < low
        if outside and not clamp:
            raise Refusal("price_band", f"{high},{low}")
        return (high if side == "buy" else low) if outside else price

    def _fit_to_position(self, owner: Account, order: Order) -> None:
        """A closing order needs something to close, and may be made as small as that."""
        if not owner.closes(order):
            return
        held = owner.closable(order)
        if not held:
            same_way = owner.held(order.instrument, order.position_side) * order.sign > 0
            raise Refusal("reduce_only_same_direction" if same_way else "nothing_to_close")
        if order.size > held:
            if self.engine.switches["oversize_close"] == "reject" and order.position_side != "net" and not order.source:
                raise Refusal("oversize_close")
            if order.kind in matching.AT_ONCE:
                order.size = held

    def opening(self, owner: Account, order: Order) -> Decimal:
        """How many contracts of what is left would be opened rather than closed."""
        if owner.closes(order):
            return ZERO
        return max(ZERO, order.left - owner.closable(order))

    def frozen(self, owner: Account) -> Decimal:
        """The margin that resting orders hold back (USDT)."""
        return sum((self._needed(owner, o, False) for o in self.engine.live.values() if o.account == owner.name), ZERO)

    def free(self, owner: Account) -> Decimal:
        """The equity that is free for new positions (USDT)."""
        prices = self.engine.prices
        return owner.equity(prices) - owner.held_margin(prices) - self.frozen(owner)

    def _needed(self, owner: Account, order: Order, with_fee: bool) -> Decimal:
        price = order.price
        if price is None:
            spread = Decimal(self.engine.switches["spread_ticks"])
            price = self.engine.markets[order.instrument].best(order.side == "buy", spread)
        notional = owner.notional(order.instrument, self.opening(owner, order), price)
        fee = Decimal(self.engine.switches["fees"]["taker"]) if with_fee else ZERO
        return notional / owner.lever(order.instrument) + notional * fee

    def _margin(self, owner: Account, order: Order) -> None:
        needed = self._needed(owner, order, True)
        if needed and needed > self.free(owner):
            raise Refusal("margin")

    # -- protection that comes with an entry

    def _attached(self, owner: Account, order: Order, asked: list[dict[str, Any]]) -> list[Attached]:
        if asked and owner.closes(order):
            raise Refusal("attached_to_closing")
        made = []
        for one in asked:
            legs = {name: self._leg(owner, order, one.get(name), name) for name in ("take_profit", "stop_loss")}
            trailing = {name: one.get(name) for name in ("callback_ratio", "callback_spread", "active")}
            if not any(legs.values()) and not (trailing["callback_ratio"] or trailing["callback_spread"]):
                raise Refusal("attached_empty")
            client_id = name_checked(str(one.get("client_id") or ""), "attachAlgoClOrdId")
            taken = any(
                algo.client_id == client_id and algo.account == owner.name for algo in self.engine.algos.values()
            )
            if client_id and taken:
                raise Refusal("attached_id_used")
            self._right_side(order, legs["take_profit"], legs["stop_loss"])
            numbers = {name: number(value, name) if value else None for name, value in trailing.items()}
            made.append(Attached(self.engine.next_id(), client_id, **legs, **numbers))
        return made

    def _leg(self, owner: Account, order: Order, asked: dict[str, Any] | None, name: str) -> Leg | None:
        if not asked:
            return None
        return self.engine.guarding.leg(owner, order.instrument, asked, name)

    def _right_side(self, order: Order, profit: Leg | None, stop: Leg | None) -> None:
        kind = "market" if order.price is None else "price"
        for leg, is_profit in ((profit, True), (stop, False)):
            if leg is None:
                continue
            base = self.engine.prices(order.instrument).last if order.price is None else order.price
            above = (order.side == "buy") == is_profit
            if leg.trigger <= base if above else leg.trigger >= base:
                raise Refusal(f"attached_{'tp' if is_profit else 'sl'}_{order.side}_{kind}")

    # -- filling

    def evaluate(self, symbol: str) -> None:
        for order in [order for order in self.engine.live.values() if order.instrument == symbol]:
            if order.living and order.active_from <= self.engine.now:
                self._try(order)

    def _try(self, order: Order) -> None:
        engine, owner = self.engine, self.engine.accounts[order.account]
        market = engine.markets[order.instrument]
        if order.price is not None and not order.taking and order.kind in ("limit", "post_only"):
            if matching.touched(order, market.prices.last):
                self._execute(order, self._slice(order), order.price, True)
            return
        if order.price is not None and not matching.reaches(order, market, engine.switches):
            if order.kind in ("limit", "post_only"):
                order.taking = False
            else:
                self.end(order, order.kind)
            return
        if owner.closes(order) and not owner.closable(order):
            self.end(order, "nothing_to_close")
            return
        self._take(order, self._slice(order))

    def _slice(self, order: Order) -> Decimal:
        if order.next_slice is None or order.next_slice * 2 > order.left:
            return order.left
        order.active_from = self.engine.now + 1000
        return order.next_slice

    def _take(self, order: Order, size: Decimal) -> None:
        price = matching.taker_price(order, size, self.engine.markets[order.instrument], self.engine.switches)
        self._execute(order, size, price, False)

    def _execute(self, order: Order, size: Decimal, price: Decimal, maker: bool) -> None:
        owner = self.engine.accounts[order.account]
        if owner.closes(order):
            held = owner.closable(order)
            if not held:
                self.end(order, "nothing_to_close")
                return
            if order.left > held:
                order.size = order.filled + held
            size = min(size, held)
        rate = Decimal(self.engine.switches["fees"]["maker" if maker else "taker"])
        self._book(order, owner, size, price, rate, maker, "")

    def _book(
        self, order: Order, owner: Account, size: Decimal, price: Decimal, rate: Decimal, maker: bool, forced: str
    ) -> None:
        engine = self.engine
        held = owner.held(order.instrument, order.position_side)
        closing = held * order.sign < 0
        long = held > 0 if closing else order.sign > 0
        prices, fee = engine.prices(order.instrument), -money(owner.notional(order.instrument, size, price) * rate)
        sequence = engine.next_id()
        fill = Fill(
            f"-{sequence}" if forced else sequence, engine.next_id(), order.order_id, order.client_id, owner.name,
            order.instrument, order.side, order.position_side, price, size, ZERO, fee, maker,
            forced or ("close" if closing else "open"), long, prices.mark, prices.index, engine.now, order.tag,
        )  # fmt: skip
        fill.pnl, flat = owner.fill(order, fill, engine.now, engine.retention_ms, engine.next_id)
        engine.fills[fill.trade_id] = fill
        order.filled += size
        order.paid += size * price
        order.fee += fee
        order.pnl += fill.pnl
        order.last_fill, order.updated = fill.trade_id, engine.now
        order.state = "filled" if order.left <= 0 else "partially_filled"
        if not order.living:
            engine.live.pop(order.order_id, None)
        bill = Bill(fill.bill_id, engine.now, "trade", fill.pnl + fee, ZERO, order.instrument, order.order_id)
        bill.client_id, bill.price, bill.size, bill.pnl, bill.fee = order.client_id, price, size, fill.pnl, fee
        bill.maker, bill.fill_kind, bill.long = maker, fill.kind, long
        owner.book(bill)
        engine.tell("order", (order, fill))
        engine.tell("trade", fill)
        engine.tell("position", (owner.name, order.instrument, order.position_side))
        if not forced:
            engine.tell("balance", (owner.name, "filled", (order.instrument, order.position_side)))
        if not order.living:
            engine.guarding.come_to_life(order)
        if flat:
            self._after_flat(owner, order.instrument, order.position_side)

    def _after_flat(self, owner: Account, symbol: str, side: str) -> None:
        for order in list(self.engine.live.values()):
            if (order.account, order.instrument, order.position_side) == (owner.name, symbol, side) and owner.closes(
                order
            ):
                self.end(order, "position_closed")
        self.engine.guarding.position_ended(owner, symbol, side)

    def forced(self, owner: Account, position: Position, size: Decimal, kind: str) -> None:
        """Close by the exchange's own hand, at the mark price; a liquidation also costs a penalty."""
        engine, symbol, whole = self.engine, position.instrument, size == abs(position.contracts)
        side = "sell" if position.contracts > 0 else "buy"
        order = Order(
            engine.next_id(), "", owner.name, symbol, side, position.side, "market", size, None, owner.lever(symbol),
            engine.now, engine.now, category={"adl": "adl"}.get(kind, "full_liquidation" if whole else "partial_liquidation"),
        )  # fmt: skip
        engine.orders[order.order_id] = order
        mark = engine.prices(symbol).mark
        if kind == "liquidation":
            notional = owner.notional(symbol, size, mark)
            left = owner.balance + owner.unrealised(position, mark) * size / abs(position.contracts)
            penalty = money(min(notional * PENALTY_RATE, left))  # below zero: the insurance fund pays what is missing
            position.penalty -= penalty
            bill = Bill(engine.next_id(), engine.now, "liquidation_penalty", -penalty, ZERO, symbol, order.order_id)
            owner.book(bill)
        self._book(order, owner, size, mark, ZERO, False, kind)

    # -- ending and changing

    def end(self, order: Order, reason: str) -> None:
        """Cancel what is left of it."""
        order.state, order.cancel_reason, order.updated = "canceled", reason, self.engine.now
        self.engine.live.pop(order.order_id, None)
        self.engine.tell("order", (order, None))
        if order.filled:
            self.engine.guarding.come_to_life(order)

    def find(self, account: str, symbol: str, order_id: str = "", client_id: str = "") -> Order | None:
        """The order of that id, or the latest of that client id."""
        if order_id:
            order = self.engine.orders.get(order_id)
            return order if order and (order.account, order.instrument) == (account, symbol) else None
        return self.engine.named.get((account, symbol, client_id)) if client_id else None

    def cancel(self, account: str, symbol: str, order_id: str = "", client_id: str = "") -> Order:
        order = self.find(account, symbol, order_id, client_id)
        if order is None or not order.living:
            raise Refusal("cancel_gone")
        self.end(order, "user")
        return order

    def amend(
        self, account: str, symbol: str, order_id: str = "", client_id: str = "", change: dict[str, Any] | None = None
    ) -> Order:
        """Change size (the new total), price or attached legs; Refusal leaves the order as it was."""
        order, change = self.find(account, symbol, order_id, client_id), change or {}
        if order is None or not order.living:
            raise Refusal("amend_gone")
        owner, made = self.engine.accounts[account], replace(order)
        if not any(change.get(name) for name in ("size", "price", "attached")):
            raise Refusal("parameter", "newSz")
        if change.get("size"):
            made.size = number(change["size"], "newSz")
            self.size_checked(owner, symbol, made.size)
        if change.get("price"):
            if order.price is None:
                raise Refusal("parameter", "newPx")
            made.price = self._in_band(
                symbol, order.side, self.price_checked(owner, symbol, change["price"], "newPx"), False
            )
        self.engine.live.pop(order.order_id)
        try:
            if made.left > 0:
                self._margin(owner, made)
            attached = [self._amended(owner, made, one) for one in change.get("attached") or []]
        finally:
            self.engine.live[order.order_id] = order
        for kept, legs in attached:
            kept.take_profit, kept.stop_loss = legs
        order.size, order.price, order.updated = max(made.size, order.filled), made.price, self.engine.now
        if order.left <= 0:
            order.state = "filled"
            self.engine.live.pop(order.order_id)
            self.engine.tell("order", (order, None))
            self.engine.guarding.come_to_life(order)
            return order
        order.taking = order.taking or (
            order.kind == "limit" and matching.reaches(order, self.engine.markets[symbol], self.engine.switches)
        )
        self.engine.tell("order", (order, None))
        if order.taking and order.active_from <= self.engine.now:
            self._try(order)
        return order

    def _amended(
        self, owner: Account, order: Order, asked: dict[str, Any]
    ) -> tuple[Attached, tuple[Leg | None, Leg | None]]:
        for kept in order.attached:
            if asked.get("attach_id") == kept.attach_id or (
                asked.get("client_id") and asked["client_id"] == kept.client_id
            ):
                changed = self.engine.guarding.changed_leg
                legs = (
                    changed(owner, order.instrument, kept.take_profit, asked.get("take_profit")),
                    changed(owner, order.instrument, kept.stop_loss, asked.get("stop_loss")),
                )
                self._right_side(order, *legs)
                return kept, legs
        raise Refusal("amend_gone")

    def close_position(
        self, account: str, symbol: str, side: str, cancel_orders: bool = False, client_id: str = "", tag: str = ""
    ) -> Order:
        """Close the whole position at market; resting closing orders stand in the way unless they may be cancelled."""
        owner = self.engine.accounts[account]
        self.engine.contract(owner, symbol)
        side = self.position_side(owner, side)
        held = owner.held(symbol, side)
        if not held:
            raise Refusal("no_position")
        closing = "sell" if held > 0 else "buy"
        resting = [
            o for o in self.engine.live.values()
            if (o.account, o.instrument, o.position_side, o.side) == (account, symbol, side, closing)
        ]  # fmt: skip
        if resting and not cancel_orders:
            raise Refusal("close_orders_pending")
        for order in resting:
            self.end(order, "user")
        if cancel_orders and self.engine.switches["auto_cxl_algos"]:
            for algo in self.engine.guarding.of_position(owner, symbol, side):
                self.engine.guarding.end(algo)
        asked = {"instrument": symbol, "side": closing, "position_side": side, "kind": "market", "size": str(abs(held))}
        asked |= {"margin_mode": "cross", "reduce_only": True, "client_id": client_id, "tag": tag}
        made = replace(
            self._checked(owner, asked | {"size": str(self.engine.contract(owner, symbol).minimum)}), size=abs(held)
        )
        return self.enter(made, {})

    def close_part(self, account: str, symbol: str, side: str, size: str) -> Order:
        """Close some of the position at market."""
        held = self.engine.accounts[account].held(symbol, side)
        asked = {"instrument": symbol, "side": "sell" if held > 0 else "buy", "position_side": side, "kind": "market"}
        return self.place(account, asked | {"size": size, "margin_mode": "cross", "reduce_only": True})
