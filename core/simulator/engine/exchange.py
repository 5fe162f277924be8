"""The state of the exchange: what every component reads and changes, and the few services that all of them share.

Knows no rule and no wire. A listener is called at once for each event, in order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.simulator.engine.account import DAY_MS, ExchangeAccount
from core.simulator.engine.behaviour import BEHAVIOURS, Behaviours
from core.simulator.engine.candles import Candle
from core.simulator.engine.commands import Later
from core.simulator.engine.extension import Extensions
from core.simulator.engine.instruments import Contract
from core.simulator.engine.market import Market, MarketPrices, first_market
from core.simulator.engine.state import BookedFill, BookOrder, Refusal
from core.simulator.faults import Faults

FIRST_ID = 10**15
Listener = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """The initial values of a run: times in ms since 1970, balances in USDT by the name of their side."""

    seed: int
    start: int
    balances: Mapping[str, Decimal]
    contracts: dict[str, Contract]
    candles: dict[str, list[Candle]] = field(default_factory=dict)
    rate_limits: bool = True


class ExchangeState:
    """The state of one exchange, beside what each extension keeps for itself."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.listeners: list[Listener] = []
        self.faults = Faults()
        self.behaviours: Behaviours = BEHAVIOURS
        self.extensions: Extensions = ()
        self.begin(setup.seed)

    def extend(self, extensions: Extensions) -> None:
        """Take in the wires' extensions, with the behaviours that they add."""
        self.extensions = extensions
        self.behaviours = dict(BEHAVIOURS)
        for extension in extensions:
            self.behaviours |= extension.behaviours

    def begin(self, seed: int) -> None:
        """Begin anew: no accounts, prices at their start, the clock at its start."""
        self.seed, self.now, self.numbers = seed, self.setup.start, 0
        self.behaviour = self.default_behaviour() | {"rate_limits": self.setup.rate_limits}
        self.faults.active = []
        self.orders: dict[str, BookOrder] = {}
        self.live: dict[str, BookOrder] = {}
        self.named: dict[tuple[str, str, str], BookOrder] = {}  # the latest of each account, instrument and client id
        self.fills: dict[str, BookedFill] = {}
        self.hidden: dict[str, int] = {}  # until when (ms) an accepted order of that id cannot be found
        self.delayed: list[Later] = []
        self.accounts: dict[str, ExchangeAccount] = {}
        self.markets: dict[str, Market] = {
            symbol: first_market(contract, seed, self.setup.start, self.setup.candles.get(symbol, []))
            for symbol, contract in self.setup.contracts.items()
        }

    def default_behaviour(self) -> dict[str, Any]:
        """Return every behaviour with its default."""
        return {name: behaviour.default for name, behaviour in self.behaviours.items()}

    # -- services

    def publish(self, what: str, about: Any) -> None:
        """Call every listener with an event: what happened, and to what."""
        for listener in self.listeners:
            listener(what, about)

    def next_id(self) -> str:
        """Return an id that was never given before in this run."""
        self.numbers += 1
        return str(FIRST_ID + self.numbers)

    def prices(self, symbol: str) -> MarketPrices:
        """Return last, mark and index price of that instrument (USDT)."""
        return self.markets[symbol].prices

    def contract(self, account: ExchangeAccount, symbol: str) -> Contract:
        """Return the contract as the account trades it; Refusal where there is none of that name."""
        if symbol not in account.contracts:
            raise Refusal("unknown_instrument", symbol)
        return account.contracts[symbol]

    def last_fill(self, order: BookOrder) -> BookedFill | None:
        """Return the latest execution of that order."""
        return self.fills.get(order.last_fill)

    def hide(self, identity: str, seconds: Any) -> None:
        """Keep an accepted order from being found for so many seconds."""
        self.hidden[identity] = self.now + int(Decimal(str(seconds)) * 1000)

    def is_hidden(self, identity: str) -> bool:
        """Return whether the order of that id cannot be found yet."""
        return self.hidden.get(identity, 0) > self.now

    @property
    def retention_ms(self) -> int:
        """Return how long a flat position's id is remembered (ms)."""
        return int(Decimal(str(self.behaviour["pos_id_retention_days"])) * DAY_MS)
