"""The frame of Binance's REST calls: a table of endpoints, the parameters of a call, weights, and where faults strike.

A handler takes a `Call` and answers what the body of a 200 shall be; it raises BinanceError or Refusal otherwise.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from core.simulator.binance.engine.account import BinanceAccount
from core.simulator.binance.engine.context import BinanceContext
from core.simulator.binance.engine.instruments import BinanceContract
from core.simulator.binance.errors import BinanceError, malformed, missing
from core.simulator.binance.format import Row
from core.simulator.engine.commands import EngineCommand, Later, Result
from core.simulator.engine.exchange import ExchangeState
from core.simulator.runtime import PutOff, Runtime

PUBLIC, KEY, SIGNED, TRADE = "public", "key", "signed", "trade"
CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
CLIENT_ID_NAMES = ("newClientOrderId", "origClientOrderId", "clientAlgoId")
DAY_MS = 86_400_000


@dataclass
class BinanceCall:
    """One request, understood: its parameters without the empty ones, and the account it concerns."""

    runtime: Runtime
    method: str
    path: str  # v1/order
    parameters: dict[str, str]
    deadline: int | None = None
    late_ms: int | None = None
    weight: int = 0  # what it costs, where that depends on the parameters
    headers: Row = field(default_factory=dict)

    @property
    def exchange(self) -> ExchangeState:
        """Return the state of the exchange."""
        return self.runtime.exchange

    @property
    def context(self) -> BinanceContext:
        """Return the components of the Binance side."""
        return self.runtime.binance

    @property
    def owner(self) -> BinanceAccount:
        """Return the account of this side."""
        return self.context.owner

    # -- parameters

    def get(self, name: str, default: str = "") -> str:
        """Return the parameter as it was sent; `default` where it is absent."""
        return self.parameters.get(name, default)

    def needed(self, name: str) -> str:
        """Return the parameter; BinanceError -1102 where it is absent."""
        if not self.get(name):
            raise missing(name)
        return self.get(name)

    def whole(self, name: str, default: int | None = None) -> int | None:
        """Return the parameter as a whole number."""
        text = self.get(name)
        if not text:
            return default
        if not text.lstrip("-").isdigit():
            raise BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return int(text)

    def limit(self, default: int, most: int) -> int:
        """Return the parameter `limit`; BinanceError -1130 where it is not from 1 to `most`."""
        wanted = self.whole("limit", default) or default
        if not 1 <= wanted <= most:
            raise malformed("limit")
        return wanted

    def number(self, name: str) -> Decimal:
        """Return the parameter as a number, which must be there."""
        try:
            value = Decimal(self.needed(name))
        except InvalidOperation:
            raise missing(name) from None
        if not value.is_finite():
            raise missing(name)
        return value

    def boolean(self, name: str) -> bool | None:
        """Return the parameter as yes or no; None where it is absent. Any case is taken."""
        text = self.get(name).lower()
        if text not in ("", "true", "false"):
            raise malformed(name)
        return None if not text else text == "true"

    def choice(self, name: str, choices: tuple[str, ...], code: int = -1130, words: str = "") -> str:
        """Return the parameter, which must be one of these."""
        if self.needed(name) not in choices:
            raise BinanceError(code, words or f"Data sent for parameter '{name}' is not valid.")
        return self.get(name)

    def client_id(self, name: str) -> str:
        """Return the parameter as a client id; BinanceError -4015 where it has another form."""
        text = self.get(name)
        if text and not CLIENT_ID.fullmatch(text):
            raise BinanceError(-4015, "Client order id is not valid.")
        return text

    def contract(self, name: str = "symbol") -> BinanceContract:
        """Return the contract that is meant, which must exist."""
        found = self.maybe_contract(name)
        if found is None:
            raise missing(name)
        return found

    def maybe_contract(self, name: str = "symbol") -> BinanceContract | None:
        """Return the contract that is meant, or None where the parameter is absent."""
        wire = self.get(name)
        if not wire:
            return None
        for contract in self.contracts():
            if contract.wire == wire:
                return contract
        raise BinanceError(-1121, "Invalid symbol.")

    def contracts(self) -> list[BinanceContract]:
        """Return every contract as it is listed now."""
        return [contract for contract in self.owner.contracts.values() if isinstance(contract, BinanceContract)]

    def chosen(self) -> list[BinanceContract]:
        """Return the one contract asked for, or all."""
        one = self.maybe_contract()
        return self.contracts() if one is None else [one]

    def span(self, days: int) -> tuple[int, int]:
        """Return startTime and endTime (ms), at most so many days apart; the last days where none is given."""
        start, end, now = self.whole("startTime"), self.whole("endTime"), self.runtime.shown_now()
        width = days * DAY_MS
        if start is not None and end is not None and end < start:
            raise BinanceError(-1023, "Start time is greater than end time.")
        if start is not None and end is not None and end - start > width:
            raise BinanceError(
                -1127, f"Lookup interval is too big. More than {24 * days} hours between startTime and endTime."
            )
        if start is None:
            return (now if end is None else end) - width, now if end is None else end
        return start, end if end is not None else start + width

    # -- doing

    def perform(self, command: EngineCommand[Result]) -> Result:
        """Carry the command out now and return its answer; PutOff where a fault wants it later."""
        if self.late_ms is None:
            return self.runtime.perform(command)
        self.runtime.perform(Later(self.exchange.now + self.late_ms, command, self.deadline))
        raise PutOff

    def fault(self, kind: str, row: Row | None = None) -> Row | None:
        """Return what a fault of that kind (reject, not_found, partial_fill, ...) says about this order, if any."""
        fault = self.exchange.faults.strike({kind}, self.about(row))
        return None if fault is None else fault.asked

    def about(self, row: Row | None = None) -> dict[str, str]:
        """Return this request in the words that faults match by; instId is the engine's name of the instrument."""
        row = self.parameters if row is None else row
        wire = str(row.get("symbol", ""))
        known = {"exchange": "binance", "method": self.method, "path": f"fapi/{self.path}", "symbol": wire, "op": ""}
        known["instId"] = next((c.symbol for c in self.contracts() if c.wire == wire), "")
        known["clOrdId"] = ",".join(str(row[name]) for name in CLIENT_ID_NAMES if row.get(name))
        return known


Handler = Callable[[BinanceCall], Any]


@dataclass(frozen=True, slots=True)
class BinanceEndpoint:
    """One call: who may make it, what it weighs, and how many new orders it counts as."""

    handler: Handler
    security: str  # public, key, signed, trade
    weight: int
    weight_all: int  # where no symbol is given
    orders: int


ENDPOINTS: dict[tuple[str, str], BinanceEndpoint] = {}


def endpoint(
    method: str, path: str, weight: int = 1, security: str = PUBLIC, *, weight_all: int | None = None, orders: int = 0
) -> Callable[[Handler], Handler]:
    """Register a call under /fapi/ (or one under /sapi/, whose path then begins with "sapi/")."""

    def register(handler: Handler) -> Handler:
        """Put the handler into the table of endpoints."""
        whole = weight if weight_all is None else weight_all
        ENDPOINTS[method, path] = BinanceEndpoint(handler, security, weight, whole, orders)
        return handler

    return register
