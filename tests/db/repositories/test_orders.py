"""What is sent once stays sent once, only under a lease that holds; what is known of an order only goes forward."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest

from core.domain.action import Attached, EndCycle, OutcomeKind, PlaceOco, StartCycle
from core.domain.errors import Refused
from core.domain.instrument import OrderSide, Side, TriggerBy
from core.domain.intent import ExitReason
from core.domain.order import GIVEN_UP, Leg, OrderKind, OrderStatus, Purpose
from core.domain.reason import text
from db.store import Store
from tests.db.values import ACCOUNT, BTC, LONG, NOON, contracts, draft, entry, order, price

LATER = NOON + timedelta(seconds=40)


@pytest.fixture
def part(store: Store) -> str:
    intent, _ = store.parts.open(draft(), "click")
    return intent.part


@pytest.fixture
def epoch(store: Store) -> int:
    taken = store.leases.acquire(ACCOUNT, "here", 60)
    assert taken is not None
    return taken


def oco(part: str) -> PlaceOco:
    return PlaceOco(
        part=part,
        cycle=1,
        client_order_id=f"op{part}01P01",
        symbol=BTC,
        position_side=Side.LONG,
        side=OrderSide.SELL,
        quantity=contracts("0.99"),
        tp_trigger=price("105300.7"),
        sl_trigger=price("95000.1"),
        trigger_by=TriggerBy.MARK,
    )


def test_a_command_stands_in_the_book_before_it_is_sent(store: Store, part: str, epoch: int) -> None:
    net = Attached(f"op{part}01N01", price("105300.7"), None, TriggerBy.MARK)
    sent = entry(part, price=price("100250.10"), leverage=Decimal("3.5"), attached=net)
    assert store.orders.record(ACCOUNT, LONG, sent, epoch, NOON)
    (command,) = store.orders.commands(ACCOUNT)
    assert command.client_order_id == sent.client_order_id
    assert (command.key_text, command.part, command.cycle) == (str(LONG), part, 1)
    assert (command.purpose, command.side, command.kind) == (Purpose.ENTRY, OrderSide.BUY, OrderKind.MARKET)
    assert (command.quantity, command.recorded_at, command.outcome) == (contracts("0.99"), NOON, None)
    assert command.unresolved
    with store.one_statement() as connection:
        request = connection.exec_driver_sql("SELECT request FROM commands").scalar_one()
    assert request["price"] == Decimal("100250.10")
    assert request["attached"]["tp_trigger"] == Decimal("105300.7")


def test_an_oco_is_a_command_of_its_kind(store: Store, part: str, epoch: int) -> None:
    store.orders.record(ACCOUNT, LONG, oco(part), epoch, NOON)
    stop = replace(oco(part), client_order_id=f"op{part}01P02", tp_trigger=None)
    store.orders.record(ACCOUNT, LONG, stop, epoch, LATER)
    assert [command.kind for command in store.orders.commands(ACCOUNT)] == [OrderKind.OCO, OrderKind.CONDITIONAL]


@pytest.mark.parametrize("outcome", [None, OutcomeKind.DONE, OutcomeKind.UNKNOWN, OutcomeKind.REFUSED])
def test_what_may_have_arrived_is_not_sent_again(
    store: Store, part: str, epoch: int, outcome: OutcomeKind | None
) -> None:
    store.orders.record(ACCOUNT, LONG, entry(part), epoch, NOON)
    if outcome is not None:
        store.orders.settle(entry(part).client_order_id, outcome, now=NOON)
    with pytest.raises(Refused, match="has been sent before"):
        store.orders.record(ACCOUNT, LONG, entry(part), epoch, LATER)
    assert [command.recorded_at for command in store.orders.commands(ACCOUNT)] == [NOON]


def test_what_never_arrived_may_be_sent_again_with_the_same_meaning_only(store: Store, part: str, epoch: int) -> None:
    store.orders.record(ACCOUNT, LONG, entry(part), epoch, NOON)
    store.orders.settle(entry(part).client_order_id, OutcomeKind.LOST, words="it never arrived", now=NOON)
    for other in ({"quantity": contracts("1.98")}, {"side": OrderSide.SELL}, {"kind": OrderKind.LIMIT}):
        with pytest.raises(Refused, match="has been sent before"):
            store.orders.record(ACCOUNT, LONG, entry(part, **other), epoch, LATER)
    assert store.orders.record(ACCOUNT, LONG, entry(part), epoch, LATER) is False
    (command,) = store.orders.commands(ACCOUNT)
    assert (command.outcome, command.words, command.recorded_at) == (None, "", LATER)


def test_one_command_at_the_same_moment_is_sent_by_one(store: Store, part: str, epoch: int) -> None:
    said: list[str] = []
    ready = Barrier(4)

    def send() -> None:
        ready.wait(5)
        try:
            store.orders.record(ACCOUNT, LONG, entry(part), epoch, NOON)
            said.append("sent")
        except Refused:
            said.append("refused")

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(said) == ["refused", "refused", "refused", "sent"]


def test_nothing_is_sent_without_a_lease_or_under_an_old_one(store: Store, part: str) -> None:
    with pytest.raises(Refused, match="lease lost"):
        store.orders.record(ACCOUNT, LONG, entry(part), 1, NOON)
    first = store.leases.acquire(ACCOUNT, "here", 60)
    second = store.leases.acquire(ACCOUNT, "here", 60)
    assert (first, second) == (1, 2)
    with pytest.raises(Refused, match="lease lost"):
        store.orders.record(ACCOUNT, LONG, entry(part), 1, NOON)
    store.leases.release(ACCOUNT, "here", 2)
    with pytest.raises(Refused, match="lease lost"):
        store.orders.record(ACCOUNT, LONG, entry(part), 2, NOON)
    assert store.orders.commands(ACCOUNT) == []


def test_done_stays_done(store: Store, part: str, epoch: int) -> None:
    store.orders.record(ACCOUNT, LONG, entry(part), epoch, NOON)
    name = entry(part).client_order_id
    store.orders.settle(name, OutcomeKind.UNKNOWN, "50001", "no answer", now=NOON)
    assert [(c.outcome, c.code, c.words) for c in store.orders.commands(ACCOUNT)] == [
        (OutcomeKind.UNKNOWN, "50001", "no answer")
    ]
    store.orders.settle(name, OutcomeKind.DONE, now=NOON)
    store.orders.settle(name, OutcomeKind.LOST, now=LATER)
    assert [command.outcome for command in store.orders.commands(ACCOUNT)] == [OutcomeKind.DONE]


def test_commands_of_ended_cycles_are_left_out_unless_they_have_no_outcome(store: Store, part: str, epoch: int) -> None:
    store.cycles.start(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    for number, outcome in ((1, OutcomeKind.DONE), (2, OutcomeKind.UNKNOWN)):
        store.orders.record(ACCOUNT, LONG, entry(part, number), epoch, NOON)
        store.orders.settle(entry(part, number).client_order_id, outcome, now=NOON)
    assert len(store.orders.commands(ACCOUNT)) == 2
    zero = Decimal(0)
    over = EndCycle(part, 1, ExitReason.STOP_LOSS, text(""), zero, zero, contracts("0.99"), None, None)
    store.cycles.end(ACCOUNT, over, zero, "", LATER)
    assert [command.client_order_id for command in store.orders.commands(ACCOUNT)] == [entry(part, 2).client_order_id]


def test_recovery_steps_are_counted_on_the_part(store: Store, part: str, epoch: int) -> None:
    store.cycles.start(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    for number in (1, 2):
        step = entry(part, client_order_id=f"op{part}01R{number:02}", purpose=Purpose.RECOVERY)
        store.orders.record(ACCOUNT, LONG, step, epoch, NOON)
        store.orders.settle(step.client_order_id, OutcomeKind.DONE, now=LATER)
        store.orders.settle(step.client_order_id, OutcomeKind.DONE, now=LATER)
    with store.one_statement() as connection:
        row = connection.exec_driver_sql("SELECT recovery_count, last_recovery_at FROM positions").one()
    assert tuple(row) == (2, LATER)


def test_pieces_of_one_recovery_step_count_once(store: Store, part: str, epoch: int) -> None:
    store.cycles.start(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    for number in ("01", "200001", "200002", "300001"):
        step = entry(part, client_order_id=f"op{part}01R{number}", purpose=Purpose.RECOVERY)
        store.orders.record(ACCOUNT, LONG, step, epoch, NOON)
        store.orders.settle(step.client_order_id, OutcomeKind.DONE, now=LATER)
    with store.one_statement() as connection:
        assert connection.exec_driver_sql("SELECT recovery_count FROM positions").scalar_one() == 3


def test_an_order_comes_back_as_it_went_in(store: Store, part: str) -> None:
    whole = order(
        part,
        kind=OrderKind.OCO,
        purpose=Purpose.PROTECT,
        side=OrderSide.SELL,
        tp_trigger=price("105300.7"),
        sl_trigger=price("0.000000012345678901234567890123"),
        trigger_by=TriggerBy.MARK,
        reduce_only=True,
        dies_with_position=True,
        status=OrderStatus.FILLED,
        filled=contracts("0.99"),
        average_price=price("95000.12345678901234567890"),
        fee=Decimal("-0.4962379950000000000001"),
        triggered_leg=Leg.STOP_LOSS,
        child_order_ids=("c1", "c2"),
        failure="",
    )
    store.orders.save(ACCOUNT, [whole])
    assert store.orders.of_interest(ACCOUNT) == [whole]


def test_foreign_orders_are_not_kept(store: Store) -> None:
    store.orders.save(ACCOUNT, [order(None)])
    store.orders.save(ACCOUNT, [])
    assert store.orders.of_interest(ACCOUNT) == []


@pytest.mark.parametrize("ended", [status for status in OrderStatus if status.ended])
def test_an_ended_order_never_lives_again(store: Store, part: str, ended: OrderStatus) -> None:
    over = order(part, status=ended, updated_at=LATER)
    store.orders.save(ACCOUNT, [over])
    store.orders.save(ACCOUNT, [order(part, filled=contracts("0.99"))])
    assert store.orders.of_interest(ACCOUNT) == [over]


def test_an_order_that_was_only_given_up_may_be_shown_after_all(store: Store, part: str) -> None:
    store.orders.save(ACCOUNT, [order(part, status=OrderStatus.CANCELED, failure=GIVEN_UP)])
    alive = order(part, updated_at=LATER)
    store.orders.save(ACCOUNT, [alive])
    assert store.orders.of_interest(ACCOUNT) == [alive]
    over = order(part, status=OrderStatus.CANCELED, updated_at=LATER)
    store.orders.save(ACCOUNT, [over])
    store.orders.save(ACCOUNT, [alive])
    assert store.orders.of_interest(ACCOUNT) == [over]


def test_what_was_filled_never_shrinks(store: Store, part: str) -> None:
    further = order(part, filled=contracts("0.66"), average_price=price("100"), fee=Decimal("-0.2"))
    store.orders.save(ACCOUNT, [further])
    store.orders.save(ACCOUNT, [order(part, filled=contracts("0.33"), status=OrderStatus.CANCELED)])
    assert store.orders.of_interest(ACCOUNT) == [further]
    done = further.but(status=OrderStatus.CANCELED, failure="by the exchange")
    store.orders.save(ACCOUNT, [done])
    assert store.orders.of_interest(ACCOUNT) == [done]


def test_a_message_that_leaves_things_out_takes_nothing_away(store: Store, part: str) -> None:
    known = order(part, child_order_ids=("c1",), triggered_leg=Leg.TAKE_PROFIT, trigger_by=TriggerBy.LAST)
    store.orders.save(ACCOUNT, [known])
    bare = known.but(exchange_order_id="", child_order_ids=(), triggered_leg=None, trigger_by=None, created_at=None)
    store.orders.save(ACCOUNT, [bare])
    assert store.orders.of_interest(ACCOUNT) == [known]


def test_orders_of_older_cycles_are_left_out_unless_they_rest(store: Store, part: str) -> None:
    store.cycles.start(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    zero = Decimal(0)
    over = EndCycle(part, 1, ExitReason.STOP_LOSS, text(""), zero, zero, contracts("0.99"), None, None)
    store.cycles.end(ACCOUNT, over, zero, "", LATER)
    store.cycles.start(StartCycle(part, 2, contracts("0.99"), price("100")), LATER)
    resting, filled, now = order(part, 1), order(part, 2, status=OrderStatus.FILLED), order(part, 1, cycle=2)
    store.orders.save(ACCOUNT, [resting, filled, now])
    assert store.orders.of_interest(ACCOUNT) == [resting, now]
