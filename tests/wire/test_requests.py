"""What goes out on the wire: paths, parameters, signature, deadline, and how many requests a look costs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from core.domain.action import AmendOrder, CancelOrder
from core.domain.instrument import Side, TriggerBy
from core.domain.order import OrderKind, OrderStatus
from core.exchange.okx.client import OKXClient, OKXTestnetClient
from core.exchange.okx.parse import parse_algo, parse_order
from core.exchange.port import Credentials
from tests.wire.conftest import KEY, PASSPHRASE, SECRET, Time
from tests.wire.stub import Stub, payload, row, rows
from tests.wire.words import BTC, close, entry, net, protection

PLACED = {"POST order": "placed", "POST algo": "placed_algo"}
LEGS = {
    "tpTriggerPx": "65872.6", "tpOrdPx": "-1", "tpTriggerPxType": "mark",
    "slTriggerPx": "64872.5", "slOrdPx": "-1", "slTriggerPxType": "mark",
}  # fmt: skip


def net_mode(stub: Stub) -> None:
    stub.answer("account/config", {"code": "0", "msg": "", "data": [{**row("config"), "posMode": "net_mode"}]})


# -- writes


def test_a_market_entry_with_its_safety_net(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order", "placed")
    assert okx.place(entry(attached=net())) == "2711430091826454528"
    assert stub.only("trade/order").body == {
        "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "2",
        "clOrdId": "op00a7k203E01", "posSide": "long",
        "attachAlgoOrds": [{
            "attachAlgoClOrdId": "op00a7k203N01",
            "tpTriggerPx": "70000", "tpOrdPx": "-1", "tpTriggerPxType": "last",
            "slTriggerPx": "60000", "slOrdPx": "-1", "slTriggerPxType": "last",
        }],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (OrderKind.LIMIT, "limit"),
        (OrderKind.POST_ONLY, "post_only"),
        (OrderKind.IOC, "ioc"),
        (OrderKind.FOK, "fok"),
    ],
)
def test_orders_with_a_price(okx: OKXClient, stub: Stub, kind: Any, word: Any) -> None:
    stub.answer("trade/order", "placed")
    okx.place(entry(kind=kind, price=D("65100.50"), quantity=D("1E+1")))
    body = stub.only("trade/order").body
    assert (body["ordType"], body["px"], body["sz"]) == (word, "65100.5", "10")


def test_a_close_names_its_position_in_hedge_mode(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order", "placed")
    okx.place(close())
    body = stub.only("trade/order").body
    assert (body["side"], body["posSide"]) == ("sell", "long")
    assert "reduceOnly" not in body


def test_and_says_reduce_only_in_net_mode(okx: OKXClient, stub: Stub) -> None:
    net_mode(stub)
    stub.answer("trade/order", "placed")
    okx.place(close())
    okx.place(entry())
    closing, opening = (request.body for request in stub.to("trade/order"))
    assert (closing["reduceOnly"], "posSide" in closing) == (True, False)
    assert ("reduceOnly" in opening, "posSide" in opening) == (False, False)


def test_an_oco_dies_with_the_position(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order-algo", "placed_algo")
    assert okx.place_oco(protection()) == "2711430091826459001"
    assert stub.only("trade/order-algo").body == {
        "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "oco", "sz": "20", "posSide": "long",
        "reduceOnly": True, "cxlOnClosePos": True, "algoClOrdId": "op00a7k203P01", **LEGS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kind", "missing"),
    [
        ({}, "oco", ""),
        ({"tp_trigger": None}, "conditional", "tp"),
        ({"sl_trigger": None}, "conditional", "sl"),
    ],
)
def test_one_leg_alone_is_conditional_and_never_a_trigger(
    okx: OKXClient, stub: Stub, changes: Any, kind: Any, missing: Any
) -> None:
    stub.answer("trade/order-algo", "placed_algo")
    okx.place_oco(protection(trigger_by=TriggerBy.INDEX, dies_with_position=False, **changes))
    body = stub.only("trade/order-algo").body
    assert body["ordType"] == kind
    assert "cxlOnClosePos" not in body
    if missing:
        assert not [name for name in body if name.startswith(missing)]


def test_in_net_mode_an_oco_has_no_position_side(okx: OKXClient, stub: Stub) -> None:
    net_mode(stub)
    stub.answer("trade/order-algo", "placed_algo")
    okx.place_oco(protection(position_side=Side.SHORT))
    body = stub.only("trade/order-algo").body
    assert ("posSide" in body, body["reduceOnly"]) == (False, True)


@pytest.mark.parametrize(("change", "sent"), [
    ({"quantity": D(12)}, {"newSz": "12"}),
    ({"sl_trigger": D("64000.0")}, {"newSlTriggerPx": "64000", "newSlOrdPx": "-1"}),
    ({"quantity": D(12), "tp_trigger": D(66000), "sl_trigger": D(64000)},
     {"newSz": "12", "newTpTriggerPx": "66000", "newTpOrdPx": "-1", "newSlTriggerPx": "64000", "newSlOrdPx": "-1"}),
])  # fmt: skip
def test_a_changed_oco_says_only_what_changes(okx: OKXClient, stub: Stub, change: Any, sent: Any) -> None:
    stub.answer("trade/amend-algos", "placed_algo")
    okx.amend(AmendOrder("00a7k2", parse_algo(rows("algos_pending")[0]), **change))
    assert stub.only("trade/amend-algos").body == {
        "instId": "BTC-USDT-SWAP", "algoId": "2711430091826459001", **sent,
    }  # fmt: skip


def test_a_changed_limit_order(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/amend-order", "placed")
    okx.amend(AmendOrder("00a7k2", parse_order(rows("orders_pending")[0]), quantity=D(9), price=D("65000.10")))
    assert stub.only("trade/amend-order").body == {
        "instId": "BTC-USDT-SWAP", "ordId": "2711430091826454601", "newSz": "9", "newPx": "65000.1",
    }  # fmt: skip


def test_cancels_go_to_the_list_where_the_order_lies(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/cancel-order", "placed")
    stub.answer("trade/cancel-algos", "placed_algo")
    okx.cancel(CancelOrder("00a7k2", parse_order(rows("orders_pending")[0])))
    okx.cancel(CancelOrder("00a7k2", parse_algo(rows("algos_pending")[0]).but(exchange_order_id="")))
    assert stub.only("trade/cancel-order").body == {"instId": "BTC-USDT-SWAP", "ordId": "2711430091826454601"}
    assert stub.only("trade/cancel-algos").body == [{"instId": "BTC-USDT-SWAP", "algoClOrdId": "op00a7k203P01"}]


def test_leverage_is_set_only_where_it_differs_and_read_back(okx: OKXClient, stub: Stub) -> None:
    five = [{**one, "lever": "5"} for one in rows("leverage")]
    stub.answer("account/leverage-info", "leverage", "leverage", {"code": "0", "msg": "", "data": five})
    stub.answer("account/set-leverage", {"code": "0", "msg": "", "data": [{"lever": "5"}]})
    okx.set_leverage(BTC, D(10))
    assert stub.to("account/set-leverage") == []
    okx.set_leverage(BTC, D("5.0"))
    assert stub.only("account/set-leverage").body == {"lever": "5", "mgnMode": "cross", "instId": "BTC-USDT-SWAP"}
    assert len(stub.to("account/leverage-info")) == 3


def test_hedge_mode_is_set_only_where_it_is_not(okx: OKXClient, stub: Stub) -> None:
    okx.set_hedge_mode()
    net_mode(stub)
    stub.answer("account/set-position-mode", {"code": "0", "msg": "", "data": [{"posMode": "long_short_mode"}]})
    okx.set_hedge_mode()
    assert stub.only("account/set-position-mode").body == {"posMode": "long_short_mode"}


# -- headers


def test_signature_key_and_world(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order", "placed")
    okx.place(entry())
    request = stub.only("trade/order")
    stamp = request.headers["OK-ACCESS-TIMESTAMP"]
    assert stamp == "2026-06-20T12:00:00.000Z"
    prehash = stamp + "POST" + "/api/v5/trade/order" + json.dumps(request.body)
    signed = base64.b64encode(hmac.new(SECRET.encode(), prehash.encode(), hashlib.sha256).digest()).decode()
    assert request.headers["OK-ACCESS-SIGN"] == signed
    assert (request.headers["OK-ACCESS-KEY"], request.headers["OK-ACCESS-PASSPHRASE"]) == (KEY, PASSPHRASE)
    assert request.headers["x-simulated-trading"] == "0"


def test_a_query_is_signed_as_it_is_sent(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order", "order_filled")
    okx.find("op00a7k203E01", BTC, OrderKind.MARKET)
    request = stub.only("trade/order")
    assert request.query == "instId=BTC-USDT-SWAP&clOrdId=op00a7k203E01"
    prehash = f"{request.headers['OK-ACCESS-TIMESTAMP']}GET/api/v5/trade/order?{request.query}"
    signed = base64.b64encode(hmac.new(SECRET.encode(), prehash.encode(), hashlib.sha256).digest()).decode()
    assert request.headers["OK-ACCESS-SIGN"] == signed


def test_the_testnet_client_is_in_the_demo_world_whatever_it_is_told(stub: Stub, clock: Time) -> None:
    demo = OKXTestnetClient(Credentials(KEY, SECRET, PASSPHRASE), rest_url=stub.url, demo=False, now=clock.now)
    stub.answer("account/positions", "positions")
    demo.positions()
    demo.close()
    assert stub.only("account/positions").headers["x-simulated-trading"] == "1"


def test_public_questions_show_no_key(okx: OKXClient, stub: Stub) -> None:
    okx.server_time()
    assert not [name for name in stub.only("public/time").headers if name.upper().startswith("OK-")]


# -- deadlines, by OKX's clock


def test_a_placement_lives_five_seconds_by_the_exchanges_clock(okx: OKXClient, stub: Stub, clock: Time) -> None:
    clock.at -= timedelta(seconds=90)  # ours is late; the exchange's says 12:00:00
    stub.answer("trade/order", "placed")
    stub.answer("trade/amend-order", "placed")
    okx.place(entry())
    okx.amend(AmendOrder("00a7k2", parse_order(rows("orders_pending")[0]), quantity=D(9)))
    five_past_noon = str(1781956800000 + 5000)
    assert stub.only("trade/order").headers["expTime"] == five_past_noon
    assert stub.only("trade/amend-order").headers["expTime"] == five_past_noon
    assert stub.only("trade/order").headers["OK-ACCESS-TIMESTAMP"] == "2026-06-20T12:00:00.000Z"


def test_a_nearer_deadline_counts_and_a_farther_one_does_not(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("trade/order", "placed")
    okx.place(entry(), clock.now() + timedelta(seconds=1.5))
    okx.place(entry(), clock.now() + timedelta(minutes=1))
    assert [request.headers["expTime"] for request in stub.to("trade/order")] == ["1781956801500", "1781956805000"]


def test_orders_on_a_trigger_have_no_deadline_to_send(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order-algo", "placed_algo")
    okx.place_oco(protection())
    assert "expTime" not in stub.only("trade/order-algo").headers


def test_the_exchanges_clock_is_measured_again_after_five_minutes(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("trade/order", "placed")
    for seconds in (0, 299, 2):
        clock.passed += seconds
        okx.place(entry())
    assert len(stub.to("public/time")) == 2


# -- reads


def test_a_look_costs_three_requests(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/positions", "positions")
    stub.answer("trade/orders-pending", "orders_pending")
    stub.answer("trade/orders-algo-pending", "algos_pending")
    held, orders = okx.positions(), okx.working_orders()
    assert [(one.symbol, one.side) for one in held] == [(BTC, Side.LONG), (BTC, Side.SHORT)]
    assert [order.client_order_id or order.exchange_order_id for order in orders] == [
        "op00a7k203R02", "2711430091826454777", "2711430091826454999",
        "op00a7k203P01", "op00a7k203N01", "2711430091826459020",
    ]  # fmt: skip
    assert [(request.path, request.query) for request in stub.asked] == [
        ("account/positions", "instType=SWAP"),
        ("trade/orders-pending", "instType=SWAP&limit=100"),
        ("trade/orders-algo-pending", "ordType=conditional,oco&instType=SWAP&limit=100"),
    ]


def test_long_lists_are_read_page_by_page_and_each_order_once(okx: OKXClient, stub: Stub) -> None:
    def page(newest: int, count: int) -> object:
        one = rows("orders_pending")[1]
        return {"code": "0", "msg": "", "data": [{**one, "ordId": str(newest - i)} for i in range(count)]}

    stub.answer("trade/orders-pending", page(5000, 100), page(4901, 100), page(4801, 3))
    stub.answer("trade/orders-algo-pending", {"code": "0", "msg": "", "data": []})
    orders = okx.working_orders()
    assert [request.query for request in stub.to("trade/orders-pending")] == [
        "instType=SWAP&limit=100", "instType=SWAP&after=4901&limit=100", "instType=SWAP&after=4802&limit=100",
    ]  # fmt: skip
    assert len(orders) == len({order.exchange_order_id for order in orders}) == 202


def test_other_conditional_orders_have_lists_of_their_own(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/orders-algo-pending", "algos_trigger", "algos_trailing")
    kinds = [order.kind for order in okx.other_conditional_orders()]
    assert kinds == [OrderKind.TRIGGER, OrderKind.TRAILING]


def test_a_set_off_oco_is_found_with_what_its_child_filled(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order-algo", "algo_effective")
    stub.answer("trade/order", "child_filled")
    found = okx.find("op00a7k203P01", BTC, OrderKind.OCO)
    assert (found.status, found.filled, found.average_price) == (OrderStatus.FILLED, D(20), D("64869.25"))
    assert stub.only("trade/order").query == "instId=BTC-USDT-SWAP&ordId=2711430091826460001"


def test_a_child_that_does_not_show_yet_leaves_the_oco_working(okx: OKXClient, stub: Stub) -> None:
    stub.answer("trade/order-algo", "algo_effective")
    stub.answer("trade/order", "order_unknown")
    assert okx.find("op00a7k203P01", BTC, OrderKind.OCO).status is OrderStatus.WORKING


@pytest.mark.parametrize("kind", [OrderKind.MARKET, OrderKind.OCO])
@pytest.mark.parametrize("answer", ["order_unknown", {"code": "0", "msg": "", "data": []}])
def test_none_only_where_the_exchange_says_so(okx: OKXClient, stub: Stub, kind: Any, answer: Any) -> None:
    stub.answer("trade/order", answer)
    stub.answer("trade/order-algo", answer)
    assert okx.find("op00a7k203E01", BTC, kind) is None


def test_recent_fills_oldest_first_and_none_twice(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("trade/fills", "fills")
    since = clock.now() - timedelta(days=2)
    fills = okx.fills(since)
    assert [fill.exchange_fill_id[-4:] for fill in fills] == ["5400", "5500", "7000", "8000", "9000"]
    assert stub.only("trade/fills").query == "instType=SWAP&limit=100&begin=1781784000000"


def test_older_fills_come_from_the_long_history(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("trade/fills-history", "fills")
    okx.fills(clock.now() - timedelta(days=3))
    assert stub.only("trade/fills-history").query == "instType=SWAP&begin=1781697600000&limit=100"


@pytest.mark.parametrize(("days", "path"), [(6, "account/bills"), (30, "account/bills-archive")])
def test_funding_is_read_from_the_bills(okx: OKXClient, stub: Stub, clock: Time, days: int, path: str) -> None:
    stub.answer(path, "bills_funding")
    assert [paid.amount for paid in okx.funding(clock.now() - timedelta(days=days))] == [D("0.4"), D("-0.653725")]
    assert "type=8" in stub.only(path).query


def test_prices_are_as_of_when_we_asked(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("market/ticker", "ticker")
    stub.answer("public/mark-price", "mark_price")
    ticker = okx.ticker(BTC)
    assert (ticker.last, ticker.mark, ticker.at) == (D("65321.7"), D("65320.9"), clock.now())


def test_candles_oldest_first(okx: OKXClient, stub: Stub) -> None:
    stub.answer("market/candles", "candles")
    opened = [candle.opened_at for candle in okx.candles(BTC, "1D", 2)]
    assert opened == [datetime(2026, 6, 20, 11, 58, tzinfo=UTC), datetime(2026, 6, 20, 11, 59, tzinfo=UTC)]
    assert stub.only("market/candles").query == "instId=BTC-USDT-SWAP&bar=1Dutc&limit=2"


def test_many_candles_come_in_pages(okx: OKXClient, stub: Stub) -> None:
    def page(newest: int, count: int) -> object:
        cells = payload("candles")["data"][1][1:]
        return {"code": "0", "msg": "", "data": [[str((newest - i) * 60_000), *cells] for i in range(count)]}

    stub.answer("market/candles", page(1000, 300), page(700, 120))
    assert len(okx.candles(BTC, "1m", 420)) == 420
    assert [request.query for request in stub.to("market/candles")] == [
        "instId=BTC-USDT-SWAP&bar=1m&limit=300", "instId=BTC-USDT-SWAP&after=42060000&bar=1m&limit=120",
    ]  # fmt: skip


def test_the_mode_of_the_account_is_remembered_for_a_minute(okx: OKXClient, stub: Stub, clock: Time) -> None:
    stub.answer("account/balance", "balance")
    for seconds in (0, 59, 2):
        clock.passed += seconds
        assert okx.account_state().hedge_mode is True
    assert len(stub.to("account/config")) == 2
    assert stub.to("account/balance")[0].query == "ccy=USDT"


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, True),
        ({"state": "scheduled"}, False),
        ({"serviceType": "11"}, False),
        ({"env": "2"}, False),
    ],
)
def test_maintenance_counts_when_it_is_on_and_about_trading_here(
    okx: OKXClient, stub: Stub, changes: Any, answer: Any
) -> None:
    stub.answer("system/status", {"code": "0", "msg": "", "data": [{**row("status"), **changes}]})
    assert (okx.under_maintenance(), okx.under_maintenance()) == (answer, answer)
    assert len(stub.to("system/status")) == 1


def test_usage_counts_what_was_sent(okx: OKXClient, stub: Stub) -> None:
    stub.answer("account/positions", "positions")
    okx.positions()
    assert okx.usage() == {"GET account/positions": (1, 10)}
