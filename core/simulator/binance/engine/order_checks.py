"""Checks of plain orders at Binance USD-M: filters, modes, what there is to close, margin, ids.

Changes nothing but, where that behaviour is chosen, knocks out resting closes; raises Refusal with the reason. The
rules are those of the exchangeInfo filters and of the error list in Binance's USD-M documentation.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.engine import matching
from core.simulator.engine.commands import Draft
from core.simulator.engine.components import Components
from core.simulator.engine.state import ZERO, BookOrder, Refusal

KINDS = {"GTC": "limit", "GTD": "limit", "RPI": "post_only", "IOC": "ioc", "FOK": "fok", "GTX": "post_only"}
MATCH_LEVELS = {"OPPONENT": 0, "OPPONENT_5": 4, "QUEUE": 0, "QUEUE_5": 4, "QUEUE_10": 9, "QUEUE_20": 19}


def decimal(text: Any, name: str) -> Decimal:
    """Return the text as a finite number; Refusal naming the parameter."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        raise Refusal("bad_parameter", name) from None
    if not value.is_finite():
        raise Refusal("bad_parameter", name)
    return value


def places(value: Decimal) -> int:
    """Return the number of decimals of a value."""
    return max(0, -int(value.normalize().as_tuple().exponent))


class BinanceOrderChecks:
    """The checks of plain orders, and of what conditional orders share with them."""

    def __init__(self, components: Components) -> None:
        self.exchange, self.margin, self.book = components.exchange, components.margin, components.orders

    def contract(self, owner: BinanceAccount, symbol: str) -> BinanceContract:
        """Return the contract; Refusal where the symbol is not listed."""
        contract = owner.contracts.get(symbol)
        if not isinstance(contract, BinanceContract):
            raise Refusal("bad_symbol")
        return contract

    # -- the whole order

    def order(self, owner: BinanceAccount, asked: Draft) -> BookOrder:
        """Return the order as it would enter the book; Refusal where a rule is broken."""
        exchange, symbol = self.exchange, str(asked["instrument"])
        contract = self.contract(owner, symbol)
        self.may_trade(symbol)
        position_side = self.position_side(owner, asked)
        made = BookOrder(
            "", str(asked.get("client_id") or ""), owner.name, symbol, asked["side"], position_side, asked["kind"],
            decimal(asked["size"], "quantity"), None, owner.lever(symbol), exchange.now, exchange.now,
            "isolated" if symbol in owner.isolated else "cross", asked.get("reduce_only") == "true",
            wire=dict(asked.get("wire") or {}),
        )  # fmt: skip
        self.quantity(contract, made.size, made.kind == "market")
        if made.kind != "market":
            made.price = self.limit_price(contract, made, asked.get("price"))
        self.id_is_free(made)
        if sum(1 for order in self.open_orders(owner, symbol)) >= contract.max_orders:
            raise Refusal("too_many_orders")
        self._worth_enough(owner, contract, made)
        self._can_execute(contract, made)
        self.fits_leverage(owner, contract, made)
        self.fits_position(owner, made)
        self.margin.check(owner, made)
        return made

    def may_trade(self, symbol: str) -> None:
        """Refuse where the instrument or the account is barred from trading."""
        if symbol in self.exchange.behaviour["suspended"]:
            raise Refusal("suspended")
        if not self.exchange.behaviour["binance_can_trade"]:
            raise Refusal("no_trading")

    def position_side(self, owner: BinanceAccount, asked: Draft) -> str:
        """Return long, short or net; Refusal where it does not fit the mode, or reduceOnly does not."""
        side = str(asked.get("position_side") or "net")
        if (side == "net") == owner.hedged:
            raise Refusal("position_side")
        given = asked.get("reduce_only")
        lenient = self.exchange.behaviour["binance_reduce_only_false_hedged"] == "ignore"
        if owner.hedged and given is not None and not (given == "false" and lenient):
            raise Refusal("reduce_only_hedged")
        return side

    # -- filters

    def quantity(self, contract: BinanceContract, size: Decimal, market: bool) -> None:
        """Refuse a quantity that breaks LOT_SIZE or MARKET_LOT_SIZE."""
        if size <= 0:
            raise Refusal("quantity_zero")
        if places(size) > contract.quantity_precision:
            raise Refusal("precision")
        if size < contract.minimum:
            raise Refusal("quantity_small")
        if size > (contract.max_market if market else contract.max_limit):
            raise Refusal("quantity_large")
        if (size - contract.minimum) % contract.lot:
            raise Refusal("quantity_step")

    def price(self, contract: BinanceContract, price: Decimal) -> Decimal:
        """Return the price; Refusal where it breaks PRICE_FILTER."""
        if price <= 0:
            raise Refusal("price_zero")
        if places(price) > contract.price_precision:
            raise Refusal("precision")
        if contract.max_price and price > contract.max_price:
            raise Refusal("price_high")
        if contract.min_price and price < contract.min_price:
            raise Refusal("price_low")
        if (price - contract.min_price) % contract.tick:
            raise Refusal("price_tick")
        return price

    def limit_price(self, contract: BinanceContract, order: BookOrder, asked: Any) -> Decimal:
        """Return the price of a limit order: the one asked for, or the one its price match finds in the book."""
        match = str(order.wire.get("pm") or "NONE")
        if match != "NONE":
            return self.matched(contract, order.side, match)
        price = self.price(contract, decimal(asked, "price"))
        self.in_band(contract, order.side, price)
        return price

    def matched(self, contract: BinanceContract, side: str, match: str) -> Decimal:
        """Return the price that this price match finds in the book."""
        buying = (side == "buy") == match.startswith("OPPONENT")
        market, spread = self.exchange.markets[contract.symbol], Decimal(self.exchange.behaviour["spread_ticks"])
        away, best = contract.tick * MATCH_LEVELS[match], market.best(buying, spread)
        return best + away if buying else best - away

    def in_band(self, contract: BinanceContract, side: str, price: Decimal) -> None:
        """Refuse a price that breaks PERCENT_PRICE."""
        mark = self.exchange.prices(contract.symbol).mark
        high, low = mark * contract.up, mark * contract.down
        if side == "buy" and price > high:
            raise Refusal("price_above_band", f"{high:.2f}")
        if side == "sell" and price < low:
            raise Refusal("price_below_band", f"{low:.2f}")

    def _worth_enough(self, owner: BinanceAccount, contract: BinanceContract, order: BookOrder) -> None:
        if owner.closes(order):
            return
        price = order.price if order.price is not None else self.exchange.prices(order.instrument).mark
        if order.size * price < contract.notional:
            raise Refusal("notional", format(contract.notional.normalize(), "f"))

    def _can_execute(self, contract: BinanceContract, order: BookOrder) -> None:
        market, behaviour = self.exchange.markets[order.instrument], self.exchange.behaviour
        takes = matching.reaches(order, market, behaviour)
        if order.kind == "market":
            best, mark = market.best(order.side == "buy", Decimal(behaviour["spread_ticks"])), market.prices.mark
            if abs(best - mark) > mark * contract.bound:
                raise Refusal("market_band")
        if order.kind == "fok" and not takes:
            raise Refusal("fok")
        if order.kind == "post_only" and takes and behaviour["binance_post_only"] == "refuse":
            raise Refusal("post_only")

    # -- ids, positions, leverage

    def open_orders(self, owner: BinanceAccount, symbol: str) -> Iterator[BookOrder]:
        """Yield the orders of an instrument that rest."""
        return (o for o in self.exchange.live.values() if (o.account, o.instrument) == (owner.name, symbol))

    def id_is_free(self, order: BookOrder) -> None:
        """Refuse a client id that an open order bears."""
        mine = (o for o in self.exchange.live.values() if o.account == order.account)
        if order.client_id and any(o.client_id == order.client_id for o in mine):
            raise Refusal("duplicate_id")

    def fits_position(self, owner: BinanceAccount, order: BookOrder) -> None:
        """Refuse what only closes where there is nothing to close, or where it clashes with closes that rest."""
        if not owner.closes(order):
            return
        held = owner.closable(order)
        if not held or (order.left > held and order.position_side != "net"):
            raise Refusal("reduce_only")
        if order.left > held and order.kind == "market":
            order.size = held
        resting = [
            o for o in self.open_orders(owner, order.instrument)
            if (o.position_side, o.side) == (order.position_side, order.side) and owner.closes(o)
        ]  # fmt: skip
        promised = sum((o.left for o in resting), ZERO)
        if promised + min(order.left, held) <= held:
            return
        clash = self.exchange.behaviour["binance_closing_clash"]
        if clash != "knock_out":
            raise Refusal("reduce_only_clash" if clash == "refuse" else "reduce_only_margin")
        for other in resting:
            if promised + min(order.left, held) > held:
                promised -= other.left
                self.book.end(other, "knocked_out")

    def fits_leverage(self, owner: BinanceAccount, contract: BinanceContract, order: BookOrder) -> None:
        """Refuse an order that would hold more than the leverage allows."""
        opening = self.margin.opening(owner, order)
        price = order.price if order.price is not None else self.exchange.prices(order.instrument).mark
        held = abs(owner.held(order.instrument, order.position_side))
        if opening and (held + opening) * price > contract.largest_notional(owner.lever(order.instrument)):
            raise Refusal("leverage_cap")
