"""Who may act: two bots on one account, a bot that was killed, a database that falls silent, and the switch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg2
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.alerts import Alerts
from core.domain.account import Level
from core.domain.errors import Refused, Unavailable
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind, ExecutionStyle
from core.domain.money import Price
from core.monitor.guard import AccountGuard
from core.monitor.lease import holder_name
from core.monitor.position_monitor import PositionMonitor
from tests.eventually import eventually
from tests.stack import ACCOUNT, Stack

HELD = Decimal("0.99")


@pytest.fixture
def monitor(stack: Stack) -> Iterator[PositionMonitor]:
    """A monitor whose scheduler does not run; leases are kept and notes are heard when a story says so."""
    made = PositionMonitor(stack.store, Alerts([]), stack.clock, lambda: None)
    yield made
    made.stop()


@contextmanager
def silent(url: str) -> Iterator[None]:
    """The database lets nobody in and has thrown everybody out."""
    where = make_url(url)
    connection = psycopg2.connect(host=where.query["host"], user=where.username, dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {where.database} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (where.database,))
        try:
            yield
        finally:
            cursor.execute(f"ALTER DATABASE {where.database} ALLOW_CONNECTIONS true")
    connection.close()


def lease_runs_out(stack: Stack) -> None:
    """Ten seconds pass for the database."""
    with stack.store.transaction() as connection:
        connection.execute(text("UPDATE lease SET expires_at = clock_timestamp()"))


def pass_of(guard: AccountGuard) -> None:
    guard.work_once(set(), everything=True)


def passing(stack: Stack, guard: AccountGuard, so: Callable[[], object], words: str) -> None:
    """Time goes on in small steps, with the guard's own thread at work, until it is so."""

    def after_a_moment() -> object:
        stack.clock.advance(0.25)
        guard.lease.renew()
        return so()

    eventually(after_a_moment, words=words, every=0.02)


# -- the lease ---------------------------------------------------------------------------------------------------


def test_of_two_bots_only_one_acts(stack: Stack) -> None:
    second = stack.another_bot()
    assert not second.lease.acquire()
    second.running = True
    stack.open()
    pass_of(second)
    assert stack.held() == 0
    stack.look()
    pass_of(second)
    assert stack.held() == HELD
    assert stack.exchange()["requests"]["POST /api/v5/trade/order"] == 1


def test_a_bot_that_slept_through_its_lease_sends_nothing(stack: Stack) -> None:
    """Its own stopwatch says that it still holds the lease; the database knows better."""
    sleeper, second = stack.guard, stack.another_bot()
    lease_runs_out(stack)
    assert second.lease.acquire()
    part = stack.open()
    assert sleeper.lease.held
    with pytest.raises(Refused, match="lease lost"):
        pass_of(sleeper)
    assert stack.held() == 0
    assert [command.client_order_id for command in stack.store.orders.commands(ACCOUNT)] == []
    assert not sleeper.lease.renew()

    second.running = True
    stack.guard = second
    stack.until(lambda: stack.at_rest(part))
    assert stack.held() == HELD


def test_the_place_of_a_killed_bot_is_taken_at_once(stack: Stack) -> None:
    """A process of this machine that is gone cannot send any more, so nobody waits for its lease to end."""
    part = stack.opened()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host, world, _, end = holder_name().split("/")
    stack.guard.lease.release()
    assert stack.another_bot(f"{host}/{world}/{gone.pid}/{end}").lease.acquire()

    stack.guard = stack.another_bot(holder_name())
    assert stack.guard.lease.acquire()
    stack.guard.running = True
    stack.simulator.intervene("cancel", algoId=stack.resting()[0]["algoId"])
    stack.step(6)
    stack.until(lambda: stack.at_rest(part))
    assert len(stack.resting()) == 1


def test_the_lease_of_a_bot_that_lives_is_not_taken(stack: Stack) -> None:
    stack.guard.lease.release()
    assert stack.another_bot(holder_name()).lease.acquire()
    assert not stack.another_bot(holder_name()).lease.acquire()


# -- a restart, the switch ---------------------------------------------------------------------------------------


def test_after_a_restart_it_looks_and_reports_and_does_nothing_until_started(
    stack: Stack, monitor: PositionMonitor
) -> None:
    part = stack.opened()
    waiting = stack.open(stack.draft(value=2000))
    stack.guard.lease.release()
    guard = stack.another_bot()
    monitor.add(guard)
    monitor.keep_leases()
    passing(stack, guard, lambda: guard.passes >= 2, "the report, and a pass after it")
    assert stack.held() == HELD
    row = stack.store.bots.get(ACCOUNT)
    assert (row.running, str(row.why)) == (False, "not started since the bot came up; press Start")
    (told,) = [str(event.because) for event in stack.store.events.find() if event.rule == "restart"]
    assert told.startswith("found 1 open parts, 1 of them with their stop-loss on the exchange; 0 commands")
    snapshot = stack.store.snapshots.latest(ACCOUNT)
    assert snapshot is not None
    assert not snapshot.bot.running
    assert [one.protected for one in snapshot.parts if one.name == part] == [True]

    stack.store.bots.set_running(ACCOUNT, True, by="trader", why="", manually=False)
    monitor.heard({"bot": ACCOUNT})
    passing(stack, guard, lambda: stack.held() == HELD + Decimal("1.99"), "what was asked for meanwhile is entered")
    assert stack.store.parts.intent(waiting).cycle_started_at is not None


def test_a_stopped_bot_shows_and_does_nothing(stack: Stack, monitor: PositionMonitor) -> None:
    part = stack.opened()
    monitor.add(stack.guard)
    stack.store.bots.set_running(ACCOUNT, False, by="trader", why="lunch", manually=True)
    monitor.heard({"bot": ACCOUNT})
    (oco,) = stack.resting()
    stack.simulator.intervene("cancel", algoId=oco["algoId"])
    before = stack.exchange()["requests"]
    stack.settle(8)
    assert stack.resting() == []
    assert posts(stack.exchange()["requests"]) == posts(before)
    snapshot = stack.store.snapshots.latest(ACCOUNT)
    assert snapshot is not None
    assert (snapshot.bot.running, str(snapshot.bot.why), snapshot.bot.level) == (False, "lunch", Level.RUN)
    assert [one.protected for one in snapshot.parts] == [False]
    assert any("place oco" in str(line.action) for line in snapshot.parts[0].why)

    stack.store.bots.set_running(ACCOUNT, True, by="trader", why="", manually=False)
    monitor.heard({"bot": ACCOUNT})
    stack.until(lambda: stack.at_rest(part))


def posts(requests: dict[str, int]) -> dict[str, int]:
    return {path: count for path, count in requests.items() if path.startswith("POST")}


# -- the database is away ----------------------------------------------------------------------------------------


def test_a_database_that_is_silent_for_a_while_stops_the_hand_and_not_the_stop_loss(
    stack: Stack, monitor: PositionMonitor, database_url: str
) -> None:
    part = stack.opened()
    monitor.add(stack.guard)
    monitor.keep_leases()
    with silent(database_url):
        before = posts(stack.exchange()["requests"])
        with pytest.raises(Unavailable, match="the database does not answer"):
            pass_of(stack.guard)
        for _ in range(5):
            stack.step(2.5)
            monitor.keep_leases()
        assert not stack.guard.may_act
        assert posts(stack.exchange()["requests"]) == before
        assert [row["sz"] for row in stack.resting()] == ["0.99"]
    monitor.keep_leases()
    assert stack.guard.may_act, "nobody else has acted meanwhile, so it goes on without being started again"
    stack.hear()
    stack.positions.close(part, stack.token(), "trader")
    stack.ended(part)


def test_a_database_that_falls_silent_between_two_writes(stack: Stack, database_url: str) -> None:
    """The order is out, its answer cannot be written down: asked for under its id, never sent again."""
    part = stack.open()
    send = stack.client.place

    def place_into_the_dark(*arguments: object) -> str:
        answer = send(*arguments)
        dark.__enter__()
        return answer

    dark = silent(database_url)
    stack.client.place = place_into_the_dark  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        stack.look()
    stack.client.place = send  # type: ignore[method-assign]
    dark.__exit__(None, None, None)
    stack.until(lambda: stack.at_rest(part))
    assert stack.held() == HELD
    assert stack.exchange()["requests"]["POST /api/v5/trade/order"] == 1


# -- levels ------------------------------------------------------------------------------------------------------


def test_the_level_no_new_entries_keeps_guarding_and_opens_nothing(stack: Stack) -> None:
    part = stack.opened()
    stack.store.bots.set_level(ACCOUNT, Level.NO_NEW_ENTRIES, by="trader", why="")
    waiting = stack.open(stack.draft(value=2000))
    stack.simulator.intervene("cancel", algoId=stack.resting()[0]["algoId"])
    stack.step(6)
    stack.settle(4)
    assert stack.at_rest(part)
    assert stack.held() == HELD
    stack.store.bots.set_level(ACCOUNT, Level.RUN, by="trader", why="")
    stack.until(lambda: stack.at_rest(waiting))


def test_the_level_flatten_ends_flat_and_empty(stack: Stack) -> None:
    held = [stack.opened(), stack.opened(stack.draft(side=Side.SHORT)), stack.opened(stack.draft(value=2000))]
    waiting = stack.open(stack.draft(entry=ExecutionStyle(ExecutionKind.LIMIT, Price(Decimal(96000)))))
    stack.settle(2)
    stack.store.bots.set_level(ACCOUNT, Level.FLATTEN, by="trader", why="")
    for part in (*held, waiting):
        stack.ended(part)
    stack.settle(2)
    assert (stack.exchange()["positions"], stack.resting(), stack.working()) == ([], [], [])


def test_killed_with_its_last_request_still_under_way(stack: Stack) -> None:
    """The request arrives when another bot acts already; its own validity has run out by then, so it is dropped."""
    stack.simulator.faults(
        {"kind": "late", "seconds": 8, "match": {"method": "POST", "path": "trade/order"}, "count": 1}
    )
    part = stack.open()
    stack.look()
    lease_runs_out(stack)
    second = stack.another_bot()
    assert second.lease.acquire()
    second.running = True
    stack.guard = second
    stack.until(lambda: stack.at_rest(part), seconds=60)
    stack.settle(3)
    assert stack.held() == HELD
    assert len(stack.resting()) == 1
