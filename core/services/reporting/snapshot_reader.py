"""Reads an account's newest snapshot back into domain values, for arithmetic on what a page shows.

Raises Unavailable where there is no picture yet; a missing number stays None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.domain.errors import Misconfigured, Unavailable
from core.domain.instrument import Instrument
from core.domain.money import Contracts, Price
from core.domain.observation import Ticker
from core.domain.reason import Reason
from db.store import Store

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pictured:
    """The domain values of one account's newest snapshot."""

    data: Json
    as_of: datetime

    @classmethod
    def of(cls, store: Store, account: str) -> Pictured:
        """Read the newest snapshot. Raises Unavailable where none was made yet."""
        found = store.snapshots.latest(account)
        if found is None:
            raise Unavailable(Reason("picture.none", account=account))
        return cls(*found)

    def instrument(self, symbol: str) -> Instrument:
        """Return the rules of a contract. Raises Misconfigured for a contract that is not offered."""
        row = self.data["instruments"].get(symbol)
        if row is None:
            offered = tuple(self.data["instruments"]) or Reason("picture.no_contract_yet")
            allowed = Reason("allowed.one_of", all=offered)
            raise Misconfigured(
                Reason("range.not_offered", field=Reason("field.contract"), value=symbol, allowed=allowed)
            )
        return Instrument(
            symbol=symbol,
            exchange_symbol=row["exchange_symbol"],
            base=row["base"],
            quote="USDT",
            settle="USDT",
            contract_value=Decimal(row["contract_value"]),
            price_tick=Decimal(row["price_tick"]),
            quantity_step=Decimal(row["quantity_step"]),
            min_quantity=Contracts(Decimal(row["min_quantity"])),
            max_market_quantity=Contracts(Decimal(row["max_market_quantity"])),
            max_limit_quantity=Contracts(Decimal(row["max_limit_quantity"])),
            min_notional=Decimal(row["min_notional"]),
            max_leverage=Decimal(row["max_leverage"]),
            maintenance_rate=Decimal(row["maintenance_rate"]),
            taker_fee=Decimal(row["taker_fee"]),
            maker_fee=Decimal(row["maker_fee"]),
            tradable=row["tradable"],
        )

    def ticker(self, symbol: str) -> Ticker | None:
        row = self.data["tickers"].get(symbol)
        if row is None:
            return None
        last, bid, ask, mark = (Price(Decimal(row[name])) for name in ("last", "bid", "ask", "mark"))
        return Ticker(symbol, last, bid, ask, mark, datetime.fromisoformat(row["at"]))

    def part(self, part: str) -> Json | None:
        """Return the row of one part, or None where the snapshot was made before it."""
        return next((row for row in self.data["parts"] if row["part"] == part), None)

    def money(self, name: str) -> Decimal | None:
        """Return one of the account's figures: equity, available, margin_used; None while it is not known."""
        metrics = self.data.get("metrics")
        return Decimal(metrics[name]) if metrics and metrics.get(name) is not None else None
