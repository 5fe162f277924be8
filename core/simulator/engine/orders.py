"""Plain orders on any side of the exchange: entered, filled, ended, and closed by the exchange itself.

`matching` says when and at what price an order fills; this file keeps the books of it.
"""

from decimal import Decimal

from core.simulator.engine import matching
from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.commands import Plan
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import ZERO, Bill, BookedFill, BookOrder, HeldPosition, down_to, money, number


class Orders:
    """The book of plain orders; each wire checks an order by its own rules before it enters."""

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange

    # -- entering

    def enter(self, order: BookOrder, plan: Plan) -> BookOrder:
        """Take a checked order into the book, and let it fill as far as it does.

        `plan` says what a fault wants: {"fraction", "rest"}, {"accept_delay"} or {"hidden"} (seconds).
        """
        exchange = self.exchange
        order.order_id = exchange.next_id()
        exchange.orders[order.order_id] = exchange.live[order.order_id] = order
        exchange.named[order.account, order.instrument, order.client_id] = order
        delay = Decimal(str(plan.get("accept_delay", exchange.behaviour["order_delay_seconds"])))
        order.active_from = exchange.now + int(delay * 1000)
        if "hidden" in plan:
            exchange.hide(order.order_id, plan["hidden"])
        market, costs = exchange.markets[order.instrument], exchange.behaviour
        order.taking = matching.reaches(order, market, costs)
        if order.kind == "post_only" and order.taking:
            self.end(order, "post_only")
            return order
        steps = int(costs["fill_steps"])
        if steps > 1:
            lot = exchange.contract(exchange.accounts[order.account], order.instrument).lot
            order.next_slice = max(lot, down_to(lot, order.size / steps))
        exchange.publish("order", (order, None))
        if order.active_from <= exchange.now:
            self._arrive(order, plan)
        return order

    def _arrive(self, order: BookOrder, plan: Plan) -> None:
        if "fraction" in plan:
            lot = self.exchange.contract(self.exchange.accounts[order.account], order.instrument).lot
            part = down_to(lot, order.size * number(plan["fraction"], "fraction"))
            if 0 < part < order.size:
                self._take(order, part)
                if order.living and plan.get("rest") == "cancel":
                    self.end(order, "price_limit")
                order.active_from = self.exchange.now + 1
                return
        self.try_to_fill(order)

    # -- filling

    def evaluate(self, symbol: str) -> None:
        """Fill what the prices of that instrument fill, as they are now."""
        for order in [order for order in self.exchange.live.values() if order.instrument == symbol]:
            if order.living and order.active_from <= self.exchange.now:
                self.try_to_fill(order)

    def try_to_fill(self, order: BookOrder) -> None:
        """Fill the order as far as the prices let it; end it where it can neither fill nor rest."""
        exchange, owner = self.exchange, self.exchange.accounts[order.account]
        market = exchange.markets[order.instrument]
        if order.price is not None and not order.taking and order.kind in ("limit", "post_only"):
            if matching.touched(order, market.prices.last):
                self._execute(order, self._slice(order), order.price, True)
            return
        if order.price is not None and not matching.reaches(order, market, exchange.behaviour):
            if order.kind in ("limit", "post_only"):
                order.taking = False
            else:
                self.end(order, order.kind)
            return
        if owner.closes(order) and not owner.closable(order):
            self.end(order, "nothing_to_close")
            return
        self._take(order, self._slice(order))

    def _slice(self, order: BookOrder) -> Decimal:
        if order.next_slice is None or order.next_slice * 2 > order.left:
            return order.left
        order.active_from = self.exchange.now + 1000
        return order.next_slice

    def _take(self, order: BookOrder, size: Decimal) -> None:
        market = self.exchange.markets[order.instrument]
        contract = self.exchange.contract(self.exchange.accounts[order.account], order.instrument)
        in_market = size * contract.value / market.contract.value  # the book's depth is in the market's own contracts
        price = matching.taker_price(order, in_market, market, self.exchange.behaviour)
        self._execute(order, size, price, False)

    def _execute(self, order: BookOrder, size: Decimal, price: Decimal, maker: bool) -> None:
        owner = self.exchange.accounts[order.account]
        if owner.closes(order):
            held = owner.closable(order)
            if not held:
                self.end(order, "nothing_to_close")
                return
            if order.left > held:
                order.size = order.filled + held
            size = min(size, held)
        rate = Decimal(self.exchange.behaviour["fees"]["maker" if maker else "taker"])
        self._book(order, owner, size, price, rate, maker, "")

    def _book(
        self,
        order: BookOrder,
        owner: ExchangeAccount,
        size: Decimal,
        price: Decimal,
        rate: Decimal,
        maker: bool,
        forced: str,
    ) -> None:
        exchange = self.exchange
        held = owner.held(order.instrument, order.position_side)
        closing = held * order.sign < 0
        long = held > 0 if closing else order.sign > 0
        prices, fee = exchange.prices(order.instrument), -money(owner.notional(order.instrument, size, price) * rate)
        fee, fee_asset, fee_amount = owner.charged(fee)
        sequence = exchange.next_id()
        fill = BookedFill(
            f"-{sequence}" if forced else sequence, exchange.next_id(), order.order_id, order.client_id, owner.name,
            order.instrument, order.side, order.position_side, price, size, ZERO, fee, maker,
            forced or ("close" if closing else "open"), long, prices.mark, prices.index, exchange.now, order.tag,
            fee_asset, fee_amount,
        )  # fmt: skip
        fill.pnl, flat = owner.fill(order, fill, exchange.now, exchange.retention_ms, exchange.next_id)
        exchange.fills[fill.trade_id] = fill
        order.filled += size
        order.paid += size * price
        order.fee += fee
        order.pnl += fill.pnl
        order.last_fill, order.updated = fill.trade_id, exchange.now
        order.state = "filled" if order.left <= 0 else "partially_filled"
        if not order.living:
            exchange.live.pop(order.order_id, None)
        bill = Bill(fill.bill_id, exchange.now, "trade", fill.pnl + fee, ZERO, order.instrument, order.order_id)
        bill.client_id, bill.price, bill.size, bill.pnl, bill.fee = order.client_id, price, size, fill.pnl, fee
        bill.maker, bill.fill_kind, bill.long, bill.trade_id = maker, fill.kind, long, fill.trade_id
        owner.book(bill)
        exchange.publish("order", (order, fill))
        exchange.publish("trade", fill)
        exchange.publish("position", (owner.name, order.instrument, order.position_side))
        if not forced:
            exchange.publish("balance", (owner.name, "filled", (order.instrument, order.position_side)))
        self.changed(order)
        if flat:
            self._after_flat(owner, order.instrument, order.position_side)

    def changed(self, order: BookOrder) -> None:
        """Tell every extension that an order was filled or ended."""
        for extension in self.exchange.extensions:
            extension.order_changed(order)

    def _after_flat(self, owner: ExchangeAccount, symbol: str, side: str) -> None:
        key = (owner.name, symbol, side)
        if not any(extension.keeps_closing_orders(owner) for extension in self.exchange.extensions):
            for order in list(self.exchange.live.values()):
                if (order.account, order.instrument, order.position_side) == key and owner.closes(order):
                    self.end(order, "position_closed")
        for extension in self.exchange.extensions:
            extension.position_ended(owner, symbol, side)

    def close_by_force(self, owner: ExchangeAccount, position: HeldPosition, size: Decimal, kind: str) -> None:
        """Close by force at the mark price, for a liquidation or adl; a liquidation also costs a penalty."""
        exchange, symbol, whole = self.exchange, position.instrument, size == abs(position.contracts)
        side = "sell" if position.contracts > 0 else "buy"
        order = BookOrder(
            exchange.next_id(), owner.forced_name(kind, exchange.now), owner.name, symbol, side, position.side,
            "market", size, None, owner.lever(symbol), exchange.now, exchange.now,
            category={"adl": "adl"}.get(kind, "full_liquidation" if whole else "partial_liquidation"),
        )  # fmt: skip
        exchange.orders[order.order_id] = order
        if order.client_id:
            exchange.named[owner.name, symbol, order.client_id] = order
            exchange.publish("order", (order, None))
        mark = exchange.prices(symbol).mark
        if kind == "liquidation":
            notional = owner.notional(symbol, size, mark)
            left = owner.left_for(position, mark) * size / abs(position.contracts)
            # a penalty below zero is what the insurance fund pays
            penalty = money(min(notional * owner.contracts[symbol].penalty_rate, left))
            position.penalty -= penalty
            bill = Bill(exchange.next_id(), exchange.now, "liquidation_penalty", -penalty, ZERO, symbol, order.order_id)
            owner.book(bill)
        self._book(order, owner, size, mark, ZERO, False, kind)

    # -- ending and changing

    def end(self, order: BookOrder, reason: str) -> None:
        """Cancel what is left of the order, for that reason."""
        order.state, order.cancel_reason, order.updated = "canceled", reason, self.exchange.now
        self.exchange.live.pop(order.order_id, None)
        self.exchange.publish("order", (order, None))
        self.changed(order)

    def find(self, account: str, symbol: str, order_id: str = "", client_id: str = "") -> BookOrder | None:
        """Return the order of that id, or the latest of that client id."""
        if order_id:
            order = self.exchange.orders.get(order_id)
            return order if order and (order.account, order.instrument) == (account, symbol) else None
        return self.exchange.named.get((account, symbol, client_id)) if client_id else None
