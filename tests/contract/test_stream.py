"""The stream beside the adapter: it rings when something moves, comes back by itself, and cannot mislead.

What a push carries goes through `OrderTracker`, as in the bot; the truth to compare it with is read by REST.
"""

from collections.abc import Iterator

import pytest

from core.domain.instrument import Side
from core.domain.order import Leg, Order, OrderKind, OrderStatus
from core.exchange.port import ExchangePort, Push, StreamPort
from core.monitor.order_tracker import OrderTracker
from tests.contract.bench import SYMBOL, Bench, StreamTrouble
from tests.contract.conftest import ONE_OF_EACH
from tests.contract.orders import (
    ENTRY,
    D,
    close,
    entry,
    found,
    found_protection,
    guard_of,
    guards,
    only_where,
    protect,
)
from tests.eventually import eventually

pytestmark = ONE_OF_EACH


class Listener:
    """A listener as the bot has one: keeps what pushes carried, and how often each channel rang."""

    def __init__(self, stream: StreamPort) -> None:
        self.stream, self.tracker = stream, OrderTracker()
        self.pushes: list[Push] = []
        stream.start(self._hear)

    def _hear(self, push: Push) -> None:
        self.tracker.note(push.orders)
        if push.ticker is not None:
            self.tracker.note_ticker(push.ticker)
        self.pushes.append(push)

    def rang(self, channel: str) -> int:
        return sum(push.channel == channel for push in self.pushes)

    @property
    def words(self) -> list[str]:
        return [push.words for push in self.pushes if push.channel == "connection"]

    def ended(self, name: str) -> bool:
        order = self.tracker.order(name)
        return order is not None and order.status.ended


def agree(pushed: Order | None, looked_up: Order) -> bool:
    """A push is what a look finds; only when an order was made need it not have told."""
    assert pushed is not None
    return pushed.but(created_at=pushed.created_at or looked_up.created_at) == looked_up


@pytest.fixture
def listener(bench: Bench) -> Iterator[Listener]:
    """Listening, with every line up."""
    listener = Listener(bench.open_stream())
    eventually(lambda: listener.words == ["connected"])
    yield listener
    listener.stream.stop()


# -- what rings ------------------------------------------------------------------------------------------------------


def test_a_stream_that_has_come_up_says_so(listener: Listener) -> None:
    assert listener.stream.connected
    assert listener.stream.last_heard is not None


def test_an_entry_rings_for_the_order_the_position_and_the_money(port: ExchangePort, listener: Listener) -> None:
    port.place(entry())
    eventually(lambda: listener.ended(ENTRY))
    eventually(lambda: listener.rang("positions"))
    eventually(lambda: listener.rang("account"))
    assert all(push.symbol == SYMBOL for push in listener.pushes if push.channel in ("orders", "positions"))


def test_what_a_push_carries_is_what_a_look_finds(port: ExchangePort, listener: Listener) -> None:
    port.place(entry())
    eventually(lambda: listener.ended(ENTRY))
    assert agree(listener.tracker.order(ENTRY), found(port))


def test_a_resting_order_and_its_fill_are_pushed(bench: Bench, port: ExchangePort, listener: Listener) -> None:
    port.place(entry(at=99_000))
    eventually(lambda: listener.tracker.order(ENTRY))
    assert agree(listener.tracker.order(ENTRY), found(port, kind=OrderKind.LIMIT))
    bench.price(D(98_900))
    eventually(lambda: listener.ended(ENTRY))
    assert agree(listener.tracker.order(ENTRY), found(port, kind=OrderKind.LIMIT))


def test_protection_is_pushed_when_it_rests_and_when_it_is_cancelled(
    bench: Bench, port: ExchangePort, listener: Listener
) -> None:
    port.place(entry())
    orders = protect(port)
    for order in orders:
        eventually(lambda: listener.tracker.order(order.client_order_id))  # noqa: B023 - looked at within the turn
        assert agree(listener.tracker.order(order.client_order_id), order)
        bench.cancel_by_hand(order.client_order_id)
        eventually(lambda: listener.ended(order.client_order_id))  # noqa: B023
        assert listener.tracker.order(order.client_order_id).status is OrderStatus.CANCELED


def test_a_native_oco_is_pushed_when_it_dies_with_the_position(port: ExchangePort, listener: Listener) -> None:
    only_where(port, native_oco=True)
    port.place(entry())
    (order,) = protect(port)
    port.place(close())
    eventually(lambda: listener.ended(order.client_order_id))
    assert listener.tracker.order(order.client_order_id).status is OrderStatus.CANCELED


def test_a_stop_that_fires_rings_and_never_claims_more_than_it_knows(
    bench: Bench, port: ExchangePort, listener: Listener
) -> None:
    port.place(entry())
    protect(port)
    stop = guard_of(port, Leg.STOP_LOSS)
    eventually(lambda: listener.tracker.order(stop))
    rings = listener.rang("orders")
    bench.price(D(94_900))
    eventually(lambda: listener.tracker.order(stop).triggered_leg)
    eventually(lambda: listener.rang("orders") > rings)
    pushed = listener.tracker.order(stop)
    assert pushed.triggered_leg is Leg.STOP_LOSS
    assert pushed.filled <= found_protection(port, stop).filled


def test_an_order_set_off_by_a_stop_is_not_told_as_an_order_of_its_own(
    bench: Bench, port: ExchangePort, listener: Listener
) -> None:
    port.place(entry())
    protect(port)
    bench.price(D(94_900))
    eventually(lambda: listener.rang("positions"))
    eventually(lambda: listener.tracker.order(guard_of(port, Leg.STOP_LOSS)).triggered_leg)
    told = [order for push in listener.pushes for order in push.orders]
    assert {order.client_order_id for order in told} == {ENTRY, *guards(port)}
    assert all(order.kind.rests_on_trigger for order in told if order.client_order_id != ENTRY)


def test_where_a_push_can_tell_how_a_stop_ended_it_tells_the_whole(
    bench: Bench, port: ExchangePort, listener: Listener
) -> None:
    only_where(port, native_oco=False)
    port.place(entry())
    protect(port)
    stop = guard_of(port, Leg.STOP_LOSS)
    bench.price(D(94_900))
    eventually(lambda: listener.ended(stop))
    assert agree(listener.tracker.order(stop), found_protection(port, stop))


def test_a_close_by_hand_rings(bench: Bench, port: ExchangePort, listener: Listener) -> None:
    port.place(entry())
    eventually(lambda: listener.rang("positions"))
    rings = listener.rang("positions")
    bench.close_by_hand(Side.LONG)
    eventually(lambda: listener.rang("positions") > rings)


def test_prices_of_watched_contracts(bench: Bench, listener: Listener) -> None:
    listener.stream.watch(frozenset({SYMBOL}))
    bench.price(D(100_500))
    eventually(lambda: listener.tracker.ticker(SYMBOL))
    bench.price(D(101_000), mark=D(101_050))

    def newest() -> bool:
        ticker = listener.tracker.ticker(SYMBOL)
        return ticker is not None and (ticker.last, ticker.mark) == (D(101_000), D(101_050))

    eventually(newest)
    assert listener.tracker.ticker(SYMBOL).bid < listener.tracker.ticker(SYMBOL).ask


def test_prices_nobody_watches_do_not_ring(bench: Bench, listener: Listener) -> None:
    listener.stream.watch(frozenset({"ETH-USDT-PERP"}))
    eventually(lambda: listener.tracker.ticker("ETH-USDT-PERP"))
    bench.price(D(101_000))
    assert listener.tracker.ticker(SYMBOL) is None


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [StreamTrouble.CUT, StreamTrouble.UPGRADE])
def test_a_stream_that_was_cut_comes_back_and_asks_for_a_new_look(
    bench: Bench, port: ExchangePort, listener: Listener, trouble: StreamTrouble
) -> None:
    bench.stream_trouble(trouble)
    port.place(entry())
    eventually(lambda: "reconnected" in listener.words)
    assert listener.stream.connected
    assert found(port).status is OrderStatus.FILLED  # what was missed meanwhile is there to be read
    port.place(close())
    eventually(lambda: listener.tracker.order("op00a7k203C01"))


def test_an_exchange_that_was_away_is_heard_again(bench: Bench, port: ExchangePort, listener: Listener) -> None:
    port.place(entry())
    with bench.away():
        eventually(lambda: not listener.stream.connected)
        eventually(lambda: any(words.startswith("lost") for words in listener.words))
    eventually(lambda: listener.stream.connected and listener.words[-1] == "reconnected", seconds=10)
    port.place(close())
    eventually(lambda: listener.ended("op00a7k203C01"))


@pytest.mark.parametrize("trouble", [StreamTrouble.DOUBLED, StreamTrouble.OUT_OF_ORDER])
def test_doubled_and_reordered_pushes_lead_to_the_same_picture(
    bench: Bench, port: ExchangePort, listener: Listener, trouble: StreamTrouble
) -> None:
    bench.stream_trouble(trouble, times=1)
    port.place(entry())
    bench.calm()
    eventually(lambda: listener.ended(ENTRY))
    port.place(close())
    eventually(lambda: listener.ended("op00a7k203C01"))
    assert agree(listener.tracker.order(ENTRY), found(port))
    if trouble is StreamTrouble.OUT_OF_ORDER:
        states = [order.status for push in listener.pushes for order in push.orders if order.client_order_id == ENTRY]
        assert states == [OrderStatus.FILLED, OrderStatus.WORKING]


def test_a_push_that_never_comes_is_no_reason_to_believe_anything(
    bench: Bench, port: ExchangePort, listener: Listener
) -> None:
    bench.stream_trouble(StreamTrouble.WITHHELD, times=100)
    port.place(entry())
    eventually(lambda: listener.rang("positions"))
    assert listener.tracker.order(ENTRY) is None
    assert found(port).status is OrderStatus.FILLED


def test_a_wrong_secret_is_told_and_shown_to_nobody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    listener = Listener(bench.stranger(secret="not-the-secret-of-this-key"))
    eventually(lambda: listener.words)
    assert not listener.stream.connected
    assert "login refused" in listener.words[0]
    assert "not-the-secret-of-this-key" not in f"{listener.words} {caplog.text}"


def test_a_stopped_stream_is_silent(port: ExchangePort, listener: Listener) -> None:
    listener.stream.stop()
    heard = len(listener.pushes)
    port.place(entry())
    assert found(port).status is OrderStatus.FILLED
    assert len(listener.pushes) == heard
    assert not listener.stream.connected
