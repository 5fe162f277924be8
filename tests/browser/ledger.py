"""What really lies at the paper exchange, read past the product, for one contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.simulator_process import SimulatorControl

Row = dict[str, Any]
LIVE_ORDER = ("live", "partially_filled")
WAITING = ("live", "NEW", "TRIGGERING", "TRIGGERED")  #: a conditional order, in the words of either wire
OPENING = (("buy", "long"), ("sell", "short"))


class Truth:
    """One look at the exchange's own books."""

    def __init__(self, control: SimulatorControl, symbol: str = "BTC", account: str = "okx") -> None:
        self.name = f"{symbol}-USDT-SWAP"
        found = control.state()
        self.state = found if account == "okx" else found[account]

    def _of(self, kind: str) -> list[Row]:
        return [row for row in self.state[kind] if row.get("instId", row.get("instrument")) == self.name]

    @property
    def held(self) -> Decimal:
        """Contracts held, both sides together."""
        return sum((abs(Decimal(row["pos"] or 0)) for row in self._of("positions")), Decimal(0))

    @property
    def protection(self) -> list[Row]:
        """Conditional orders that rest."""
        return [row for row in self._of("algos") if row["state"] in WAITING]

    @property
    def working(self) -> list[Row]:
        return [row for row in self._of("orders") if row["state"] in LIVE_ORDER]

    @property
    def fills(self) -> list[Row]:
        return self._of("fills")

    @property
    def entries(self) -> list[Row]:
        """Orders that open, whatever became of them."""
        return [row for row in self._of("orders") if (row["side"], row["posSide"]) in OPENING]

    def guarded(self) -> bool:
        """Exactly one conditional order with both legs rests, for all that is held."""
        if not self.held or len(self.protection) != 1:
            return False
        row = self.protection[0]
        whole = Decimal(row["sz"] or 0) == self.held or row.get("closeFraction") == "1"
        return bool(whole and row["tpTriggerPx"] and row["slTriggerPx"])

    def result(self) -> tuple[Decimal, Decimal, Decimal]:
        """Realised PnL, fees and funding of this contract, from the exchange's ledger, USDT."""
        bills = self._of("ledger")
        return (
            sum((Decimal(bill["pnl"] or 0) for bill in bills if bill["type"] == "2"), Decimal(0)),
            sum((Decimal(bill["fee"] or 0) for bill in bills), Decimal(0)),
            sum((Decimal(bill["balChg"] or 0) for bill in bills if bill["type"] == "8"), Decimal(0)),
        )
