"""The user stream against a whole exchange: keys that expire or are deleted, the daily cut, and what was missed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.order import OrderKind, OrderStatus
from core.exchange.binance.stream.stream import BinanceStream, Upkeep
from core.exchange.port import Push
from core.monitor.order_tracker import OrderTracker
from tests.contract.bench import SYMBOL, Bench
from tests.contract.binance import PACE, BinanceBench
from tests.contract.orders import ENTRY, STOP, D, close, entry, measure, protect
from tests.eventually import eventually
from tests.simulator.binance.client import BinanceClient

HOUR = 3600


class Heard:
    """Listens as the bot does."""

    def __init__(self) -> None:
        self.tracker, self.pushes = OrderTracker(), list[Push]()

    def __call__(self, push: Push) -> None:
        self.tracker.note(push.orders)
        self.pushes.append(push)

    @property
    def words(self) -> list[str]:
        return [push.words for push in self.pushes if push.channel == "connection"]

    def ended(self, name: str) -> bool:
        order = self.tracker.order(name)
        return order is not None and order.status.ended


@pytest.fixture(scope="module")
def exchange() -> Iterator[BinanceBench]:
    bench = BinanceBench()
    yield bench
    bench.close()


@pytest.fixture
def bench(exchange: Any) -> BinanceBench:
    measure(exchange.lot)
    exchange.fresh()
    return exchange


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def make_stream(bench: Bench, heard: Any) -> Iterator:
    made: list[BinanceStream] = []

    def make(**upkeep: float) -> BinanceStream:
        stream = BinanceStream(
            bench.port, bench._simulator.ws_url, pace=PACE, upkeep=replace(Upkeep(watch=0.02, prices=0.01), **upkeep)
        )
        made.append(stream)
        stream.start(heard)
        eventually(lambda: heard.words[-1:] == ["connected"])
        return stream

    yield make
    for stream in made:
        stream.stop()


@pytest.fixture
def person(bench: Bench) -> Iterator[BinanceClient]:
    """Somebody else with the same key."""
    with BinanceClient(bench._simulator.base_url, bench._simulator.binance) as client:
        yield client


def test_a_key_that_expires_is_replaced_and_what_comes_after_is_heard(
    bench: Bench, heard: Any, make_stream: Any
) -> None:
    make_stream()
    bench.advance(HOUR + 60)
    eventually(lambda: "lost: private: the listen key has expired" in heard.words)
    eventually(lambda: heard.words[-1] == "reconnected")
    bench.port.place(entry())
    eventually(lambda: heard.ended(ENTRY))


def half_an_hour_with_a_renewal(bench: Bench) -> None:
    """Pass half an hour, and see the key renewed after it."""
    bench.advance(HOUR / 2)
    renewed = renewals(bench)
    eventually(lambda: renewals(bench) > renewed + 1)


def renewals(bench: Bench) -> int:
    return bench._simulator.requests().get("PUT /fapi/v1/listenKey", 0)


def test_a_key_that_is_renewed_does_not_expire(bench: Bench, heard: Any, make_stream: Any) -> None:
    make_stream(renew=0.02)
    for _ in range(3):
        half_an_hour_with_a_renewal(bench)
    assert heard.words == ["connected"]


def test_a_key_deleted_by_somebody_else_is_noticed_by_the_silence_after_our_own_order(
    bench: Bench, heard: Any, make_stream: Any, person: Any
) -> None:
    make_stream(silent_after=0.2)
    key = bench.port.make_listen_key()
    header = {"X-MBX-APIKEY": person.keys["api_key"]}
    person.http.delete("/fapi/v1/listenKey", params={"listenKey": key}, headers=header)
    bench.port.place(entry())
    eventually(lambda: any("no event 0.2 s after our own order" in words for words in heard.words))
    eventually(lambda: heard.words[-1] == "reconnected")
    for number in range(4):  # at the latest the form of address that is tried after a dumb one is heard again
        bench.port.place(close(quantity="0.1", client_order_id=f"op00a7k203C{number:02}"))
        eventually(lambda: heard.words[-1] == "reconnected")
        try:
            eventually(lambda: heard.ended(f"op00a7k203C{number:02}"), seconds=1)  # noqa: B023
        except AssertionError:
            continue
        return
    raise AssertionError(f"nothing is heard any more: {heard.words}")


def test_the_daily_cut_is_survived(bench: Bench, heard: Any, make_stream: Any) -> None:
    make_stream(renew=0.01)
    for _ in range(48):
        half_an_hour_with_a_renewal(bench)
    bench.advance(HOUR / 2)
    eventually(lambda: heard.words[-1] == "reconnected")
    assert heard.words[1].startswith("lost: private: closed by the exchange")
    bench.port.place(entry())
    eventually(lambda: heard.ended(ENTRY))


def test_two_listeners_on_one_account_hear_the_same(bench: Bench, heard: Any, make_stream: Any) -> None:
    make_stream()
    other = Heard()
    second = BinanceStream(bench.port, bench._simulator.ws_url, pace=PACE)
    second.start(other)
    eventually(lambda: other.words == ["connected"])
    bench.port.place(entry())
    protect(bench.port)
    bench.price(D(94_900))
    for one in (heard, other):
        eventually(lambda: one.ended(STOP))  # noqa: B023
    assert heard.tracker.order(STOP) == other.tracker.order(STOP)
    second.stop()


def test_what_happened_while_nobody_listened_is_not_made_up(bench: Bench, heard: Any, make_stream: Any) -> None:
    """A stop placed before we listened: its order is heard of, and only rings until the stop itself has been."""
    bench.port.place(entry())
    protect(bench.port)
    make_stream()
    bench.price(D(94_900))
    eventually(lambda: heard.ended(STOP))
    order = heard.tracker.order(STOP)
    found = bench.port.find(STOP, SYMBOL, order.kind)
    assert order.but(created_at=found.created_at) == found
    assert found.updated_at - found.created_at < timedelta(days=1)


def fault(kind: str, **more: object) -> dict[str, object]:
    return {"match": {"exchange": "binance"}, "kind": kind, "count": 1, **more}


def test_a_stop_refused_at_its_trigger_is_told_with_the_reason(bench: Bench, heard: Any, make_stream: Any) -> None:
    make_stream()
    bench.port.place(entry())
    protect(bench.port)
    bench._simulator.faults(fault("trigger_reject", reason="Margin is insufficient."))
    bench.price(D(94_900))
    eventually(lambda: heard.ended(STOP))
    order = heard.tracker.order(STOP)
    assert (order.status, order.failure) == (OrderStatus.REFUSED, "Margin is insufficient.")
    assert len(bench.port.positions()) == 1


def test_a_stop_that_is_set_off_and_goes_no_further_is_told_as_set_off_and_working(
    bench: Bench, heard: Any, make_stream: Any
) -> None:
    make_stream()
    bench.port.place(entry())
    protect(bench.port)
    bench._simulator.faults(fault("trigger_stuck"))
    bench.price(D(94_900))
    eventually(lambda: (order := heard.tracker.order(STOP)) and order.triggered_leg)
    order = heard.tracker.order(STOP)
    assert (order.status, order.filled, order.child_order_ids) == (OrderStatus.WORKING, 0, ())


def test_a_stop_that_the_exchange_takes_away_is_told(bench: Bench, heard: Any, make_stream: Any) -> None:
    make_stream()
    bench.port.place(entry())
    bench._simulator.faults(fault("algo_vanish", seconds=53))
    protect(bench.port)
    bench.advance(60)
    eventually(lambda: heard.ended(STOP))
    assert heard.tracker.order(STOP).status is OrderStatus.CANCELED


@pytest.mark.parametrize("event", ["ORDER_TRADE_UPDATE", "ALGO_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE"])
@pytest.mark.parametrize("kind", ["stream_double", "stream_reorder", "push_withheld"])
def test_whatever_becomes_of_one_kind_of_event_nothing_false_is_told(
    bench: Bench, heard: Any, make_stream: Any, event: Any, kind: Any
) -> None:
    """What is told is true at the end, or less than the truth; the look that each ring asks for tells the rest."""
    make_stream()
    trouble = {"kind": kind, "behind": event, "count": 3 if kind == "push_withheld" else 1}
    bench._simulator.faults({"match": {"exchange": "binance", "channel": event}, **trouble})
    bench.port.place(entry())
    protect(bench.port)
    bench.price(D(94_900))
    bench._simulator.faults()
    bench.port.place(entry(client_order_id="op00a7k204E01"))
    eventually(lambda: heard.ended("op00a7k204E01"))
    for name, order_kind in ((ENTRY, OrderKind.MARKET), (STOP, OrderKind.CONDITIONAL)):
        told, found = heard.tracker.order(name), bench.port.find(name, SYMBOL, order_kind)
        if told is not None and told.status.ended:
            assert told.but(created_at=found.created_at) == found
        elif told is not None:
            assert told.filled <= found.filled
