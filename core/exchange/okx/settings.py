"""The account's settings that trading at OKX needs: position mode and leverage (OKX V5 docs, account)."""

from __future__ import annotations

from decimal import Decimal

from core.domain.errors import OutcomeUnknown, Refused, Unavailable
from core.domain.money import plain
from core.domain.reason import Reason
from core.exchange.okx.fields import to_inst_id
from core.exchange.okx.reads import OKXReads
from core.exchange.okx.rest_session import OKXSession
from core.exchange.rest import RestCaller

HEDGE = "long_short_mode"
CROSS = "cross"


class OKXSettings:
    """Reads a setting first and changes it only where it differs."""

    def __init__(self, session: OKXSession, rest: RestCaller, reads: OKXReads) -> None:
        self._session, self._rest, self._reads = session, rest, reads

    def set_hedge_mode(self) -> None:
        """Switch the account to hedge mode. Raises Refused while anything is held or rests."""
        self._reads.config.forget()
        if self.hedged():
            return
        try:
            self._rest.write("hedge mode", lambda: self._session.set_position_mode(HEDGE))
        finally:
            self._reads.config.forget()

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a contract's leverage, where it differs, and read it back. Raises Refused where OKX will not, or it did
        not take.
        """
        what = f"leverage {plain(leverage)} of {symbol}"
        if all(set_to == leverage for set_to in self._rest.first(what, lambda: self._reads.leverages(symbol))):
            return
        self._rest.write(what, lambda: self._session.set_leverage(plain(leverage), CROSS, instId=to_inst_id(symbol)))
        try:
            taken = self._reads.leverages(symbol)
        except Unavailable as silence:
            raise OutcomeUnknown(
                Reason("exchange.not_read_back", what=what), exchange_code=silence.exchange_code
            ) from silence
        if any(set_to != leverage for set_to in taken):
            raise Refused(Reason("exchange.did_not_take", what=what, taken=taken[0]), exchange_code="leverage")

    def hedged(self) -> bool:
        """Return the position mode; the last one read will do, because it cannot change while anything is held."""
        config = self._rest.first("the order", lambda: self._reads.config.value(however_old=True))
        return bool(config.get("posMode") == HEDGE)

    def forget_mode(self) -> None:
        """Read the position mode anew: somebody may have changed it."""
        self._reads.config.forget()
