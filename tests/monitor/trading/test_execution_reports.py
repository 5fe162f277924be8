"""The report on executions that really were worked: over the wire, through a death, and in the trader's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.money import total
from core.domain.order import Purpose
from core.services.reporting.executions import Executions, ExecutionsOnly
from tests.stack import Stack

TWAP = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(seconds=40), slices=4, at_end=AtEnd.MARKET)
ICEBERG = ExecutionStyle(
    ExecutionKind.ICEBERG, visible=Decimal("0.5"), timeout=timedelta(seconds=60), at_end=AtEnd.MARKET
)


def test_an_entry_in_slices_and_a_close_that_rests(either: Stack) -> None:
    stack, reports = either, Executions(either.store.executions)
    part = stack.open(stack.draft(2000, entry=TWAP))
    stack.until(lambda: stack.held() > 0)
    stack.price(100_500)
    stack.crash()
    stack.until(lambda: stack.part(part).size == stack.part(part).intent.contracts, seconds=60)
    stack.until(lambda: stack.at_rest(part), seconds=8, each=0.25)
    (entry,) = reports.of(part, 1)
    whole = stack.part(part)
    assert (entry.run, entry.kind, entry.purpose) == ("1E", ExecutionKind.TWAP, Purpose.ENTRY)
    assert (entry.planned, entry.filled, entry.orders, entry.refusals) == (whole.size, whole.size, 4, 0)
    assert entry.average == round(whole.average_entry or Decimal(0), 8)
    assert entry.maker_share is None, "the fills themselves are read later"
    assert entry.fees == total(order.fee for order in whole.entries) < 0
    first = entry.arrival
    assert first is not None
    assert abs(first - 100_000) < 100, "the price when it began, not when the market had risen"
    assert entry.average is not None
    worse = (entry.average - first) / first * 10_000
    assert entry.slippage_bp == round(worse, 2) > 20, "three of four slices were bought half a percent higher"
    coins = whole.size * whole.instrument.contract_value
    assert entry.slippage_usdt is not None
    assert abs(entry.slippage_usdt - (entry.average - first) * coins) < Decimal("0.000001")
    assert entry.duration is not None
    assert timedelta(seconds=29) < entry.duration < timedelta(seconds=45)

    stack.positions.close(part, stack.token(), "trader", style=ICEBERG)
    stack.until(lambda: stack.working(), seconds=8)
    for higher in (101_000, 101_100, 101_200):
        stack.price(higher)
        stack.settle(2)
    stack.ended(part)
    close = reports.of(part, 1)[-1]
    assert (close.run, close.kind, close.buys) == ("1C", ExecutionKind.ICEBERG, False)
    assert (close.planned, close.filled, close.orders) == (whole.size, whole.size, 3), "two halves and a step"
    assert close.maker_share is not None
    assert close.maker_share > Decimal("0.9"), "what is placed while the market moves may take"
    assert close.slippage_bp is not None
    assert close.slippage_bp < 0, "it sold at its own side of the book, and higher than it could have at once"

    newest = reports.reports(stack.name)
    assert [one.run for one in newest.items] == ["1C", "1E"]
    assert replace(newest.items[1], maker_share=None, ended=entry.ended) == entry
    assert newest.items[1].maker_share == 0
    only = ExecutionsOnly(kind=ExecutionKind.TWAP, strategy="manual")
    assert [one.run for one in reports.reports(stack.name, only).items] == ["1E"]


def test_orders_at_market_have_reports_too(either: Stack) -> None:
    stack, reports = either, Executions(either.store.executions)
    part = stack.open(stack.draft(2000))
    stack.until(lambda: stack.part(part).size and stack.at_rest(part))
    half = stack.part(part).instrument.round_quantity(stack.part(part).size / 2)
    stack.positions.close(part, stack.token(), "trader", half)
    stack.until(lambda: stack.held() == stack.part(part).size != half * 2 and stack.at_rest(part), seconds=20)
    stack.positions.close(part, stack.token(), "trader")
    stack.ended(part)
    entry, first, second = reports.of(part, 1)
    assert [one.kind for one in (entry, first, second)] == [ExecutionKind.MARKET] * 3
    assert [one.run for one in (entry, first, second)] == ["1E", "1C", "1C"]
    assert (first.planned, first.filled) == (half, half)
    assert second.filled == entry.filled - half
    assert first.first_order != second.first_order
    assert all(one.slippage_bp is not None and one.maker_share == 0 for one in (entry, first, second))
