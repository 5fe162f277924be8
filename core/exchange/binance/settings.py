"""The account's settings that trading rests on: position mode, leverage, margin type, one currency as margin.

Each is read first and set only where it differs; Binance's "no need to change" is as good as done. Source: Binance
USD-M docs, account and trade.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.money import plain
from core.exchange.binance.fields import Row, text, to_name, truth
from core.exchange.binance.reads import BinanceReads

CROSSED = "CROSSED"
LEVERAGE_IS_SO = "-4028"  #: one of its texts says that it exists with that value already


class BinanceSettings(BinanceReads):
    """One account, read, with its settings."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._prepared: set[str] = set()  #: contracts whose margin type was made sure of

    def set_hedge_mode(self) -> None:
        """Hold long and short apart. Raises Refused while anything is held or rests."""
        if self._hedged(fresh=True):
            return
        try:
            self._calls.write("hedge mode", lambda: self._session.futures_change_position_mode(dualSidePosition="true"))
        finally:
            self._config.forget()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Read, set only where different, read back. Raises Refused where Binance will not, or it did not take."""
        what = f"leverage {plain(leverage)} of {symbol}"
        if leverage != leverage.to_integral_value():
            raise Refused(f"{what}: Binance takes whole numbers only", exchange_code="leverage")
        if self._calls.first(what, lambda: self.leverage(symbol)) == leverage:
            return
        asked = {"symbol": to_name(symbol), "leverage": plain(leverage)}
        try:
            self._calls.write(what, lambda: self._session.futures_change_leverage(**asked))
        except Refused as refusal:
            if (
                refusal.exchange_code != LEVERAGE_IS_SO
                or self._calls.first(what, lambda: self.leverage(symbol)) != leverage
            ):
                raise
        finally:
            self._symbols.forget()
        try:
            taken = self.leverage(symbol)
        except Unavailable as silence:
            raise OutcomeUnknown(f"{what}: could not be read back", exchange_code=silence.exchange_code) from silence
        if taken != leverage:
            raise Refused(f"{what}: did not take, it is {plain(taken)}", exchange_code="leverage")

    def _hedged(self, *, fresh: bool = False) -> bool:
        """The position mode; the last one read will do, because it cannot change while anything is held."""
        if fresh:
            self._config.forget()
        config: Row = self._calls.first("the order", lambda: self._config.value(however_old=True))
        return truth(config, "dualSidePosition")

    def _prepare(self, symbol: str) -> None:
        """Before the first order that opens anything in a contract: cross margin, and USDT alone as collateral."""
        if symbol in self._prepared:
            return
        what = f"cross margin of {symbol}"
        config = self._calls.first(what, lambda: self._config.value(however_old=True))
        if truth(config, "multiAssetsMargin"):
            self._calls.write("one currency as margin", lambda: self._session.futures_change_multi_assets_mode(False))
            self._config.forget()
        told = self._calls.first(what, lambda: self._symbol_config(symbol))
        if text(told, "marginType").upper() != CROSSED:
            asked = {"symbol": to_name(symbol), "marginType": CROSSED}
            self._calls.write(what, lambda: self._session.futures_change_margin_type(**asked))
        self._prepared.add(symbol)
