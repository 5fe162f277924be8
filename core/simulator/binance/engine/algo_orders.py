"""Binance's algo service in the engine: conditional orders in a book of their own, until they are triggered.

Nothing is held back for them and no margin is asked before the trigger. Then each becomes a plain order of the same
client id, which the ordinary book takes or refuses by its own rules. What is tied to a position (closePosition,
GTE_GTC) ends some time after it; everything else outlives it.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.algo_order import LIMITS, PLAIN_KINDS, TRAILING, WAITING, BinanceAlgo, passed, woken
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.engine.order_checks import decimal
from core.simulator.engine.account import Account
from core.simulator.engine.extension import Annex
from core.simulator.engine.state import ZERO, Order, Refusal

if TYPE_CHECKING:
    from core.simulator.engine.engine import Engine

REASONS = {
    "margin": "Margin is insufficient.", "reduce_only": "Reduce Only reject", "no_position": "Reduce Only reject",
    "reduce_only_clash": "Reduce Only reject", "reduce_only_margin": "Reduce Only reject",
    "quantity_large": "Quantity greater than max quantity.", "position_side": "Position side does not match.",
    "leverage_cap": "Exceeded the maximum allowable position at current leverage.",
}  # fmt: skip
FAULTS = ("trigger_stuck", "trigger_reject")


class BinanceAlgos(Annex):
    """All that happens to conditional orders."""

    name = "binance_algos"

    def __init__(self, engine: "Engine") -> None:
        super().__init__(engine)
        engine.listeners.append(self._heard)

    def begin(self) -> None:
        self.algos: dict[str, BinanceAlgo] = {}
        self.open: dict[str, BinanceAlgo] = {}  # those that have not ended

    def state(self) -> Any:
        return {"algos": self.algos}

    def restore(self, state: Any) -> None:
        self.algos = state["algos"]
        self.open = {algo_id: algo for algo_id, algo in self.algos.items() if not algo.ended}

    @property
    def commands(self) -> dict[str, Callable[..., Any]]:
        return {
            "binance_place_algo": self.place, "binance_cancel_algo": self.cancel,
            "binance_cancel_algos": self.cancel_all,
        }  # fmt: skip

    @property
    def owner(self) -> BinanceAccount:
        return self.engine.binance.owner

    def waiting(self, symbol: str | None = None) -> list[BinanceAlgo]:
        """Those that no price has triggered yet (of one instrument)."""
        return [a for a in self.open.values() if a.state == "NEW" and symbol in (None, a.instrument)]

    def waits_on(self, symbol: str) -> bool:
        return bool(self.waiting(symbol))

    def truth(self) -> list[Any]:
        names = ("algo_id", "client_id", "instrument", "side", "position_side", "kind", "force", "by", "state",
                 "order_id", "reason", "close_position", "created", "updated")  # fmt: skip
        return [
            {name: getattr(algo, name) for name in names}
            | {"size": str(algo.size), "trigger": None if algo.trigger is None else str(algo.trigger)}
            for algo in self.algos.values()
        ]

    # -- taking in

    def place(self, algo: dict[str, Any], plan: dict[str, Any] | None = None) -> BinanceAlgo:
        """Accept one conditional order; Refusal where it breaks a rule.

        `plan` says what a fault wants: {"hidden"} (seconds), {"vanish": seconds, "as": "CANCELED" or "EXPIRED"}.
        """
        made, plan = self._checked(algo), plan or {}
        engine = self.engine
        made.algo_id = engine.next_id()
        made.client_id = made.client_id or f"auto{made.algo_id}"
        hidden = Decimal(str(plan.get("hidden", engine.switches["binance_algo_hidden_seconds"])))
        if hidden:
            engine.hidden[made.algo_id] = engine.now + int(hidden * 1000)
        if "vanish" in plan:
            made.vanishes_at = engine.now + int(Decimal(str(plan["vanish"])) * 1000)
            made.vanishes_as = str(plan.get("as", "CANCELED"))
        self.algos[made.algo_id] = self.open[made.algo_id] = made
        engine.tell("binance_algo", made)
        return made

    def _checked(self, asked: dict[str, Any]) -> BinanceAlgo:
        engine, owner, admission = self.engine, self.owner, self.engine.binance.admission
        symbol, kind = str(asked["instrument"]), str(asked["kind"])
        contract = admission.contract(owner, symbol)
        admission.may_trade(symbol)
        whole = bool(asked.get("close_position"))
        made = BinanceAlgo(
            "", str(asked.get("client_id") or ""), symbol, asked["side"], admission.position_side(owner, asked), kind,
            ZERO if whole else decimal(asked["size"], "quantity"), engine.now, engine.now, by=asked.get("by", "last"),
            force=asked.get("force", "GTC"), close_position=whole, reduce_only=asked.get("reduce_only") == "true",
            protect=bool(asked.get("protect")), stp=asked.get("stp", "EXPIRE_MAKER"), match=asked.get("match", "NONE"),
            till=int(asked.get("till") or 0),
        )  # fmt: skip
        if not whole:
            admission.quantity(contract, made.size, False)
        if kind in LIMITS and made.match == "NONE":
            made.price = admission.price(contract, decimal(asked["price"], "price"))
        if made.client_id and any(other.client_id == made.client_id for other in self.open.values()):
            raise Refusal("duplicate_id")
        self._levels(contract, made, asked)
        self._position_rules(made)
        if len(self.waiting()) >= int(engine.switches["binance_max_conditional"]):
            raise Refusal("too_many_conditional")
        return made

    def _levels(self, contract: BinanceContract, algo: BinanceAlgo, asked: dict[str, Any]) -> None:
        """Trigger or trailing; what the price has passed already is refused."""
        prices = self.engine.prices(algo.instrument)
        listens = "last" if self.engine.switches["binance_would_trigger"] == "last" else algo.by
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
                algo.awake, algo.extreme = False, None
            return
        algo.trigger = self._trigger(contract, decimal(asked["trigger"], "triggerPrice"), price)
        if passed(algo, price):
            raise Refusal("would_trigger")

    def _trigger(self, contract: BinanceContract, trigger: Decimal, price: Decimal) -> Decimal:
        switches, band = self.engine.switches, Decimal(str(self.engine.switches["binance_trigger_band"]))
        if trigger <= 0 or switches["binance_off_tick_trigger"] == "refuse":
            self.engine.binance.admission.price(contract, trigger)
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
        """How much the order could close of what is held now."""
        held = self.owner.held(algo.instrument, algo.position_side)
        return abs(held) if held * algo.sign < 0 else ZERO

    # -- waking

    def evaluate(self, symbol: str) -> None:
        for algo in self.waiting(symbol):
            protect, awake = self.engine.binance.admission.contract(self.owner, symbol).protect, algo.awake
            if algo.state != "NEW":
                continue  # ended by one that woke before it
            if woken(algo, self.engine.prices(symbol), protect):
                self._wake(algo)
            elif algo.awake and not awake:
                self._tell(algo)

    def _wake(self, algo: BinanceAlgo) -> None:
        engine = self.engine
        algo.state, algo.triggered = "TRIGGERING", engine.now
        about = {"exchange": "binance", "instId": algo.instrument, "clOrdId": algo.client_id}
        about["symbol"] = engine.binance.admission.contract(self.owner, algo.instrument).wire
        struck = engine.faults.strike(set(FAULTS), about)
        delay = int(Decimal(str(engine.switches["binance_trigger_delay_seconds"])) * 1000)
        algo.sends_at = 0 if struck is not None and struck.kind == "trigger_stuck" else engine.now + delay
        self._tell(algo)
        if not algo.sends_at and struck is not None and "seconds" in struck.asked:  # stuck for so long, then over
            algo.ends_at = engine.now + int(Decimal(str(struck.asked["seconds"])) * 1000)
        if struck is not None and struck.kind == "trigger_reject":
            self.end(algo, "REJECTED", str(struck.asked.get("reason", "Margin is insufficient.")))
        elif algo.sends_at and not delay:
            self._send(algo)

    def _send(self, algo: BinanceAlgo) -> None:
        """Put the plain order into the book, or say why the book does not take it."""
        engine, plan = self.engine, dict[str, Any]()
        about = {"exchange": "binance", "instId": algo.instrument, "clOrdId": algo.client_id, "op": "trigger"}
        struck = engine.faults.strike({"partial_fill"}, about)
        if struck is not None:
            plan = {"fraction": struck.asked.get("fraction", "0.5"), "rest": struck.asked.get("rest", "work")}
        try:
            if (algo.position_side == "net") == self.owner.hedged:
                raise Refusal("position_side")
            engine.binance.place_child(self._plain(algo), plan)
        except Refusal as refusal:
            self.end(algo, "REJECTED", REASONS.get(refusal.reason, refusal.reason))

    def _plain(self, algo: BinanceAlgo) -> dict[str, Any]:
        size = self._closable(algo) if algo.close_position else algo.size
        if not size:
            raise Refusal("no_position")
        admission, price = self.engine.binance.admission, algo.price
        if algo.kind in LIMITS and algo.match != "NONE":
            contract = admission.contract(self.owner, algo.instrument)
            price = admission.matched(contract, algo.side, algo.match)
        wire: dict[str, Any] = {"type": "MARKET" if price is None else "LIMIT", "stp": algo.stp, "pm": algo.match, "wt": algo.by,
                "cp": algo.close_position, "pP": algo.protect}  # fmt: skip
        if price is not None:
            wire |= {"tif": algo.force} | ({"gtd": algo.till} if algo.till else {})
        wire |= {"sp": str(algo.trigger)} if algo.trigger is not None else {}
        return {
            "instrument": algo.instrument, "side": algo.side, "position_side": algo.position_side, "size": size,
            "kind": "market" if price is None else PLAIN_KINDS[algo.force], "price": price, "wire": wire,
            "client_id": algo.client_id, "algo_id": algo.algo_id,
            "reduce_only": algo.position_side == "net" and (algo.reduce_only or algo.close_position),
        }  # fmt: skip

    def _heard(self, what: str, about: Any) -> None:
        """The book has taken the plain order of a conditional one: it is told before any fill of it."""
        if what != "order" or about[0].account != "binance" or not about[0].algo_id:
            return
        algo = self.open.get(about[0].algo_id)
        if algo is not None and algo.state == "TRIGGERING":
            algo.state, algo.order_id = "TRIGGERED", about[0].order_id
            self._tell(algo)

    # -- ending

    def order_changed(self, order: Order) -> None:
        algo = self.open.get(order.algo_id) if order.account == "binance" else None
        if algo is not None and not order.living:
            self.end(algo, "FINISHED")

    def end(self, algo: BinanceAlgo, state: str, reason: str = "") -> None:
        algo.state, algo.reason = state, reason
        self.open.pop(algo.algo_id, None)
        self._tell(algo)

    def _tell(self, algo: BinanceAlgo) -> None:
        algo.updated = self.engine.now
        self.engine.tell("binance_algo", algo)

    def findable(self, algo: BinanceAlgo) -> bool:
        """Not hidden by a delay after its placement."""
        return self.engine.hidden.get(algo.algo_id, 0) <= self.engine.now

    def find(self, algo_id: str = "", client_id: str = "") -> BinanceAlgo | None:
        """The one of that id, or the latest of that client id; hidden ones are found too."""
        if algo_id:
            return self.algos.get(algo_id)
        return next((a for a in reversed(self.algos.values()) if client_id and a.client_id == client_id), None)

    def cancel(self, algo_id: str = "", client_id: str = "") -> BinanceAlgo:
        algo = self.find(algo_id, client_id)
        if algo is None or algo.state != "NEW" or not self.findable(algo):
            raise Refusal("unknown_cancel")
        self.end(algo, "CANCELED")
        return algo

    def cancel_all(self, symbol: str) -> None:
        for algo in self.waiting(symbol):
            self.end(algo, "CANCELED")

    def position_ended(self, owner: Account, symbol: str, side: str) -> None:
        if owner is self.owner:
            self._mark_tied(self.engine.now)

    def _mark_tied(self, now: int) -> None:
        """What is tied ends after a while, unless there is something to close again by then."""
        delay = Decimal(str(self.engine.switches["binance_tied_ends_after_seconds"]))
        for algo in [algo for algo in self.waiting() if algo.tied]:
            if delay < 0 or self._closable(algo):
                algo.ends_at = 0
            elif not algo.ends_at:
                algo.ends_at = now + int(delay * 1000)
            if algo.ends_at and algo.ends_at <= now:
                self.end(algo, "EXPIRED")

    def moved_on(self, now: int) -> None:
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

    def stop_trading(self, owner: Account, symbols: set[str]) -> None:
        for algo in [algo for algo in self.open.values() if owner is self.owner and algo.state in WAITING]:
            if algo.instrument in symbols:
                self.end(algo, "EXPIRED")
