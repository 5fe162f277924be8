"""Money as the exchange counts it: the account, fills with their fees, funding, leverage."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.errors import Refused
from core.domain.ids import meaning
from core.domain.instrument import Side
from core.domain.money import total
from core.domain.order import OrderKind
from core.exchange.port import ExchangePort
from tests.contract.bench import BALANCE, SYMBOL, Act, Bench
from tests.contract.orders import CLOSE, ENTRY, D, close, entry, found, lots, only_position, protect

HOURS_8 = 8 * 3600


def all_fills(bench: Bench, port: ExchangePort) -> Any:
    return port.fills(bench.now() - timedelta(days=1))


# -- the account -----------------------------------------------------------------------------------------------------


def test_a_fresh_account(bench: Bench, port: ExchangePort) -> None:
    state = port.account_state()
    assert (state.equity, state.available, state.margin_used, state.unrealised_pnl) == (BALANCE, BALANCE, 0, 0)
    assert (state.hedge_mode, state.can_trade, state.can_withdraw) == (bench.hedge, True, False)


def test_an_account_that_holds_something(bench: Bench, port: ExchangePort) -> None:
    port.set_leverage(SYMBOL, D(10))
    port.place(entry())
    bench.price(D(101_000))
    state, position = port.account_state(), only_position(port)
    assert state.unrealised_pnl == position.unrealised_pnl > 0
    assert state.equity == BALANCE + found(port).fee + position.unrealised_pnl
    assert state.margin_used == position.margin
    assert state.available == state.equity - state.margin_used


# -- fills -----------------------------------------------------------------------------------------------------------


def test_no_fills_is_an_empty_list(bench: Bench, port: ExchangePort) -> None:
    assert all_fills(bench, port) == []


def test_each_execution_is_told_once_with_its_fee_oldest_first(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    bench.advance(5)
    bench.price(D(101_000))
    port.place(close())
    opened, closed = all_fills(bench, port)
    assert (opened.client_order_id, opened.exchange_order_id) == (ENTRY, found(port).exchange_order_id)
    assert (closed.client_order_id, closed.closing, opened.closing) == (CLOSE, True, False)
    assert opened.at < closed.at
    assert opened.exchange_fill_id != closed.exchange_fill_id
    assert (opened.quantity, opened.price, opened.fee, opened.maker) == (
        lots(2), D("100000.1"), found(port).fee, False,
    )  # fmt: skip
    assert (opened.realised_pnl, closed.realised_pnl) == (D(0), (D("100999.9") - D("100000.1")) * 2 * D("0.01"))
    assert {fill.origin for fill in (opened, closed)} == {"order"}


def test_a_maker_is_told_as_a_maker(bench: Bench, port: ExchangePort) -> None:
    port.place(entry(at=99_000))
    bench.price(D(98_900))
    (fill,) = all_fills(bench, port)
    assert (fill.maker, fill.fee) == (True, D("-0.396"))


def test_the_fills_of_an_order_add_up_to_it(bench: Bench, port: ExchangePort) -> None:
    bench.fill_partly(D("0.25"), rest_works=True)
    port.place(entry(quantity=4, at=100_500))
    bench.advance(1)
    bench.price(D(100_400))
    order, fills = found(port, kind=OrderKind.LIMIT), all_fills(bench, port)
    assert len(fills) >= 2
    assert total(fill.quantity for fill in fills) == order.filled == lots(4)
    assert total(fill.fee for fill in fills) == order.fee


def test_fills_since_leave_out_the_older_ones(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    bench.advance(100)
    since = bench.now()
    bench.advance(1)
    port.place(close())
    assert [fill.client_order_id for fill in port.fills(since)] == [CLOSE]


@pytest.mark.parametrize("days", [1, 10])
def test_more_fills_than_fit_a_page_are_all_told(bench: Bench, port: ExchangePort, days: int) -> None:
    names = [f"op00a7k203E{number:02}" for number in range(1, 106)]
    for name in names:
        port.place(entry(quantity="0.1", client_order_id=name))
    fills = port.fills(bench.now() - timedelta(days=days))
    assert [fill.client_order_id for fill in fills] == names
    assert len({fill.exchange_fill_id for fill in fills}) == len(names)


def test_old_fills_are_still_told(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    began = bench.now()
    bench.advance(10 * 86_400)
    assert [fill.client_order_id for fill in port.fills(began - timedelta(seconds=1))] == [ENTRY]


def test_a_liquidation_is_told_as_one(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    bench.liquidate(Side.LONG)
    *_, last = all_fills(bench, port)
    assert (last.origin, last.closing, meaning(last.client_order_id)) == ("liquidation", True, None)
    assert port.positions() == []


def test_a_close_by_hand_is_a_fill_of_nobody_we_know(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    protect(port)
    bench.close_by_hand(Side.LONG)
    *_, last = all_fills(bench, port)
    assert (last.closing, last.position_side, last.origin) == (True, Side.LONG, "order")
    assert meaning(last.client_order_id) is None


# -- funding ---------------------------------------------------------------------------------------------------------


def test_nothing_held_pays_no_funding(bench: Bench, port: ExchangePort) -> None:
    bench.advance(HOURS_8 + 60)
    assert port.funding(bench.now() - timedelta(days=1)) == []


def test_funding_is_signed_and_told_once_a_period(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    began = bench.now()
    bench.advance(2 * HOURS_8 + 60)
    payments = port.funding(began)
    assert [payment.symbol for payment in payments] == [SYMBOL] * 2
    assert payments[0].at < payments[1].at
    assert len({payment.exchange_id for payment in payments}) == 2
    assert total(payment.amount for payment in payments) == only_position(port).funding != 0


def test_long_and_short_pay_each_other(bench: Bench, port: ExchangePort) -> None:
    amounts = {}
    for side in Side:
        bench.fresh()
        bench.port.place(entry(side))
        bench.advance(HOURS_8 + 60)
        (payment,) = bench.port.funding(bench.now() - timedelta(days=1))
        amounts[side] = payment.amount
    assert amounts[Side.LONG] == -amounts[Side.SHORT]


# -- leverage and mode -----------------------------------------------------------------------------------------------


def test_leverage_is_set_and_read_back(port: ExchangePort) -> None:
    port.set_leverage(SYMBOL, D(7))
    assert port.leverage(SYMBOL) == D(7)


def test_leverage_is_set_only_where_it_differs(bench: Bench, port: ExchangePort) -> None:
    port.set_leverage(SYMBOL, D(7))
    asked = bench.requests()[Act.SET_LEVERAGE]
    port.set_leverage(SYMBOL, D(7))
    assert bench.requests()[Act.SET_LEVERAGE] == asked


def test_leverage_above_the_most_is_refused(port: ExchangePort) -> None:
    before = port.leverage(SYMBOL)
    with pytest.raises(Refused) as refusal:
        port.set_leverage(SYMBOL, D(1000))
    assert refusal.value.exchange_code
    assert port.leverage(SYMBOL) == before


def test_the_same_leverage_is_no_error_while_orders_rest(port: ExchangePort) -> None:
    port.set_leverage(SYMBOL, D(7))
    port.place(entry())
    protect(port)
    port.set_leverage(SYMBOL, D(7))
    assert port.leverage(SYMBOL) == D(7)


def test_hedge_mode(bench: Bench, port: ExchangePort) -> None:
    port.set_hedge_mode()
    assert port.account_state().hedge_mode
    port.place(entry(Side.SHORT))
    assert only_position(port).side is Side.SHORT


def test_hedge_mode_with_something_held(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    if bench.hedge:
        port.set_hedge_mode()
    else:
        with pytest.raises(Refused):
            port.set_hedge_mode()
    assert port.account_state().hedge_mode is bench.hedge
