"""A perpetual contract, the exchange's rules for it, and the arithmetic that follows from them.

Every rounding here says whom it protects: sizes round down, stops towards the entry, targets away from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from core.domain.money import Contracts, Price


class Side(StrEnum):
    """The side of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """Return +1 for long, -1 for short: the sign of the profit when the price rises."""
        return 1 if self is Side.LONG else -1

    @property
    def other(self) -> Side:
        return Side.SHORT if self is Side.LONG else Side.LONG

    @property
    def opening(self) -> OrderSide:
        return OrderSide.BUY if self is Side.LONG else OrderSide.SELL

    @property
    def closing(self) -> OrderSide:
        return OrderSide.SELL if self is Side.LONG else OrderSide.BUY


class OrderSide(StrEnum):
    """The side of an order: buy or sell."""

    BUY = "buy"
    SELL = "sell"


class TriggerBy(StrEnum):
    """The price that triggers a conditional order."""

    LAST = "last"
    MARK = "mark"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A contract we can trade, and the exchange's rules for it."""

    symbol: str  #: the same on every exchange: "BTC-USDT-PERP"
    exchange_symbol: str  #: "BTC-USDT-SWAP" on OKX, "BTCUSDT" on Binance
    base: str
    quote: str
    settle: str
    contract_value: Decimal  #: base asset in one contract: 0.01 BTC on OKX, 1 BTC on Binance
    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Contracts
    max_market_quantity: Contracts  #: most contracts in one market (and one market stop) order
    max_limit_quantity: Contracts
    min_notional: Decimal  #: smallest order value in the quote currency, 0 where the exchange has none
    max_leverage: Decimal
    maintenance_rate: Decimal = Decimal("0.005")  #: of notional, first tier; used for estimates only
    taker_fee: Decimal = Decimal("0.0005")
    maker_fee: Decimal = Decimal("0.0002")
    tradable: bool = True

    def contracts_for(self, notional: Decimal, price: Price) -> Contracts:
        """Return the most whole steps that `notional` (quote currency) buys; never more than was asked for."""
        steps = notional // (price * self.contract_value * self.quantity_step)
        return Contracts(steps * self.quantity_step)

    def round_quantity(self, quantity: Decimal) -> Contracts:
        """Return `quantity` rounded down to a whole number of steps."""
        return Contracts(quantity // self.quantity_step * self.quantity_step)

    def smallest_at(self, price: Decimal | None) -> Contracts:
        """Return the smallest order that opens or adds at this price: by quantity and, where a price is known, by
        value.
        """
        if not self.min_notional or price is None:
            return self.min_quantity
        steps = (self.min_notional / self.notional(self.quantity_step, price)).to_integral_value(ROUND_CEILING)
        return Contracts(max(self.min_quantity, steps * self.quantity_step))

    def notional(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Return the value of `contracts` at `price`, quote currency."""
        return contracts * self.contract_value * price

    def pnl(self, side: Side, contracts: Decimal, entry: Decimal, exit_price: Decimal) -> Decimal:
        """Return the profit of `contracts` bought (or sold short) at `entry` and closed at `exit_price`,
        before fees.
        """
        return side.sign * (exit_price - entry) * contracts * self.contract_value

    def round_up(self, price: Decimal) -> Price:
        return Price((price / self.price_tick).to_integral_value(ROUND_CEILING) * self.price_tick)

    def round_down(self, price: Decimal) -> Price:
        return Price((price / self.price_tick).to_integral_value(ROUND_FLOOR) * self.price_tick)

    def stop_price(self, side: Side, price: Decimal) -> Price:
        """Return a stop-loss trigger on the tick grid that never loses more than `price` would."""
        return self.round_up(price) if side is Side.LONG else self.round_down(price)

    def target_price(self, side: Side, price: Decimal) -> Price:
        """Return a take-profit trigger on the tick grid that never earns less than `price` would."""
        return self.round_up(price) if side is Side.LONG else self.round_down(price)
