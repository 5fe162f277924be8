"""The perpetuals as Binance USD-M lists them: filters, precisions and leverage brackets, as data.

Quantities are in the base coin. BTCUSDT, and the notionals and lot sizes of ETHUSDT, were recorded in 2026; what no
recording tells of the others is assumed. Any filter can be overridden by the switch `binance_filters`, because on the
real exchange every one of them has moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from core.simulator.engine.instruments import Contract

BRACKETS = ((1, "0.004"), (10, "0.005"), (60, "0.01"), (240, "0.025"), (1000, "0.05"))  # cap in units, maintenance
LEVERAGE_SHARES = ("1", "0.8", "0.4", "0.16", "0.08")


@dataclass(frozen=True, slots=True)
class LeverageBracket:
    """Between these notionals (USDT): at most this leverage, this maintenance rate, less the cumulated amount."""

    number: int
    leverage: int
    floor: Decimal
    cap: Decimal
    maintenance: Decimal
    cumulated: Decimal


@dataclass(frozen=True, slots=True)
class BinanceContract(Contract):
    """A perpetual with Binance's filters beside what the engine needs. `symbol` stays the engine's name for it."""

    wire: str = ""  # BTCUSDT
    tick_text: str = "0.10"  # with the zeros the exchange writes
    min_price: Decimal = Decimal(0)
    max_price: Decimal = Decimal(0)
    notional: Decimal = Decimal(5)
    up: Decimal = Decimal("1.05")
    down: Decimal = Decimal("0.95")
    price_precision: int = 2
    quantity_precision: int = 3
    protect: Decimal = Decimal("0.0500")
    bound: Decimal = Decimal("0.05")
    liquidation_fee: Decimal = Decimal("0.0125")
    max_orders: int = 200
    unit: Decimal = Decimal(50_000)  # notional of one bracket unit

    @property
    def penalty_rate(self) -> Decimal:
        """Return what a liquidation costs, as a share of the notional."""
        return self.liquidation_fee

    @property
    def brackets(self) -> list[LeverageBracket]:
        """Return the brackets, smallest notional first; maintenance is continuous from one to the next."""
        made: list[LeverageBracket] = []
        floor = cumulated = rate_before = Decimal(0)
        for number, ((units, rate), share) in enumerate(zip(BRACKETS, LEVERAGE_SHARES, strict=True), 1):
            rate_now, cap = Decimal(rate), self.unit * units
            cumulated += floor * (rate_now - rate_before) if made else Decimal(0)
            leverage = max(1, int(self.max_leverage * Decimal(share)))
            made.append(LeverageBracket(number, leverage, floor, cap, rate_now, cumulated))
            floor, rate_before = cap, rate_now
        return made

    def bracket(self, notional: Decimal) -> LeverageBracket:
        """Return the bracket of that notional (USDT)."""
        return next((one for one in self.brackets if notional <= one.cap), self.brackets[-1])

    def largest_notional(self, leverage: Decimal) -> Decimal:
        """Return the notional (USDT) that may be held at that leverage."""
        return max((one.cap for one in self.brackets if one.leverage >= leverage), default=self.brackets[0].cap)

    def maintenance_of(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Return the maintenance margin (USDT) of that many contracts at that price."""
        notional = abs(contracts) * price
        here = self.bracket(notional)
        return notional * here.maintenance - here.cumulated

    def maintenance_slope(self, contracts: Decimal, price: Decimal) -> Decimal:
        """Return how much that margin grows with each USDT of price, near this price."""
        return abs(contracts) * self.bracket(abs(contracts) * price).maintenance


LIVE: dict[str, dict[str, str]] = {
    "BTC": {"tick_text": "0.10", "min_price": "556.80", "max_price": "4529764", "lot": "0.001", "max_limit": "1000",
            "max_market": "120", "notional": "50", "price_precision": "2", "quantity_precision": "3",
            "max_leverage": "125"},
    "ETH": {"tick_text": "0.01", "min_price": "39.86", "max_price": "306177", "lot": "0.001", "max_limit": "10000",
            "max_market": "2000", "notional": "20", "price_precision": "2", "quantity_precision": "3",
            "max_leverage": "125"},
    "SOL": {"tick_text": "0.0100", "min_price": "0.4200", "max_price": "100000", "lot": "0.01",
            "max_limit": "1000000", "max_market": "5000", "notional": "5", "price_precision": "4",
            "quantity_precision": "2", "max_leverage": "100"},
    "BNB": {"tick_text": "0.010", "min_price": "6.600", "max_price": "200000", "lot": "0.01", "max_limit": "100000",
            "max_market": "2000", "notional": "5", "price_precision": "3", "quantity_precision": "2",
            "max_leverage": "75"},
}  # fmt: skip
DEMO: dict[str, dict[str, str]] = {"BTC": {"lot": "0.0001", "quantity_precision": "4", "bound": "0.30"}}
WHOLE = {"price_precision", "quantity_precision", "max_orders"}
MAY_BE_ZERO = {"min_price", "max_price", "notional", "price_precision", "quantity_precision"}
CHANGEABLE = {each.name for each in fields(BinanceContract)} - {
    "symbol",
    "base",
    "code",
    "value",
    "wire",
    "price",
    "tick",
}


def catalogue(known: Mapping[str, Contract], flavour: str, overrides: Mapping[str, Any]) -> dict[str, Contract]:
    """Return every contract of the engine as Binance lists it, by the engine's name.

    `overrides` are {"BTCUSDT": {field: value}}; `flavour` is live or demo.
    """
    made: dict[str, Contract] = {}
    for symbol, contract in known.items():
        wire = f"{contract.base}USDT"
        values = _assumed(contract) | LIVE.get(contract.base, {})
        if flavour == "demo":
            values |= {"max_orders": "10000"} | DEMO.get(contract.base, {})
        values |= {name: str(value) for name, value in dict(overrides.get(wire, {})).items()}
        values.setdefault("minimum", values["lot"])
        typed: dict[str, Any] = {
            name: value if name == "tick_text" else int(value) if name in WHOLE else Decimal(value)
            for name, value in values.items()
        }
        base = {each.name: getattr(contract, each.name) for each in fields(Contract)}
        typed |= {"wire": wire, "value": Decimal(1), "tick": Decimal(typed["tick_text"]).normalize()}
        made[symbol] = BinanceContract(**base | typed)
    return made


def _assumed(contract: Contract) -> dict[str, str]:
    """Filters for a contract of which nothing was recorded, from its own tick and lot."""
    lot = (contract.lot * contract.value).normalize()
    places = max(0, -int(lot.as_tuple().exponent))
    return {
        "tick_text": format(contract.tick.normalize(), "f"), "lot": format(lot, "f"),
        "max_limit": format(contract.max_limit * contract.value, "f"),
        "max_market": format(contract.max_market * contract.value, "f"),
        "price_precision": str(max(0, -int(contract.tick.normalize().as_tuple().exponent)) + 1),
        "quantity_precision": str(places), "max_price": format(contract.price * 1000, "f"),
        "max_leverage": format(contract.max_leverage, "f"),
    }  # fmt: skip


def overrides_checked(value: Any) -> dict[str, dict[str, str]]:
    """Return the value of the switch `binance_filters`; ValueError where a field is unknown or no number."""
    made: dict[str, dict[str, str]] = {}
    for wire, changes in dict(value).items():
        unknown = set(changes) - CHANGEABLE
        if unknown:
            raise ValueError(f"binance_filters takes {', '.join(sorted(CHANGEABLE))}, not {', '.join(sorted(unknown))}")
        for name, number in changes.items():
            value = Decimal(str(number))
            if not value.is_finite() or value < 0 or (value == 0 and name not in MAY_BE_ZERO):
                raise ValueError(f"{name} is a number above zero")
        made[str(wire)] = {name: str(number) for name, number in changes.items()}
    return made
