"""One USD-M account's own: leverage 20 and one-way to begin with, margin types, isolated wallets, fees in BNB.

Promises the same sum as every account (deposits + realised + funding - fees - penalties is the balance); an isolated
wallet is a part of the balance set aside for one position, and no more than it can be lost with that position.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from core.simulator.engine.account import ExchangeAccount, Key
from core.simulator.engine.market import MarketPrices
from core.simulator.engine.state import ZERO, BookedFill, BookOrder, HeldPosition, money

DEFAULT_LEVERAGE = Decimal(20)
FORCED_NAMES = {"liquidation": "autoclose-{}", "adl": "adl_autoclose"}


@dataclass
class BinanceAccount(ExchangeAccount):
    """A futures wallet in USDT, with some BNB for fees."""

    hedged: bool = False
    isolated: set[str] = field(default_factory=set)  # instruments whose margin is isolated
    multi_assets: bool = False
    wallets: dict[Key, Decimal] = field(default_factory=dict)  # what each isolated position has set aside
    bnb: Decimal = ZERO
    bnb_deposits: Decimal = ZERO
    bnb_price: Callable[[], Decimal | None] = lambda: None  # what a BNB costs (USDT) where fees are paid in it

    SAVED: ClassVar[tuple[str, ...]] = (
        *ExchangeAccount.SAVED,
        "isolated",
        "multi_assets",
        "wallets",
        "bnb",
        "bnb_deposits",
    )

    def lever(self, instrument: str) -> Decimal:
        """Return the leverage that is set for the instrument, or the default."""
        return self.leverage.get(instrument, DEFAULT_LEVERAGE)

    def forced_name(self, kind: str, now: int) -> str:
        """Return the client id under which the exchange closes a position (liquidation, adl) at that time (ms)."""
        return FORCED_NAMES[kind].format(now)

    # -- isolated wallets

    def fill(
        self, order: BookOrder, fill: BookedFill, now: int, retention_ms: int, next_id: Callable[[], str]
    ) -> tuple[Decimal, bool]:
        """Book one execution and its share of an isolated wallet; return the realised PnL and whether it is flat."""
        key = (order.instrument, order.position_side)
        before = self.held(*key)
        realised, flat = super().fill(order, fill, now, retention_ms, next_id)
        if key[0] in self.isolated:
            closed = min(fill.size, abs(before)) if before * order.sign < 0 else ZERO
            kept = self.wallets.pop(key, ZERO)
            kept -= money(kept * closed / abs(before)) if closed else ZERO
            opened = fill.size - closed
            kept += money(self.notional(key[0], opened, fill.price) / self.lever(key[0]))
            if key in self.positions:
                self.positions[key].margin_mode = "isolated"
                self.wallets[key] = kept
        return realised, flat

    def stands_alone(self, position: HeldPosition) -> bool:
        """Return whether the position has an isolated wallet."""
        return (position.instrument, position.side) in self.wallets

    def funded(self, position: HeldPosition, amount: Decimal) -> None:
        """Book funding on the position, and on its isolated wallet."""
        super().funded(position, amount)
        key = (position.instrument, position.side)
        if key in self.wallets:
            self.wallets[key] += amount

    def _cross(self) -> list[HeldPosition]:
        return [position for key, position in self.positions.items() if key not in self.wallets]

    def cross_balance(self) -> Decimal:
        """Return the balance without what isolated wallets hold (USDT)."""
        return self.balance - sum(self.wallets.values(), ZERO)

    def cross_equity(self, prices: Callable[[str], MarketPrices]) -> Decimal:
        """Return the equity of the cross positions (USDT)."""
        gained = (self.unrealised(p, prices(p.instrument).mark) for p in self._cross())
        return self.cross_balance() + sum(gained, ZERO)

    def spare(self, prices: Callable[[str], MarketPrices]) -> Decimal:
        """Return the equity that no cross position needs as margin (USDT)."""
        margin = sum((self.margin(p, prices(p.instrument).mark) for p in self._cross()), ZERO)
        return self.cross_equity(prices) - margin

    def left_for(self, position: HeldPosition, mark: Decimal) -> Decimal:
        """Return what is left to pay a liquidation of that position with (USDT)."""
        key = (position.instrument, position.side)
        if key in self.wallets:
            return self.wallets[key] + self.unrealised(position, mark)
        return self.cross_balance() + self.unrealised(position, mark)

    # -- danger

    def _isolated_in_danger(self, prices: Callable[[str], MarketPrices]) -> HeldPosition | None:
        for key, wallet in self.wallets.items():
            position = self.positions[key]
            mark = prices(position.instrument).mark
            if wallet + self.unrealised(position, mark) <= self.maintenance(position, mark):
                return position
        return None

    def in_danger(self, prices: Callable[[str], MarketPrices]) -> bool:
        """Return whether an isolated position, or the cross account, has fallen to its maintenance margin."""
        if self.wallets and self._isolated_in_danger(prices) is not None:
            return True
        cross = self._cross()
        maintenance = sum((self.maintenance(p, prices(p.instrument).mark) for p in cross), ZERO)
        return bool(cross) and self.cross_equity(prices) <= maintenance

    def largest_loser(self, prices: Callable[[str], MarketPrices]) -> HeldPosition:
        """Return the position to liquidate first: an isolated one in danger, else the largest loser."""
        endangered = self._isolated_in_danger(prices)
        return endangered or min(
            self._cross(), key=lambda p: (self.unrealised(p, prices(p.instrument).mark), p.instrument, p.side)
        )

    def liquidation_price_of(self, position: HeldPosition, prices: Callable[[str], MarketPrices]) -> Decimal | None:
        """Return the mark at which this position is taken away, all others standing still; None: never."""
        mark, contract = prices(position.instrument).mark, self.contracts[position.instrument]
        key = (position.instrument, position.side)
        if key not in self.wallets:
            return self.liquidation_price(position.instrument, prices)
        slope = contract.maintenance_slope(position.contracts, mark)
        fixed = self.maintenance(position, mark) - slope * mark
        if position.contracts == slope:
            return None
        price = (fixed - self.wallets[key] + position.contracts * position.average) / (position.contracts - slope)
        return price if 0 < price < mark * 10 else None

    # -- fees

    def charged(self, fee: Decimal) -> tuple[Decimal, str, Decimal]:
        """Return what a fee (USDT, below zero) costs: in USDT, and the asset and amount that the trade then shows.

        It is paid in BNB while that is chosen and there is enough of it.
        """
        price = self.bnb_price() if fee < 0 else None
        if price is not None:
            amount = (fee / price).quantize(Decimal("0.00000001"))
            if self.bnb + amount >= 0:
                self.bnb += amount
                return ZERO, "BNB", amount
        return fee, "USDT", fee

    def takes_in(self, asset: str, amount: Decimal) -> bool:
        """Take in a deposit of BNB, which pays fees; False for any other asset."""
        if asset != "BNB":
            return False
        self.bnb += amount
        self.bnb_deposits += amount
        return True
