"""Requests as the bot makes them, for one part on `SYMBOL`, told by what is special about them."""

from decimal import Decimal
from typing import Any

from core.domain.action import Attached, PlaceOco, PlaceOrder
from core.domain.ids import client_order_id, meaning
from core.domain.instrument import Side, TriggerBy
from core.domain.money import Contracts, Price
from core.domain.order import Order, OrderKind, Purpose
from core.domain.seen import Position
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL

PART, CYCLE = "00a7k2", 3
ENTRY, CLOSE, NET, OCO = (
    client_order_id(PART, CYCLE, purpose, 1)
    for purpose in (Purpose.ENTRY, Purpose.CLOSE, Purpose.SAFETY_NET, Purpose.PROTECT)
)


def D(number: object) -> Decimal:
    return Decimal(str(number))


def contracts(number: object) -> Contracts:
    return Contracts(D(number))


def price(number: object | None) -> Price | None:
    return None if number is None else Price(D(number))


def entry(side: Side = Side.LONG, quantity: object = 2, *, at: object | None = None, **changes: Any) -> PlaceOrder:
    """An entry at market, or at a price."""
    return _order(ENTRY, side, quantity, at, changes)


def close(side: Side = Side.LONG, quantity: object = 2, *, at: object | None = None, **changes: Any) -> PlaceOrder:
    """A reduce-only close at market, or at a price."""
    return _order(CLOSE, side, quantity, at, {"reduce_only": True, **changes})


def _order(name: str, side: Side, quantity: object, at: object | None, changes: dict[str, Any]) -> PlaceOrder:
    said = meaning(changes.get("client_order_id", name))
    assert said is not None
    asked = {
        "part": said.part,
        "cycle": said.cycle,
        "client_order_id": name,
        "purpose": said.purpose,
        "symbol": SYMBOL,
        "position_side": side,
        "side": side.opening if said.purpose.adds_risk else side.closing,
        "kind": OrderKind.MARKET if at is None else OrderKind.LIMIT,
        "quantity": contracts(quantity),
        "price": price(at),
    }
    return PlaceOrder(**{**asked, **changes})


def attached(tp: object | None, sl: object | None, by: TriggerBy = TriggerBy.MARK) -> Attached:
    """TP and SL that travel with the entry."""
    return Attached(NET, price(tp), price(sl), by)


def oco(
    side: Side = Side.LONG, quantity: object = 2, *, tp: object | None = 105_000, sl: object | None = 95_000,
    **changes: Any,
) -> PlaceOco:  # fmt: skip
    """TP and SL of the part, set off by the mark price; prices are those of a long unless given."""
    asked = {
        "part": PART,
        "cycle": CYCLE,
        "client_order_id": OCO,
        "symbol": SYMBOL,
        "position_side": side,
        "side": side.closing,
        "quantity": contracts(quantity),
        "tp_trigger": price(tp),
        "sl_trigger": price(sl),
        "trigger_by": TriggerBy.MARK,
    }
    return PlaceOco(**{**asked, **changes})


def found(port: ExchangePort, name: str = ENTRY, kind: OrderKind = OrderKind.MARKET) -> Order:
    """The order under this id, which must be known."""
    order = port.find(name, SYMBOL, kind)
    assert order is not None, f"{name} is not known"
    return order


def found_oco(port: ExchangePort, name: str = OCO) -> Order:
    return found(port, name, OrderKind.OCO)


def only_position(port: ExchangePort) -> Position:
    (position,) = port.positions()
    return position


def working(port: ExchangePort) -> set[str]:
    """The ids of everything that rests; foreign orders by the exchange's id."""
    return {order.client_order_id or order.exchange_order_id for order in port.working_orders()}
