"""OKX's algo orders in the engine: placed, triggered, amended, cancelled, and what becomes of them with their position.

`triggers` says when one is triggered; this file does what follows.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.commands import Draft
from core.simulator.engine.components import Components
from core.simulator.engine.extension import Extension, Handlers
from core.simulator.engine.state import BookOrder, Refusal, TriggerLeg, number
from core.simulator.okx.engine.algo_order import OkxAlgo, OkxAlgoBook
from core.simulator.okx.engine.commands import OkxAmendAlgo, OkxCancelAlgo, OkxPlaceAlgo
from core.simulator.okx.engine.order_checks import OkxOrderChecks, name_checked
from core.simulator.okx.engine.triggers import passed, triggered

KINDS = {"conditional", "oco", "trigger", "move_order_stop"}
SOURCES = {"conditional": "protection", "oco": "protection", "trigger": "trigger", "move_order_stop": "trailing"}


class OkxAlgoOrders(Extension):
    """All that happens to algo orders."""

    name = "okx_algo_orders"

    def __init__(self, components: Components, order_checks: OkxOrderChecks, book: OkxAlgoBook) -> None:
        self.exchange, self.margin, self.orders = components.exchange, components.margin, components.orders
        self.order_checks, self.book = order_checks, book

    @property
    def handlers(self) -> Handlers:
        """Return what carries out each command of algo orders."""
        return {OkxPlaceAlgo: self.place, OkxCancelAlgo: self.cancel, OkxAmendAlgo: self.amend}

    def begin(self, balance: Decimal | None) -> None:
        """Forget all algo orders."""
        self.book.fill({})

    def state(self) -> Any:
        """Return all algo orders."""
        return {"algos": self.book.all}

    def restore(self, state: Any) -> None:
        """Go on with these algo orders."""
        self.book.fill(state["algos"])

    # -- placing

    def place(self, command: OkxPlaceAlgo) -> OkxAlgo:
        """Accept one algo order; Refusal where it breaks a rule."""
        owner = self.exchange.accounts[command.account]
        made = self._checked(owner, command.algo)
        self._right_side(made, made.take_profit, made.stop_loss)
        self._enter(made)
        if "hidden" in command.plan:
            self.exchange.hide(made.algo_id, command.plan["hidden"])
        return made

    def _enter(self, algo: OkxAlgo) -> None:
        algo.algo_id = self.exchange.next_id()
        if algo.trigger is not None:
            algo.trigger_above = algo.trigger.trigger > self.exchange.prices(algo.instrument).by(algo.trigger.by)
        self.book.add(algo)
        self.exchange.publish("algo", algo)

    def _checked(self, owner: ExchangeAccount, asked: Draft) -> OkxAlgo:
        exchange, symbol, kind = self.exchange, str(asked.get("instrument") or ""), asked.get("kind")
        if exchange.behaviour["acct_lv"] == "1":
            raise Refusal("account_mode")
        contract = exchange.contract(owner, symbol)
        if symbol in exchange.behaviour["suspended"]:
            raise Refusal("suspended")
        if kind not in KINDS:
            raise Refusal("parameter", "ordType")
        if asked.get("side") not in ("buy", "sell"):
            raise Refusal("parameter", "side")
        if asked.get("margin_mode") not in ("cross", "isolated"):
            raise Refusal("parameter", "tdMode")
        position_side = self.order_checks.position_side(owner, asked.get("position_side"))
        client_id = name_checked(str(asked.get("client_id") or ""), "algoClOrdId")
        if client_id and self.book.is_taken(owner, client_id):
            raise Refusal("duplicate_algo_id")
        size = self._size(owner, asked, symbol)
        if size is not None and size > contract.max_market:
            raise Refusal("stop_size")
        made = OkxAlgo(
            "", client_id, owner.name, symbol, asked["side"], position_side, kind, size, owner.lever(symbol),
            exchange.now,
            exchange.now, asked["margin_mode"], reduce_only=bool(asked.get("reduce_only")) or size is None,
            tied=bool(asked.get("tied")), tag=name_checked(str(asked.get("tag") or ""), "tag"),
        )  # fmt: skip
        self._legs(owner, made, asked)
        self._rules(owner, made, asked)
        return made

    def _size(self, owner: ExchangeAccount, asked: dict[str, Any], symbol: str) -> Decimal | None:
        if asked.get("whole"):
            if asked.get("kind") not in ("conditional", "oco"):
                raise Refusal("close_fraction_kind")
            return None
        size = number(asked.get("size"), "sz")
        self.order_checks.size_checked(owner, symbol, size)
        return size

    def _legs(self, owner: ExchangeAccount, algo: OkxAlgo, asked: dict[str, Any]) -> None:
        for name in ("take_profit", "stop_loss", "trigger"):
            if asked.get(name):
                setattr(algo, name, self.order_checks.leg(owner, algo.instrument, asked[name], name))
        count = sum(leg is not None for leg in (algo.take_profit, algo.stop_loss))
        if algo.kind in ("conditional", "oco"):
            if count == 0 or (algo.kind == "oco" and count != 2):
                raise Refusal("parameter", "slTriggerPx or tpTriggerPx")
            if algo.kind == "conditional" and count == 2:
                if algo.position_side == "net":
                    algo.take_profit = None
                else:
                    algo.kind = "oco"
        elif algo.kind == "trigger":
            if algo.trigger is None:
                raise Refusal("parameter", "triggerPx")
        else:
            self._trailing(owner, algo, asked)

    def _trailing(self, owner: ExchangeAccount, algo: OkxAlgo, asked: dict[str, Any]) -> None:
        ratio, spread, active = (asked.get(name) for name in ("callback_ratio", "callback_spread", "active"))
        if bool(ratio) == bool(spread):
            raise Refusal("parameter", "callbackRatio")
        if ratio:
            algo.callback_ratio = number(ratio, "callbackRatio")
            if not Decimal("0.001") <= algo.callback_ratio <= 1:
                raise Refusal("callback_ratio")
        else:
            algo.callback_spread = number(spread, "callbackSpread")
            if algo.callback_spread <= 0:
                raise Refusal("parameter", "callbackSpread")
        if active:
            algo.active, algo.activated = (
                self.order_checks.price_checked(owner, algo.instrument, active, "activePx"),
                False,
            )
        if algo.activated:
            algo.extreme = self.exchange.prices(algo.instrument).last

    def _rules(self, owner: ExchangeAccount, algo: OkxAlgo, asked: dict[str, Any]) -> None:
        if algo.tied and not algo.reduce_only:
            raise Refusal("tied_needs_reduce_only")
        if algo.kind == "trigger" and asked.get("reduce_only"):
            if not owner.hedged or self.exchange.behaviour["trigger_reduce_only_hedge"] != "ignore":
                raise Refusal("trigger_reduce_only")
            algo.reduce_only = False
        if algo.size is None and any(
            other.size is None for other in self.book.of_position(owner, algo.instrument, algo.position_side)
        ):
            raise Refusal("close_fraction_exists")

    def _right_side(self, algo: OkxAlgo, profit: TriggerLeg | None, stop: TriggerLeg | None) -> None:
        """Refuse a leg whose level has been passed already."""
        prices = self.exchange.prices(algo.instrument)
        for leg, is_profit in ((profit, True), (stop, False)):
            if leg is not None and passed(algo.sign, is_profit, leg, prices):
                raise Refusal(f"{'tp' if is_profit else 'sl'}_{algo.side}_{leg.by}")

    # -- placed with an entry

    def order_changed(self, order: BookOrder) -> None:
        """Place the protection that came with an entry once the entry is over, for what was filled."""
        if not order.living and order.attached:
            self._place_attached(order)

    def _place_attached(self, order: BookOrder) -> None:
        owner = self.exchange.accounts[order.account]
        for attached in order.attached:
            if attached.algo_id or attached.fail_code or not order.filled:
                continue
            legs = [leg for leg in (attached.take_profit, attached.stop_loss) if leg]
            kind = {0: "move_order_stop", 1: "conditional", 2: "oco"}[len(legs)]
            algo = OkxAlgo(
                "", attached.client_id, order.account, order.instrument, "sell" if order.side == "buy" else "buy",
                order.position_side, kind, order.filled, owner.lever(order.instrument), self.exchange.now,
                self.exchange.now,
                order.margin_mode, attached.take_profit, attached.stop_loss, reduce_only=True, was_attached=True,
                tag=order.tag,
            )  # fmt: skip
            algo.callback_ratio, algo.callback_spread = attached.callback_ratio, attached.callback_spread
            algo.active, algo.activated = attached.active, attached.active is None
            fault = self.exchange.faults.strike({"reject"}, {"instId": order.instrument, "clOrdId": attached.client_id})
            try:
                if fault is not None:
                    raise Refusal("fault", str(fault.asked["code"]))
                self._right_side(algo, algo.take_profit, algo.stop_loss)
            except Refusal as refusal:
                attached.fail_code = refusal.detail if refusal.reason == "fault" else refusal.reason
                self.exchange.publish("order", (order, None))
                continue
            self._enter(algo)
            attached.algo_id = algo.algo_id

    # -- triggering

    def waits_on(self, symbol: str) -> bool:
        """Return whether an algo waits on that instrument."""
        return any(algo.instrument == symbol for algo in self.book.waiting.values())

    def evaluate(self, symbol: str) -> None:
        """Trigger what the prices of that instrument trigger."""
        for algo in [algo for algo in self.book.waiting.values() if algo.instrument == symbol]:
            if algo.state == "live" and (found := triggered(algo, self.exchange.prices(symbol))) is not None:
                self._trigger(algo, *found)

    def _trigger(self, algo: OkxAlgo, actual_side: str, leg: TriggerLeg) -> None:
        exchange, owner = self.exchange, self.exchange.accounts[algo.account]
        self.book.waiting.pop(algo.algo_id)
        algo.triggered, algo.updated, algo.actual_side = exchange.now, exchange.now, actual_side
        held = abs(owner.held(algo.instrument, algo.position_side))
        price = None if algo.kind == "move_order_stop" else leg.price
        asked: dict[str, Any] = {
            "instrument": algo.instrument, "side": algo.side, "position_side": algo.position_side, "tag": algo.tag,
            "kind": "market" if price is None else "limit", "price": price, "margin_mode": algo.margin_mode,
            "size": algo.size if algo.size is not None else held, "reduce_only": algo.reduce_only, "clamp": True,
        }  # fmt: skip
        try:
            if algo.size is None and not held:
                raise Refusal("nothing_to_close")
            order = self.order_checks.order(owner, asked)
            order.source, order.algo_id, order.algo_client_id = SOURCES[algo.kind], algo.algo_id, algo.client_id
            self.order_checks.fit_to_position(owner, order)
            self.margin.check(owner, order)
        except Refusal as refusal:
            algo.state, algo.fail_code = "order_failed", refusal.reason
            exchange.publish("algo", algo)
            return
        algo.state, algo.actual_size, algo.actual_price = "effective", order.size, price
        self.orders.enter(order, {})
        algo.order_ids.append(order.order_id)
        exchange.publish("algo", algo)

    # -- ending and changing

    def position_ended(self, owner: ExchangeAccount, symbol: str, side: str) -> None:
        """Cancel what is tied to a position that is flat; the rest stays, as the behaviours say."""
        behaviour = self.exchange.behaviour
        for algo in self.book.of_position(owner, symbol, side):
            ends = algo.tied
            ends = ends or (algo.was_attached and behaviour["attached_after_close"] == "cancel")
            ends = ends or (algo.size is None and behaviour["close_fraction_after_flat"] == "cancel")
            if ends:
                self.end(algo)

    def stop_trading(self, owner: ExchangeAccount, symbols: set[str]) -> None:
        """Cancel what waits on these instruments."""
        for algo in list(self.book.waiting.values()):
            if algo.account == owner.name and algo.instrument in symbols:
                self.end(algo)

    def end(self, algo: OkxAlgo) -> None:
        """Cancel the algo."""
        algo.state, algo.updated = "canceled", self.exchange.now
        self.book.waiting.pop(algo.algo_id, None)
        self.exchange.publish("algo", algo)

    def cancel(self, command: OkxCancelAlgo) -> OkxAlgo:
        """Cancel an algo that waits; Refusal where it has ended or was triggered."""
        algo = self.book.find(command.account, command.algo_id, command.client_id)
        if algo is None or algo.state == "canceled":
            raise Refusal("cancel_gone")
        if algo.state != "live":
            raise Refusal("algo_triggered")
        self.end(algo)
        return algo

    def amend(self, command: OkxAmendAlgo) -> OkxAlgo:
        """Change size or legs; Refusal leaves the algo as it was."""
        algo = self.book.find(command.account, command.algo_id, command.client_id)
        change, owner = command.change, self.exchange.accounts[command.account]
        if algo is None or algo.state != "live":
            raise Refusal("amend_algo_gone")
        if algo.kind == "move_order_stop":
            raise Refusal("amend_algo_kind")
        made = replace(algo)
        if change.get("size"):
            if algo.size is None:
                raise Refusal("amend_close_fraction")
            made.size = number(change["size"], "newSz")
            self.order_checks.size_checked(owner, algo.instrument, made.size)
        names = ("trigger",) if algo.kind == "trigger" else ("take_profit", "stop_loss")
        for name in names:
            setattr(
                made, name, self.order_checks.changed_leg(owner, algo.instrument, getattr(algo, name), change.get(name))
            )
        if not any(getattr(made, name) for name in names):
            raise Refusal("parameter", "newTriggerPx")
        self._right_side(made, made.take_profit, made.stop_loss)
        algo.size = made.size
        for name in names:
            setattr(algo, name, getattr(made, name))
        if algo.trigger is not None:
            algo.trigger_above = algo.trigger.trigger > self.exchange.prices(algo.instrument).by(algo.trigger.by)
        if algo.kind == "oco" and not (algo.take_profit and algo.stop_loss):
            algo.kind = "conditional"
        algo.updated = self.exchange.now
        self.exchange.publish("algo", algo)
        return algo
