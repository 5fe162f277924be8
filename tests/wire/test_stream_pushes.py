"""Pushes of OKX in our words: whole messages, one a file, and what of each reaches the bot."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.domain.order import Leg, OrderStatus, Purpose
from core.exchange.okx.stream.messages import OKXPrices, price_channels, pushes
from core.exchange.port import Push

HEARD_AT = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)
BTC = "BTC-USDT-PERP"
Message = dict[str, Any]


def message(name: str, **changed: Any) -> Message:
    """The message in that file, with other values in its row."""
    found: Message = json.loads((Path(__file__).parent / "pushes" / f"{name}.json").read_text())
    found["data"][0] |= changed
    return found


@pytest.fixture
def ring() -> Callable[..., list[Push]]:
    """Hears one message after the other, as a stream does."""
    prices = OKXPrices()
    return lambda *messages: [push for one in messages for push in pushes(one, prices, HEARD_AT)]


def test_a_working_order_of_ours_says_whose_it_is(ring: Any) -> None:
    (push,) = ring(message("order_live"))
    (order,) = push.orders
    assert (push.channel, push.symbol) == ("orders", BTC)
    assert (order.client_order_id, order.part, order.cycle, order.purpose) == (
        "op00a7k203E01", "00a7k2", 3, Purpose.ENTRY,
    )  # fmt: skip
    assert (order.status, order.quantity, order.price) == (OrderStatus.WORKING, Decimal("2.5"), Decimal("99000"))
    assert (order.filled, order.average_price) == (Decimal(0), None)


def test_a_filled_order_carries_what_it_filled(ring: Any) -> None:
    (order,) = ring(message("order_filled"))[0].orders
    assert (order.status, order.filled, order.average_price) == (OrderStatus.FILLED, Decimal("2.5"), Decimal("99000"))
    assert order.fee == Decimal("-0.495")  # 2.5 contracts x 0.01 x 99,000 x 0.02 %


def test_a_market_order_pushed_as_filled_with_nothing_in_this_push_counts_its_total(ring: Any) -> None:
    (order,) = ring(message("order_filled", fillSz="0", fillPx=""))[0].orders
    assert order.filled == Decimal("2.5")


def test_an_order_that_an_algo_placed_rings_and_stays_with_its_algo(ring: Any) -> None:
    assert ring(message("child_filled")) == [Push("orders", BTC)]


def test_an_algo_that_rests(ring: Any) -> None:
    (algo,) = ring(message("algo_live"))[0].orders
    assert (algo.client_order_id, algo.purpose, algo.status) == (
        "op00a7k203N01", Purpose.SAFETY_NET, OrderStatus.WORKING,
    )  # fmt: skip
    assert (algo.tp_trigger, algo.sl_trigger, algo.quantity) == (Decimal("105000"), Decimal("95000"), Decimal("2.5"))


def test_an_algo_that_was_set_off_has_not_ended_until_its_child_has(ring: Any) -> None:
    (algo,) = ring(message("algo_effective"))[0].orders
    assert (algo.status, algo.triggered_leg, algo.filled) == (OrderStatus.WORKING, Leg.STOP_LOSS, Decimal(0))
    assert algo.child_order_ids == (message("child_filled")["data"][0]["ordId"],)


def test_positions_and_money_only_ring(ring: Any) -> None:
    assert ring(message("position"), message("account")) == [Push("positions", BTC), Push("account")]


def test_a_price_is_told_once_both_halves_are_known(ring: Any) -> None:
    assert ring(message("ticker")) == []
    (push,) = ring(message("mark_price", markPx="100007.5"))
    assert push.ticker is not None
    assert (push.channel, push.symbol, push.ticker.at) == ("prices", BTC, HEARD_AT)
    assert (push.ticker.last, push.ticker.bid, push.ticker.ask, push.ticker.mark) == (
        Decimal("100000"), Decimal("99999.9"), Decimal("100000.1"), Decimal("100007.5"),
    )  # fmt: skip


def test_an_older_price_that_comes_late_is_dropped(ring: Any) -> None:
    first, late = message("ticker", ts="2000", last="101"), message("ticker", ts="1000", last="99")
    assert len(ring(message("mark_price", ts="1500"), first)) == 1
    assert ring(late) == []
    (push,) = ring(message("mark_price", ts="2500"))
    assert push.ticker is not None
    assert push.ticker.last == Decimal("101")


def test_contracts_that_we_do_not_trade_ring_nothing(ring: Any) -> None:
    assert ring(message("order_live", instId="BTC-USD-SWAP"), message("position", instId="BTC-USDC-SWAP")) == []


@pytest.mark.parametrize("changed", [{"state": "dreaming"}, {"side": "sideways"}, {"sz": "many"}, {"uTime": ""}])
def test_a_row_that_cannot_be_read_rings_all_the_same(
    ring: Any, caplog: pytest.LogCaptureFixture, changed: Any
) -> None:
    assert ring(message("order_live", **changed)) == [Push("orders", BTC)]
    assert "cannot be read" in caplog.text


def test_a_price_that_cannot_be_read_is_no_reason_to_look(ring: Any, caplog: pytest.LogCaptureFixture) -> None:
    ring(message("mark_price"))
    assert ring(message("ticker", last="")) == []
    assert "cannot be read" in caplog.text


def test_each_symbol_takes_two_subscriptions() -> None:
    assert price_channels({"ETH-USDT-PERP", BTC}) == [
        {"channel": "tickers", "instId": "BTC-USDT-SWAP"},
        {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
        {"channel": "tickers", "instId": "ETH-USDT-SWAP"},
        {"channel": "mark-price", "instId": "ETH-USDT-SWAP"},
    ]
