"""Plain orders and settings of the Binance account in the engine: placed, amended, cancelled, counted down, switched.

`binance_admission` says what is let in; filling, booking and money are the engine's, the same as for every account.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.order_checks import BinanceAdmission, decimal
from core.simulator.engine import matching
from core.simulator.engine.extension import Annex
from core.simulator.engine.state import ZERO, Order, Refusal

MAX_EDITS = 10_000


class BinanceOrders(Annex):
    """What the Binance wire asks of the engine, but for conditional orders."""

    name = "binance_orders"

    def begin(self) -> None:
        self.admission = BinanceAdmission(self.engine)
        self.countdowns: dict[str, int] = {}  # instrument -> when all its orders are cancelled (ms)

    def state(self) -> Any:
        return {"countdowns": self.countdowns}

    def restore(self, state: Any) -> None:
        self.countdowns = state["countdowns"]

    @property
    def commands(self) -> dict[str, Callable[..., Any]]:
        return {
            "binance_place": self.place, "binance_cancel": self.cancel, "binance_cancel_all": self.cancel_all,
            "binance_amend": self.amend, "binance_countdown": self.count_down, "binance_mode": self.set_mode,
            "binance_leverage": self.set_leverage, "binance_margin_type": self.set_margin_type,
            "binance_multi_assets": self.set_multi_assets, "binance_position_margin": self.set_position_margin,
        }  # fmt: skip

    @property
    def owner(self) -> BinanceAccount:
        owner = self.engine.accounts["binance"]
        assert isinstance(owner, BinanceAccount)
        return owner

    def switched(self, names: list[str]) -> None:
        if {"binance_flavour", "binance_filters"} & set(names):
            self.owner.contracts = self.engine.binance_contracts()

    # -- orders

    def place(self, order: dict[str, Any], plan: dict[str, Any] | None = None) -> Order:
        """Accept one order, and let it fill as far as it does; Refusal where it breaks a rule."""
        made = self.admission.order(self.owner, order)
        made.client_id = made.client_id or f"auto{self.engine.numbers + 1:x}"
        return self._enter(made, plan or {})

    def place_child(self, order: dict[str, Any], plan: dict[str, Any] | None = None) -> Order:
        """The plain order that a triggered conditional order becomes; Refusal where the book does not take it.

        Its client id may be in use already, and it need not be worth the least notional.
        """
        owner, symbol = self.owner, str(order["instrument"])
        contract = self.admission.contract(owner, symbol)
        size, kind = Decimal(order["size"]), order["kind"]
        made = Order(
            "", str(order.get("client_id") or ""), owner.name, symbol, order["side"], order["position_side"], kind,
            size, Decimal(order["price"]) if order.get("price") is not None else None, owner.lever(symbol),
            self.engine.now, self.engine.now, "isolated" if symbol in owner.isolated else "cross",
            bool(order.get("reduce_only")), source="trigger", algo_id=str(order.get("algo_id") or ""),
            wire=dict(order.get("wire") or {}),
        )  # fmt: skip
        self.admission.quantity(contract, size, kind == "market")
        self.admission.fits_position(owner, made)
        self.admission.fits_leverage(owner, contract, made)
        self.engine.admission.margin(owner, made)
        return self._enter(made, plan or {})

    def _enter(self, made: Order, plan: dict[str, Any]) -> Order:
        hidden = float(plan.get("hidden", self.engine.switches["binance_hidden_seconds"]))
        return self.engine.trading.enter(made, plan | ({"hidden": hidden} if hidden else {}))

    def find(self, symbol: str, order_id: str = "", client_id: str = "") -> Order | None:
        return self.engine.trading.find("binance", symbol, order_id, client_id)

    def findable(self, order: Order) -> bool:
        """Not hidden by a delay after its placement."""
        return self.engine.hidden.get(order.order_id, 0) <= self.engine.now

    def cancel(self, symbol: str, order_id: str = "", client_id: str = "") -> Order:
        order = self.find(symbol, order_id, client_id)
        if order is None or not order.living or not self.findable(order):
            raise Refusal("unknown_cancel")
        self.engine.trading.end(order, "user")
        return order

    def cancel_all(self, symbol: str) -> list[Order]:
        found = list(self.admission.open_orders(self.owner, symbol))
        for order in found:
            self.engine.trading.end(order, "user")
        return found

    def amend(self, symbol: str, side: str, order_id: str, client_id: str, size: str, price: str, match: str) -> Order:
        """Change size (the new total) and price of a resting limit order; where it cannot stay, it is cancelled."""
        order, owner = self.find(symbol, order_id, client_id), self.owner
        if order is None or not order.living or not self.findable(order):
            raise Refusal("unknown_order")
        if order.side != side:
            raise Refusal("amend_side")
        contract, made = (
            self.admission.contract(owner, symbol),
            replace(order, wire=order.wire | {"pm": match or "NONE"}),
        )
        made.size = decimal(size, "quantity")
        self.admission.quantity(contract, made.size, False)
        made.price = self.admission.limit_price(contract, made, price)
        if (made.size, made.price) == (order.size, order.price):
            raise Refusal("amend_same")
        if int(order.wire.get("edits", 0)) >= MAX_EDITS:
            raise Refusal("amend_often")
        takes = matching.reaches(made, self.engine.markets[symbol], self.engine.switches)
        if made.left <= 0 or (order.kind == "post_only" and takes):
            self.engine.trading.end(order, "user" if made.left <= 0 else "post_only")
            return order
        self.engine.live.pop(order.order_id)
        try:
            self.admission.fits_position(owner, made)
            self.engine.admission.margin(owner, made)
        finally:
            self.engine.live[order.order_id] = order  # to the end of the queue
        change = {"id": self.engine.numbers, "at": self.engine.now, "price": [str(order.price), str(made.price)],
                  "size": [str(order.size), str(made.size)]}  # fmt: skip
        order.size, order.price, order.updated = made.size, made.price, self.engine.now
        order.wire |= {"pm": match or "NONE", "edits": int(order.wire.get("edits", 0)) + 1, "x": "AMENDMENT"}
        order.wire["changes"] = [*order.wire.get("changes", []), change][-100:]
        order.taking = order.kind == "limit" and takes
        self.engine.tell("order", (order, None))
        order.wire.pop("x")
        if order.taking and order.active_from <= self.engine.now:
            self.engine.trading.try_to_fill(order)
        return order

    # -- by the clock

    def count_down(self, symbol: str, milliseconds: int) -> None:
        """Cancel all orders of that instrument unless this is asked again in time; 0 stops it."""
        self.countdowns.pop(symbol, None)
        if milliseconds:
            self.countdowns[symbol] = self.engine.now + milliseconds

    def moved_on(self, now: int) -> None:
        for symbol, at in list(self.countdowns.items()):
            if at <= now:
                del self.countdowns[symbol]
                self.cancel_all(symbol)
        for order in [order for order in self.engine.live.values() if order.wire.get("gtd")]:
            if order.living and int(order.wire["gtd"]) <= now:
                self.engine.trading.end(order, "good_till")

    # -- settings

    def set_mode(self, hedged: bool) -> None:
        """Hedge or one-way mode, for the whole account."""
        owner = self.owner
        if owner.hedged == hedged:
            raise Refusal("mode_same")
        if any(order.account == owner.name for order in self.engine.live.values()):
            raise Refusal("mode_orders")
        if owner.positions:
            raise Refusal("mode_positions")
        owner.hedged = hedged

    def set_leverage(self, symbol: str, leverage: int) -> None:
        owner = self.owner
        contract, before = self.admission.contract(owner, symbol), owner.lever(symbol)
        if not 1 <= leverage <= contract.max_leverage:
            raise Refusal("leverage_invalid", str(leverage))
        held = [position for key, position in owner.positions.items() if key[0] == symbol]
        if symbol in owner.isolated and held and leverage < before:
            raise Refusal("leverage_isolated")
        mark = self.engine.prices(symbol).mark
        if sum((abs(p.contracts) for p in held), ZERO) * mark > contract.largest_notional(Decimal(leverage)):
            raise Refusal("leverage_cap")
        owner.leverage[symbol] = Decimal(leverage)
        if leverage < before and self.engine.admission.free(owner) < 0:
            owner.leverage[symbol] = before
            raise Refusal("leverage_margin")
        for position in held:
            position.leverage = Decimal(leverage)
        self.engine.tell("leverage", (owner.name, symbol))

    def set_margin_type(self, symbol: str, isolated: bool) -> None:
        owner = self.owner
        self.admission.contract(owner, symbol)
        if (symbol in owner.isolated) == isolated:
            raise Refusal("margin_type_same")
        if owner.multi_assets and isolated:
            raise Refusal("margin_type_multi_assets")
        if any(True for _ in self.admission.open_orders(owner, symbol)):
            raise Refusal("margin_type_orders")
        if any(key[0] == symbol for key in owner.positions):
            raise Refusal("margin_type_positions")
        (owner.isolated.add if isolated else owner.isolated.discard)(symbol)
        self.engine.tell("margin_type", (owner.name, symbol))

    def set_multi_assets(self, wanted: bool) -> None:
        owner = self.owner
        if owner.multi_assets == wanted:
            raise Refusal("multi_assets_same")
        if wanted and owner.isolated:
            raise Refusal("multi_assets_isolated")
        owner.multi_assets = wanted
        self.engine.tell("multi_assets", owner.name)

    def set_position_margin(self, symbol: str, side: str, amount: str, adding: bool) -> None:
        """Move margin into an isolated position's wallet, or out of it."""
        owner, change, key = self.owner, decimal(amount, "amount"), (symbol, side)
        if change <= 0:
            raise Refusal("margin_amount")
        if symbol not in owner.isolated:
            raise Refusal("margin_not_isolated")
        if key not in owner.wallets:
            raise Refusal("margin_no_position")
        position, mark = owner.positions[key], self.engine.prices(symbol).mark
        if adding and change > self.engine.admission.free(owner):
            raise Refusal("margin_cross_short")
        spare = owner.wallets[key] + owner.unrealised(position, mark) - owner.margin(position, mark)
        if not adding and change > spare:
            raise Refusal("margin_isolated_short")
        owner.wallets[key] += change if adding else -change
        self.engine.tell("balance", (owner.name, "margin", key))
