"""Lives of positions as the exchange keeps them: one row for each, its money whole, told within a span of time."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.history.position_history import LastClose
from core.domain.instrument import Side
from core.domain.money import total
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Bench
from tests.contract.orders import D, close, entry, lots, only_position

DAY = timedelta(days=1)


def lives(bench: Bench, port: ExchangePort, **span: Any) -> Any:
    return port.closed_positions(bench.now() - DAY, **span)


def test_nothing_closed_is_an_empty_list(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    assert lives(bench, port) == []


@pytest.mark.parametrize("side", list(Side))
def test_a_life_is_told_with_its_money_once_it_is_over(bench: Bench, port: ExchangePort, side: Side) -> None:
    port.place(entry(side))
    held = only_position(port)
    bench.advance(5)
    bench.price(D(101_000))
    bench.close_by_hand(side)
    (life,) = lives(bench, port)
    fills = port.fills(bench.now() - DAY)
    assert (life.life, life.symbol, life.side, life.last_close) == (held.life, SYMBOL, side, LastClose.FULL)
    assert (life.closed, life.largest, life.average_entry) == (lots(2), lots(2), held.average_price)
    assert (life.average_exit, life.updated_at) == (fills[-1].price, fills[-1].at)
    assert (life.pnl, life.fees, life.funding, life.penalty) == (
        total(fill.realised_pnl for fill in fills), total(fill.fee for fill in fills), 0, 0,
    )  # fmt: skip
    assert life.realised == life.pnl + life.fees


def test_a_life_that_goes_on_moves_with_each_close(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    bench.close_by_hand(Side.LONG, lots(1))
    (first,) = lives(bench, port)
    assert (first.last_close, first.last_close.over, first.closed) == (LastClose.PARTIAL, False, lots(1))
    bench.advance(60)
    bench.close_by_hand(Side.LONG)
    (second,) = lives(bench, port)
    assert (second.life, second.last_close, second.closed) == (first.life, LastClose.FULL, lots(2))
    assert second.updated_at - first.updated_at >= timedelta(seconds=60)


def test_each_opening_is_a_life_of_its_own_oldest_first(bench: Bench, port: ExchangePort) -> None:
    names = []
    for number in range(3):
        port.place(entry(client_order_id=f"op00a7k20{number + 1}E01"))
        names.append(only_position(port).life)
        bench.advance(30)
        bench.close_by_hand(Side.LONG)
        bench.advance(30)
    assert [life.life for life in lives(bench, port)] == names
    assert len(set(names)) == 3


def test_both_ends_of_the_span_belong_to_it(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    port.place(close())
    (life,) = lives(bench, port)
    at, blink = life.updated_at, timedelta(milliseconds=1)
    assert port.closed_positions(at, at) == [life]
    assert port.closed_positions(at + blink) == []
    assert port.closed_positions(at - DAY, at - blink) == []


def test_more_lives_than_fit_on_a_page(bench: Bench, port: ExchangePort) -> None:
    for number in range(105):
        port.place(entry(client_order_id=f"op00a7k2{number + 1:03}E01"))
        bench.close_by_hand(Side.LONG)
        bench.advance(1)
    assert len({life.life for life in lives(bench, port)}) == 105


def test_a_liquidation_is_told_with_its_penalty(bench: Bench, port: ExchangePort) -> None:
    port.set_leverage(SYMBOL, D(10))
    port.place(entry())
    bench.liquidate(Side.LONG)
    (life,) = lives(bench, port)
    assert (life.last_close, life.last_close.over) == (LastClose.LIQUIDATED, True)
    assert life.realised == life.pnl + life.fees + life.funding + life.penalty


def test_fills_and_funding_end_where_the_span_ends(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    bench.advance(8 * 3600)
    port.place(close())
    now = bench.now()
    assert len(port.fills(now - DAY)) == 2
    assert len(port.fills(now - DAY, now - timedelta(hours=2))) == 1
    assert len(port.funding(now - DAY)) == 1
    assert port.funding(now - DAY, now - timedelta(hours=9)) == []
