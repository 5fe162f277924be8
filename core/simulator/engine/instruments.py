"""The contracts that are traded here and the rules of each; three are built in, more come from a file.

The numbers of the built-in ones were recorded at OKX; what no recording tells is chosen close to its neighbours.
"""

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

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
        """What a liquidation costs, as a share of the notional."""
        return Decimal("0.005")

    @property
    def index(self) -> str:
        return f"{self.base}-USDT"

    @property
    def tiers(self) -> list[Tier]:
        return [
            Tier(self.tier_contracts * size, self.max_leverage / less, self.maintenance * rate)
            for size, less, rate in TIERS
        ]

    def maintenance_rate(self, contracts: Decimal) -> Decimal:
        """The rate of the tier that this many contracts fall into."""
        held = abs(contracts)  # asked at every price: the tiers themselves are not made for it
        reached = (rate for size, _, rate in TIERS if held <= self.tier_contracts * size)
        return self.maintenance * next(reached, TIERS[-1][2])

    def maintenance_of(self, contracts: Decimal, price: Decimal) -> Decimal:
        """The maintenance margin (USDT) of that many contracts at that price."""
        return self.maintenance_rate(contracts) * abs(contracts) * self.value * price

    def maintenance_slope(self, contracts: Decimal, price: Decimal) -> Decimal:
        """How much that margin grows with each USDT of price, near this price."""
        return self.maintenance_of(contracts, Decimal(1))


def _contract(symbol: str, code: int, *numbers: str) -> Contract:
    return Contract(symbol, symbol.split("-")[0], code, *(Decimal(number) for number in numbers))


BUILT_IN = (
    _contract(
        "BTC-USDT-SWAP", 10459, "0.01", "0.01", "0.01", "0.1", "100", "12000", "100000000", "100000", "0.004", "20000"
    ),
    _contract(
        "ETH-USDT-SWAP", 10461, "0.1", "0.01", "0.01", "0.01", "100", "20000", "100000000", "3500", "0.004", "60000"
    ),
    _contract(
        "SOL-USDT-SWAP", 10470, "1", "0.01", "0.01", "0.01", "100", "50000", "100000000", "200", "0.005", "100000"
    ),
)
DEMO_BTC_VALUE = Decimal("0.001")  # recorded: on OKX demo one BTC contract was a tenth of the live one
FILE_NAMES = {"ctVal": "value", "lotSz": "lot", "minSz": "minimum", "tickSz": "tick", "lever": "max_leverage",
              "maxMktSz": "max_market", "maxLmtSz": "max_limit", "price": "price", "mmr": "maintenance"}  # fmt: skip


def contracts(file: Path | None = None) -> dict[str, Contract]:
    """All contracts by symbol; the file is a JSON list of rows in OKX field names, absent fields as for SOL.

    Raises ValueError where a row is not usable.
    """
    known = {contract.symbol: contract for contract in BUILT_IN}
    rows = json.loads(file.read_text()) if file is not None else []
    for row in rows:
        symbol = str(row["instId"])
        if symbol.count("-") != 2 or not symbol.endswith("-USDT-SWAP"):
            raise ValueError(f"{symbol}: only linear USDT perpetuals (XXX-USDT-SWAP) can be added")
        given = {name: Decimal(str(row[key])) for key, name in FILE_NAMES.items() if key in row}
        if "price" not in given:
            raise ValueError(f"{symbol}: a price to begin with is missing")
        code = int(row.get("instIdCode", 20000 + len(known)))
        known[symbol] = replace(known["SOL-USDT-SWAP"], symbol=symbol, base=symbol.split("-")[0], code=code, **given)
    return known


def demo(known: dict[str, Contract]) -> dict[str, Contract]:
    """The same catalogue as the demo world has it."""
    return known | {"BTC-USDT-SWAP": replace(known["BTC-USDT-SWAP"], value=DEMO_BTC_VALUE)}
