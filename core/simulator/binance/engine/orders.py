"""Plain orders and settings of the Binance account in the engine: placed, amended, cancelled, counted down.

`order_checks` says what is let in; filling, booking and money are the engine's, the same as for every account.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.behaviour import BEHAVIOURS
from core.simulator.binance.engine.commands import (
    BinanceAmend,
    BinanceCancel,
    BinanceCancelAll,
    BinanceCountdown,
    BinanceMoveMargin,
    BinancePlace,
    BinanceSetLeverage,
    BinanceSetMarginType,
    BinanceSetMode,
    BinanceSetMultiAssets,
)
from core.simulator.binance.engine.instruments import catalogue
from core.simulator.binance.engine.order_checks import BinanceOrderChecks, decimal
from core.simulator.engine import matching
from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.behaviour import Behaviours
from core.simulator.engine.commands import Draft, Plan
from core.simulator.engine.components import Components
from core.simulator.engine.exchange import FIRST_ID
from core.simulator.engine.extension import Extension, Handlers
from core.simulator.engine.instruments import Contract
from core.simulator.engine.state import ZERO, Bill, BookOrder, Refusal

MAX_EDITS = 10_000


class BinanceOrders(Extension):
    """The Binance wire's operations in the engine, but for conditional orders and the listen key."""

    name = "binance_orders"
    behaviours: ClassVar[Behaviours] = BEHAVIOURS

    def __init__(self, components: Components, order_checks: BinanceOrderChecks) -> None:
        self.exchange, self.margin, self.book = components.exchange, components.margin, components.orders
        self.order_checks = order_checks
        self.countdowns: dict[str, int] = {}  # instrument -> when all its orders are cancelled (ms)

    @property
    def handlers(self) -> Handlers:
        """Return what carries out each command of plain orders and settings."""
        return {
            BinancePlace: self.place, BinanceCancel: self.cancel, BinanceCancelAll: self.cancel_all,
            BinanceAmend: self.amend, BinanceCountdown: self.count_down, BinanceSetMode: self.set_mode,
            BinanceSetLeverage: self.set_leverage, BinanceSetMarginType: self.set_margin_type,
            BinanceSetMultiAssets: self.set_multi_assets, BinanceMoveMargin: self.move_margin,
        }  # fmt: skip

    def begin(self, balance: Decimal | None) -> None:
        """Make the account anew, with its first deposit."""
        self.countdowns = {}
        exchange = self.exchange
        owner = exchange.accounts["binance"] = BinanceAccount("binance", self._contracts(), bnb_price=self._bnb_price)
        amount = exchange.setup.balances["binance"] if balance is None else balance
        owner.book(Bill(str(FIRST_ID), exchange.now, "deposit", amount, ZERO))  # an id that `next_id` never gives

    def state(self) -> Any:
        """Return the countdowns that run."""
        return {"countdowns": self.countdowns}

    def restore(self, state: Any) -> None:
        """Go on with the countdowns that ran."""
        self.countdowns = state["countdowns"]
        self.owner.contracts = self._contracts()

    @property
    def owner(self) -> BinanceAccount:
        """Return the one account of this side."""
        owner = self.exchange.accounts["binance"]
        assert isinstance(owner, BinanceAccount)
        return owner

    def _contracts(self) -> dict[str, Contract]:
        """Return the contracts as they are listed now."""
        behaviour = self.exchange.behaviour
        return catalogue(self.exchange.setup.contracts, behaviour["binance_flavour"], behaviour["binance_filters"])

    def _bnb_price(self) -> Decimal | None:
        """Return what a BNB costs (USDT) where fees are paid in it, else None."""
        if self.exchange.behaviour["binance_fee_asset"] != "BNB":
            return None
        market = self.exchange.markets.get("BNB-USDT-SWAP")
        return market.prices.last if market else Decimal(self.exchange.behaviour["binance_bnb_price"])

    def behaviour_changed(self, names: list[str]) -> None:
        """List the contracts anew where their filters were changed."""
        if {"binance_flavour", "binance_filters"} & set(names):
            self.owner.contracts = self._contracts()

    def keeps_closing_orders(self, owner: ExchangeAccount) -> bool:
        """Return whether resting orders that close outlive their position in this account."""
        return owner is self.owner and self.exchange.behaviour["binance_closing_limits_after_flat"] == "stay"

    # -- orders

    def place(self, command: BinancePlace) -> BookOrder:
        """Accept one order, and let it fill as far as it does; Refusal where it breaks a rule."""
        made = self.order_checks.order(self.owner, command.order)
        made.client_id = made.client_id or f"auto{self.exchange.numbers + 1:x}"
        return self._enter(made, command.plan)

    def place_child(self, order: Draft, plan: Plan) -> BookOrder:
        """Place the plain order that a triggered conditional order becomes; Refusal where the book does not take it.

        Its client id may be in use already, and it need not be worth the least notional.
        """
        owner, symbol = self.owner, str(order["instrument"])
        contract = self.order_checks.contract(owner, symbol)
        size, kind = Decimal(order["size"]), order["kind"]
        made = BookOrder(
            "", str(order.get("client_id") or ""), owner.name, symbol, order["side"], order["position_side"], kind,
            size, Decimal(order["price"]) if order.get("price") is not None else None, owner.lever(symbol),
            self.exchange.now, self.exchange.now, "isolated" if symbol in owner.isolated else "cross",
            bool(order.get("reduce_only")), source="trigger", algo_id=str(order.get("algo_id") or ""),
            wire=dict(order.get("wire") or {}),
        )  # fmt: skip
        self.order_checks.quantity(contract, size, kind == "market")
        self.order_checks.fits_position(owner, made)
        self.order_checks.fits_leverage(owner, contract, made)
        self.margin.check(owner, made)
        return self._enter(made, plan)

    def _enter(self, made: BookOrder, plan: Plan) -> BookOrder:
        hidden = float(plan.get("hidden", self.exchange.behaviour["binance_hidden_seconds"]))
        return self.book.enter(made, plan | ({"hidden": hidden} if hidden else {}))

    def find(self, symbol: str, order_id: str = "", client_id: str = "") -> BookOrder | None:
        """Return the order of that id, or the latest of that client id; hidden ones are found too."""
        return self.book.find("binance", symbol, order_id, client_id)

    def findable(self, order: BookOrder) -> bool:
        """Return whether the order is not hidden by a delay after its placement."""
        return not self.exchange.is_hidden(order.order_id)

    def _living(self, command: BinanceCancel | BinanceAmend, reason: str) -> BookOrder:
        order = self.find(command.symbol, command.order_id, command.client_id)
        if order is None or not order.living or not self.findable(order):
            raise Refusal(reason)
        return order

    def cancel(self, command: BinanceCancel) -> BookOrder:
        """Cancel what is left of an order; Refusal where it has ended or cannot be found."""
        order = self._living(command, "unknown_cancel")
        self.book.end(order, "user")
        return order

    def cancel_all(self, command: BinanceCancelAll) -> list[BookOrder]:
        """Cancel all plain orders of an instrument, and return them."""
        return self._cancel_all(command.symbol)

    def _cancel_all(self, symbol: str) -> list[BookOrder]:
        found = list(self.order_checks.open_orders(self.owner, symbol))
        for order in found:
            self.book.end(order, "user")
        return found

    def amend(self, command: BinanceAmend) -> BookOrder:
        """Change size (the new total) and price of a resting limit order; where it cannot stay, it is cancelled."""
        order, owner, symbol = self._living(command, "unknown_order"), self.owner, command.symbol
        match = command.match or "NONE"
        if order.side != command.side:
            raise Refusal("amend_side")
        contract, made = self.order_checks.contract(owner, symbol), replace(order, wire=order.wire | {"pm": match})
        made.size = decimal(command.size, "quantity")
        self.order_checks.quantity(contract, made.size, False)
        made.price = self.order_checks.limit_price(contract, made, command.price)
        if (made.size, made.price) == (order.size, order.price):
            raise Refusal("amend_same")
        if int(order.wire.get("edits", 0)) >= MAX_EDITS:
            raise Refusal("amend_often")
        takes = matching.reaches(made, self.exchange.markets[symbol], self.exchange.behaviour)
        if made.left <= 0 or (order.kind == "post_only" and takes):
            self.book.end(order, "user" if made.left <= 0 else "post_only")
            return order
        self.exchange.live.pop(order.order_id)
        try:
            self.order_checks.fits_position(owner, made)
            self.margin.check(owner, made)
        finally:
            self.exchange.live[order.order_id] = order  # to the end of the queue
        change = {"id": self.exchange.numbers, "at": self.exchange.now, "price": [str(order.price), str(made.price)],
                  "size": [str(order.size), str(made.size)]}  # fmt: skip
        order.size, order.price, order.updated = made.size, made.price, self.exchange.now
        order.wire |= {"pm": match, "edits": int(order.wire.get("edits", 0)) + 1, "x": "AMENDMENT"}
        order.wire["changes"] = [*order.wire.get("changes", []), change][-100:]
        order.taking = order.kind == "limit" and takes
        self.exchange.publish("order", (order, None))
        order.wire.pop("x")
        if order.taking and order.active_from <= self.exchange.now:
            self.book.try_to_fill(order)
        return order

    # -- by the clock

    def count_down(self, command: BinanceCountdown) -> None:
        """Start the countdown of an instrument anew, or stop it."""
        self.countdowns.pop(command.symbol, None)
        if command.milliseconds:
            self.countdowns[command.symbol] = self.exchange.now + command.milliseconds

    def after_step(self, now: int) -> None:
        """Cancel what a countdown or a good-till date ends at this time (ms)."""
        for symbol, at in list(self.countdowns.items()):
            if at <= now:
                del self.countdowns[symbol]
                self._cancel_all(symbol)
        for order in [order for order in self.exchange.live.values() if order.wire.get("gtd")]:
            if order.living and int(order.wire["gtd"]) <= now:
                self.book.end(order, "good_till")

    # -- settings

    def set_mode(self, command: BinanceSetMode) -> None:
        """Set hedge or one-way mode; Refusal where it is set already, or while anything is held or rests."""
        owner, hedged = self.owner, command.hedged
        if owner.hedged == hedged:
            raise Refusal("mode_same")
        if any(order.account == owner.name for order in self.exchange.live.values()):
            raise Refusal("mode_orders")
        if owner.positions:
            raise Refusal("mode_positions")
        owner.hedged = hedged

    def set_leverage(self, command: BinanceSetLeverage) -> None:
        """Set the leverage of an instrument; Refusal where it is too high, or needs more margin than there is."""
        owner, symbol, leverage = self.owner, command.symbol, command.leverage
        contract, before = self.order_checks.contract(owner, symbol), owner.lever(symbol)
        if not 1 <= leverage <= contract.max_leverage:
            raise Refusal("leverage_invalid", str(leverage))
        held = [position for key, position in owner.positions.items() if key[0] == symbol]
        if symbol in owner.isolated and held and leverage < before:
            raise Refusal("leverage_isolated")
        mark = self.exchange.prices(symbol).mark
        if sum((abs(p.contracts) for p in held), ZERO) * mark > contract.largest_notional(Decimal(leverage)):
            raise Refusal("leverage_cap")
        owner.leverage[symbol] = Decimal(leverage)
        if leverage < before and self.margin.free(owner) < 0:
            owner.leverage[symbol] = before
            raise Refusal("leverage_margin")
        for position in held:
            position.leverage = Decimal(leverage)
        self.exchange.publish("leverage", (owner.name, symbol))

    def set_margin_type(self, command: BinanceSetMarginType) -> None:
        """Set isolated or cross margin for an instrument; Refusal while it has a position or an order."""
        owner, symbol, isolated = self.owner, command.symbol, command.isolated
        self.order_checks.contract(owner, symbol)
        if (symbol in owner.isolated) == isolated:
            raise Refusal("margin_type_same")
        if owner.multi_assets and isolated:
            raise Refusal("margin_type_multi_assets")
        if any(True for _ in self.order_checks.open_orders(owner, symbol)):
            raise Refusal("margin_type_orders")
        if any(key[0] == symbol for key in owner.positions):
            raise Refusal("margin_type_positions")
        (owner.isolated.add if isolated else owner.isolated.discard)(symbol)
        self.exchange.publish("margin_type", (owner.name, symbol))

    def set_multi_assets(self, command: BinanceSetMultiAssets) -> None:
        """Set multi-assets or single-asset mode; Refusal where it is set already, or beside isolated margin."""
        owner, wanted = self.owner, command.wanted
        if owner.multi_assets == wanted:
            raise Refusal("multi_assets_same")
        if wanted and owner.isolated:
            raise Refusal("multi_assets_isolated")
        owner.multi_assets = wanted
        self.exchange.publish("multi_assets", owner.name)

    def move_margin(self, command: BinanceMoveMargin) -> None:
        """Move margin into an isolated position's wallet, or out of it; Refusal where there is not enough."""
        owner, symbol, adding = self.owner, command.symbol, command.adding
        change, key = decimal(command.amount, "amount"), (symbol, command.side)
        if change <= 0:
            raise Refusal("margin_amount")
        if symbol not in owner.isolated:
            raise Refusal("margin_not_isolated")
        if key not in owner.wallets:
            raise Refusal("margin_no_position")
        position, mark = owner.positions[key], self.exchange.prices(symbol).mark
        if adding and change > self.margin.free(owner):
            raise Refusal("margin_cross_short")
        spare = owner.wallets[key] + owner.unrealised(position, mark) - owner.margin(position, mark)
        if not adding and change > spare:
            raise Refusal("margin_isolated_short")
        owner.wallets[key] += change if adding else -change
        self.exchange.publish("balance", (owner.name, "margin", key))
