"""What an adapter says when the exchange is silent, slow, busy or away: never "nothing" and never a guess.

A read is tried again and then raises Unavailable. A write that may have been carried out raises OutcomeUnknown,
is not sent twice, and `find` tells the truth afterwards.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.action import AmendOrder, CancelOrder
from core.domain.errors import OutcomeUnknown, PerpdeckError, Refused, Unavailable
from core.domain.order import Leg, OrderKind, OrderStatus
from core.exchange.port import ExchangePort
from tests.contract.bench import SYMBOL, Act, Bench, Trouble
from tests.contract.conftest import ONE_OF_EACH
from tests.contract.orders import (
    ENTRY,
    PART,
    D,
    entry,
    found,
    found_protection,
    guard_of,
    guards,
    leg,
    lots,
    only_position,
    only_where,
    price,
    protect,
    working,
)

pytestmark = ONE_OF_EACH

LONG_AGO = datetime(2025, 12, 31, tzinfo=UTC)
Deed = Callable[[ExchangePort], Any]
READS: dict[Act, Deed] = {
    Act.POSITIONS: lambda port: port.positions(),
    Act.WORKING_ORDERS: lambda port: port.working_orders(),
    Act.WORKING_OCOS: lambda port: port.working_orders(),
    Act.FIND: lambda port: port.find(ENTRY, SYMBOL, OrderKind.MARKET),
    Act.FIND_OCO: lambda port: found_protection(port, guard_of(port, Leg.STOP_LOSS)),
    Act.FILLS: lambda port: port.fills(LONG_AGO),
    Act.FUNDING: lambda port: port.funding(LONG_AGO),
    Act.CLOSED_POSITIONS: lambda port: port.closed_positions(LONG_AGO),
    Act.ACCOUNT: lambda port: port.account_state(),
    Act.LEVERAGE: lambda port: port.leverage(SYMBOL),
    Act.INSTRUMENTS: lambda port: port.instruments(),
    Act.TICKER: lambda port: port.ticker(SYMBOL),
    Act.CANDLES: lambda port: port.candles(SYMBOL, "1m", 10),
    Act.SERVER_TIME: lambda port: port.server_time(),
    Act.MAINTENANCE: lambda port: port.under_maintenance(),
}
NEVER_DONE = (Trouble.LOST_ON_THE_WAY, Trouble.RESET, Trouble.ERROR_PAGE, Trouble.BUSY, Trouble.TIMED_OUT)
DONE_IN_SILENCE = (Trouble.ANSWER_LOST, Trouble.BUSY_BUT_DONE, Trouble.TIMED_OUT_BUT_DONE)
OPEN_ENDED = (Trouble.ANSWER_LOST, *NEVER_DONE)


@pytest.fixture
def held(port: ExchangePort) -> None:
    """A guarded position, so that every read has something to tell."""
    port.place(entry())
    protect(port)


@pytest.fixture
def stop(port: ExchangePort, held: Any) -> Any:
    """The order that holds the stop-loss of it."""
    return lambda: found_protection(port, guard_of(port, Leg.STOP_LOSS))


# -- reads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", READS)
def test_a_failed_read_is_tried_again_and_then_raises_and_is_never_an_empty_answer(
    bench: Bench, port: ExchangePort, held: Any, act: Act
) -> None:
    for trouble in OPEN_ENDED:
        bench.grow_old()
        bench.trouble(act, trouble, times=None)
        asked = bench.requests()[act]
        with pytest.raises(Unavailable) as silence:
            READS[act](port)
        assert str(silence.value), trouble
        assert 2 <= bench.requests()[act] - asked <= 4, trouble


@pytest.mark.parametrize("act", READS)
def test_a_read_refused_for_haste_raises_and_is_not_hammered(
    bench: Bench, port: ExchangePort, held: Any, act: Act
) -> None:
    bench.grow_old()
    bench.trouble(act, Trouble.TOO_FAST, times=None)
    asked = bench.requests()[act]
    with pytest.raises(Unavailable):
        READS[act](port)
    assert 1 <= bench.requests()[act] - asked <= 4


@pytest.mark.parametrize("act", [Act.POSITIONS, Act.WORKING_OCOS, Act.FIND_OCO, Act.FILLS])
def test_a_read_that_fails_once_is_asked_again(bench: Bench, port: ExchangePort, held: Any, act: Act) -> None:
    expected = READS[act](port)
    asked = bench.requests()[act]
    READS[act](port)
    usual = bench.requests()[act] - asked
    for trouble in OPEN_ENDED:
        asked = bench.requests()[act]
        bench.trouble(act, trouble, times=1)
        assert READS[act](port) == expected, trouble
        assert 1 <= bench.requests()[act] - asked - usual <= 2, trouble  # two where this machine was slow as well


def test_nothing_is_known_of_an_exchange_that_is_away_and_all_of_it_when_it_is_back(
    bench: Bench, port: ExchangePort, held: Any
) -> None:
    with bench.away():
        bench.grow_old()
        for read in READS.values():
            with pytest.raises(Unavailable):
                read(port)
    assert only_position(port).contracts == lots(2)
    assert working(port) == guards(port)


# -- placing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", DONE_IN_SILENCE)
def test_an_entry_whose_answer_is_lost_is_unknown_and_find_says_that_it_stands(
    bench: Bench, port: ExchangePort, trouble: Trouble
) -> None:
    bench.trouble(Act.PLACE, trouble)
    with pytest.raises(OutcomeUnknown):
        port.place(entry())
    assert found(port).status is OrderStatus.FILLED
    assert bench.orders_placed(ENTRY) == bench.requests()[Act.PLACE] == 1


@pytest.mark.parametrize("trouble", NEVER_DONE)
def test_an_entry_that_never_arrived_is_unknown_too_and_find_says_that_it_does_not_stand(
    bench: Bench, port: ExchangePort, trouble: Trouble
) -> None:
    bench.trouble(Act.PLACE, trouble)
    with pytest.raises(OutcomeUnknown):
        port.place(entry())
    assert port.find(ENTRY, SYMBOL, OrderKind.MARKET) is None
    assert (bench.orders_placed(ENTRY), bench.requests()[Act.PLACE]) == (0, 1)


@pytest.mark.parametrize(("trouble", "stands"), [(Trouble.ANSWER_LOST, True), (Trouble.LOST_ON_THE_WAY, False)])
def test_a_stop_without_an_answer_is_unknown_and_find_tells(
    bench: Bench, port: ExchangePort, trouble: Trouble, stands: bool
) -> None:
    port.place(entry())
    bench.trouble(Act.PLACE_OCO, trouble)
    request = leg(Leg.STOP_LOSS, at=95_000)
    with pytest.raises(OutcomeUnknown):
        port.place_oco(request)
    assert (port.find(request.client_order_id, SYMBOL, OrderKind.CONDITIONAL) is not None) is stands
    assert bench.requests()[Act.PLACE_OCO] == 1


def test_a_request_that_arrives_after_its_lifetime_is_dropped(bench: Bench, port: ExchangePort) -> None:
    bench.trouble(Act.PLACE, Trouble.ARRIVES_LATE)
    with pytest.raises(OutcomeUnknown):
        port.place(entry())
    bench.advance(120)
    assert port.find(ENTRY, SYMBOL, OrderKind.MARKET) is None
    assert port.positions() == []


def test_a_request_past_its_deadline_is_refused_and_may_be_sent_again(bench: Bench, port: ExchangePort) -> None:
    port.server_time()
    with pytest.raises(Refused) as refusal:
        port.place(entry(), deadline=datetime.now(UTC) - timedelta(seconds=1))
    assert refusal.value.transient
    assert bench.orders_placed(ENTRY) == 0
    port.place(entry(), deadline=datetime.now(UTC) + timedelta(seconds=5))
    assert only_position(port).contracts == lots(2)


def test_refused_for_haste_is_a_refusal_that_passes(bench: Bench, port: ExchangePort) -> None:
    bench.trouble(Act.PLACE, Trouble.TOO_FAST)
    with pytest.raises(Refused) as refusal:
        port.place(entry())
    assert refusal.value.transient
    assert bench.orders_placed(ENTRY) == 0


def test_where_no_connection_opens_nothing_was_sent(bench: Bench, port: ExchangePort) -> None:
    port.place(entry())
    order = found(port)
    writes: tuple[Deed, ...] = (
        lambda port: port.place(entry(client_order_id="op00a7k203E02")),
        lambda port: port.place_oco(leg(Leg.STOP_LOSS, at=95_000)),
        lambda port: port.cancel(CancelOrder(PART, order)),
        lambda port: port.amend(AmendOrder(PART, order, price=price(1))),
        lambda port: port.set_leverage(SYMBOL, D(7)),
    )
    with bench.away():
        for write in writes:
            with pytest.raises(Refused) as refusal:
                write(port)
            assert refusal.value.transient
    assert only_position(port).contracts == lots(2)
    assert port.working_orders() == []


# -- changing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", OPEN_ENDED)
def test_a_cancel_without_an_answer_is_unknown(bench: Bench, port: ExchangePort, trouble: Trouble) -> None:
    port.place(entry(at=99_000))
    order = found(port, kind=OrderKind.LIMIT)
    bench.trouble(Act.CANCEL, trouble)
    with pytest.raises(OutcomeUnknown):
        port.cancel(CancelOrder(PART, order))
    gone = trouble is Trouble.ANSWER_LOST
    assert found(port, kind=OrderKind.LIMIT).status is (OrderStatus.CANCELED if gone else OrderStatus.WORKING)
    port.cancel(CancelOrder(PART, order))
    assert found(port, kind=OrderKind.LIMIT).status is OrderStatus.CANCELED


@pytest.mark.parametrize("trouble", OPEN_ENDED)
def test_a_cancel_of_protection_without_an_answer_is_unknown(
    bench: Bench, port: ExchangePort, stop: Any, trouble: Trouble
) -> None:
    order = stop()
    bench.trouble(Act.CANCEL_OCO, trouble)
    with pytest.raises(OutcomeUnknown):
        port.cancel(CancelOrder(PART, order))
    gone = trouble is Trouble.ANSWER_LOST
    assert stop().status is (OrderStatus.CANCELED if gone else OrderStatus.WORKING)


@pytest.mark.parametrize("trouble", OPEN_ENDED)
def test_an_amend_of_a_trigger_without_an_answer_is_unknown(
    bench: Bench, port: ExchangePort, stop: Any, trouble: Trouble
) -> None:
    only_where(port, can_amend_triggers=True)
    order = stop()
    bench.trouble(Act.AMEND_OCO, trouble)
    with pytest.raises(OutcomeUnknown):
        port.amend(AmendOrder(PART, order, sl_trigger=price(96_000)))
    assert stop().sl_trigger == (D(96_000) if trouble is Trouble.ANSWER_LOST else D(95_000))


@pytest.mark.parametrize("trouble", OPEN_ENDED)
def test_an_amend_of_an_ordinary_order_without_an_answer_is_unknown(
    bench: Bench, port: ExchangePort, trouble: Trouble
) -> None:
    port.place(entry(at=99_000))
    order = found(port, kind=OrderKind.LIMIT)
    bench.trouble(Act.AMEND, trouble)
    with pytest.raises(OutcomeUnknown):
        port.amend(AmendOrder(PART, order, price=price(98_000)))
    assert found(port, kind=OrderKind.LIMIT).price == (D(98_000) if trouble is Trouble.ANSWER_LOST else D(99_000))


def test_leverage_without_an_answer_is_unknown_and_the_next_try_looks_first(bench: Bench, port: ExchangePort) -> None:
    bench.trouble(Act.SET_LEVERAGE, Trouble.ANSWER_LOST)
    with pytest.raises(OutcomeUnknown):
        port.set_leverage(SYMBOL, D(7))
    port.set_leverage(SYMBOL, D(7))
    assert port.leverage(SYMBOL) == D(7)
    assert bench.requests()[Act.SET_LEVERAGE] == 1


def test_leverage_that_cannot_be_read_is_not_set(bench: Bench, port: ExchangePort) -> None:
    bench.trouble(Act.LEVERAGE, Trouble.ERROR_PAGE, times=None)
    with pytest.raises(Refused) as refusal:
        port.set_leverage(SYMBOL, D(7))
    assert refusal.value.transient
    assert bench.requests()[Act.SET_LEVERAGE] == 0


# -- errors speak, and keep secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [*OPEN_ENDED, Trouble.TOO_FAST])
def test_an_error_names_what_was_tried_and_no_secret(
    bench: Bench, port: ExchangePort, trouble: Trouble, secrets: tuple[str, ...]
) -> None:
    bench.trouble(Act.PLACE, trouble)
    with pytest.raises(PerpdeckError) as error:
        port.place(entry())
    said = error.value
    told = f"{said} {said!r} {said.exchange_words} {said.__cause__!r} {said.__context__!r}"
    assert ENTRY in told
    assert not any(secret in told for secret in secrets)
