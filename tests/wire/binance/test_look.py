"""What the account holds and what rests in it, as one look sees them, and what the look weighs."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.instrument import Side
from core.domain.order import Leg, OrderKind, OrderStatus, Purpose
from core.exchange.binance.account.open_orders import FEW_CONTRACTS, WHOLE_EVERY_SECONDS
from core.exchange.binance.client import BinanceClient
from tests.wire.binance.stub import Answer, Stub, payload, refused
from tests.wire.binance.words import BTC, entry
from tests.wire.conftest import Time

UNKNOWN = refused(-2013, "Order does not exist.")
ETH = "ETH-USDT-PERP"


def trades(*rows: Any) -> Any:
    """Executions: (id, order, side, position side, quantity, price, profit, seconds before noon)."""
    return [
        {
            **payload("user_trades")[0], "id": number, "orderId": order, "side": side, "positionSide": leg, "qty": size,
            "price": price, "realizedPnl": profit, "time": 1781956800000 - ago * 1000,
        }
        for number, order, side, leg, size, price, profit, ago in rows
    ]  # fmt: skip


@pytest.fixture
def quiet(stub: Stub) -> Any:
    """Nothing rests and nothing is held."""
    for endpoint in ("GET v3/positionRisk", "GET v1/openOrders", "GET v1/openAlgoOrders", "GET v1/userTrades"):
        stub.answer(endpoint, [])
    stub.answer("GET v1/income", [])
    stub.answer("POST v1/order", "placed")
    return stub


# -- the account


def test_money_and_mode(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/account", "account")
    state = binance.account_state()
    assert (state.equity, state.available) == (D(10009), D("9942.50000000"))
    assert (state.margin_used, state.unrealised_pnl) == (D("66.5"), D("-3.34"))
    assert (state.hedge_mode, state.can_trade, state.can_withdraw) == (True, True, False)
    stub.answer("GET v3/account", {"assets": []})
    assert binance.account_state().equity == 0


@pytest.mark.parametrize(("answer", "may"), [
    ({}, True), (refused(-4061), True), (refused(-4024), True), (refused(-2019), True),
    (refused(-2015, "Invalid API-key, IP, or permissions for action.", 401), False),
])  # fmt: skip
def test_whether_the_key_may_trade_is_tried_out_once(binance: BinanceClient, stub: Stub, answer: Any, may: Any) -> None:
    stub.answer("GET v3/account", "account")
    stub.answer("POST v1/order/test", answer)
    assert [binance.account_state().can_trade for _ in range(3)] == [may] * 3
    assert len(stub.to("POST v1/order/test")) == 1
    assert not stub.to("POST v1/order")


def test_and_an_account_that_may_not_trade_says_so_itself(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/account", "account")
    stub.answer("GET v1/accountConfig", {**payload("account_config"), "canTrade": False})
    assert not binance.account_state().can_trade


def test_nobody_tells_what_the_key_may(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/account", "account")
    stub.answer("POST v1/order/test", refused(-1007, status=408))
    with pytest.raises(Unavailable):
        binance.account_state()


def test_contracts(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/exchangeInfo", "exchange_info")
    stub.answer("GET v1/leverageBracket", "leverage_bracket")
    stub.answer("GET v1/commissionRate", "commission_rate")
    found = binance.instruments()
    assert set(found) == {BTC, "ADA-USDT-PERP", "XAU-USDT-PERP"}
    btc, ada, gold = found[BTC], found["ADA-USDT-PERP"], found["XAU-USDT-PERP"]
    assert (btc.exchange_symbol, btc.contract_value, str(btc.price_tick), str(btc.quantity_step)) == (
        "BTCUSDT", 1, "0.1", "0.001",
    )  # fmt: skip
    assert (btc.min_quantity, btc.max_market_quantity, btc.max_limit_quantity) == (D("0.001"), 120, 1000)
    assert (btc.min_notional, btc.max_leverage, btc.maintenance_rate) == (50, 125, D("0.004"))
    assert (btc.taker_fee, btc.maker_fee, btc.tradable) == (D("0.0004"), D("0.0002"), True)
    assert (str(ada.price_tick), ada.max_market_quantity, ada.min_notional) == ("0.0001", 2000000, 0)
    assert (ada.tradable, gold.tradable) == (False, False)


def test_prices_and_candles(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    stub.answer("GET v2/ticker/price", {"symbol": "BTCUSDT", "price": "65000.10", "time": 1781956799000})
    stub.answer("GET v1/ticker/bookTicker", {"symbol": "BTCUSDT", "bidPrice": "65000.00", "askPrice": "65000.20"})
    stub.answer("GET v1/premiumIndex", {"symbol": "BTCUSDT", "markPrice": "64999.50000000", "time": 1781956799000})
    ticker = binance.ticker(BTC)
    assert (ticker.symbol, ticker.last, ticker.bid, ticker.ask, ticker.mark) == (
        BTC, D("65000.10"), D(65000), D("65000.20"), D("64999.5"),
    )  # fmt: skip
    assert ticker.at == clock.now()
    opened = 1781956800000
    bar = [opened - 60_000, "1", "3", "0.5", "2", "12.5", opened - 1, "25", 7, "6", "12", "0"]
    stub.answer("GET v1/klines", [bar, [opened, *bar[1:6], opened + 59_999]])
    done, forming = binance.candles(BTC, "1H", 2)
    assert (done.open, done.high, done.low, done.close, done.volume) == (1, 3, D("0.5"), 2, D("12.5"))
    assert (done.complete, forming.complete) == (True, False)
    assert stub.only("GET v1/klines").parameters == {"symbol": "BTCUSDT", "interval": "1h", "limit": "2"}


def test_more_candles_than_one_answer_holds(binance: BinanceClient, stub: Stub) -> None:
    def page(asked: Any) -> Any:
        end = int(asked.parameters.get("endTime", 60_000 * 2000)) // 60_000
        bars = range(end - int(asked.parameters["limit"]) + 1, end + 1)
        return [[60_000 * n, "1", "1", "1", "1", "1", 60_000 * n + 59_999] for n in bars]

    stub.answer("GET v1/klines", page)
    bars = binance.candles(BTC, "1m", 1500)
    assert [int(bar.opened_at.timestamp()) // 60 for bar in bars] == list(range(501, 2001))


# -- positions


def test_positions(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/positionRisk", "position_risk")
    stub.answer("GET v1/userTrades", lambda asked: payload("user_trades") if "BTC" in asked.raw else [])
    long, short = binance.positions()
    assert (long.symbol, long.side, long.contracts) == (BTC, Side.LONG, D("0.010"))
    assert (long.average_price, long.mark_price, long.liquidation_price) == (65000, 64666, None)
    assert (long.leverage, long.margin, long.unrealised_pnl) == (10, D("64.666"), D("-3.34"))
    assert (short.side, short.contracts, short.liquidation_price) == (Side.SHORT, D("0.500"), D("4100.12"))
    assert (short.leverage, short.margin, short.mark_price) == (20, D("90.12"), D("3510.5"))
    assert (long.position_id, long.life) == ("BTC-USDT-PERP:LONG", "BTC-USDT-PERP:LONG@1781956700123")
    assert long.realised_pnl == D("-0.26")


def test_in_one_way_mode_the_sign_tells_the_side(one_way: BinanceClient, stub: Stub) -> None:
    row = {**payload("position_risk")[1], "positionSide": "BOTH"}
    stub.answer("GET v3/positionRisk", [row])
    stub.answer("GET v1/userTrades", [])
    assert [(p.side, p.contracts) for p in one_way.positions()] == [(Side.SHORT, D("0.500"))]


HELD = payload("position_risk")[:1]


def test_the_beginning_of_a_life_is_found_once(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/positionRisk", HELD)
    stub.answer("GET v1/userTrades", trades(
        (1, 10, "BUY", "LONG", "0.020", "60000", "0", 5000), (2, 11, "SELL", "LONG", "0.020", "61000", "20", 4000),
        (3, 12, "BUY", "LONG", "0.005", "64000", "0", 3000), (4, 12, "BUY", "LONG", "0.005", "66000", "0", 2900),
    ))  # fmt: skip
    for _ in range(3):
        assert binance.positions()[0].life == f"BTC-USDT-PERP:LONG@{1781956800000 - 3000_000}"
    assert len(stub.to("GET v1/userTrades")) == 1


def test_one_that_began_long_ago_is_looked_for_week_by_week(binance: BinanceClient, stub: Stub) -> None:
    old = trades((1, 10, "BUY", "LONG", "0.010", "65000", "0", 20 * 86_400))

    def page(asked: Any) -> Any:
        begin, end = (int(asked.parameters[name]) for name in ("startTime", "endTime"))
        assert end - begin < 7 * 86_400_000
        return [row for row in old if begin <= row["time"] <= end]

    stub.answer("GET v3/positionRisk", HELD)
    stub.answer("GET v1/userTrades", page)
    stub.answer("GET v1/income", [])
    assert binance.positions()[0].opened_at.timestamp() * 1000 == old[0]["time"]


def test_executions_that_lag_behind_hold_nobody_up(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    """The position is newer than the list of executions: its last change stands in for its beginning."""
    before = (1, 10, "BUY", "LONG", "0.020", "60000", "0", 50), (2, 11, "SELL", "LONG", "0.020", "61000", "20", 40)
    news = (3, 12, "BUY", "LONG", "0.010", "65000", "0", 2)
    stub.answer("GET v3/positionRisk", [{**HELD[0], "updateTime": 1781956798000}])
    stub.answer("GET v1/userTrades", trades(*before), trades(*before, news))
    for passed, asked in ((0.0, 1), (4.0, 1), (5.0, 2), (9.0, 2)):
        clock.passed = passed
        assert binance.positions()[0].life.endswith("@1781956798000")
        assert len(stub.to("GET v1/userTrades")) == asked
    assert binance.positions()[0].realised_pnl == D("-0.26")


def test_a_history_that_does_not_answer_holds_nobody_up(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v3/positionRisk", HELD)
    stub.answer("GET v1/userTrades", refused(-1003, status=429))
    assert binance.positions()[0].contracts == D("0.010")


# -- what rests


def test_both_books_and_nothing_of_other_contracts(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/openOrders", "open_orders")
    stub.answer("GET v1/openAlgoOrders", "open_algos")
    stub.answer("GET v1/userTrades", [{**payload("user_trades")[0], "symbol": "ETHUSDT", "qty": "0.1"}])
    found = {order.client_order_id: order for order in binance.working_orders()}
    assert set(found) == {"op00a7k203E02", "web_9xYz", "op00a7k203S01", "op00a7k203T01"}
    theirs = found["web_9xYz"]
    assert (theirs.part, theirs.kind, theirs.filled, theirs.fee) == (None, OrderKind.POST_ONLY, D("0.1"), D("-0.26"))
    assert binance.other_conditional_orders() == []


def test_the_fee_of_a_partly_filled_order_is_read_once_per_amount(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/openOrders", "open_orders")
    stub.answer("GET v1/openAlgoOrders", [])
    stub.answer("GET v1/userTrades", [{**payload("user_trades")[0], "symbol": "ETHUSDT", "qty": "0.1"}])
    for _ in range(3):
        binance.working_orders()
    assert stub.only("GET v1/userTrades").parameters == {"symbol": "ETHUSDT", "orderId": "55501"}


def test_a_child_is_folded_into_its_parent(binance: BinanceClient, stub: Stub) -> None:
    child = {**payload("open_orders")[0], "orderId": 8886999, "clientOrderId": "op00a7k203S01", "side": "SELL"}
    parent = {**payload("open_algos")[0], "algoStatus": "TRIGGERED", "actualOrderId": "8886999"}
    stub.answer("GET v1/openOrders", [child])
    stub.answer("GET v1/openAlgoOrders", [parent])
    (told,) = binance.working_orders()
    assert (told.kind, told.triggered_leg, told.child_order_ids) == (
        OrderKind.CONDITIONAL, Leg.STOP_LOSS, ("8886999",),
    )  # fmt: skip


def test_and_so_is_one_whose_parent_is_listed_no_more(binance: BinanceClient, stub: Stub) -> None:
    child = {**payload("open_orders")[0], "orderId": 8886999, "clientOrderId": "op00a7k203S01", "side": "SELL"}
    stub.answer("GET v1/openOrders", [child])
    stub.answer("GET v1/openAlgoOrders", [])
    stub.answer("GET v1/algoOrder", {**payload("open_algos")[0], "algoStatus": "TRIGGERED", "actualOrderId": "8886999"})
    (told,) = binance.working_orders()
    assert (told.kind, told.exchange_order_id) == (OrderKind.CONDITIONAL, "3000001400283750")


@pytest.mark.parametrize(("age", "asked"), [(70, 1), (5, 2)])
def test_a_close_under_such_a_name_is_an_order_of_its_own(
    binance: BinanceClient, stub: Stub, age: Any, asked: Any
) -> None:
    """A young one is asked about again: its parent may only not be found yet."""
    resting = {**payload("open_orders")[0], "clientOrderId": "op00a7k203S02", "updateTime": 1781956800000 - age * 1000}
    stub.answer("GET v1/openOrders", [resting])
    stub.answer("GET v1/openAlgoOrders", [])
    stub.answer("GET v1/algoOrder", UNKNOWN)
    for _ in range(2):
        assert [order.kind for order in binance.working_orders()] == [OrderKind.LIMIT]
    assert len(stub.to("GET v1/algoOrder")) == asked


def test_and_nobody_is_asked_about_what_we_placed_ourselves(binance: BinanceClient, quiet: Any) -> None:
    binance.place(entry(client_order_id="op00a7k203S02", purpose=Purpose.STOP_LOSS))
    quiet.answer("GET v1/openOrders", [{**payload("open_orders")[0], "clientOrderId": "op00a7k203S02"}])
    assert [order.kind for order in binance.working_orders()] == [OrderKind.LIMIT]
    assert not quiet.to("GET v1/algoOrder")


def test_one_that_finished_between_the_two_lists_is_not_told_as_working(binance: BinanceClient, stub: Stub) -> None:
    parent = {**payload("open_algos")[0], "algoStatus": "TRIGGERED", "actualOrderId": "8886774"}
    stub.answer("GET v1/openOrders", [])
    stub.answer("GET v1/openAlgoOrders", [parent])
    stub.answer("GET v1/order", {**payload("order"), "side": "SELL"})
    stub.answer("GET v1/userTrades", "user_trades")
    assert binance.working_orders() == []


def weights(stub: Stub) -> Any:
    return sum(40 if "symbol" not in asked.parameters else 1 for asked in stub.asked if "open" in asked.endpoint)


def test_a_look_weighs_little_between_two_whole_ones(binance: BinanceClient, quiet: Any, clock: Time) -> None:
    quiet.answer("GET v1/openOrders", [payload("open_orders")[0]])
    assert len(binance.working_orders()) == 1
    assert weights(quiet) == 80
    quiet.asked.clear()
    clock.passed = WHOLE_EVERY_SECONDS - 1
    binance.working_orders()
    assert [asked.parameters for asked in quiet.asked] == [{"symbol": "BTCUSDT"}] * 2
    quiet.asked.clear()
    clock.passed = WHOLE_EVERY_SECONDS
    binance.working_orders()
    assert weights(quiet) == 80


def test_while_weight_is_scarce_a_look_goes_on_where_anything_is_known_to_be(
    binance: BinanceClient, quiet: Any, clock: Time
) -> None:
    quiet.answer("GET v1/openOrders", [payload("open_orders")[0]])
    binance.working_orders()
    used = {"X-MBX-USED-WEIGHT-1M": str(2400 * 85 // 100)}
    quiet.answer("GET v3/positionRisk", Answer([], used))
    quiet.answer("GET v1/openAlgoOrders", Answer([], used))
    quiet.answer("GET v1/openOrders", Answer([payload("open_orders")[0]], used))
    binance.positions()
    quiet.asked.clear()
    clock.passed = WHOLE_EVERY_SECONDS
    assert len(binance.working_orders()) == 1
    assert [asked.parameters for asked in quiet.asked] == [{"symbol": "BTCUSDT"}] * 2


def test_where_we_write_or_hold_is_looked_at(binance: BinanceClient, quiet: Any, clock: Time) -> None:
    binance.working_orders()
    quiet.asked.clear()
    assert binance.working_orders() == []
    assert quiet.asked == []
    binance.place(entry())
    quiet.answer("GET v3/positionRisk", payload("position_risk")[1:2])
    binance.positions()
    quiet.asked.clear()
    binance.working_orders()
    assert {asked.parameters["symbol"] for asked in quiet.asked} == {"BTCUSDT", "ETHUSDT"}


def test_many_contracts_weigh_no_more_than_all(binance: BinanceClient, quiet: Any) -> None:
    rows = [{**payload("open_orders")[0], "symbol": f"A{n}USDT"} for n in range(FEW_CONTRACTS + 1)]
    quiet.answer("GET v1/openOrders", rows)
    for _ in range(2):
        quiet.asked.clear()
        assert len(binance.working_orders()) == FEW_CONTRACTS + 1
        assert weights(quiet) == 80


# -- one order


def test_an_order_is_found_with_its_fee(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/order", "order")
    stub.answer("GET v1/userTrades", "user_trades")
    found = binance.find("op00a7k203E01", BTC, OrderKind.MARKET)
    assert (found.status, found.fee, found.average_price) == (OrderStatus.FILLED, D("-0.26"), 65000)
    assert stub.only("GET v1/order").parameters == {"symbol": "BTCUSDT", "origClientOrderId": "op00a7k203E01"}


def test_not_known_is_none(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/order", UNKNOWN)
    stub.answer("GET v1/algoOrder", UNKNOWN)
    stub.answer("GET v1/openAlgoOrders", [])
    assert binance.find("op00a7k203E01", BTC, OrderKind.MARKET) is None
    assert binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL) is None


def test_one_that_is_listed_and_cannot_be_looked_up_yet_is_found(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/algoOrder", UNKNOWN)
    stub.answer("GET v1/openAlgoOrders", "open_algos")
    assert binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL).working


def test_how_an_order_ended_is_told_once_its_executions_are(binance: BinanceClient, stub: Stub, clock: Time) -> None:
    stub.answer("GET v1/order", {**payload("order"), "updateTime": 1781956800000})
    stub.answer("GET v1/userTrades", [], "user_trades")
    assert binance.find("op00a7k203E01", BTC, OrderKind.MARKET).working
    assert binance.find("op00a7k203E01", BTC, OrderKind.MARKET).status is OrderStatus.FILLED
    assert binance.find("op00a7k203E01", BTC, OrderKind.MARKET).fee == D("-0.26")


def test_executions_that_never_come_are_not_waited_for_for_ever(
    binance: BinanceClient, stub: Stub, clock: Time
) -> None:
    stub.answer("GET v1/order", {**payload("order"), "updateTime": 1781956800000})
    stub.answer("GET v1/userTrades", [])
    clock.passed = 61.0
    assert binance.find("op00a7k203E01", BTC, OrderKind.MARKET).status is OrderStatus.FILLED


FINISHED = {**payload("open_algos")[0], "algoStatus": "FINISHED", "actualOrderId": "8886774"}


def test_a_stop_that_was_set_off_and_filled(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/algoOrder", FINISHED)
    stub.answer("GET v1/order", {**payload("order"), "side": "SELL"})
    stub.answer("GET v1/userTrades", "user_trades")
    found = binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL)
    assert (found.status, found.filled, found.fee) == (OrderStatus.FILLED, D("0.010"), D("-0.26"))
    assert (found.triggered_leg, found.average_price) == (Leg.STOP_LOSS, 65000)
    assert stub.only("GET v1/order").parameters == {"symbol": "BTCUSDT", "orderId": "8886774"}


WHOLE, PART = ({"actualQty": filled, "actualPrice": "62990"} for filled in ("0.010", "0.004"))


@pytest.mark.parametrize(("story", "more", "listed", "passed", "status", "filled", "fee"), [
    ("its own row tells", WHOLE, "0.010", 0, OrderStatus.FILLED, "0.010", "-0.26"),
    ("in part", PART, "0.004", 0, OrderStatus.CANCELED, "0.004", "-0.26"),
    ("what it cost is not told yet", WHOLE, "0.004", 0, OrderStatus.WORKING, "0.010", "-0.26"),
    ("nor ever", WHOLE, "0.004", 61, OrderStatus.FILLED, "0.010", "-0.26"),
    ("nothing is told yet", {"actualQty": "0", "actualPrice": "0"}, "0", 0, OrderStatus.WORKING, "0", "0"),
    ("nothing is told at all", {}, "0", 61, OrderStatus.CANCELED, "0", "0"),
])  # fmt: skip
def test_a_stop_that_finished_and_whose_order_is_not_known(
    binance: BinanceClient,
    stub: Stub,
    clock: Time,
    story: str,
    more: Any,
    listed: Any,
    passed: Any,
    status: Any,
    filled: Any,
    fee: Any,
) -> None:
    stub.answer("GET v1/algoOrder", {**FINISHED, **more})
    stub.answer("GET v1/order", UNKNOWN)
    stub.answer("GET v1/userTrades", [{**payload("user_trades")[0], "qty": listed}])
    clock.passed = passed
    found = binance.find("op00a7k203S01", BTC, OrderKind.CONDITIONAL)
    assert (found.status, found.filled, found.fee) == (status, D(filled), D(fee)), story


def test_a_row_that_cannot_be_read_is_unavailable(binance: BinanceClient, stub: Stub) -> None:
    stub.answer("GET v1/openOrders", [{**payload("open_orders")[0], "status": "MELTED"}])
    stub.answer("GET v1/openAlgoOrders", [])
    with pytest.raises(Unavailable):
        binance.working_orders()
