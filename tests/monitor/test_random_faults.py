"""The exchange in bad weather: away, in maintenance, hasty; and prices that are too old to decide by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.domain.errors import Unavailable
from core.domain.intent import ExitReason
from core.domain.snapshot import AccountSnapshot
from core.monitor.guard import AccountGuard
from core.monitor.restart import report
from tests.eventually import eventually
from tests.monitor.invariants import agrees, nothing_left
from tests.stack import ACCOUNT, Stack

HELD = Decimal("0.99")
AWAY = {"kind": "reset", "match": {"path": "account/positions"}}


def snapshot(stack: Stack) -> AccountSnapshot:
    found = stack.store.snapshots.latest(ACCOUNT)
    assert found is not None
    return found


def trouble(stack: Stack) -> str:
    """What the snapshot says of the exchange; empty where it is well."""
    found = snapshot(stack).health.exchange_trouble
    return str(found) if found else ""


def passing(stack: Stack, so: Callable[[], object], words: str, each: float = 0.25) -> None:
    """Time goes on in small steps, with the worker at work, until it is so."""

    def after_a_moment() -> object:
        stack.clock.advance(each)
        stack.guard.lease.renew()
        stack.guard.wake()
        return so()

    eventually(after_a_moment, words=words, every=0.01)


@pytest.fixture
def worker(stack: Stack) -> Iterator[AccountGuard]:
    """The guard with its own thread at work."""
    yield stack.guard
    stack.guard.stop()


def test_an_exchange_that_is_away_leaves_the_old_snapshot_and_shows_the_trouble(
    stack: Stack, worker: AccountGuard
) -> None:
    part = stack.opened()
    before = snapshot(stack)
    stack.simulator.faults(AWAY)
    worker.start(lambda guard: None)
    passing(stack, lambda: worker.failures, "a failed pass")
    passing(stack, lambda: trouble(stack), "the trouble is shown")
    shown = snapshot(stack)
    assert (shown.as_of, shown.parts) == (before.as_of, before.parts)
    assert "positions" in trouble(stack)
    stack.simulator.faults()
    passing(stack, lambda: not trouble(stack), "it is back")
    assert snapshot(stack).as_of > before.as_of
    assert [one.protected for one in snapshot(stack).parts if one.name == part] == [True]


def test_a_bot_that_comes_up_while_the_exchange_is_away_keeps_the_snapshot_of_the_one_before(stack: Stack) -> None:
    stack.opened()
    before = snapshot(stack)
    stack.simulator.faults(AWAY)
    stack.step(30)
    stack.crash()
    stack.guard.start(report)
    try:
        passing(stack, lambda: "positions" in trouble(stack), "the trouble is shown")
        shown = snapshot(stack)
        assert (shown.as_of, shown.parts) == (before.as_of, before.parts)
        assert shown.published_at > before.published_at
        stack.simulator.faults()
        passing(stack, lambda: snapshot(stack).as_of > before.as_of, "it is back")
    finally:
        stack.guard.stop()


def test_a_snapshot_of_another_version_is_never_replaced_by_one_that_says_that_nothing_is_held(stack: Stack) -> None:
    stack.opened()
    with stack.store.one_statement() as connection:
        connection.execute(text("UPDATE board SET picture = picture - 'runtime'"))
    stack.crash()
    stack.guard.publish()
    assert stack.store.snapshots.latest(ACCOUNT) is None, "it has not looked yet, so it cannot tell"
    stack.look()
    stack.guard.publish()
    assert len(snapshot(stack).held) == 1


def test_it_asks_less_and_less_often_however_often_it_is_woken(stack: Stack, worker: AccountGuard) -> None:
    """0.5 s, 1 s, 2 s, ... 10 s: about ten passes in the first minute of an outage."""
    stack.opened()
    stack.simulator.faults(AWAY)
    worker.start(lambda guard: None)
    passing(stack, lambda: worker.failures, "a failed pass")
    began = stack.clock.now()
    passing(stack, lambda: stack.clock.now() - began > timedelta(seconds=60), "a minute", each=0.5)
    assert 5 <= worker.failures <= 12


def test_the_stop_loss_does_its_work_while_the_exchange_cannot_be_read(stack: Stack) -> None:
    part = stack.opened()
    stack.simulator.faults(AWAY)
    stack.price("89000")
    with pytest.raises(Unavailable):
        stack.look()
    stack.step(30)
    stack.simulator.faults()
    assert stack.ended(part).reason is ExitReason.STOP_LOSS
    agrees(stack, part)
    nothing_left(stack)


def test_half_an_answer_is_no_answer(stack: Stack) -> None:
    """Positions are told, orders are not: nothing is concluded, least of all that the protection is gone."""
    part = stack.opened()
    stack.simulator.faults(
        {"kind": "code", "code": "50001", "http": 503, "match": {"path": "trade/orders-algo-pending"}}
    )
    before = stack.exchange()["requests"]
    with pytest.raises(Unavailable):
        stack.look()
    sent = [path for path in stack.exchange()["requests"] if path.startswith("POST") and path not in before]
    assert sent == []
    stack.simulator.faults()
    stack.until(lambda: stack.at_rest(part))
    assert len(stack.resting()) == 1


def test_nothing_is_opened_in_maintenance_and_what_is_open_stays_guarded(stack: Stack) -> None:
    part = stack.opened()
    now = stack.clock.now().timestamp()
    stack.simulator.switches(maintenance={"begin": iso(now - 60), "end": iso(now + 1800)})
    stack.step(61)
    stack.guard.observer.refresh_account()
    waiting = stack.open(stack.draft(value=2000))
    stack.settle(4)
    assert stack.held() == HELD
    assert [one.protected for one in snapshot(stack).parts if one.name == part] == [True]
    assert "the exchange is not healthy" in stack.story()
    stack.simulator.switches(maintenance=None)
    stack.step(61)
    stack.guard.observer.refresh_account()
    stack.until(lambda: stack.at_rest(waiting))


def iso(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat()


def test_an_old_price_opens_nothing(stack: Stack) -> None:
    """The stream has fallen silent and the price cannot be read: the entry waits, and says for what."""
    stack.hear()
    part = stack.open()
    stack.simulator.faults({"kind": "code", "code": "50013", "http": 200, "match": {"path": "market/ticker"}})
    stack.step(30)
    with pytest.raises(Unavailable):
        stack.look()
    assert stack.held() == 0
    stack.simulator.faults()
    stack.until(lambda: stack.at_rest(part))


def test_refused_for_haste_it_comes_again(stack: Stack) -> None:
    stack.simulator.faults(
        {"kind": "code", "code": "50011", "http": 429, "match": {"method": "POST", "path": "trade/order-algo"},
         "count": 3}
    )  # fmt: skip
    part = stack.opened()
    stack.until(lambda: [row["algoClOrdId"] for row in stack.resting()] == [f"op{part}01P01"] and stack.at_rest(part))
