"""The account's settings that trading needs: position mode, leverage, margin type, one currency as margin.

Each is read first and set only where it differs; Binance's "no need to change" is as good as done. Source: Binance
USD-M docs, account and trade.
"""

from __future__ import annotations

from decimal import Decimal

from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.money import plain
from core.domain.reason import Reason
from core.exchange.binance.fields import text, to_name
from core.exchange.binance.reads import BinanceReads
from core.exchange.binance.rest_session import BinanceSession
from core.exchange.fields import Row, truth
from core.exchange.rest import RestCaller

CROSSED = "CROSSED"
LEVERAGE_IS_SO = "-4028"  #: one of its texts says that it exists with that value already


class BinanceSettings:
    """Reads a setting first and changes it only where it differs."""

    def __init__(self, session: BinanceSession, rest: RestCaller, reads: BinanceReads) -> None:
        self._session, self._rest, self._reads = session, rest, reads
        self._prepared: set[str] = set()  #: contracts whose margin type was made sure of

    def set_hedge_mode(self) -> None:
        """Switch the account to hedge mode. Raises Refused while anything is held or rests."""
        self._reads.config.forget()
        if self.hedged():
            return
        try:
            self._rest.write("hedge mode", lambda: self._session.futures_change_position_mode(dualSidePosition="true"))
        finally:
            self._reads.config.forget()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a contract's leverage, where it differs, and read it back. Raises Refused where Binance will not, or it
        did not take.
        """
        what = f"leverage {plain(leverage)} of {symbol}"
        if leverage != leverage.to_integral_value():
            raise Refused(Reason("binance.whole_leverage", what=what), exchange_code="leverage")
        if self._rest.first(what, lambda: self._reads.leverage(symbol)) == leverage:
            return
        asked = {"symbol": to_name(symbol), "leverage": plain(leverage)}
        try:
            self._rest.write(what, lambda: self._session.futures_change_leverage(**asked))
        except Refused as refusal:
            if (
                refusal.exchange_code != LEVERAGE_IS_SO
                or self._rest.first(what, lambda: self._reads.leverage(symbol)) != leverage
            ):
                raise
        finally:
            self._reads.symbols.forget()
        try:
            taken = self._reads.leverage(symbol)
        except Unavailable as silence:
            raise OutcomeUnknown(
                Reason("exchange.not_read_back", what=what), exchange_code=silence.exchange_code
            ) from silence
        if taken != leverage:
            raise Refused(Reason("exchange.did_not_take", what=what, taken=taken), exchange_code="leverage")

    def hedged(self) -> bool:
        """Return the position mode; the last one read will do, because it cannot change while anything is held."""
        config: Row = self._rest.first("the order", lambda: self._reads.config.value(however_old=True))
        return truth(config, "dualSidePosition")

    def prepare(self, symbol: str) -> None:
        """Set cross margin, and USDT alone as collateral, before the first order that opens anything in a contract."""
        if symbol in self._prepared:
            return
        what = f"cross margin of {symbol}"
        config = self._rest.first(what, lambda: self._reads.config.value(however_old=True))
        if truth(config, "multiAssetsMargin"):
            self._rest.write("one currency as margin", lambda: self._session.futures_change_multi_assets_mode(False))
            self._reads.config.forget()
        told = self._rest.first(what, lambda: self._reads.symbol_config(symbol))
        if text(told, "marginType").upper() != CROSSED:
            asked = {"symbol": to_name(symbol), "marginType": CROSSED}
            self._rest.write(what, lambda: self._session.futures_change_margin_type(**asked))
        self._prepared.add(symbol)

    def forget(self, symbol: str | None = None) -> None:
        """Read leverages anew, after somebody changed one (None: any setting of the account, so all of them)."""
        self._reads.symbols.forget()
        if symbol is None:
            self.forget_mode()

    def forget_mode(self) -> None:
        """Read the position mode anew: somebody may have changed it."""
        self._reads.config.forget()
