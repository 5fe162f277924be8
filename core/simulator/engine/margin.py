"""Margin of orders: how much they would open, what they hold back of the equity, what is free."""

from decimal import Decimal

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import ZERO, BookOrder, Refusal


class Margin:
    """The margin of plain orders; amounts in USDT."""

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange

    def opening(self, owner: ExchangeAccount, order: BookOrder) -> Decimal:
        """Return how many contracts of what is left would be opened rather than closed."""
        if owner.closes(order):
            return ZERO
        return max(ZERO, order.left - owner.closable(order))

    def frozen(self, owner: ExchangeAccount) -> Decimal:
        """Return the margin that resting orders hold back."""
        return sum(
            (self._needed(owner, o, False) for o in self.exchange.live.values() if o.account == owner.name), ZERO
        )

    def free(self, owner: ExchangeAccount) -> Decimal:
        """Return the equity that is free for new positions."""
        return owner.spare(self.exchange.prices) - self.frozen(owner)

    def check(self, owner: ExchangeAccount, order: BookOrder) -> None:
        """Refuse an order whose margin and fee the account cannot pay."""
        needed = self._needed(owner, order, True)
        if needed and needed > self.free(owner):
            raise Refusal("margin")

    def _needed(self, owner: ExchangeAccount, order: BookOrder, with_fee: bool) -> Decimal:
        price = order.price
        if price is None:
            spread = Decimal(self.exchange.behaviour["spread_ticks"])
            price = self.exchange.markets[order.instrument].best(order.side == "buy", spread)
        notional = owner.notional(order.instrument, self.opening(owner, order), price)
        fee = Decimal(self.exchange.behaviour["fees"]["taker"]) if with_fee else ZERO
        return notional / owner.lever(order.instrument) + notional * fee
