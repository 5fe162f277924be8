"""The rules by which OKX lets plain orders in: size, price, side, ids, and the protection that comes with an entry.

Changes nothing; raises Refusal with the reason. Source: OKX V5 docs, place order.
"""

import re
from decimal import Decimal
from typing import Any

from core.simulator.engine import matching
from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.commands import Draft
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import AttachedProtection, BookOrder, Refusal, TriggerLeg, number
from core.simulator.okx.engine.algo_order import OkxAlgoBook

KINDS = {"market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc"}
LISTENS = {"last", "mark", "index"}
NAME = re.compile(r"[A-Za-z0-9]{1,32}")


def name_checked(text: str, name: str) -> str:
    """Return a client id or tag; Refusal naming the parameter where it is not made of at most 32 letters and digits."""
    if text and not NAME.fullmatch(text):
        raise Refusal("parameter", name)
    return text


class OkxOrderChecks:
    """The checks of plain orders, and of the legs that algo orders share with them."""

    def __init__(self, exchange: ExchangeState, algo_book: OkxAlgoBook) -> None:
        self.exchange, self.algo_book = exchange, algo_book

    def order(self, owner: ExchangeAccount, asked: Draft) -> BookOrder:
        """Return the order as it would enter the book; Refusal where a rule is broken."""
        exchange, symbol = self.exchange, str(asked.get("instrument") or "")
        if exchange.behaviour["acct_lv"] == "1":
            raise Refusal("account_mode")
        contract = exchange.contract(owner, symbol)
        if symbol in exchange.behaviour["suspended"]:
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
        if client_id and any(o.client_id == client_id and o.account == owner.name for o in exchange.live.values()):
            raise Refusal("duplicate_id")
        price = None
        if kind not in matching.AT_ONCE:
            price = self.price_checked(owner, symbol, asked.get("price"), "px")
            price = self.in_band(symbol, side, price, bool(asked.get("clamp")))
        made = BookOrder(
            "", client_id, owner.name, symbol, side, position_side, kind, size, price, owner.lever(symbol),
            exchange.now, exchange.now, asked["margin_mode"], bool(asked.get("reduce_only")) and position_side == "net",
            name_checked(str(asked.get("tag") or ""), "tag"), self_trade=asked.get("self_trade") or "cancel_maker",
        )  # fmt: skip
        made.attached = self._attached(owner, made, asked.get("attached") or [])
        return made

    def position_side(self, owner: ExchangeAccount, asked: Any) -> str:
        """Return long, short or net, as the account's mode wants it; Refusal otherwise."""
        if owner.hedged:
            if asked not in ("long", "short"):
                raise Refusal("parameter", "posSide")
            return str(asked)
        if asked not in (None, "", "net"):
            raise Refusal("parameter", "posSide")
        return "net"

    def size_checked(self, owner: ExchangeAccount, symbol: str, size: Decimal) -> None:
        """Refuse a size (contracts) that is too small or no whole number of lots."""
        contract = self.exchange.contract(owner, symbol)
        if size < contract.minimum:
            raise Refusal("too_small")
        if size % contract.lot:
            raise Refusal("lot")

    def price_checked(self, owner: ExchangeAccount, symbol: str, asked: Any, name: str) -> Decimal:
        """Return the price (USDT); Refusal naming the parameter where it is no price on the tick."""
        price = number(asked, name)
        if price <= 0 or price % self.exchange.contract(owner, symbol).tick:
            raise Refusal("parameter", name)
        return price

    def in_band(self, symbol: str, side: str, price: Decimal, clamp: bool) -> Decimal:
        """Return the price, brought to the price limit where `clamp`; else Refusal where it lies beyond."""
        high, low = self.exchange.markets[symbol].band()
        outside = price > high if side == "buy" else price < low
        if outside and not clamp:
            raise Refusal("price_band", f"{high},{low}")
        return (high if side == "buy" else low) if outside else price

    def fit_to_position(self, owner: ExchangeAccount, order: BookOrder) -> None:
        """Make a closing order no larger than what it closes; Refusal where there is nothing, or too little."""
        if not owner.closes(order):
            return
        held = owner.closable(order)
        if not held:
            same_way = owner.held(order.instrument, order.position_side) * order.sign > 0
            raise Refusal("reduce_only_same_direction" if same_way else "nothing_to_close")
        if order.size > held:
            rejects = self.exchange.behaviour["oversize_close"] == "reject"
            if rejects and order.position_side != "net" and not order.source:
                raise Refusal("oversize_close")
            if order.kind in matching.AT_ONCE:
                order.size = held

    # -- protection that comes with an entry

    def _attached(
        self, owner: ExchangeAccount, order: BookOrder, asked: list[dict[str, Any]]
    ) -> list[AttachedProtection]:
        if asked and owner.closes(order):
            raise Refusal("attached_to_closing")
        made = []
        for one in asked:
            legs = {
                name: self.leg(owner, order.instrument, one[name], name) if one.get(name) else None
                for name in ("take_profit", "stop_loss")
            }
            trailing = {name: one.get(name) for name in ("callback_ratio", "callback_spread", "active")}
            if not any(legs.values()) and not (trailing["callback_ratio"] or trailing["callback_spread"]):
                raise Refusal("attached_empty")
            client_id = name_checked(str(one.get("client_id") or ""), "attachAlgoClOrdId")
            if client_id and self.algo_book.is_taken(owner, client_id):
                raise Refusal("attached_id_used")
            self.right_side(order, legs["take_profit"], legs["stop_loss"])
            kept = AttachedProtection(self.exchange.next_id(), client_id, legs["take_profit"], legs["stop_loss"])
            for name, value in trailing.items():
                setattr(kept, name, number(value, name) if value else None)
            made.append(kept)
        return made

    def right_side(self, order: BookOrder, profit: TriggerLeg | None, stop: TriggerLeg | None) -> None:
        """Refuse attached legs that lie on the wrong side of the order's price, or of the last price at market."""
        kind = "market" if order.price is None else "price"
        for leg, is_profit in ((profit, True), (stop, False)):
            if leg is None:
                continue
            base = self.exchange.prices(order.instrument).last if order.price is None else order.price
            above = (order.side == "buy") == is_profit
            if leg.trigger <= base if above else leg.trigger >= base:
                raise Refusal(f"attached_{'tp' if is_profit else 'sl'}_{order.side}_{kind}")

    def leg(self, owner: ExchangeAccount, symbol: str, asked: dict[str, Any], name: str) -> TriggerLeg:
        """Return the leg asked for ({"trigger", "price", "by"}; a price of -1 is the market)."""
        word = {"take_profit": "tp", "stop_loss": "sl"}.get(name, "")
        trigger = self.price_checked(owner, symbol, asked.get("trigger"), f"{word}TriggerPx")
        if asked.get("by") and asked["by"] not in LISTENS:
            raise Refusal("parameter", f"{word}TriggerPxType")
        return TriggerLeg(
            trigger, self._leg_price(owner, symbol, asked.get("price"), f"{word}OrdPx"), asked.get("by") or "last"
        )

    def _leg_price(self, owner: ExchangeAccount, symbol: str, asked: Any, name: str) -> Decimal | None:
        if number(asked, name) == -1:
            return None
        return self.price_checked(owner, symbol, asked, name)

    def changed_leg(
        self, owner: ExchangeAccount, symbol: str, leg: TriggerLeg | None, asked: dict[str, Any] | None
    ) -> TriggerLeg | None:
        """Return the leg after a change: what is absent stays, a trigger of 0 removes it, a new leg may be added."""
        if not asked or not any(asked.values()):
            return leg
        if asked.get("trigger") and number(asked["trigger"], "newTriggerPx") == 0:
            return None
        if leg is None:
            return self.leg(owner, symbol, asked, "")
        price = self._leg_price(owner, symbol, asked["price"], "newOrdPx") if asked.get("price") else leg.price
        made = TriggerLeg(leg.trigger, price, asked.get("by") or leg.by)
        if asked.get("trigger"):
            made.trigger = self.price_checked(owner, symbol, asked["trigger"], "newTriggerPx")
        return made
