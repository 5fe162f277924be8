"""Take-profit and stop-loss that travel with an entry, on exchanges that have it."""

from typing import Any

import pytest

from core.domain.action import AmendOrder
from core.domain.errors import Refused
from core.domain.instrument import Side, TriggerBy
from core.domain.order import Leg, OrderKind, OrderStatus, Purpose
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Bench
from tests.contract.orders import (
    CYCLE,
    ENTRY,
    NET,
    PART,
    D,
    attached,
    entry,
    found,
    found_protection,
    lots,
    only_where,
    price,
    working,
)

LEVELS = {Side.LONG: {"tp": 105_000, "sl": 95_000}, Side.SHORT: {"tp": 95_000, "sl": 105_000}}


@pytest.fixture(autouse=True)
def _only_where_it_travels(port: ExchangePort) -> None:
    only_where(port, attaches_protection=True)


def net_of(port: ExchangePort) -> Any:
    return found_protection(port, NET)


@pytest.mark.parametrize("side", Side)
def test_it_rests_the_moment_the_entry_fills(port: ExchangePort, side: Side) -> None:
    port.place(entry(side, attached=attached(**LEVELS[side])))
    (net,) = port.working_orders()
    assert (net.client_order_id, net.purpose, net.part, net.cycle) == (NET, Purpose.SAFETY_NET, PART, CYCLE)
    assert (net.kind, net.status, net.quantity) == (OrderKind.OCO, OrderStatus.WORKING, lots(2))
    assert (net.tp_trigger, net.sl_trigger) == (D(LEVELS[side]["tp"]), D(LEVELS[side]["sl"]))
    assert (net.side, net.position_side, net.trigger_by) == (side.closing, side, TriggerBy.MARK)
    assert net.exchange_order_id != found(port).exchange_order_id


def test_it_waits_for_the_fill(bench: Bench, port: ExchangePort) -> None:
    port.place(entry(at=99_000, attached=attached(105_000, 95_000)))
    assert working(port) == {ENTRY}
    assert port.find(NET, SYMBOL, OrderKind.OCO) is None
    bench.price(D(98_900))
    assert working(port) == {NET}


def test_of_an_entry_that_filled_in_part_it_has_the_size_of_that_part(bench: Bench, port: ExchangePort) -> None:
    bench.fill_partly(D("0.25"), rest_works=False)
    port.place(entry(quantity=4, attached=attached(105_000, 95_000)))
    assert net_of(port).quantity == lots(1)


def test_a_stop_alone(port: ExchangePort) -> None:
    port.place(entry(attached=attached(None, 95_000)))
    (net,) = port.working_orders()
    assert (net.kind, net.tp_trigger, net.sl_trigger) == (OrderKind.CONDITIONAL, None, D(95_000))


@pytest.mark.parametrize(("wrong", "codes"), [
    ({"tp": 105_000, "sl": 101_000}, "stop_passed_codes"),
    ({"tp": 99_000, "sl": 95_000}, "target_passed_codes"),
])  # fmt: skip
def test_on_the_wrong_side_it_refuses_the_entry_too(port: ExchangePort, wrong: Any, codes: str) -> None:
    with pytest.raises(Refused) as refusal:
        port.place(entry(attached=attached(**wrong)))
    assert refusal.value.exchange_code in getattr(port.facts, codes)
    assert port.positions() == []


def test_it_fires_and_tells_the_same_as_an_oco(bench: Bench, port: ExchangePort) -> None:
    port.place(entry(attached=attached(105_000, 95_000)))
    bench.price(D(94_900))
    order = net_of(port)
    assert (order.status, order.triggered_leg, order.filled) == (OrderStatus.FILLED, Leg.STOP_LOSS, lots(2))
    assert port.positions() == []


def test_it_is_amended_in_place(port: ExchangePort) -> None:
    port.place(entry(attached=attached(105_000, 95_000)))
    port.amend(AmendOrder(PART, net_of(port), sl_trigger=price(96_000)))
    order = net_of(port)
    assert (order.tp_trigger, order.sl_trigger) == (D(105_000), D(96_000))
