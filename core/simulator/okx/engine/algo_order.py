"""Algo orders of OKX V5 (conditional, OCO, trigger, trailing stop), and the book that keeps them."""

from dataclasses import dataclass, field
from decimal import Decimal

from core.simulator.engine.account import ExchangeAccount
from core.simulator.engine.state import TriggerLeg, packed_as


@dataclass(slots=True)
class OkxAlgo:
    """An order that waits for a price. It is live, effective, canceled or order_failed."""

    algo_id: str
    client_id: str
    account: str
    instrument: str
    side: str
    position_side: str
    kind: str  # conditional, oco, trigger, move_order_stop
    size: Decimal | None  # None: the whole position
    leverage: Decimal
    created: int
    updated: int
    margin_mode: str = "cross"
    take_profit: TriggerLeg | None = None
    stop_loss: TriggerLeg | None = None
    trigger: TriggerLeg | None = None
    callback_ratio: Decimal | None = None
    callback_spread: Decimal | None = None
    active: Decimal | None = None
    activated: bool = True
    extreme: Decimal | None = None
    trigger_above: bool | None = None
    reduce_only: bool = False
    tied: bool = False  # ends with the position
    was_attached: bool = False
    tag: str = ""
    state: str = "live"
    fail_code: str = ""
    triggered: int = 0
    actual_side: str = ""
    actual_size: Decimal | None = None
    actual_price: Decimal | None = None
    order_ids: list[str] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self.side == "buy" else -1


packed_as("Algo", OkxAlgo)


class OkxAlgoBook:
    """The algo orders of all accounts: every one there ever was, and those that still wait."""

    def __init__(self) -> None:
        self.all: dict[str, OkxAlgo] = {}
        self.waiting: dict[str, OkxAlgo] = {}

    def fill(self, algos: dict[str, OkxAlgo]) -> None:
        """Replace the orders in the book by these."""
        self.all = algos
        self.waiting = {algo_id: algo for algo_id, algo in algos.items() if algo.state == "live"}

    def add(self, algo: OkxAlgo) -> None:
        """Keep one more, which waits."""
        self.all[algo.algo_id] = self.waiting[algo.algo_id] = algo

    def find(self, account: str, algo_id: str = "", client_id: str = "") -> OkxAlgo | None:
        """Return the algo of that id, or the latest of that client id."""
        if algo_id:
            algo = self.all.get(algo_id)
            return algo if algo and algo.account == account else None
        matching = (algo for algo in reversed(self.all.values()) if client_id and algo.client_id == client_id)
        return next((algo for algo in matching if algo.account == account), None)

    def is_taken(self, owner: ExchangeAccount, client_id: str) -> bool:
        """Return whether an algo of that client id was ever placed in the account."""
        return any(algo.client_id == client_id and algo.account == owner.name for algo in self.all.values())

    def of_position(self, owner: ExchangeAccount, symbol: str, side: str) -> list[OkxAlgo]:
        """Return what waits on that position."""
        key = (owner.name, symbol, side)
        return [algo for algo in self.waiting.values() if (algo.account, algo.instrument, algo.position_side) == key]
