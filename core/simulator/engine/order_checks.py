"""Which plain orders are let in: size, price, side, ids, margin, and the protection that comes with an entry.

Changes nothing; raises Refusal with the reason. The rules are those of OKX V5 (docs, place order).
"""

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from core.simulator.engine import matching
from core.simulator.engine.account import Account
from core.simulator.engine.state import ZERO, Attached, Leg, Order, Refusal

if TYPE_CHECKING:
    from core.simulator.engine.engine import Engine

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


class Admission:
    """The rules at the door."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    def order(self, owner: Account, asked: dict[str, Any]) -> Order:
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
        self.size_checked(owner, symbol, size)
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
            price = self.in_band(symbol, side, price, bool(asked.get("clamp")))
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

    def in_band(self, symbol: str, side: str, price: Decimal, clamp: bool) -> Decimal:
        high, low = self.engine.markets[symbol].band()
        outside = price > high if side == "buy" else price < low
        if outside and not clamp:
            raise Refusal("price_band", f"{high},{low}")
        return (high if side == "buy" else low) if outside else price

    def fit_to_position(self, owner: Account, order: Order) -> None:
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
        return owner.spare(self.engine.prices) - self.frozen(owner)

    def _needed(self, owner: Account, order: Order, with_fee: bool) -> Decimal:
        price = order.price
        if price is None:
            spread = Decimal(self.engine.switches["spread_ticks"])
            price = self.engine.markets[order.instrument].best(order.side == "buy", spread)
        notional = owner.notional(order.instrument, self.opening(owner, order), price)
        fee = Decimal(self.engine.switches["fees"]["taker"]) if with_fee else ZERO
        return notional / owner.lever(order.instrument) + notional * fee

    def margin(self, owner: Account, order: Order) -> None:
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
            self.right_side(order, legs["take_profit"], legs["stop_loss"])
            kept = Attached(self.engine.next_id(), client_id, legs["take_profit"], legs["stop_loss"])
            for name, value in trailing.items():
                setattr(kept, name, number(value, name) if value else None)
            made.append(kept)
        return made

    def _leg(self, owner: Account, order: Order, asked: dict[str, Any] | None, name: str) -> Leg | None:
        if not asked:
            return None
        return self.engine.guarding.leg(owner, order.instrument, asked, name)

    def right_side(self, order: Order, profit: Leg | None, stop: Leg | None) -> None:
        kind = "market" if order.price is None else "price"
        for leg, is_profit in ((profit, True), (stop, False)):
            if leg is None:
                continue
            base = self.engine.prices(order.instrument).last if order.price is None else order.price
            above = (order.side == "buy") == is_profit
            if leg.trigger <= base if above else leg.trigger >= base:
                raise Refusal(f"attached_{'tp' if is_profit else 'sl'}_{order.side}_{kind}")
