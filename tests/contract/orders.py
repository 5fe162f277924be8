"""Requests as the bot makes them, for one part on `SYMBOL`, told by what is special about them.

Sizes are in lots (see `bench`); `measure` says how many contracts that is on the exchange under test.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest

from core.domain.action import Attached, PlaceOco, PlaceOrder
from core.domain.ids import client_order_id, meaning
from core.domain.instrument import Instrument, Side, TriggerBy
from core.domain.money import Contracts, Price
from core.domain.observation import Position
from core.domain.order import Leg, Order, OrderKind, Purpose
from core.exchange.port import ExchangePort
from tests.contract.bench import PRICE, SYMBOL

PART, CYCLE = "00a7k2", 3
ENTRY, CLOSE, NET, OCO, STOP, TARGET = (
    client_order_id(PART, CYCLE, purpose, 1)
    for purpose in (
        Purpose.ENTRY, Purpose.CLOSE, Purpose.SAFETY_NET, Purpose.PROTECT, Purpose.STOP_LOSS, Purpose.TAKE_PROFIT,
    )
)  # fmt: skip
LEG_IDS = {Leg.STOP_LOSS: STOP, Leg.TAKE_PROFIT: TARGET}
_contracts_in_a_lot = [Decimal(1)]


def measure(contracts_in_a_lot: Decimal) -> None:
    """How many contracts a lot is from now on."""
    _contracts_in_a_lot[:] = [contracts_in_a_lot]


def D(number: object) -> Decimal:
    return Decimal(str(number))


def lots(number: object) -> Contracts:
    """So many lots, in contracts."""
    return Contracts(D(number) * _contracts_in_a_lot[0])


def price(number: object | None) -> Price | None:
    return None if number is None else Price(D(number))


def entry(side: Side = Side.LONG, quantity: object = 2, *, at: object | None = None, **changes: Any) -> PlaceOrder:
    """An entry at market, or at a price."""
    return _order(ENTRY, side, quantity, at, changes)


def smallest(contract: Instrument) -> PlaceOrder:
    """An entry of the least that the contract allows at the price where tests begin."""
    unit = contract.quantity_step * contract.contract_value * PRICE
    steps = (contract.min_notional / unit).to_integral_value(ROUND_CEILING)
    return entry(quantity=max(contract.min_quantity, steps * contract.quantity_step) / lots(1))


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
        "quantity": lots(quantity),
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
        "quantity": lots(quantity),
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


# -- take-profit and stop-loss, as the exchange has them --------------------------------------------------------------


def only_where(port: ExchangePort, **facts: bool) -> None:
    """Skip the test on an exchange of which these facts are not true."""
    for name, value in facts.items():
        if getattr(port.facts, name) is not value:
            pytest.skip(f"{name} is {not value} here")


def leg(which: Leg, side: Side = Side.LONG, quantity: object = 2, *, at: object, **changes: Any) -> PlaceOco:
    """One of the two alone, as an order of its own."""
    purpose = Purpose.STOP_LOSS if which is Leg.STOP_LOSS else Purpose.TAKE_PROFIT
    prices = {"tp": None, "sl": None, which.value: at}
    return oco(side, quantity, **{"client_order_id": LEG_IDS[which], "purpose": purpose, **prices, **changes})


def protection(
    port: ExchangePort, side: Side = Side.LONG, quantity: object = 2, *, tp: object = 105_000, sl: object = 95_000,
    **changes: Any,
) -> list[PlaceOco]:  # fmt: skip
    """What has to be placed for a take-profit and a stop-loss: one OCO, or two legs with the stop first."""
    if port.facts.native_oco:
        return [oco(side, quantity, tp=tp, sl=sl, **changes)]
    at = {Leg.STOP_LOSS: sl, Leg.TAKE_PROFIT: tp}
    return [leg(which, side, quantity, at=price, **changes) for which, price in at.items()]


def protect(port: ExchangePort, side: Side = Side.LONG, quantity: object = 2, **changes: Any) -> list[Order]:
    """Place it, and return what rests then, by the exchange's own word."""
    requests = protection(port, side, quantity, **changes)
    for request in requests:
        port.place_oco(request)
    return [found_protection(port, request.client_order_id) for request in requests]


def found_protection(port: ExchangePort, name: str) -> Order:
    """The protection under this id, whatever its kind is here."""
    return found(port, name, OrderKind.OCO if name in (OCO, NET) else OrderKind.CONDITIONAL)


def guard_of(port: ExchangePort, which: Leg) -> str:
    """The id of the order that holds this leg."""
    return OCO if port.facts.native_oco else LEG_IDS[which]


def guards(port: ExchangePort) -> set[str]:
    """The ids of everything that `protect` places."""
    return {request.client_order_id for request in protection(port)}


# -- what is there ---------------------------------------------------------------------------------------------------


def only_position(port: ExchangePort) -> Position:
    (position,) = port.positions()
    return position


def working(port: ExchangePort) -> set[str]:
    """The ids of everything that rests; foreign orders by the exchange's id."""
    return {_name(order) for order in port.working_orders()}


def _name(order: Order) -> str:
    return order.client_order_id if order.part is not None else order.exchange_order_id
