"""State values of the exchange: orders, fills, positions and their lives, ledger rows; and how they become JSON.

Knows no wire and no rules. Promises that every value written by `pack` comes back equal from `unpack`.
"""

from dataclasses import dataclass, field, fields
from decimal import ROUND_DOWN, ROUND_UP, Decimal, InvalidOperation
from typing import Any

ZERO = Decimal(0)
PENNY = Decimal("0.000000000001")  # money moves in whole multiples of this, so sums are exact


def money(amount: Decimal) -> Decimal:
    """Return the amount in whole pennies."""
    return amount.quantize(PENNY)


def down_to(step: Decimal, amount: Decimal) -> Decimal:
    """Return the largest whole number of steps that is not more than the (positive) amount."""
    return (amount / step).to_integral_value(ROUND_DOWN) * step


def up_to(step: Decimal, amount: Decimal) -> Decimal:
    """Return the smallest whole number of steps that is not less than the (positive) amount."""
    return (amount / step).to_integral_value(ROUND_UP) * step


def near(step: Decimal, amount: Decimal) -> Decimal:
    """Return the whole number of steps that is nearest to the amount."""
    return (amount / step).to_integral_value() * step


class Refusal(Exception):
    """The exchange says no, for a reason that each wire turns into its own code and words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def number(text: Any, name: str) -> Decimal:
    """Return the text as a finite number; Refusal naming the parameter otherwise."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        raise Refusal("parameter", name) from None
    if not value.is_finite():
        raise Refusal("parameter", name)
    return value


@dataclass(slots=True)
class TriggerLeg:
    """One side of a protection: its trigger, the price of its order (None: market), which price it listens to."""

    trigger: Decimal
    price: Decimal | None = None
    by: str = "last"


@dataclass(slots=True)
class AttachedProtection:
    """Protection sent along with an entry, which is placed when the entry has filled."""

    attach_id: str
    client_id: str
    take_profit: TriggerLeg | None
    stop_loss: TriggerLeg | None
    callback_ratio: Decimal | None = None
    callback_spread: Decimal | None = None
    active: Decimal | None = None
    fail_code: str = ""
    algo_id: str = ""


@dataclass(slots=True)
class BookOrder:
    """A plain order from acceptance to its end. Sizes in contracts, prices in USDT, times in ms."""

    order_id: str
    client_id: str
    account: str
    instrument: str
    side: str  # buy, sell
    position_side: str  # long, short, net
    kind: str  # market, limit, post_only, fok, ioc, optimal_limit_ioc
    size: Decimal
    price: Decimal | None
    leverage: Decimal
    created: int
    updated: int
    margin_mode: str = "cross"
    reduce_only: bool = False
    tag: str = ""
    state: str = "live"  # live, partially_filled, filled, canceled
    filled: Decimal = ZERO
    paid: Decimal = ZERO  # sum of fill price x fill size
    fee: Decimal = ZERO
    pnl: Decimal = ZERO
    last_fill: str = ""
    active_from: int = 0
    next_slice: Decimal | None = None
    taking: bool = False
    source: str = ""  # "", trigger, protection, trailing
    category: str = "normal"
    algo_id: str = ""
    algo_client_id: str = ""
    cancel_reason: str = ""
    attached: list[AttachedProtection] = field(default_factory=list)
    self_trade: str = "cancel_maker"
    wire: dict[str, Any] = field(default_factory=dict)  # words of the wire it came by, kept for that wire alone

    @property
    def living(self) -> bool:
        """Return whether the order can still fill."""
        return self.state in ("live", "partially_filled")

    @property
    def left(self) -> Decimal:
        """Return the contracts that are not filled yet."""
        return self.size - self.filled

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self.side == "buy" else -1

    @property
    def average(self) -> Decimal | None:
        """Return the average price of what is filled (USDT); None where nothing is."""
        return self.paid / self.filled if self.filled else None


@dataclass(slots=True)
class BookedFill:
    """One execution. `pnl` without fee; `fee` below zero when it was paid."""

    trade_id: str
    bill_id: str
    order_id: str
    client_id: str
    account: str
    instrument: str
    side: str
    position_side: str
    price: Decimal
    size: Decimal
    pnl: Decimal
    fee: Decimal
    maker: bool
    kind: str  # open, close, liquidation, adl; what it did to the position
    long: bool
    mark: Decimal
    index: Decimal
    at: int
    tag: str = ""
    fee_asset: str = "USDT"
    fee_amount: Decimal = ZERO  # in that asset, below zero when it was paid


@dataclass(slots=True)
class HeldPosition:
    """A position on one instrument and side, and the running totals since it was opened. Contracts: + long, - short."""

    position_id: str
    account: str
    instrument: str
    side: str  # long, short, net
    contracts: Decimal
    average: Decimal
    created: int
    updated: int
    leverage: Decimal
    margin_mode: str = "cross"
    pnl: Decimal = ZERO
    fee: Decimal = ZERO
    funding: Decimal = ZERO
    penalty: Decimal = ZERO
    trade_id: str = ""
    largest: Decimal = ZERO
    closed: Decimal = ZERO
    closed_value: Decimal = ZERO
    last_close: str = ""  # partial, full, liquidation, partial_liquidation, adl, full_adl
    end_price: Decimal | None = None
    long: bool = True

    @property
    def realised(self) -> Decimal:
        """Return what this life has earned: PnL, fees, funding and penalties (USDT)."""
        return self.pnl + self.fee + self.funding + self.penalty


@dataclass(slots=True)
class Bill:
    """One change of the balance, and the balance after it."""

    bill_id: str
    at: int
    kind: str  # deposit, trade, funding, liquidation_penalty
    change: Decimal
    balance: Decimal
    instrument: str = ""
    order_id: str = ""
    client_id: str = ""
    price: Decimal | None = None
    size: Decimal | None = None
    pnl: Decimal = ZERO
    fee: Decimal = ZERO
    maker: bool | None = None
    fill_kind: str = ""
    long: bool = True
    trade_id: str = ""


PACKED: dict[str, type[Any]] = {}  # by the name on disk, which stays when a class gets another
PACKED_NAMES: dict[type[Any], str] = {}


def packed_as(name: str, kind: type[Any]) -> None:
    """Let `pack` and `unpack` take values of that dataclass, under that name on disk."""
    PACKED[name], PACKED_NAMES[kind] = kind, name


packed_as("Leg", TriggerLeg)
packed_as("Attached", AttachedProtection)
packed_as("Order", BookOrder)
packed_as("Fill", BookedFill)
packed_as("Position", HeldPosition)
packed_as("Bill", Bill)


def pack(value: Any) -> Any:
    """Return the value as plain JSON."""
    if isinstance(value, Decimal):
        return {"$": "d", "v": str(value)}
    if isinstance(value, dict):
        return {"$": "m", "v": [[pack(key), pack(inner)] for key, inner in value.items()]}
    if isinstance(value, (tuple, set)):
        return {"$": type(value).__name__, "v": [pack(inner) for inner in value]}
    if isinstance(value, list):
        return [pack(inner) for inner in value]
    if type(value) in PACKED_NAMES:
        return {"$": PACKED_NAMES[type(value)], "v": [pack(getattr(value, each.name)) for each in fields(value)]}
    return value


def unpack(value: Any) -> Any:
    """Return the value that `pack` wrote."""
    if isinstance(value, list):
        return [unpack(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kind, inner = value["$"], value["v"]
    if kind == "d":
        return Decimal(inner)
    if kind == "m":
        return {unpack(key): unpack(item) for key, item in inner}
    if kind in ("tuple", "set"):
        return (tuple if kind == "tuple" else set)(unpack(item) for item in inner)
    return PACKED[kind](*(unpack(item) for item in inner))
