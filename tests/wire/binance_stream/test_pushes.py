"""Events of Binance's user stream in our words, in every order in which they may come."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.order import Leg, Order, OrderKind, OrderStatus, Purpose
from core.exchange.binance.stream.messages import Pushes
from core.exchange.binance.stream.prices import BinancePrices, price_streams
from core.exchange.port import Push
from tests.wire.binance_stream.events import AT, CHILD, ENTRY, STOP, TARGET, Event, account, algo, early, order, traded

BTC = "BTC-USDT-PERP"
BEGAN = datetime.fromtimestamp(AT / 1000, UTC)
Ring = Callable[..., list[Push]]


@pytest.fixture
def changed_settings() -> list[str | None]:
    return []


@pytest.fixture
def reader(changed_settings: Any) -> Pushes:
    return Pushes(changed_settings.append)


@pytest.fixture
def ring(reader: Any) -> Ring:
    """Hears one event after the other, as a stream does."""
    return lambda *events: [push for event in events for push in reader.read(event)]


def last(pushes: list[Push]) -> Order:
    return [order for push in pushes for order in push.orders][-1]


# -- ordinary orders -------------------------------------------------------------------------------------------------


def test_a_working_order_of_ours_says_whose_it_is(ring: Any) -> None:
    (push,) = ring(order("NEW", o="LIMIT", f="GTC", p="99000.00"))
    (told,) = push.orders
    assert (push.channel, push.symbol) == ("orders", BTC)
    assert (told.client_order_id, told.part, told.cycle, told.purpose) == (ENTRY, "00a7k2", 3, Purpose.ENTRY)
    assert (told.status, told.kind, told.quantity, told.price) == (
        OrderStatus.WORKING, OrderKind.LIMIT, Decimal("0.02"), Decimal(99000),
    )  # fmt: skip
    assert (told.side, told.position_side, told.exchange_order_id) == (OrderSide.BUY, Side.LONG, "8886774")
    assert (told.created_at, told.updated_at) == (BEGAN, BEGAN)


def test_a_filled_order_carries_what_it_filled_and_what_that_cost(ring: Any) -> None:
    told = last(ring(order("NEW"), traded(1, "0.020", "0.020")))
    assert (told.status, told.filled, told.average_price) == (OrderStatus.FILLED, Decimal("0.02"), Decimal("100000.1"))
    assert told.fee == Decimal(-1)  # 0.02 x 100,000 x 0.05 %
    assert (told.created_at, told.updated_at) == (BEGAN, BEGAN + timedelta(milliseconds=5))


def test_the_fees_of_several_trades_add_up(ring: Any) -> None:
    told = last(ring(order("NEW"), traded(1, "0.005", "0.005"), traded(2, "0.015", "0.020")))
    assert (told.status, told.filled, told.fee) == (OrderStatus.FILLED, Decimal("0.02"), Decimal(-1))


def test_a_trade_told_twice_costs_once(ring: Any) -> None:
    first = traded(1, "0.005", "0.005")
    assert last(ring(order("NEW"), first, first, traded(2, "0.015", "0.020"))).fee == Decimal(-1)


@pytest.mark.parametrize("events", list(permutations([
    order("NEW"), traded(1, "0.005", "0.005"), traded(2, "0.015", "0.020", at=AT + 6),
])))  # fmt: skip
def test_in_whatever_order_events_come_the_picture_is_the_same(ring: Any, events: Any) -> None:
    pushes = ring(*events)
    assert len(pushes) == 3
    furthest = max((told for push in pushes for told in push.orders), key=lambda told: (told.filled, told.status.ended))
    assert (furthest.status, furthest.filled, furthest.fee) == (OrderStatus.FILLED, Decimal("0.02"), Decimal(-1))


def test_an_order_of_which_a_trade_was_missed_only_rings(ring: Any) -> None:
    assert ring(traded(2, "0.015", "0.020")) == [Push("orders", BTC)]


def test_no_fee_named_is_no_fee_paid(ring: Any) -> None:
    event = traded(1, "0.020", "0.020")
    del event["o"]["N"], event["o"]["n"]
    assert last(ring(event)).fee == 0


@pytest.mark.parametrize("fee", [{"N": "USDT", "n": "-0.4"}, {"N": "USDT", "n": None}, {"N": None, "n": None}])
def test_fees_of_every_shape(ring: Any, fee: Any) -> None:
    assert last(ring(traded(1, "0.020", "0.020", **fee))).fee == (Decimal("0.4") if fee["n"] else 0)


def test_a_fee_in_another_coin_is_left_to_the_look(ring: Any) -> None:
    assert ring(traded(1, "0.020", "0.020", N="BNB", n="0.001")) == [Push("orders", BTC)]


def test_an_order_that_the_exchange_ended_says_why(ring: Any) -> None:
    told = last(ring(order("NEW", o="LIMIT", f="IOC"), order("EXPIRED", x="EXPIRED", o="LIMIT", f="IOC", er="2")))
    assert (told.status, told.filled) == (OrderStatus.EXPIRED, 0)
    assert told.failure == "what was left of it could not be filled at once"


def test_an_order_that_was_cancelled_half_way_keeps_what_it_filled(ring: Any) -> None:
    told = last(ring(order("NEW"), traded(1, "0.005", "0.005"), order("CANCELED", AT + 9, x="CANCELED", z="0.005")))
    assert (told.status, told.filled, told.fee) == (OrderStatus.CANCELED, Decimal("0.005"), Decimal("-0.25"))


def test_an_amended_order_is_told_with_its_new_price(ring: Any) -> None:
    told = last(ring(order("NEW", o="LIMIT", p="99000"), order("NEW", AT + 3, x="AMENDMENT", o="LIMIT", p="98000")))
    assert (told.price, told.created_at) == (Decimal(98000), BEGAN)


@pytest.mark.parametrize("name", ["autoclose-1790000000000", "adl_autoclose", "settlement_autoclose-1", "web_x7"])
def test_orders_of_others_are_foreign(ring: Any, name: str) -> None:
    told = last(ring(order("NEW", c=name, S="SELL")))
    assert (told.part, told.purpose, told.client_order_id) == (None, Purpose.FOREIGN, name)


def test_one_way_accounts_are_read_by_what_an_order_is_for(ring: Any) -> None:
    assert last(ring(order("NEW", ps="BOTH"))).position_side is Side.LONG
    assert last(ring(order("NEW", ps="BOTH", c="op00a7k203C01", S="BUY", R=True, i=2))).position_side is Side.SHORT


# -- conditional orders and what they set off ------------------------------------------------------------------------


def test_a_stop_that_rests(ring: Any) -> None:
    (push,) = ring(algo("NEW"))
    (told,) = push.orders
    assert (told.client_order_id, told.purpose, told.kind) == (STOP, Purpose.STOP_LOSS, OrderKind.CONDITIONAL)
    assert (told.status, told.sl_trigger, told.tp_trigger) == (OrderStatus.WORKING, Decimal(95000), None)
    assert (told.trigger_by, told.quantity, told.reduce_only) == (TriggerBy.MARK, Decimal("0.02"), True)
    assert (told.triggered_leg, told.child_order_ids, told.created_at) == (None, (), BEGAN)


def test_a_target_that_rests(ring: Any) -> None:
    told = last(ring(algo("NEW", caid=TARGET, o="TAKE_PROFIT_MARKET", tp="105000")))
    assert (told.purpose, told.tp_trigger, told.sl_trigger) == (Purpose.TAKE_PROFIT, Decimal(105000), None)


def test_a_reason_on_an_order_that_rests_or_was_cancelled_by_us_means_nothing(ring: Any) -> None:
    assert last(ring(algo("NEW", rm="Reduce Only reject"))).failure == ""
    assert last(ring(algo("CANCELED", rm="Reduce Only reject"))).failure == ""


@pytest.mark.parametrize(("status", "ours"), [("REJECTED", OrderStatus.REFUSED), ("EXPIRED", OrderStatus.EXPIRED)])
def test_an_order_that_was_refused_at_its_trigger_says_why(ring: Any, status: Any, ours: Any) -> None:
    told = last(ring(algo("NEW"), algo("TRIGGERING"), algo(status, rm="Reduce Only reject")))
    assert (told.status, told.failure) == (ours, "Reduce Only reject")


SET_OFF = [
    algo("NEW"),
    algo("TRIGGERING", AT + 1),
    algo("TRIGGERED", AT + 2, ai="8886999", act="MARKET"),
    order("NEW", AT + 2, **CHILD),
    traded(1, "0.005", "0.005", at=AT + 3, **CHILD),
    traded(2, "0.015", "0.020", at=AT + 4, **CHILD),
    algo("FINISHED", AT + 5, ai="8886999", act="MARKET", ap="100000.10", aq="0.020"),
]


def as_it_ended(ring_it: Ring, events: list[Event]) -> Order:
    pushes = ring_it(*events)
    assert all(told.client_order_id == STOP for push in pushes for told in push.orders)
    assert all(told.kind is OrderKind.CONDITIONAL for push in pushes for told in push.orders)
    assert len(pushes) == len(events)
    states = [told for push in pushes for told in push.orders]
    return max(states, key=lambda told: (told.status.ended, told.filled, told.fee != 0))


def test_a_stop_and_the_order_it_sets_off_are_one_order(ring: Any) -> None:
    told = as_it_ended(ring, SET_OFF)
    assert (told.status, told.triggered_leg, told.filled) == (OrderStatus.FILLED, Leg.STOP_LOSS, Decimal("0.02"))
    assert (told.fee, told.average_price, told.child_order_ids) == (Decimal(-1), Decimal("100000.1"), ("8886999",))
    assert told.created_at == BEGAN


@pytest.mark.parametrize("order_of", list(permutations(range(1, 7)))[::23])
def test_in_whatever_order_both_kinds_of_events_come_they_are_one_order(ring: Any, order_of: Any) -> None:
    told = as_it_ended(ring, [SET_OFF[0], *(SET_OFF[number] for number in order_of)])
    assert (told.status, told.filled, told.fee) == (OrderStatus.FILLED, Decimal("0.02"), Decimal(-1))
    assert (told.triggered_leg, told.child_order_ids) == (Leg.STOP_LOSS, ("8886999",))


@pytest.mark.parametrize("number", range(len(SET_OFF)))
def test_events_of_a_stop_told_twice_do_no_harm(ring: Any, number: Any) -> None:
    told = as_it_ended(ring, [*SET_OFF[: number + 1], SET_OFF[number], *SET_OFF[number + 1 :]])
    assert (told.status, told.filled, told.fee) == (OrderStatus.FILLED, Decimal("0.02"), Decimal(-1))


def test_what_a_stop_of_which_we_never_heard_sets_off_only_rings(ring: Any) -> None:
    assert ring(*SET_OFF[3:6]) == [Push("orders", BTC)] * 3
    told = last(ring(algo("FINISHED", AT + 5, ai="8886999", aq="0.020")))
    assert (told.status, told.filled, told.fee) == (OrderStatus.FILLED, Decimal("0.02"), Decimal(-1))


def test_a_stop_set_off_is_not_over_before_its_order_is(ring: Any) -> None:
    told = last(ring(*SET_OFF[:4]))
    assert (told.status, told.triggered_leg, told.filled) == (OrderStatus.WORKING, Leg.STOP_LOSS, 0)
    told = last(ring(SET_OFF[4]))
    assert (told.status, told.filled, told.remaining) == (OrderStatus.WORKING, Decimal("0.005"), Decimal("0.015"))


def test_finished_alone_does_not_say_how(ring: Any) -> None:
    told = last(ring(algo("NEW"), algo("FINISHED", ai="8886999", aq="0.005")))
    assert (told.status, told.triggered_leg, told.child_order_ids) == (
        OrderStatus.WORKING, Leg.STOP_LOSS, ("8886999",),
    )  # fmt: skip


def test_a_stop_whose_order_was_cancelled_half_way_says_how_much(ring: Any) -> None:
    told = last(ring(*SET_OFF[:5], order("CANCELED", AT + 9, x="CANCELED", z="0.005", ap="100000.10", **CHILD)))
    assert (told.status, told.filled, told.fee) == (OrderStatus.CANCELED, Decimal("0.005"), Decimal("-0.25"))


def test_a_stop_cancelled_by_us(ring: Any) -> None:
    told = last(ring(algo("NEW"), algo("CANCELED", AT + 4)))
    assert (told.status, told.failure, told.triggered_leg) == (OrderStatus.CANCELED, "", None)


def test_a_late_event_does_not_bring_an_ended_stop_back(ring: Any) -> None:
    assert last(ring(algo("NEW"), algo("CANCELED", AT + 4), algo("NEW"))).status is OrderStatus.CANCELED


def test_the_order_of_a_foreign_stop_is_told_by_its_number(ring: Any) -> None:
    foreign = {"caid": "web_sl", "ai": "77"}
    told = last(ring(algo("TRIGGERED", **foreign), order("NEW", c="something_else", i=77, S="SELL")))
    assert (told.client_order_id, told.purpose) == ("web_sl", Purpose.FOREIGN)


def test_a_trailing_order_says_new_twice(ring: Any) -> None:
    row = {"caid": "web_tr", "o": "TRAILING_STOP_MARKET", "tp": "0", "cr": "1.0"}
    kinds = [push.orders[0].kind for push in ring(algo("NEW", ia=False, **row), algo("NEW", ia=True, **row))]
    assert kinds == [OrderKind.TRAILING] * 2


# -- everything else -------------------------------------------------------------------------------------------------


def test_a_change_of_the_account_rings_for_each_contract_and_for_the_money(ring: Any) -> None:
    assert ring(account(positions=("BTCUSDT", "ETHUSDT"))) == [
        Push("positions", BTC), Push("positions", "ETH-USDT-PERP"), Push("account"),
    ]  # fmt: skip


def test_funding_of_a_cross_position_names_no_position(ring: Any) -> None:
    assert ring(account("FUNDING_FEE", positions=())) == [Push("account")]


def test_a_trade_told_early_only_wakes_and_only_once(ring: Any) -> None:
    assert ring(early()) == [Push("orders", BTC)]
    ring(order("NEW"), traded(7, "0.020", "0.020"))
    assert ring(early()) == []


def test_changed_leverage_and_modes_are_passed_on(ring: Any, changed_settings: Any) -> None:
    leverage = {"e": "ACCOUNT_CONFIG_UPDATE", "E": AT, "T": AT, "ac": {"s": "BTCUSDT", "l": 7}}
    mode = {"e": "ACCOUNT_CONFIG_UPDATE", "E": AT, "T": AT, "ai": {"j": True}}
    assert ring(leverage, mode) == [Push("account"), Push("account")]
    assert changed_settings == [BTC, None]


def test_a_margin_call_rings(ring: Any) -> None:
    row = {"s": "BTCUSDT", "ps": "LONG", "pa": "0.02", "mt": "CROSSED"}
    assert ring({"e": "MARGIN_CALL", "E": AT, "cw": "3", "p": [row]}) == [Push("positions", BTC), Push("account")]


@pytest.mark.parametrize("kind", ["STRATEGY_UPDATE", "GRID_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT", "BRAND_NEW"])
def test_events_we_do_not_read_are_counted(ring: Any, reader: Any, kind: Any) -> None:
    assert ring({"e": kind, "E": AT}, {"e": kind, "E": AT}) == []
    assert reader.ignored == {f"event {kind}": 2}


def test_a_reason_we_do_not_know_is_counted_and_the_event_read(ring: Any, reader: Any) -> None:
    assert ring(account("BRAND_NEW")) == [Push("positions", BTC), Push("account")]
    assert reader.ignored == {"account update for BRAND_NEW": 1}


@pytest.mark.parametrize("name", ["BTCUSDC", "BTCUSDT_260925", "BTCUSD_PERP"])
def test_contracts_that_we_do_not_trade_ring_nothing_and_are_counted(ring: Any, reader: Any, name: str) -> None:
    assert ring(order("NEW", s=name), algo("NEW", s=name), early(name=name)) == []
    assert ring(account(positions=(name,))) == [Push("account")]
    assert reader.ignored == {"a contract that we do not trade": 4}


@pytest.mark.parametrize("changed", [{"X": "DREAMING"}, {"S": "SIDEWAYS"}, {"q": "many"}, {"ps": "UP"}, {"i": None}])
def test_an_event_that_cannot_be_read_rings_all_the_same_and_loudly(
    ring: Any, caplog: pytest.LogCaptureFixture, changed: Any
) -> None:
    assert ring(order("NEW", **changed)) == [Push("orders", BTC)]
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("changed", [{"X": "DREAMING"}, {"o": "TELEPATHY"}, {"tp": "soon"}, {"wt": "GUT_FEELING"}])
def test_a_conditional_order_that_cannot_be_read_rings_all_the_same(
    ring: Any, caplog: pytest.LogCaptureFixture, changed: Any
) -> None:
    assert ring(algo("NEW", **changed)) == [Push("orders", BTC)]
    assert "cannot be read" in caplog.text


def test_memory_has_an_end(ring: Any, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.exchange.binance.stream.messages.MOST_REMEMBERED", 3)
    for number in range(10):
        ring(order("NEW", i=number, c=f"web_{number}"), algo("NEW", caid=f"web_a{number}", ai=str(number)))
    remembered = (reader._told, reader._by_name, reader._algos, reader._set_off)
    assert [len(memory) for memory in remembered] == [3, 3, 3, 3]


# -- prices ----------------------------------------------------------------------------------------------------------


def quote(bid: str, ask: str, at: int = AT) -> Event:
    return {"e": "bookTicker", "u": 400900217, "E": at, "T": at, "s": "BTCUSDT", "b": bid, "B": "1", "a": ask, "A": "1"}


def other(kind: str, at: int = AT, **fields: str) -> Event:
    return {"e": kind, "E": at, "s": "BTCUSDT", **fields}


def test_a_last_price_comes_with_a_trade_or_without_one() -> None:
    prices = BinancePrices()
    prices.take(quote("99999.9", "100000.1"), BEGAN)
    prices.take(other("markPriceUpdate", p="100007.5"), BEGAN)
    assert prices.ticker(BTC) is None
    assert prices.take(other("24hrMiniTicker", c="100000"), BEGAN + timedelta(seconds=1)) == BTC
    ticker = prices.ticker(BTC)
    assert (ticker.last, ticker.bid, ticker.ask, ticker.mark) == (
        Decimal(100000), Decimal("99999.9"), Decimal("100000.1"), Decimal("100007.5"),
    )  # fmt: skip
    assert ticker.at == BEGAN + timedelta(seconds=1)
    prices.take(other("aggTrade", AT + 1, p="100001"), BEGAN)
    assert prices.ticker(BTC).last == Decimal(100001)


def test_an_older_price_that_comes_late_is_dropped() -> None:
    prices = BinancePrices()
    for event in (quote("101", "102", AT + 2), quote("99", "100", AT + 1), other("markPriceUpdate", p="1")):
        prices.take(event, BEGAN)
    prices.take(other("aggTrade", p="1"), BEGAN)
    assert prices.ticker(BTC).bid == Decimal(101)


def test_a_price_that_cannot_be_read_is_no_reason_to_look(caplog: pytest.LogCaptureFixture) -> None:
    assert BinancePrices().take(quote("", "1"), BEGAN) is None
    assert "cannot be read" in caplog.text


def test_other_contracts_and_other_streams_have_no_price() -> None:
    assert BinancePrices().take({"e": "aggTrade", "E": AT, "s": "BTCUSD_PERP", "p": "1"}, BEGAN) is None
    assert BinancePrices().take({"e": "kline", "E": AT, "s": "BTCUSDT"}, BEGAN) is None


def test_the_streams_of_a_contract_lie_on_two_lines() -> None:
    assert price_streams({"ETH-USDT-PERP", BTC}) == {
        "public": ["btcusdt@bookTicker", "ethusdt@bookTicker"],
        "market": [
            "btcusdt@markPrice@1s", "btcusdt@aggTrade", "btcusdt@miniTicker",
            "ethusdt@markPrice@1s", "ethusdt@aggTrade", "ethusdt@miniTicker",
        ],
    }  # fmt: skip
