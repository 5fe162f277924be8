"""The frame of OKX's REST calls: a table of endpoints, who is calling, the parameters, and the shape of an answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.commands import EngineCommand, Later, Result
from core.simulator.engine.exchange import ExchangeState
from core.simulator.engine.state import Refusal
from core.simulator.faults import ORDER_KINDS
from core.simulator.okx.engine.context import OkxContext
from core.simulator.okx.errors import OkxError, coded, parameter
from core.simulator.runtime import PutOff, Runtime

Row = dict[str, Any]
Handler = Callable[["OkxCall"], list[Any]]


@dataclass
class OkxCall:
    """One request, understood: endpoint, parameters without the empty ones, the caller's account."""

    runtime: Runtime
    method: str
    path: str
    parameters: Any
    account: str = "live"
    deadline: int | None = None
    late_ms: int | None = None
    notes: Row = field(default_factory=dict)  # what the streams should add to the pushes of this call
    op: str = ""

    @property
    def exchange(self) -> ExchangeState:
        """Return the state of the exchange."""
        return self.runtime.exchange

    @property
    def context(self) -> OkxContext:
        """Return the components of the OKX side."""
        return self.runtime.okx

    @property
    def owner(self) -> ExchangeAccount:
        """Return the account of the caller."""
        return self.exchange.accounts[self.account]

    def get(self, name: str, default: str = "") -> str:
        """Return the parameter as text; `default` where it is absent."""
        value = self.parameters.get(name, default)
        return str(value)

    def needed(self, name: str) -> str:
        """Return the parameter; OkxError 50014 where it is absent."""
        if name not in self.parameters:
            raise OkxError("50014", f"Parameter {name} can not be empty.", 400)
        return self.get(name)

    def whole(self, name: str, default: int | None = None) -> int | None:
        """Return the parameter as a whole number."""
        text = self.get(name)
        if not text:
            return default
        if not text.lstrip("-").isdigit():
            raise parameter(name)
        return int(text)

    def limit(self, most: int = 100) -> int:
        """Return the parameter `limit`, at most `most`."""
        return max(1, min(most, self.whole("limit", most if most <= 100 else 100) or 1))

    def symbol(self, name: str = "instId") -> str:
        """Return the parameter as an instrument; OkxError 51001 where there is none of that name."""
        symbol = self.needed(name)
        if symbol not in self.exchange.setup.contracts:
            raise OkxError("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
        return symbol

    def perform(self, command: EngineCommand[Result]) -> Result:
        """Carry the command out now and return its answer; PutOff where a fault wants it later."""
        if self.late_ms is None:
            return self.runtime.perform(command)
        self.runtime.perform(Later(self.exchange.now + self.late_ms, command, self.deadline))
        raise PutOff

    def rows(self, asked: list[Row], one: Callable[["OkxCall", Row], Row], blank: Callable[[Row], Row]) -> list[Row]:
        """Return what became of each row: what `one` answers, or its refusal as sCode and sMsg."""
        answered = []
        for row in asked:
            try:
                fault = self.fault("reject", row)
                if fault is not None:
                    answered.append(
                        blank(row)
                        | {"sCode": fault["code"], "sMsg": fault.get("message", "Operation failed."), "subCode": ""}
                    )
                    continue
                answered.append(one(self, row) | {"sCode": "0"})
            except Refusal as refusal:
                code, words = coded(refusal)
                sub = "1000" if refusal.reason == "margin" else ""
                answered.append(blank(row) | {"sCode": code, "sMsg": words, "subCode": sub})
            except PutOff:
                continue
        return answered

    def fault(self, kind: str, row: Row) -> Row | None:
        """Return what a fault of that kind says about this row, if one strikes."""
        assert kind in ORDER_KINDS
        fault = self.exchange.faults.strike({kind}, self.about(row))
        return None if fault is None else fault.asked

    def about(self, row: Row | None = None) -> dict[str, str]:
        """Return this request in the words that faults match by."""
        rows = [row] if row is not None else self.parameters if isinstance(self.parameters, list) else [self.parameters]
        rows = [one for one in rows if isinstance(one, dict)]
        known = {"exchange": "okx", "method": self.method, "path": self.path, "op": self.op}
        if rows:
            known["instId"] = str(rows[0].get("instId", ""))
            ids = [one.get(name) for one in rows for name in ("clOrdId", "algoClOrdId")]
            known["clOrdId"] = ",".join(str(value) for value in ids if value)
        return known


@dataclass(frozen=True, slots=True)
class OkxEndpoint:
    """One call: who may make it and how often."""

    handler: Handler
    private: bool
    trades: bool
    orders: bool  # answers per row, with sCode
    budget: int
    window_ms: int
    per: str  # user, instrument, ip


ENDPOINTS: dict[tuple[str, str], OkxEndpoint] = {}


def endpoint(
    method: str,
    path: str,
    budget: int = 20,
    window: float = 2,
    per: str = "user",
    *,
    trades: bool = False,
    orders: bool = False,
) -> Callable[[Handler], Handler]:
    """Register a call under /api/v5/; public where it is counted per IP address."""

    def register(handler: Handler) -> Handler:
        """Put the handler into the table of endpoints."""
        private = not per.startswith("ip")
        ENDPOINTS[method, path] = OkxEndpoint(handler, private, trades, orders, budget, int(window * 1000), per)
        return handler

    return register


def boolean(value: Any) -> bool:
    """Return whether the value means yes: JSON true or the text "true"."""
    return value is True or str(value).lower() == "true"


def decimal(text: Any, name: str) -> Decimal:
    """Return the text as a finite number; OkxError naming the parameter."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        raise parameter(name) from None
    if not value.is_finite():
        raise parameter(name)
    return value


def page(rows: list[Any], call: OkxCall, cursor: Callable[[Any], int], most: int = 100) -> list[Any]:
    """Return rows newest first: those older than `after`, newer than `before`, at most `limit`.

    With `before` alone the page nearest to it is meant; ties at the edge of a page stay together.
    """
    after, before = call.whole("after"), call.whole("before")
    rows = [row for row in rows if (after is None or cursor(row) < after) and (before is None or cursor(row) > before)]
    limit = call.limit(most)
    return rows[-limit:] if before is not None and after is None else rows[:limit]
