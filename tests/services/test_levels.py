"""The bot's state told from the database alone: switch, lease, heartbeat, snapshot."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.account import Level
from core.domain.errors import Misconfigured, Unavailable
from core.services.safety.levels import Levels
from tests.pages.samples.snapshot import sample_snapshot
from tests.services.conftest import PAPER, show

HERE, THERE = "here/1/", "there/2/"


@pytest.fixture
def levels(store, clock):
    return Levels(store, clock, here=HERE)


@pytest.fixture
def looked_after(store, clock):
    """A bot process of here holds the account's lease and has just shown a sign of life."""
    hold(store, clock, f"{HERE}a1b2c3")


def hold(store, clock, holder: str) -> None:
    assert store.leases.acquire(PAPER.id, holder, 600) is not None
    store.bots.heartbeat(PAPER.id, clock.now())


def test_a_new_account_is_stopped(levels):
    status = levels.status(PAPER.id)
    assert (status.state, str(status.words)) == ("stopped", "Never started.")
    assert (status.protected, status.parts, status.on_exchange_alone) == (0, 0, 0)
    assert status.level == "run"


def test_start_and_stop_as_one_sees_them(levels, store, looked_after):
    show(store, parts=2, protected=2)
    levels.start(PAPER.id, by="operator")
    assert levels.status(PAPER.id).state == "starting"
    show(store, running=True, parts=2, protected=2)
    status = levels.status(PAPER.id)
    assert (status.state, str(status.words)) == ("running", "Watches 2 parts.")
    assert (status.protected, status.parts, status.on_exchange_alone) == (2, 2, 0)
    assert not status.manually_stopped
    levels.stop(PAPER.id, by="operator")
    status = levels.status(PAPER.id)
    assert (status.state, str(status.words)) == ("stopped", "Stopped by operator.")
    assert status.manually_stopped
    assert status.on_exchange_alone == 2


def test_start_twice_is_start_once(levels, store, clock, looked_after):
    levels.start(PAPER.id, by="operator")
    since = levels.status(PAPER.id).since
    levels.start(PAPER.id, by="somebody")
    assert levels.status(PAPER.id).since == since


def test_start_is_refused_while_nobody_would_hear_it(levels, store):
    with pytest.raises(Unavailable, match="No bot process looks after this account just now"):
        levels.start(PAPER.id, by="operator")
    assert not store.bots.get(PAPER.id).running


def test_a_bot_that_falls_silent_is_dead_and_says_what_guards_now(levels, store, clock, looked_after):
    levels.start(PAPER.id, by="operator")
    show(store, running=True, parts=1, protected=1)
    assert levels.status(PAPER.id).state == "running"
    clock.advance(34)
    status = levels.status(PAPER.id)
    assert status.state == "dead"
    assert "last sign of life was 34 s ago" in str(status.words)
    assert "goes on guarding the positions" in str(status.words)
    assert status.on_exchange_alone == 1


def test_a_lost_lease_is_death_even_with_a_fresh_heartbeat(levels, store, clock, looked_after):
    levels.start(PAPER.id, by="operator")
    show(store, running=True)
    clock.advance(15)
    store.bots.heartbeat(PAPER.id, clock.now())
    assert levels.status(PAPER.id).state == "running"
    holder, epoch, _ = store.leases.current(PAPER.id)
    store.leases.release(PAPER.id, holder, epoch)
    assert levels.status(PAPER.id).state == "dead"


def test_a_bot_of_another_process_is_elsewhere(levels, store, clock):
    hold(store, clock, f"{THERE}d4e5f6")
    levels.start(PAPER.id, by="operator")
    show(store, running=True, parts=1, protected=1)
    status = levels.status(PAPER.id)
    assert status.state == "elsewhere"
    assert "another process (on there)" in str(status.words)
    assert status.on_exchange_alone == 0
    levels.stop(PAPER.id, by="operator")
    assert levels.status(PAPER.id).state == "stopped"


def test_what_keeps_it_from_looking_is_told(levels, store, looked_after):
    levels.start(PAPER.id, by="operator")
    show(store, trouble="OKX is under maintenance")
    assert str(levels.status(PAPER.id).words) == "The bot is starting. The exchange: OKX is under maintenance."


def test_a_restart_is_told_apart_from_a_stop_by_hand(levels, store, looked_after):
    store.bots.set_running(
        PAPER.id, False, by="restart", why="not started since the bot came up; press Start", manually=False
    )
    status = levels.status(PAPER.id)
    assert (status.state, status.manually_stopped) == ("stopped", False)
    assert str(status.words) == "Not started since the bot came up; press Start."


def test_an_account_that_is_not_known_is_named(levels):
    for ask in (levels.start, levels.stop):
        with pytest.raises(Misconfigured, match="'nobody' is not known"):
            ask("nobody", by="operator")


def test_the_bot_hears_its_switch(levels, store, heard, looked_after):
    levels.start(PAPER.id, by="operator")
    assert heard({"bot": PAPER.id})


# -- the level ----------------------------------------------------------------------------------------------------


def test_the_level_is_kept_apart_from_the_switch_with_who_when_and_why(levels, store, looked_after):
    levels.start(PAPER.id, by="operator")
    levels.set_level(PAPER.id, Level.NO_ADDED_RISK, by="ayla", why=" news at noon ")
    status = levels.status(PAPER.id)
    assert (status.level, status.level_by, str(status.level_why)) == (Level.NO_ADDED_RISK, "ayla", "news at noon")
    assert status.level_at is not None
    levels.stop(PAPER.id, by="operator")
    status = levels.status(PAPER.id)
    assert (str(status.words), status.level, status.level_by) == ("Stopped by operator.", Level.NO_ADDED_RISK, "ayla")


def test_a_preview_counts_what_each_level_would_stop_withdraw_and_close(levels, store):
    assert levels.preview(PAPER.id, Level.FLATTEN).held == 0, "nothing has been seen yet"
    store.snapshots.put(sample_snapshot())
    paused = levels.preview(PAPER.id, Level.NO_ADDED_RISK)
    assert (paused.held, paused.recovering, paused.reopening, paused.entries, paused.closing) == (2, 1, 1, 0, ())
    assert not paused.bot_runs
    assert levels.preview(PAPER.id, Level.REDUCE_ONLY).entries == 1
    flat = levels.preview(PAPER.id, Level.FLATTEN)
    assert [(one.part, one.contracts) for one in flat.closing] == [
        ("00a7k2", Decimal("0.99")), ("00a7k3", Decimal("2.84")),
    ]  # fmt: skip
    assert flat.pnl == Decimal("1.6058") + Decimal("-14.0154")
    assert flat.fees == -(Decimal("0.0099") * Decimal("100412.3") + Decimal("0.284") * Decimal("3561.75")) / 2000
    assert flat.unclosed == 1, "one contract of BTC is not ours"


def test_the_guards_stand_beside_their_limits(levels, store, clock):
    figures = {one.key: one for one in levels.guards(PAPER.id)}
    assert (figures["max_daily_loss"].now, figures["max_daily_loss"].limit) == (None, Decimal(10))
    assert (figures["max_drawdown"].limit, figures["max_stop_losses"].now) == (None, Decimal(0))
    snapshot = sample_snapshot()
    store.snapshots.put(replace(snapshot, money=replace(snapshot.money, equity=Decimal(9000)), as_of=clock.now()))
    store.equity.add(PAPER.id, clock.now(), Decimal(10000))
    figures = {one.key: one for one in levels.guards(PAPER.id)}
    assert (figures["max_daily_loss"].now, figures["max_daily_loss"].set_off) == (Decimal(10), True)
