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
from db.store import Store
from tests.db.values import ACCOUNT, BTC, LONG, NOON, contracts, draft, entry, order, price

LATER = NOON + timedelta(seconds=40)


@pytest.fixture
def part(store: Store) -> str:
    intent, _ = store.open_part(draft(), "click")
    return intent.part


@pytest.fixture
def epoch(store: Store) -> int:
    taken = store.acquire_lease(ACCOUNT, "here", 60)
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
    assert store.record_command(ACCOUNT, LONG, sent, epoch, NOON)
    (command,) = store.commands(ACCOUNT)
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
    store.record_command(ACCOUNT, LONG, oco(part), epoch, NOON)
    stop = replace(oco(part), client_order_id=f"op{part}01P02", tp_trigger=None)
    store.record_command(ACCOUNT, LONG, stop, epoch, LATER)
    assert [command.kind for command in store.commands(ACCOUNT)] == [OrderKind.OCO, OrderKind.CONDITIONAL]


@pytest.mark.parametrize("outcome", [None, OutcomeKind.DONE, OutcomeKind.UNKNOWN, OutcomeKind.REFUSED])
def test_what_may_have_arrived_is_not_sent_again(
    store: Store, part: str, epoch: int, outcome: OutcomeKind | None
) -> None:
    store.record_command(ACCOUNT, LONG, entry(part), epoch, NOON)
    if outcome is not None:
        store.settle_command(entry(part).client_order_id, outcome, now=NOON)
    with pytest.raises(Refused, match="has been sent before"):
        store.record_command(ACCOUNT, LONG, entry(part), epoch, LATER)
    assert [command.recorded_at for command in store.commands(ACCOUNT)] == [NOON]


def test_what_never_arrived_may_be_sent_again_with_the_same_meaning_only(store: Store, part: str, epoch: int) -> None:
    store.record_command(ACCOUNT, LONG, entry(part), epoch, NOON)
    store.settle_command(entry(part).client_order_id, OutcomeKind.LOST, words="it never arrived", now=NOON)
    for other in ({"quantity": contracts("1.98")}, {"side": OrderSide.SELL}, {"kind": OrderKind.LIMIT}):
        with pytest.raises(Refused, match="has been sent before"):
            store.record_command(ACCOUNT, LONG, entry(part, **other), epoch, LATER)
    assert store.record_command(ACCOUNT, LONG, entry(part), epoch, LATER) is False
    (command,) = store.commands(ACCOUNT)
    assert (command.outcome, command.words, command.recorded_at) == (None, "", LATER)


def test_one_command_at_the_same_moment_is_sent_by_one(store: Store, part: str, epoch: int) -> None:
    said: list[str] = []
    ready = Barrier(4)

    def send() -> None:
        ready.wait(5)
        try:
            store.record_command(ACCOUNT, LONG, entry(part), epoch, NOON)
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
        store.record_command(ACCOUNT, LONG, entry(part), 1, NOON)
    first = store.acquire_lease(ACCOUNT, "here", 60)
    second = store.acquire_lease(ACCOUNT, "here", 60)
    assert (first, second) == (1, 2)
    with pytest.raises(Refused, match="lease lost"):
        store.record_command(ACCOUNT, LONG, entry(part), 1, NOON)
    store.release_lease(ACCOUNT, "here", 2)
    with pytest.raises(Refused, match="lease lost"):
        store.record_command(ACCOUNT, LONG, entry(part), 2, NOON)
    assert store.commands(ACCOUNT) == []


def test_done_stays_done(store: Store, part: str, epoch: int) -> None:
    store.record_command(ACCOUNT, LONG, entry(part), epoch, NOON)
    name = entry(part).client_order_id
    store.settle_command(name, OutcomeKind.UNKNOWN, "50001", "no answer", now=NOON)
    assert [(c.outcome, c.code, c.words) for c in store.commands(ACCOUNT)] == [
        (OutcomeKind.UNKNOWN, "50001", "no answer")
    ]
    store.settle_command(name, OutcomeKind.DONE, now=NOON)
    store.settle_command(name, OutcomeKind.LOST, now=LATER)
    assert [command.outcome for command in store.commands(ACCOUNT)] == [OutcomeKind.DONE]


def test_commands_of_ended_cycles_are_left_out_unless_they_have_no_outcome(store: Store, part: str, epoch: int) -> None:
    store.start_cycle(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    for number, outcome in ((1, OutcomeKind.DONE), (2, OutcomeKind.UNKNOWN)):
        store.record_command(ACCOUNT, LONG, entry(part, number), epoch, NOON)
        store.settle_command(entry(part, number).client_order_id, outcome, now=NOON)
    assert len(store.commands(ACCOUNT)) == 2
    zero = Decimal(0)
    over = EndCycle(part, 1, ExitReason.STOP_LOSS, "", zero, zero, contracts("0.99"), None, None)
    store.end_cycle(ACCOUNT, over, zero, "", LATER)
    assert [command.client_order_id for command in store.commands(ACCOUNT)] == [entry(part, 2).client_order_id]


def test_recovery_steps_are_counted_on_the_part(store: Store, part: str, epoch: int) -> None:
    store.start_cycle(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    for number in (1, 2):
        step = entry(part, client_order_id=f"op{part}01R{number:02}", purpose=Purpose.RECOVERY)
        store.record_command(ACCOUNT, LONG, step, epoch, NOON)
        store.settle_command(step.client_order_id, OutcomeKind.DONE, now=LATER)
        store.settle_command(step.client_order_id, OutcomeKind.DONE, now=LATER)
    with store.one_statement() as connection:
        row = connection.exec_driver_sql("SELECT recovery_count, last_recovery_at FROM positions").one()
    assert tuple(row) == (2, LATER)


def test_pieces_of_one_recovery_step_count_once(store: Store, part: str, epoch: int) -> None:
    store.start_cycle(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    for number in ("01", "200001", "200002", "300001"):
        step = entry(part, client_order_id=f"op{part}01R{number}", purpose=Purpose.RECOVERY)
        store.record_command(ACCOUNT, LONG, step, epoch, NOON)
        store.settle_command(step.client_order_id, OutcomeKind.DONE, now=LATER)
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
    store.save_orders(ACCOUNT, [whole])
    assert store.orders(ACCOUNT) == [whole]


def test_foreign_orders_are_not_kept(store: Store) -> None:
    store.save_orders(ACCOUNT, [order(None)])
    store.save_orders(ACCOUNT, [])
    assert store.orders(ACCOUNT) == []


@pytest.mark.parametrize("ended", [status for status in OrderStatus if status.ended])
def test_an_ended_order_never_lives_again(store: Store, part: str, ended: OrderStatus) -> None:
    over = order(part, status=ended, updated_at=LATER)
    store.save_orders(ACCOUNT, [over])
    store.save_orders(ACCOUNT, [order(part, filled=contracts("0.99"))])
    assert store.orders(ACCOUNT) == [over]


def test_an_order_that_was_only_given_up_may_be_shown_after_all(store: Store, part: str) -> None:
    store.save_orders(ACCOUNT, [order(part, status=OrderStatus.CANCELED, failure=GIVEN_UP)])
    alive = order(part, updated_at=LATER)
    store.save_orders(ACCOUNT, [alive])
    assert store.orders(ACCOUNT) == [alive]
    over = order(part, status=OrderStatus.CANCELED, updated_at=LATER)
    store.save_orders(ACCOUNT, [over])
    store.save_orders(ACCOUNT, [alive])
    assert store.orders(ACCOUNT) == [over]


def test_what_was_filled_never_shrinks(store: Store, part: str) -> None:
    further = order(part, filled=contracts("0.66"), average_price=price("100"), fee=Decimal("-0.2"))
    store.save_orders(ACCOUNT, [further])
    store.save_orders(ACCOUNT, [order(part, filled=contracts("0.33"), status=OrderStatus.CANCELED)])
    assert store.orders(ACCOUNT) == [further]
    done = further.but(status=OrderStatus.CANCELED, failure="by the exchange")
    store.save_orders(ACCOUNT, [done])
    assert store.orders(ACCOUNT) == [done]


def test_a_message_that_leaves_things_out_takes_nothing_away(store: Store, part: str) -> None:
    known = order(part, child_order_ids=("c1",), triggered_leg=Leg.TAKE_PROFIT, trigger_by=TriggerBy.LAST)
    store.save_orders(ACCOUNT, [known])
    bare = known.but(exchange_order_id="", child_order_ids=(), triggered_leg=None, trigger_by=None, created_at=None)
    store.save_orders(ACCOUNT, [bare])
    assert store.orders(ACCOUNT) == [known]


def test_orders_of_older_cycles_are_left_out_unless_they_rest(store: Store, part: str) -> None:
    store.start_cycle(StartCycle(part, 1, contracts("0.99"), price("100")), NOON)
    zero = Decimal(0)
    over = EndCycle(part, 1, ExitReason.STOP_LOSS, "", zero, zero, contracts("0.99"), None, None)
    store.end_cycle(ACCOUNT, over, zero, "", LATER)
    store.start_cycle(StartCycle(part, 2, contracts("0.99"), price("100")), LATER)
    resting, filled, now = order(part, 1), order(part, 2, status=OrderStatus.FILLED), order(part, 1, cycle=2)
    store.save_orders(ACCOUNT, [resting, filled, now])
    assert store.orders(ACCOUNT) == [resting, now]
