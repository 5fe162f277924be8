"""Binance's algo service in the engine: conditional orders in a book of their own, until they are triggered.

Nothing is held back for them and no margin is asked before the trigger. Then each becomes a plain order of the same
client id, which the ordinary book takes or refuses by its own rules. What is tied to a position (closePosition,
GTE_GTC) ends some time after it; everything else outlives it.
"""

from decimal import Decimal
from typing import Any

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.algo_order import LIMITS, PLAIN_KINDS, TRAILING, WAITING, BinanceAlgo
from core.simulator.binance.engine.commands import BinanceCancelAlgo, BinanceCancelAlgos, BinancePlaceAlgo
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.engine.order_checks import BinanceOrderChecks, decimal
from core.simulator.binance.engine.orders import BinanceOrders
from core.simulator.binance.engine.triggers import passed, triggered
from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.commands import Draft, Plan
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.extension import Extension, Handlers
from core.simulator.engine.state import ZERO, BookOrder, Refusal

REASONS = {
    "margin": "Margin is insufficient.", "reduce_only": "Reduce Only reject", "no_position": "Reduce Only reject",
    "reduce_only_clash": "Reduce Only reject", "reduce_only_margin": "Reduce Only reject",
    "quantity_large": "Quantity greater than max quantity.", "position_side": "Position side does not match.",
    "leverage_cap": "Exceeded the maximum allowable position at current leverage.",
}  # fmt: skip
FAULTS = ("trigger_stuck", "trigger_reject")


class BinanceAlgoOrders(Extension):
    """All that happens to conditional orders."""

    name = "binance_algo_orders"

    def __init__(self, exchange: ExchangeState, order_checks: BinanceOrderChecks, orders: BinanceOrders) -> None:
        self.exchange, self.order_checks, self.orders = exchange, order_checks, orders
        self.algos: dict[str, BinanceAlgo] = {}  # all there ever were, by id
        self.open: dict[str, BinanceAlgo] = {}  # those that have not ended
        exchange.listeners.append(self._on_event)

    @property
    def handlers(self) -> Handlers:
        """Return what carries out each command of conditional orders."""
        return {
            BinancePlaceAlgo: self.place, BinanceCancelAlgo: self.cancel, BinanceCancelAlgos: self.cancel_all
        }  # fmt: skip

    def begin(self, balance: Decimal | None) -> None:
        """Forget all conditional orders."""
        self.algos, self.open = {}, {}

    def state(self) -> Any:
        """Return all conditional orders."""
        return {"algos": self.algos}

    def restore(self, state: Any) -> None:
        """Go on with these conditional orders."""
        self.algos = state["algos"]
        self.open = {algo_id: algo for algo_id, algo in self.algos.items() if not algo.ended}

    @property
    def owner(self) -> BinanceAccount:
        """Return the one account of this side."""
        return self.orders.owner

    def waiting(self, symbol: str | None = None) -> list[BinanceAlgo]:
        """Return those that no price has triggered yet (of one instrument)."""
        return [a for a in self.open.values() if a.state == "NEW" and symbol in (None, a.instrument)]

    def waits_on(self, symbol: str) -> bool:
        """Return whether any waits on that instrument."""
        return bool(self.waiting(symbol))

    def rows(self) -> list[Any]:
        """Return every conditional order there ever was as a plain row, for the controls."""
        names = ("algo_id", "client_id", "instrument", "side", "position_side", "kind", "force", "by", "state",
                 "order_id", "reason", "close_position", "created", "updated")  # fmt: skip
        return [
            {name: getattr(algo, name) for name in names}
            | {"size": str(algo.size), "trigger": None if algo.trigger is None else str(algo.trigger)}
            for algo in self.algos.values()
        ]

    # -- taking in

    def place(self, command: BinancePlaceAlgo) -> BinanceAlgo:
        """Accept one conditional order; Refusal where it breaks a rule.

        `plan` says what a fault wants: {"hidden"} (seconds), {"vanish": seconds, "as": "CANCELED" or "EXPIRED"}.
        """
        made, plan = self._checked(command.algo), command.plan
        exchange = self.exchange
        made.algo_id = exchange.next_id()
        made.client_id = made.client_id or f"auto{made.algo_id}"
        hidden = Decimal(str(plan.get("hidden", exchange.behaviour["binance_algo_hidden_seconds"])))
        if hidden:
            exchange.hide(made.algo_id, hidden)
        if "vanish" in plan:
            made.vanishes_at = exchange.now + int(Decimal(str(plan["vanish"])) * 1000)
            made.vanishes_as = str(plan.get("as", "CANCELED"))
        self.algos[made.algo_id] = self.open[made.algo_id] = made
        exchange.publish("binance_algo", made)
        return made

    def _checked(self, asked: Draft) -> BinanceAlgo:
        exchange, owner, order_checks = self.exchange, self.owner, self.order_checks
        symbol, kind = str(asked["instrument"]), str(asked["kind"])
        contract = order_checks.contract(owner, symbol)
        order_checks.may_trade(symbol)
        whole = bool(asked.get("close_position"))
        made = BinanceAlgo(
            "", str(asked.get("client_id") or ""), symbol, asked["side"], order_checks.position_side(owner, asked),
            kind, ZERO if whole else decimal(asked["size"], "quantity"), exchange.now, exchange.now,
            by=asked.get("by", "last"),
            force=asked.get("force", "GTC"), close_position=whole, reduce_only=asked.get("reduce_only") == "true",
            protect=bool(asked.get("protect")), stp=asked.get("stp", "EXPIRE_MAKER"), match=asked.get("match", "NONE"),
            till=int(asked.get("till") or 0),
        )  # fmt: skip
        if not whole:
            order_checks.quantity(contract, made.size, False)
        if kind in LIMITS and made.match == "NONE":
            made.price = order_checks.price(contract, decimal(asked["price"], "price"))
        if made.client_id and any(other.client_id == made.client_id for other in self.open.values()):
            raise Refusal("duplicate_id")
        self._levels(contract, made, asked)
        self._position_rules(made)
        if len(self.waiting()) >= int(exchange.behaviour["binance_max_conditional"]):
            raise Refusal("too_many_conditional")
        return made

    def _levels(self, contract: BinanceContract, algo: BinanceAlgo, asked: Draft) -> None:
        """Trigger or trailing; what the price has passed already is refused."""
        prices = self.exchange.prices(algo.instrument)
        listens = "last" if self.exchange.behaviour["binance_would_trigger"] == "last" else algo.by
        price = prices.by(listens)
        if algo.kind == TRAILING:
            algo.callback = decimal(asked["callback"], "callbackRate")
            algo.extreme = prices.by(algo.by)
            if asked.get("active"):
                algo.active = decimal(asked["active"], "activatePrice")
                if algo.active <= 0:
                    raise Refusal("activation_price")
                if algo.active >= price if algo.sign > 0 else algo.active <= price:
                    raise Refusal("would_trigger")
                algo.activated, algo.extreme = False, None
            return
        algo.trigger = self._trigger(contract, decimal(asked["trigger"], "triggerPrice"), price)
        if passed(algo, price):
            raise Refusal("would_trigger")

    def _trigger(self, contract: BinanceContract, trigger: Decimal, price: Decimal) -> Decimal:
        behaviour, band = self.exchange.behaviour, Decimal(str(self.exchange.behaviour["binance_trigger_band"]))
        if trigger <= 0 or behaviour["binance_off_tick_trigger"] == "refuse":
            self.order_checks.price(contract, trigger)
        if band and trigger > price * band:
            raise Refusal("trigger_high", f"{price * band:.2f}")
        if band and trigger < price / band:
            raise Refusal("trigger_low", f"{price / band:.2f}")
        return trigger

    def _position_rules(self, algo: BinanceAlgo) -> None:
        if algo.close_position and (algo.position_side, algo.side) in (("long", "buy"), ("short", "sell")):
            raise Refusal("reduce_only")
        if algo.tied and not self._closable(algo):
            raise Refusal("no_position_gte")
        if algo.close_position:
            names = ("instrument", "position_side", "side", "kind")
            for other in self.waiting():
                if other.close_position and all(getattr(other, name) == getattr(algo, name) for name in names):
                    raise Refusal("same_close_position")

    def _closable(self, algo: BinanceAlgo) -> Decimal:
        """Return how much the order could close of what is held now."""
        held = self.owner.held(algo.instrument, algo.position_side)
        return abs(held) if held * algo.sign < 0 else ZERO

    # -- triggering

    def evaluate(self, symbol: str) -> None:
        """Trigger what the prices of that instrument trigger."""
        for algo in self.waiting(symbol):
            protect, activated = self.order_checks.contract(self.owner, symbol).protect, algo.activated
            if algo.state != "NEW":
                continue  # ended by one that was triggered before it
            if triggered(algo, self.exchange.prices(symbol), protect):
                self._trigger_now(algo)
            elif algo.activated and not activated:
                self._publish(algo)

    def _trigger_now(self, algo: BinanceAlgo) -> None:
        exchange = self.exchange
        algo.state, algo.triggered = "TRIGGERING", exchange.now
        about = {"exchange": "binance", "instId": algo.instrument, "clOrdId": algo.client_id}
        about["symbol"] = self.order_checks.contract(self.owner, algo.instrument).wire
        fault = exchange.faults.strike(set(FAULTS), about)
        delay = int(Decimal(str(exchange.behaviour["binance_trigger_delay_seconds"])) * 1000)
        algo.sends_at = 0 if fault is not None and fault.kind == "trigger_stuck" else exchange.now + delay
        self._publish(algo)
        if not algo.sends_at and fault is not None and "seconds" in fault.asked:  # stuck for so long, then over
            algo.ends_at = exchange.now + int(Decimal(str(fault.asked["seconds"])) * 1000)
        if fault is not None and fault.kind == "trigger_reject":
            self.end(algo, "REJECTED", str(fault.asked.get("reason", "Margin is insufficient.")))
        elif algo.sends_at and not delay:
            self._send(algo)

    def _send(self, algo: BinanceAlgo) -> None:
        """Put the plain order into the book, or say why the book does not take it."""
        exchange, plan = self.exchange, Plan()
        about = {"exchange": "binance", "instId": algo.instrument, "clOrdId": algo.client_id, "op": "trigger"}
        fault = exchange.faults.strike({"partial_fill"}, about)
        if fault is not None:
            plan = {"fraction": fault.asked.get("fraction", "0.5"), "rest": fault.asked.get("rest", "work")}
        try:
            if (algo.position_side == "net") == self.owner.hedged:
                raise Refusal("position_side")
            self.orders.place_child(self._plain(algo), plan)
        except Refusal as refusal:
            self.end(algo, "REJECTED", REASONS.get(refusal.reason, refusal.reason))

    def _plain(self, algo: BinanceAlgo) -> Draft:
        size = self._closable(algo) if algo.close_position else algo.size
        if not size:
            raise Refusal("no_position")
        order_checks, price = self.order_checks, algo.price
        if algo.kind in LIMITS and algo.match != "NONE":
            contract = order_checks.contract(self.owner, algo.instrument)
            price = order_checks.matched(contract, algo.side, algo.match)
        wire: dict[str, Any] = {"type": "MARKET" if price is None else "LIMIT", "stp": algo.stp,
                "pm": algo.match, "wt": algo.by, "cp": algo.close_position, "pP": algo.protect}  # fmt: skip
        if price is not None:
            wire |= {"tif": algo.force} | ({"gtd": algo.till} if algo.till else {})
        wire |= {"sp": str(algo.trigger)} if algo.trigger is not None else {}
        return {
            "instrument": algo.instrument, "side": algo.side, "position_side": algo.position_side, "size": size,
            "kind": "market" if price is None else PLAIN_KINDS[algo.force], "price": price, "wire": wire,
            "client_id": algo.client_id, "algo_id": algo.algo_id,
            "reduce_only": algo.position_side == "net" and (algo.reduce_only or algo.close_position),
        }  # fmt: skip

    def _on_event(self, what: str, about: Any) -> None:
        """The book has taken the plain order of a conditional one: it is told before any fill of it."""
        if what != "order" or about[0].account != "binance" or not about[0].algo_id:
            return
        algo = self.open.get(about[0].algo_id)
        if algo is not None and algo.state == "TRIGGERING":
            algo.state, algo.order_id = "TRIGGERED", about[0].order_id
            self._publish(algo)

    # -- ending

    def order_changed(self, order: BookOrder) -> None:
        """End the conditional order whose plain order has ended."""
        algo = self.open.get(order.algo_id) if order.account == "binance" else None
        if algo is not None and not order.living:
            self.end(algo, "FINISHED")

    def end(self, algo: BinanceAlgo, state: str, reason: str = "") -> None:
        """End it in that state, and tell so."""
        algo.state, algo.reason = state, reason
        self.open.pop(algo.algo_id, None)
        self._publish(algo)

    def _publish(self, algo: BinanceAlgo) -> None:
        algo.updated = self.exchange.now
        self.exchange.publish("binance_algo", algo)

    def findable(self, algo: BinanceAlgo) -> bool:
        """Return whether it is not hidden by a delay after its placement."""
        return not self.exchange.is_hidden(algo.algo_id)

    def find(self, algo_id: str = "", client_id: str = "") -> BinanceAlgo | None:
        """Return the one of that id, or the latest of that client id; hidden ones are found too."""
        if algo_id:
            return self.algos.get(algo_id)
        return next((a for a in reversed(self.algos.values()) if client_id and a.client_id == client_id), None)

    def cancel(self, command: BinanceCancelAlgo) -> BinanceAlgo:
        """Cancel one that waits; Refusal where it has ended, was triggered or cannot be found."""
        algo = self.find(command.algo_id, command.client_id)
        if algo is None or algo.state != "NEW" or not self.findable(algo):
            raise Refusal("unknown_cancel")
        self.end(algo, "CANCELED")
        return algo

    def cancel_all(self, command: BinanceCancelAlgos) -> None:
        """Cancel all that wait on that instrument."""
        for algo in self.waiting(command.symbol):
            self.end(algo, "CANCELED")

    def position_ended(self, owner: ExchangeAccount, symbol: str, side: str) -> None:
        """Schedule the end of orders tied to this position, after their delay."""
        if owner is self.owner:
            self._mark_tied(self.exchange.now)

    def _mark_tied(self, now: int) -> None:
        """End orders tied to a position after a while, unless there is something to close again by then."""
        delay = Decimal(str(self.exchange.behaviour["binance_tied_ends_after_seconds"]))
        for algo in [algo for algo in self.waiting() if algo.tied]:
            if delay < 0 or self._closable(algo):
                algo.ends_at = 0
            elif not algo.ends_at:
                algo.ends_at = now + int(delay * 1000)
            if algo.ends_at and algo.ends_at <= now:
                self.end(algo, "EXPIRED")

    def after_step(self, now: int) -> None:
        """Send, expire or cancel what this time (ms) sends, expires or cancels."""
        self._mark_tied(now)
        for algo in list(self.open.values()):
            if algo.state == "NEW" and algo.vanishes_at and algo.vanishes_at <= now:
                self.end(algo, algo.vanishes_as)
            elif algo.state == "NEW" and algo.till and algo.till <= now:
                self.end(algo, "EXPIRED")
            elif algo.state == "TRIGGERING" and algo.sends_at and algo.sends_at <= now:
                self._send(algo)
            elif algo.state == "TRIGGERING" and algo.ends_at and algo.ends_at <= now:
                self.end(algo, "EXPIRED")

    def stop_trading(self, owner: ExchangeAccount, symbols: set[str]) -> None:
        """Expire what waits on these instruments."""
        for algo in [algo for algo in self.open.values() if owner is self.owner and algo.state in WAITING]:
            if algo.instrument in symbols:
                self.end(algo, "EXPIRED")
