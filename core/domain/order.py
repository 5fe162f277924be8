"""Orders and fills as every exchange means them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.money import NONE_HELD, ZERO, Contracts, Price


class Purpose(StrEnum):
    """The purpose of an order. The letter goes into its client order id."""

    ENTRY = "E"
    RECOVERY = "R"
    PROTECT = "P"  #: the OCO of a part: its take-profit and stop-loss
    SAFETY_NET = "N"  #: the OCO that travels with an entry and rests the moment it fills
    TAKE_PROFIT = "T"  #: one leg alone, where the exchange has no OCO; or a close at market in its place
    STOP_LOSS = "S"
    CLOSE = "C"
    BALANCE = "B"  #: buys back (or sells again) what an exit of the part closed beyond the part
    FOREIGN = "?"  #: not ours

    @property
    def adds_risk(self) -> bool:
        return self in _ADD_RISK

    @property
    def protects(self) -> bool:
        return self in _PROTECT


# outside of the class, where a member is looked up once and not at every question
_ADD_RISK = (Purpose.ENTRY, Purpose.RECOVERY, Purpose.BALANCE)
_PROTECT = (Purpose.PROTECT, Purpose.SAFETY_NET, Purpose.TAKE_PROFIT, Purpose.STOP_LOSS)


class OrderKind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    POST_ONLY = "post_only"
    IOC = "ioc"
    FOK = "fok"
    OCO = "oco"  #: take-profit and stop-loss in one; one done cancels the other
    CONDITIONAL = "conditional"  #: one of the two legs alone
    TRIGGER = "trigger"
    TRAILING = "trailing"

    @property
    def rests_on_trigger(self) -> bool:
        """Return whether an order of this kind waits for a trigger price (and is in a list of its own on OKX and
        Binance).
        """
        return self in _ON_TRIGGER


_ON_TRIGGER = (OrderKind.OCO, OrderKind.CONDITIONAL, OrderKind.TRIGGER, OrderKind.TRAILING)


class OrderStatus(StrEnum):
    """The status of an order; partly filled is WORKING with filled > 0."""

    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    REFUSED = "refused"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self is not OrderStatus.WORKING


class Leg(StrEnum):
    """The leg of an OCO: take-profit or stop-loss."""

    TAKE_PROFIT = "tp"
    STOP_LOSS = "sl"


GIVEN_UP = "the exchange no longer knows it"  #: why an order is believed to be over of which nobody told an end


@dataclass(frozen=True, slots=True)
class Order:
    """One order, conditional or not, live or ended, with what it has done so far."""

    client_order_id: str  #: ours begins with "op"; may be empty on foreign orders
    exchange_order_id: str
    symbol: str
    position_side: Side
    part: str | None  #: None: foreign
    cycle: int | None
    purpose: Purpose
    side: OrderSide
    kind: OrderKind
    quantity: Contracts
    status: OrderStatus
    price: Price | None = None
    tp_trigger: Price | None = None
    sl_trigger: Price | None = None
    trigger_by: TriggerBy | None = None
    reduce_only: bool = False
    dies_with_position: bool = False  #: the exchange cancels it when the position goes flat
    filled: Contracts = NONE_HELD
    average_price: Price | None = None
    fee: Decimal = ZERO  #: signed, negative = paid; of all its fills
    triggered_leg: Leg | None = None
    child_order_ids: tuple[str, ...] = ()  #: orders a triggered conditional placed
    failure: str = ""  #: the exchange's reason when REFUSED or canceled by it
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def working(self) -> bool:
        return self.status is OrderStatus.WORKING

    @property
    def given_up(self) -> bool:
        """Return whether the order is believed to be over because the exchange listed it nowhere for so long; it may
        yet be listed.
        """
        return self.status.ended and self.failure == GIVEN_UP

    @property
    def remaining(self) -> Contracts:
        return Contracts(self.quantity - self.filled) if self.working else NONE_HELD

    def but(self, **changes: object) -> Order:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution (fill). A fact: never edited."""

    exchange_fill_id: str
    exchange_order_id: str
    client_order_id: str
    symbol: str
    position_side: Side
    side: OrderSide
    quantity: Contracts
    price: Price
    fee: Decimal  #: signed, negative = paid, in the settlement currency
    maker: bool
    realised_pnl: Decimal  #: as the exchange counts it, without fees
    at: datetime
    origin: str = "order"  #: order | liquidation | deleveraging

    @property
    def closing(self) -> bool:
        return self.side is self.position_side.closing


@dataclass(frozen=True, slots=True)
class Funding:
    """One funding payment on one position; positive = received."""

    symbol: str
    position_side: Side | None  #: None where the exchange does not say
    amount: Decimal
    at: datetime
    exchange_id: str
