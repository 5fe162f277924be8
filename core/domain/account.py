"""An account: one set of keys on one exchange and environment, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from core.domain.instrument import Side


class Environment(StrEnum):
    """Where an account trades: real money, demo or paper. Nothing else differs."""

    PAPER = "paper"
    DEMO = "demo"
    LIVE = "live"


class Exchange(str):
    """The id of an exchange, such as "okx": its name in database and API. `core.venues` knows which there are.

    One id is one object, so ids may be compared by `is`.
    """

    __slots__ = ()
    OKX: ClassVar[Exchange]
    BINANCE: ClassVar[Exchange]
    _known: ClassVar[dict[str, Exchange]] = {}

    def __new__(cls, name: str) -> Exchange:
        """Return the id of that name, the same object each time."""
        return cls._known.setdefault(str(name), super().__new__(cls, name))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: Callable[[type[str]], Any]) -> Any:
        """Let pydantic read and write an id as the text that it is."""
        return {"type": "function-after", "function": {"type": "no-info", "function": cls}, "schema": handler(str)}


Exchange.OKX, Exchange.BINANCE = Exchange("okx"), Exchange("binance")


class Level(StrEnum):
    """How much the bot may do, from everything to ending flat."""

    RUN = "run"
    NO_NEW_ENTRIES = "no_new_entries"
    NO_ADDED_RISK = "no_added_risk"
    REDUCE_ONLY = "reduce_only"
    FLATTEN = "flatten"

    @property
    def rank(self) -> int:
        """Return how much the level protects: 0 for run, and more the less may be done."""
        return list(Level).index(self)

    @property
    def may_enter(self) -> bool:
        """Return whether new parts may be opened."""
        return self is Level.RUN

    @property
    def may_add(self) -> bool:
        """Return whether recovery and reopen may add to what was asked for earlier."""
        return self in (Level.RUN, Level.NO_NEW_ENTRIES)


@dataclass(frozen=True, slots=True, order=True)
class PositionKey:
    """The key of one position: one side of one contract of one account."""

    account: str
    symbol: str
    side: Side

    def __str__(self) -> str:
        return f"{self.account}/{self.symbol}/{self.side}"

    @classmethod
    def parse(cls, text: str) -> PositionKey:
        """Return the key behind `str(key)`. Raises ValueError for anything else."""
        account, symbol, side = text.split("/")
        return cls(account, symbol, Side(side))


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the trader set it up. Its secrets are not here."""

    id: str  #: short and stable: "paper-okx"
    name: str
    exchange: Exchange
    environment: Environment
    rest_url: str  #: empty: the exchange's own address; paper: filled in when the simulator is ready
    stream_url: str
    api_key_hint: str = ""  #: the last four letters of the key
    permissions: str = ""  #: what the exchange said the key may do when it was checked: "read_only,trade"


@dataclass(frozen=True, slots=True)
class AccountState:
    """Money and mode of the account as the exchange reports them."""

    equity: Decimal  #: USDT, with unrealised PnL
    available: Decimal  #: USDT free for new positions
    margin_used: Decimal
    unrealised_pnl: Decimal
    hedge_mode: bool  #: long and short held apart
    can_trade: bool
    can_withdraw: bool
    as_of: datetime
    addresses: str = ""  #: the only IP addresses the key may be used from, as the exchange lists them; empty: any
