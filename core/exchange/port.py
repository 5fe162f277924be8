"""The interface of every exchange adapter.

A read returns or raises `Unavailable`. A write returns, or raises `Refused` or `OutcomeUnknown`.
Retries live inside reads only. Only `monitor/executor.py` calls a method that writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from core.domain.account import AccountState
from core.domain.action import AmendOrder, CancelOrder, PlaceOco, PlaceOrder
from core.domain.history.position_history import ClosedPosition
from core.domain.instrument import Instrument
from core.domain.observation import PortFacts, Position, Ticker
from core.domain.order import Fill, Funding, Order, OrderKind


@dataclass(frozen=True, slots=True)
class Candle:
    """A price bar; the newest may still be forming."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal  #: contracts
    complete: bool


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets of an account, in memory only. `repr` shows none of them."""

    api_key: str
    api_secret: str
    passphrase: str

    def __repr__(self) -> str:
        return f"Credentials(api_key=...{self.api_key[-4:]})"


class Reads(Protocol):
    """The half of the port that changes nothing; services get this half only."""

    @property
    def facts(self) -> PortFacts: ...

    def instruments(self) -> dict[str, Instrument]:
        """Return the tradable USDT contracts by our symbol."""
        ...

    def account_state(self) -> AccountState: ...

    def positions(self) -> list[Position]:
        """Return everything held, all contracts, in one answer. Flat contracts are absent."""
        ...

    def working_orders(self) -> list[Order]:
        """Return every live order of the account, ordinary and conditional, ours and foreign."""
        ...

    def other_conditional_orders(self) -> list[Order]:
        """Return live orders of kinds that we never place (trigger, trailing); for the watchdog, which has the time."""
        ...

    def find(self, client_order_id: str, symbol: str, kind: OrderKind) -> Order | None:
        """Return one order by our id, live or ended; None: the exchange says that it does not know it.

        For a triggered OCO the answer holds what its child orders have filled.
        """
        ...

    def fills(self, since: datetime, until: datetime | None = None) -> list[Fill]:
        """Return all executions of the account in that time (both ends belong to it), oldest first."""
        ...

    def funding(self, since: datetime, until: datetime | None = None) -> list[Funding]: ...

    def closed_positions(self, since: datetime, until: datetime | None = None) -> list[ClosedPosition]:
        """Return positions whose newest close lies in that time (both ends belong to it), oldest first."""
        ...

    def ticker(self, symbol: str) -> Ticker: ...

    def candles(self, symbol: str, bar: str, limit: int) -> list[Candle]:
        """Return the newest `limit` bars, oldest first; `bar` as "1m", "5m", "1H"."""
        ...

    def leverage(self, symbol: str) -> Decimal: ...

    def server_time(self) -> datetime: ...

    def under_maintenance(self) -> bool: ...


class ExchangePort(Reads, Protocol):
    """The whole interface of an adapter: reads and writes."""

    def close(self) -> None:
        """End all connections; a read under way is not tried again, later calls raise Unavailable or Refused."""
        ...

    def set_hedge_mode(self) -> None:
        """Switch the account to hedge mode, which holds long and short apart; only possible with nothing held and
        nothing resting.
        """
        ...

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a contract's leverage, where it differs, and read it back. Raises Refused where it did not take."""
        ...

    def place(self, request: PlaceOrder, deadline: datetime | None = None) -> str:
        """Place an ordinary order, return the exchange's id. Past `deadline` the exchange drops it."""
        ...

    def place_oco(self, request: PlaceOco) -> str: ...

    def amend(self, request: AmendOrder) -> None: ...

    def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel. Done also where the order had ended already: the next look tells how."""
        ...


@dataclass(frozen=True, slots=True)
class Push:
    """A message of a stream: what changed, and the newest state it carried, if it carried one."""

    channel: str  #: "orders" | "positions" | "account" | "prices" | "connection"
    symbol: str | None = None
    orders: Sequence[Order] = ()
    ticker: Ticker | None = None
    words: str = ""  #: for "connection": connected, reconnected (resync now), lost


OnPush = Callable[[Push], None]


class StreamPort(Protocol):
    """Streams of one account, in one background thread. Calls `on_push` from that thread."""

    def start(self, on_push: OnPush) -> None: ...

    def watch(self, symbols: frozenset[str]) -> None:
        """Watch the prices of these symbols from now on."""
        ...

    def stop(self) -> None: ...

    @property
    def connected(self) -> bool: ...

    @property
    def last_heard(self) -> datetime | None: ...
