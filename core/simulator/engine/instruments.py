"""A contract and its rules: sizes, tick, leverage, and the maintenance margin of each tier."""

from dataclasses import dataclass
from decimal import Decimal

#: of each tier: its end in first tiers, what divides the highest leverage, what multiplies the maintenance rate
TIERS = ((1, 1, Decimal(1)), (5, 2, Decimal("1.25")), (20, 4, Decimal("2.5")), (100, 10, Decimal(5)))


@dataclass(frozen=True, slots=True)
class Tier:
    """Up to `max_contracts`, this much leverage and this maintenance margin rate."""

    max_contracts: Decimal
    max_leverage: Decimal
    maintenance: Decimal


@dataclass(frozen=True, slots=True)
class Contract:
    """A linear perpetual. Sizes in contracts, prices in USDT; one contract is `value` of the base coin."""

    symbol: str
    base: str
    code: int
    value: Decimal
    lot: Decimal
    minimum: Decimal
    tick: Decimal
    max_leverage: Decimal
    max_market: Decimal
    max_limit: Decimal
    price: Decimal  # where its market begins
    maintenance: Decimal
    tier_contracts: Decimal

    @property
    def penalty_rate(self) -> Decimal:
        """Return what a liquidation costs, as a share of the notional."""
        return Decimal("0.005")

    @property
    def index(self) -> str:
        """Return the name of the index that the contract follows."""
        return f"{self.base}-USDT"

    @property
    def tiers(self) -> list[Tier]:
        """Return the tiers, smallest first."""
        return [
            Tier(self.tier_contracts * size, self.max_leverage / less, self.maintenance * rate)
            for size, less, rate in TIERS
        ]

    def maintenance_rate(self, contracts: Decimal) -> Decimal:
        """Return the rate of the tier that this many contracts fall into."""
        held = abs(contracts)  # asked at every price: the tiers themselves are not made for it
        reached = (rate for size, _, rate in TIERS if held <= self.tier_contracts * size)
        return self.maintenance * next(reached, TIERS[-1][2])

    def maintenance_of(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Return the maintenance margin (USDT) of that many contracts at that price."""
        return self.maintenance_rate(contracts) * abs(contracts) * self.value * price

    def maintenance_slope(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Return how much that margin grows with each USDT of price, near this price."""
        return self.maintenance_of(contracts, Decimal(1))
