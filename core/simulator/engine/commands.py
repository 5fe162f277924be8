"""The commands: one frozen value for each way to change the exchange, and how the journal writes and reads them.

A command names its `word`, under which the journal keeps it, and the type of what it answers. The words and the names
of the fields are the form on disk: a renamed one could not be read back from older journals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

Result = TypeVar("Result")
Draft = dict[str, Any]  # an order as a wire asks for it, in the engine's words, with nothing checked yet
Plan = dict[str, Any]  # what a fault wants of one order


class EngineCommand(Generic[Result]):
    """One change of the exchange, which answers with a `Result`; the base of all commands."""

    word: ClassVar[str]

    def written(self) -> dict[str, Any]:
        """Return the command as the journal keeps it: its word under "do", and its fields."""
        return {"do": self.word, **vars(self)}


Kinds = Mapping[str, type[EngineCommand[Any]]]


def read_command(row: Mapping[str, Any], kinds: Kinds) -> EngineCommand[Any]:
    """Return the command that `written` made this row of; KeyError for a word that is not in `kinds`."""
    values = dict(row)
    kind = kinds[values.pop("do")]
    if kind is Later:
        inner = dict(values["command"])
        deadline = inner.pop("deadline", None)
        return Later(values["at"], read_command(inner, kinds), deadline)
    return kind(**values)


@dataclass(frozen=True)
class Advance(EngineCommand[None]):
    """Let time pass up to `to` (ms), in one step where `fine`, else in steps of a second or a minute."""

    word: ClassVar[str] = "advance"
    to: int
    fine: bool = False


@dataclass(frozen=True)
class MovePrice(EngineCommand[None]):
    """Walk the prices of an instrument to these (USDT); mark and index go where last goes unless they are given."""

    word: ClassVar[str] = "price"
    symbol: str
    last: str
    mark: str | None = None
    index: str | None = None


@dataclass(frozen=True)
class SetMarket(EngineCommand[None]):
    """Set what moves the price of one instrument, or of all, from now on."""

    word: ClassVar[str] = "market"
    source: str
    symbol: str | None = None
    settings: dict[str, Any] | None = None


@dataclass(frozen=True)
class SetBehaviour(EngineCommand[None]):
    """Choose behaviours by name."""

    word: ClassVar[str] = "switches"
    values: dict[str, Any]


@dataclass(frozen=True)
class SetFaults(EngineCommand[None]):
    """Replace all active faults by these rows, or by one."""

    word: ClassVar[str] = "faults"
    asked: Any


@dataclass(frozen=True)
class Reset(EngineCommand[None]):
    """Begin everything anew; the seed and the balances (USDT) of the setup hold where none are given."""

    word: ClassVar[str] = "reset"
    seed: int | str | None = None
    balance: str | None = None


@dataclass(frozen=True)
class Deposit(EngineCommand[None]):
    """Put an amount of an asset into an account."""

    word: ClassVar[str] = "deposit"
    amount: str
    account: str = "live"
    asset: str = "USDT"


@dataclass(frozen=True)
class Liquidate(EngineCommand[None]):
    """Take a position away, as if its margin had run out."""

    word: ClassVar[str] = "liquidate"
    symbol: str
    side: str
    account: str = "live"


@dataclass(frozen=True)
class Deleverage(EngineCommand[None]):
    """Close a position, or `size` contracts of it, against a bankrupt counterparty."""

    word: ClassVar[str] = "adl"
    symbol: str
    side: str
    size: str | None = None
    account: str = "live"


@dataclass(frozen=True)
class Later(EngineCommand[None]):
    """Carry out another command at that time (ms), unless its deadline (ms) has passed by then."""

    word: ClassVar[str] = "later"
    at: int
    command: EngineCommand[Any]
    deadline: int | None = None

    def written(self) -> dict[str, Any]:
        """Return the command as the journal keeps it; the deadline stands inside the command that waits."""
        inner = self.command.written()
        if self.deadline is not None:
            inner["deadline"] = self.deadline
        return {"do": self.word, "at": self.at, "command": inner}
