"""Plain orders in the engine: taken in or refused, filled, amended, cancelled; positions closed.

`matching` says when and at what price; this file keeps the books of it.
"""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.simulator.engine import matching
from core.simulator.engine.account import Account
from core.simulator.engine.order_checks import number
from core.simulator.engine.state import ZERO, Attached, Bill, Fill, Leg, Order, Position, Refusal, down_to, money

if TYPE_CHECKING:
    from core.simulator.engine.engine import Engine


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
        made = self.engine.admission.order(owner, order)
        self.engine.admission.fit_to_position(owner, made)
        self.engine.admission.margin(owner, made)
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
        self.try_to_fill(order)

    # -- filling

    def evaluate(self, symbol: str) -> None:
        for order in [order for order in self.engine.live.values() if order.instrument == symbol]:
            if order.living and order.active_from <= self.engine.now:
                self.try_to_fill(order)

    def try_to_fill(self, order: Order) -> None:
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
        market = self.engine.markets[order.instrument]
        contract = self.engine.contract(self.engine.accounts[order.account], order.instrument)
        in_market = size * contract.value / market.contract.value  # the book's depth is in the market's own contracts
        price = matching.taker_price(order, in_market, market, self.engine.switches)
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
        fee, fee_asset, fee_amount = owner.charged(fee, engine.bnb_price())
        sequence = engine.next_id()
        fill = Fill(
            f"-{sequence}" if forced else sequence, engine.next_id(), order.order_id, order.client_id, owner.name,
            order.instrument, order.side, order.position_side, price, size, ZERO, fee, maker,
            forced or ("close" if closing else "open"), long, prices.mark, prices.index, engine.now, order.tag,
            fee_asset, fee_amount,
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
        bill.maker, bill.fill_kind, bill.long, bill.trade_id = maker, fill.kind, long, fill.trade_id
        owner.book(bill)
        engine.tell("order", (order, fill))
        engine.tell("trade", fill)
        engine.tell("position", (owner.name, order.instrument, order.position_side))
        if not forced:
            engine.tell("balance", (owner.name, "filled", (order.instrument, order.position_side)))
        if not order.living:
            engine.guarding.come_to_life(order)
        engine.order_changed(order)
        if flat:
            self._after_flat(owner, order.instrument, order.position_side)

    def _after_flat(self, owner: Account, symbol: str, side: str) -> None:
        stays = owner.name == "binance" and self.engine.switches["binance_closing_limits_after_flat"] == "stay"
        for order in [] if stays else list(self.engine.live.values()):
            if (order.account, order.instrument, order.position_side) == (owner.name, symbol, side) and owner.closes(
                order
            ):
                self.end(order, "position_closed")
        self.engine.position_ended(owner, symbol, side)

    def forced(self, owner: Account, position: Position, size: Decimal, kind: str) -> None:
        """Close by the exchange's own hand, at the mark price; a liquidation also costs a penalty."""
        engine, symbol, whole = self.engine, position.instrument, size == abs(position.contracts)
        side = "sell" if position.contracts > 0 else "buy"
        order = Order(
            engine.next_id(), owner.forced_name(kind, engine.now), owner.name, symbol, side, position.side, "market",
            size, None, owner.lever(symbol), engine.now, engine.now,
            category={"adl": "adl"}.get(kind, "full_liquidation" if whole else "partial_liquidation"),
        )  # fmt: skip
        engine.orders[order.order_id] = order
        if order.client_id:
            engine.named[owner.name, symbol, order.client_id] = order
            engine.tell("order", (order, None))
        mark = engine.prices(symbol).mark
        if kind == "liquidation":
            notional = owner.notional(symbol, size, mark)
            left = owner.left_for(position, mark) * size / abs(position.contracts)
            penalty = money(
                min(notional * owner.contracts[symbol].penalty_rate, left)
            )  # below zero: the insurance fund pays what is missing
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
        self.engine.order_changed(order)

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
            self.engine.admission.size_checked(owner, symbol, made.size)
        if change.get("price"):
            if order.price is None:
                raise Refusal("parameter", "newPx")
            made.price = self.engine.admission.in_band(
                symbol, order.side, self.engine.admission.price_checked(owner, symbol, change["price"], "newPx"), False
            )
        self.engine.live.pop(order.order_id)
        try:
            if made.left > 0:
                self.engine.admission.margin(owner, made)
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
            self.try_to_fill(order)
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
                self.engine.admission.right_side(order, *legs)
                return kept, legs
        raise Refusal("amend_gone")

    def close_position(
        self, account: str, symbol: str, side: str, cancel_orders: bool = False, client_id: str = "", tag: str = ""
    ) -> Order:
        """Close the whole position at market; resting closing orders stand in the way unless they may be cancelled."""
        owner = self.engine.accounts[account]
        self.engine.contract(owner, symbol)
        side = self.engine.admission.position_side(owner, side)
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
        least = str(self.engine.contract(owner, symbol).minimum)  # the whole may be more than one order may have
        asked: dict[str, Any] = {"instrument": symbol, "side": closing, "position_side": side, "kind": "market"}
        asked |= {"size": least, "margin_mode": "cross", "reduce_only": True, "client_id": client_id, "tag": tag}
        made = replace(self.engine.admission.order(owner, asked), size=abs(held))
        return self.enter(made, {})

    def close_part(self, account: str, symbol: str, side: str, size: str) -> Order:
        """Close some of the position at market."""
        held = self.engine.accounts[account].held(symbol, side)
        asked = {"instrument": symbol, "side": "sell" if held > 0 else "buy", "position_side": side, "kind": "market"}
        return self.place(account, {**asked, "size": size, "margin_mode": "cross", "reduce_only": True})
