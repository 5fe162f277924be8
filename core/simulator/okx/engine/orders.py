"""Plain orders and settings of the OKX accounts, live and demo: placed, amended, cancelled; positions closed.

`order_checks` says what is let in; filling, booking and money are the engine's, the same as for every account.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from core.simulator.engine import matching
from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.behaviour import Behaviours
from core.simulator.engine.commands import Draft, Plan
from core.simulator.engine.components import Components
from core.simulator.engine.extension import Extension, Handlers
from core.simulator.engine.state import ZERO, AttachedProtection, Bill, BookOrder, Refusal, TriggerLeg, number
from core.simulator.okx.engine.algo_orders import OkxAlgoOrders
from core.simulator.okx.engine.behaviour import BEHAVIOURS
from core.simulator.okx.engine.commands import (
    OkxAmend,
    OkxCancel,
    OkxCancelAllAfter,
    OkxClosePart,
    OkxClosePosition,
    OkxPlace,
    OkxSetLeverage,
    OkxSetMode,
)
from core.simulator.okx.engine.instruments import demo
from core.simulator.okx.engine.order_checks import OkxOrderChecks


class OkxOrders(Extension):
    """The OKX wire's operations in the engine, but for algo orders."""

    name = "okx_orders"
    behaviours: ClassVar[Behaviours] = BEHAVIOURS

    def __init__(self, components: Components, order_checks: OkxOrderChecks, algo_orders: OkxAlgoOrders) -> None:
        self.exchange, self.margin, self.book = components.exchange, components.margin, components.orders
        self.order_checks, self.algo_orders = order_checks, algo_orders
        self.countdowns: dict[str, int] = {}  # account -> when all its orders are cancelled (ms)

    @property
    def handlers(self) -> Handlers:
        """Return what carries out each command of plain orders and settings."""
        return {
            OkxPlace: self.place, OkxCancel: self.cancel, OkxAmend: self.amend,
            OkxClosePosition: self.close_position, OkxClosePart: self.close_part, OkxSetMode: self.set_mode,
            OkxSetLeverage: self.set_leverage, OkxCancelAllAfter: self.cancel_all_after,
        }  # fmt: skip

    def begin(self, balance: Decimal | None) -> None:
        """Make the accounts of both worlds anew, with their first deposit."""
        self.countdowns = {}
        exchange, contracts = self.exchange, self.exchange.setup.contracts
        amount = exchange.setup.balances["okx"] if balance is None else balance
        for name, listed in {"live": contracts, "demo": demo(contracts)}.items():
            owner = exchange.accounts[name] = ExchangeAccount(name, listed)
            owner.book(Bill(exchange.next_id(), exchange.now, "deposit", amount, ZERO))
            exchange.publish("balance", (name, "deposit", None))

    def state(self) -> Any:
        """Return the countdowns that run."""
        return {"countdowns": self.countdowns}

    def restore(self, state: Any) -> None:
        """Go on with the countdowns that ran."""
        self.countdowns = state["countdowns"]

    # -- orders

    def place(self, command: OkxPlace) -> BookOrder:
        """Accept one order, and let it fill as far as it does; Refusal where it breaks a rule."""
        return self._place(command.account, command.order, command.plan)

    def _place(self, account: str, order: Draft, plan: Plan) -> BookOrder:
        owner = self.exchange.accounts[account]
        made = self.order_checks.order(owner, order)
        self.order_checks.fit_to_position(owner, made)
        self.margin.check(owner, made)
        return self.book.enter(made, plan)

    def _living(self, command: OkxCancel | OkxAmend, reason: str) -> BookOrder:
        order = self.book.find(command.account, command.symbol, command.order_id, command.client_id)
        if order is None or not order.living:
            raise Refusal(reason)
        return order

    def cancel(self, command: OkxCancel) -> BookOrder:
        """Cancel what is left of an order; Refusal where it has ended or never was."""
        order = self._living(command, "cancel_gone")
        self.book.end(order, "user")
        return order

    def amend(self, command: OkxAmend) -> BookOrder:
        """Change size (the new total), price or attached legs; Refusal leaves the order as it was."""
        order, change = self._living(command, "amend_gone"), command.change
        owner, made = self.exchange.accounts[command.account], replace(order)
        if not any(change.get(name) for name in ("size", "price", "attached")):
            raise Refusal("parameter", "newSz")
        if change.get("size"):
            made.size = number(change["size"], "newSz")
            self.order_checks.size_checked(owner, command.symbol, made.size)
        if change.get("price"):
            if order.price is None:
                raise Refusal("parameter", "newPx")
            price = self.order_checks.price_checked(owner, command.symbol, change["price"], "newPx")
            made.price = self.order_checks.in_band(command.symbol, order.side, price, False)
        self.exchange.live.pop(order.order_id)
        try:
            if made.left > 0:
                self.margin.check(owner, made)
            attached = [self._amended(owner, made, one) for one in change.get("attached") or []]
        finally:
            self.exchange.live[order.order_id] = order
        for kept, legs in attached:
            kept.take_profit, kept.stop_loss = legs
        order.size, order.price, order.updated = max(made.size, order.filled), made.price, self.exchange.now
        if order.left <= 0:
            order.state = "filled"
            self.exchange.live.pop(order.order_id)
            self.exchange.publish("order", (order, None))
            self.book.changed(order)
            return order
        market = self.exchange.markets[command.symbol]
        takes = order.kind == "limit" and matching.reaches(order, market, self.exchange.behaviour)
        order.taking = order.taking or takes
        self.exchange.publish("order", (order, None))
        if order.taking and order.active_from <= self.exchange.now:
            self.book.try_to_fill(order)
        return order

    def _amended(
        self, owner: ExchangeAccount, order: BookOrder, asked: dict[str, Any]
    ) -> tuple[AttachedProtection, tuple[TriggerLeg | None, TriggerLeg | None]]:
        for kept in order.attached:
            if asked.get("attach_id") == kept.attach_id or (
                asked.get("client_id") and asked["client_id"] == kept.client_id
            ):
                changed = self.order_checks.changed_leg
                legs = (
                    changed(owner, order.instrument, kept.take_profit, asked.get("take_profit")),
                    changed(owner, order.instrument, kept.stop_loss, asked.get("stop_loss")),
                )
                self.order_checks.right_side(order, *legs)
                return kept, legs
        raise Refusal("amend_gone")

    def close_position(self, command: OkxClosePosition) -> BookOrder:
        """Close the whole position at market; resting closing orders stand in the way unless they may be cancelled."""
        account, symbol = command.account, command.symbol
        owner = self.exchange.accounts[account]
        self.exchange.contract(owner, symbol)
        side = self.order_checks.position_side(owner, command.side)
        held = owner.held(symbol, side)
        if not held:
            raise Refusal("no_position")
        closing = "sell" if held > 0 else "buy"
        resting = [
            o for o in self.exchange.live.values()
            if (o.account, o.instrument, o.position_side, o.side) == (account, symbol, side, closing)
        ]  # fmt: skip
        if resting and not command.cancel_orders:
            raise Refusal("close_orders_pending")
        for order in resting:
            self.book.end(order, "user")
        if command.cancel_orders and self.exchange.behaviour["auto_cxl_algos"]:
            for algo in self.algo_orders.book.of_position(owner, symbol, side):
                self.algo_orders.end(algo)
        least = str(self.exchange.contract(owner, symbol).minimum)  # the whole may be more than one order may have
        asked: Draft = {"instrument": symbol, "side": closing, "position_side": side, "kind": "market"}
        asked |= {
            "size": least,
            "margin_mode": "cross",
            "reduce_only": True,
            "client_id": command.client_id,
            "tag": command.tag,
        }
        made = replace(self.order_checks.order(owner, asked), size=abs(held))
        return self.book.enter(made, {})

    def close_part(self, command: OkxClosePart) -> BookOrder:
        """Close some of the position at market."""
        held = self.exchange.accounts[command.account].held(command.symbol, command.side)
        side = "sell" if held > 0 else "buy"
        asked: Draft = {"instrument": command.symbol, "side": side, "position_side": command.side, "kind": "market"}
        asked |= {"size": command.size, "margin_mode": "cross", "reduce_only": True}
        return self._place(command.account, asked, {})

    # -- settings

    def set_mode(self, command: OkxSetMode) -> None:
        """Set hedge or net mode; Refusal while anything is held or rests."""
        owner = self.exchange.accounts[command.account]
        if owner.positions or any(order.account == owner.name for order in self.exchange.live.values()):
            raise Refusal("mode_in_use")
        owner.hedged = command.hedged

    def set_leverage(self, command: OkxSetLeverage) -> None:
        """Set one leverage for both sides; Refusal where it is too high, in use, or needs more margin than there is."""
        exchange, owner, symbol = self.exchange, self.exchange.accounts[command.account], command.symbol
        contract, value = exchange.contract(owner, symbol), Decimal(command.leverage)
        key = (owner.name, symbol)
        if not 0 < value <= contract.max_leverage:
            raise Refusal("leverage_too_high")
        if any((order.account, order.instrument) == key for order in exchange.live.values()):
            raise Refusal("leverage_orders_pending")
        if any((algo.account, algo.instrument) == key for algo in self.algo_orders.book.waiting.values()):
            raise Refusal("leverage_algos_pending")
        before = owner.lever(symbol)
        owner.leverage[symbol] = value
        if value < before and owner.held_margin(exchange.prices) > owner.equity(exchange.prices):
            owner.leverage[symbol] = before
            raise Refusal("leverage_too_low")
        for (instrument, side), position in owner.positions.items():
            if instrument == symbol:
                position.leverage = value
                exchange.publish("position", (owner.name, instrument, side))
        exchange.publish("balance", (owner.name, "set_leverage", None))

    # -- the countdown

    def cancel_all_after(self, command: OkxCancelAllAfter) -> None:
        """Start the countdown of the account anew, or stop it."""
        self.countdowns.pop(command.account, None)
        if command.seconds:
            self.countdowns[command.account] = self.exchange.now + command.seconds * 1000

    def before_step(self, now: int) -> None:
        """Cancel the orders of accounts whose countdown has ended."""
        for name, at in list(self.countdowns.items()):
            if at <= now:
                del self.countdowns[name]
                for order in [order for order in self.exchange.live.values() if order.account == name]:
                    self.book.end(order, "dead_man")
