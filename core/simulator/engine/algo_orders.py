"""Algo orders in the engine: taken in, woken, amended, cancelled, and what becomes of them when their position ends.

`algos` says when one wakes; this file does what follows.
"""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.simulator.engine.account import Account
from core.simulator.engine.order_checks import name_checked, number
from core.simulator.engine.state import Algo, Leg, Order, Refusal
from core.simulator.engine.triggers import passed, woken

if TYPE_CHECKING:
    from core.simulator.engine.engine import Engine

KINDS = {"conditional", "oco", "trigger", "move_order_stop"}
LISTENS = {"last", "mark", "index"}
SOURCES = {"conditional": "protection", "oco": "protection", "trigger": "trigger", "move_order_stop": "trailing"}


class Guarding:
    """All that happens to algo orders."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    # -- taking in

    def place(self, account: str, algo: dict[str, Any], plan: dict[str, Any] | None = None) -> Algo:
        """Accept one algo order; Refusal where it breaks a rule."""
        owner = self.engine.accounts[account]
        made = self._checked(owner, algo)
        self._right_side(made, made.take_profit, made.stop_loss)
        self._enter(made)
        if plan and "hidden" in plan:
            self.engine.hidden[made.algo_id] = self.engine.now + int(Decimal(str(plan["hidden"])) * 1000)
        return made

    def _enter(self, algo: Algo) -> None:
        algo.algo_id = self.engine.next_id()
        if algo.trigger is not None:
            algo.trigger_above = algo.trigger.trigger > self.engine.prices(algo.instrument).by(algo.trigger.by)
        self.engine.algos[algo.algo_id] = self.engine.waiting[algo.algo_id] = algo
        self.engine.tell("algo", algo)

    def _checked(self, owner: Account, asked: dict[str, Any]) -> Algo:
        engine, symbol, kind = self.engine, str(asked.get("instrument") or ""), asked.get("kind")
        if engine.switches["acct_lv"] == "1":
            raise Refusal("account_mode")
        contract = engine.contract(owner, symbol)
        if symbol in engine.switches["suspended"]:
            raise Refusal("suspended")
        if kind not in KINDS:
            raise Refusal("parameter", "ordType")
        if asked.get("side") not in ("buy", "sell"):
            raise Refusal("parameter", "side")
        if asked.get("margin_mode") not in ("cross", "isolated"):
            raise Refusal("parameter", "tdMode")
        position_side = engine.admission.position_side(owner, asked.get("position_side"))
        client_id = name_checked(str(asked.get("client_id") or ""), "algoClOrdId")
        if client_id and any(a.client_id == client_id and a.account == owner.name for a in engine.algos.values()):
            raise Refusal("duplicate_algo_id")
        size = self._size(owner, asked, symbol)
        if size is not None and size > contract.max_market:
            raise Refusal("stop_size")
        made = Algo(
            "", client_id, owner.name, symbol, asked["side"], position_side, kind, size, owner.lever(symbol),
            engine.now,
            engine.now, asked["margin_mode"], reduce_only=bool(asked.get("reduce_only")) or size is None,
            tied=bool(asked.get("tied")), tag=name_checked(str(asked.get("tag") or ""), "tag"),
        )  # fmt: skip
        self._legs(owner, made, asked)
        self._rules(owner, made, asked)
        return made

    def _size(self, owner: Account, asked: dict[str, Any], symbol: str) -> Decimal | None:
        if asked.get("whole"):
            if asked.get("kind") not in ("conditional", "oco"):
                raise Refusal("close_fraction_kind")
            return None
        size = number(asked.get("size"), "sz")
        self.engine.admission.size_checked(owner, symbol, size)
        return size

    def _legs(self, owner: Account, algo: Algo, asked: dict[str, Any]) -> None:
        for name in ("take_profit", "stop_loss", "trigger"):
            if asked.get(name):
                setattr(algo, name, self.leg(owner, algo.instrument, asked[name], name))
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

    def _trailing(self, owner: Account, algo: Algo, asked: dict[str, Any]) -> None:
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
            algo.active, algo.awake = (
                self.engine.admission.price_checked(owner, algo.instrument, active, "activePx"),
                False,
            )
        if algo.awake:
            algo.extreme = self.engine.prices(algo.instrument).last

    def _rules(self, owner: Account, algo: Algo, asked: dict[str, Any]) -> None:
        if algo.tied and not algo.reduce_only:
            raise Refusal("tied_needs_reduce_only")
        if algo.kind == "trigger" and asked.get("reduce_only"):
            if not owner.hedged or self.engine.switches["trigger_reduce_only_hedge"] != "ignore":
                raise Refusal("trigger_reduce_only")
            algo.reduce_only = False
        if algo.size is None and any(
            other.size is None for other in self.of_position(owner, algo.instrument, algo.position_side)
        ):
            raise Refusal("close_fraction_exists")

    def leg(self, owner: Account, symbol: str, asked: dict[str, Any], name: str) -> Leg:
        """The leg asked for ({"trigger", "price", "by"}; a price of -1 is the market)."""
        word = {"take_profit": "tp", "stop_loss": "sl"}.get(name, "")
        trigger = self.engine.admission.price_checked(owner, symbol, asked.get("trigger"), f"{word}TriggerPx")
        if asked.get("by") and asked["by"] not in LISTENS:
            raise Refusal("parameter", f"{word}TriggerPxType")
        return Leg(
            trigger, self._leg_price(owner, symbol, asked.get("price"), f"{word}OrdPx"), asked.get("by") or "last"
        )

    def _leg_price(self, owner: Account, symbol: str, asked: Any, name: str) -> Decimal | None:
        if number(asked, name) == -1:
            return None
        return self.engine.admission.price_checked(owner, symbol, asked, name)

    def changed_leg(self, owner: Account, symbol: str, leg: Leg | None, asked: dict[str, Any] | None) -> Leg | None:
        """The leg after a change: absent words stay, a trigger of 0 takes it away, a whole new leg may be added."""
        if not asked or not any(asked.values()):
            return leg
        if asked.get("trigger") and number(asked["trigger"], "newTriggerPx") == 0:
            return None
        if leg is None:
            return self.leg(owner, symbol, asked, "")
        price = self._leg_price(owner, symbol, asked["price"], "newOrdPx") if asked.get("price") else leg.price
        made = Leg(leg.trigger, price, asked.get("by") or leg.by)
        if asked.get("trigger"):
            made.trigger = self.engine.admission.price_checked(owner, symbol, asked["trigger"], "newTriggerPx")
        return made

    def _right_side(self, algo: Algo, profit: Leg | None, stop: Leg | None) -> None:
        """A leg whose level has been passed already is refused."""
        prices = self.engine.prices(algo.instrument)
        for leg, is_profit in ((profit, True), (stop, False)):
            if leg is not None and passed(algo.sign, is_profit, leg, prices):
                raise Refusal(f"{'tp' if is_profit else 'sl'}_{algo.side}_{leg.by}")

    # -- coming to life with an entry

    def come_to_life(self, order: Order) -> None:
        """The entry is over: make the protection that came with it, for what was filled."""
        owner = self.engine.accounts[order.account]
        for attached in order.attached:
            if attached.algo_id or attached.fail_code or not order.filled:
                continue
            legs = [leg for leg in (attached.take_profit, attached.stop_loss) if leg]
            kind = {0: "move_order_stop", 1: "conditional", 2: "oco"}[len(legs)]
            algo = Algo(
                "", attached.client_id, order.account, order.instrument, "sell" if order.side == "buy" else "buy",
                order.position_side, kind, order.filled, owner.lever(order.instrument), self.engine.now,
                self.engine.now,
                order.margin_mode, attached.take_profit, attached.stop_loss, reduce_only=True, was_attached=True,
                tag=order.tag,
            )  # fmt: skip
            algo.callback_ratio, algo.callback_spread = attached.callback_ratio, attached.callback_spread
            algo.active, algo.awake = attached.active, attached.active is None
            struck = self.engine.faults.strike({"reject"}, {"instId": order.instrument, "clOrdId": attached.client_id})
            try:
                if struck is not None:
                    raise Refusal("fault", str(struck.asked["code"]))
                self._right_side(algo, algo.take_profit, algo.stop_loss)
            except Refusal as refusal:
                attached.fail_code = refusal.detail if refusal.reason == "fault" else refusal.reason
                self.engine.tell("order", (order, None))
                continue
            self._enter(algo)
            attached.algo_id = algo.algo_id

    # -- waking

    def evaluate(self, symbol: str) -> None:
        for algo in [algo for algo in self.engine.waiting.values() if algo.instrument == symbol]:
            if algo.state == "live" and (found := woken(algo, self.engine.prices(symbol))) is not None:
                self._fire(algo, *found)

    def _fire(self, algo: Algo, actual_side: str, leg: Leg) -> None:
        engine, owner = self.engine, self.engine.accounts[algo.account]
        engine.waiting.pop(algo.algo_id)
        algo.triggered, algo.updated, algo.actual_side = engine.now, engine.now, actual_side
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
            order = engine.admission.order(owner, asked)
            order.source, order.algo_id, order.algo_client_id = SOURCES[algo.kind], algo.algo_id, algo.client_id
            engine.admission.fit_to_position(owner, order)
            engine.admission.margin(owner, order)
        except Refusal as refusal:
            algo.state, algo.fail_code = "order_failed", refusal.reason
            engine.tell("algo", algo)
            return
        algo.state, algo.actual_size, algo.actual_price = "effective", order.size, price
        engine.trading.enter(order, {})
        algo.order_ids.append(order.order_id)
        engine.tell("algo", algo)

    # -- ending and changing

    def of_position(self, owner: Account, symbol: str, side: str) -> list[Algo]:
        key = (owner.name, symbol, side)
        return [a for a in self.engine.waiting.values() if (a.account, a.instrument, a.position_side) == key]

    def position_ended(self, owner: Account, symbol: str, side: str) -> None:
        """The position is flat: what is tied to it dies; the rest stays, as the switches say."""
        switches = self.engine.switches
        for algo in self.of_position(owner, symbol, side):
            dies = algo.tied
            dies = dies or (algo.was_attached and switches["attached_after_close"] == "cancel")
            dies = dies or (algo.size is None and switches["close_fraction_after_flat"] == "cancel")
            if dies:
                self.end(algo)

    def end(self, algo: Algo) -> None:
        algo.state, algo.updated = "canceled", self.engine.now
        self.engine.waiting.pop(algo.algo_id, None)
        self.engine.tell("algo", algo)

    def find(self, account: str, algo_id: str = "", client_id: str = "") -> Algo | None:
        if algo_id:
            algo = self.engine.algos.get(algo_id)
            return algo if algo and algo.account == account else None
        matching = (a for a in reversed(self.engine.algos.values()) if client_id and a.client_id == client_id)
        return next((algo for algo in matching if algo.account == account), None)

    def cancel(self, account: str, algo_id: str = "", client_id: str = "") -> Algo:
        algo = self.find(account, algo_id, client_id)
        if algo is None or algo.state == "canceled":
            raise Refusal("cancel_gone")
        if algo.state != "live":
            raise Refusal("algo_triggered")
        self.end(algo)
        return algo

    def amend(self, account: str, algo_id: str = "", client_id: str = "", change: dict[str, Any] | None = None) -> Algo:
        """Change size or legs; Refusal leaves the algo as it was."""
        algo, change, owner = self.find(account, algo_id, client_id), change or {}, self.engine.accounts[account]
        if algo is None or algo.state != "live":
            raise Refusal("amend_algo_gone")
        if algo.kind == "move_order_stop":
            raise Refusal("amend_algo_kind")
        made = replace(algo)
        if change.get("size"):
            if algo.size is None:
                raise Refusal("amend_close_fraction")
            made.size = number(change["size"], "newSz")
            self.engine.admission.size_checked(owner, algo.instrument, made.size)
        names = ("trigger",) if algo.kind == "trigger" else ("take_profit", "stop_loss")
        for name in names:
            setattr(made, name, self.changed_leg(owner, algo.instrument, getattr(algo, name), change.get(name)))
        if not any(getattr(made, name) for name in names):
            raise Refusal("parameter", "newTriggerPx")
        self._right_side(made, made.take_profit, made.stop_loss)
        algo.size = made.size
        for name in names:
            setattr(algo, name, getattr(made, name))
        if algo.trigger is not None:
            algo.trigger_above = algo.trigger.trigger > self.engine.prices(algo.instrument).by(algo.trigger.by)
        if algo.kind == "oco" and not (algo.take_profit and algo.stop_loss):
            algo.kind = "conditional"
        algo.updated = self.engine.now
        self.engine.tell("algo", algo)
        return algo
