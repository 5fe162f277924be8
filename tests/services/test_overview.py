"""All accounts side by side: each with its own numbers, sums within one environment only, both switches at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.clock import SteppedClock
from core.domain.account import Account, Environment, Exchange
from core.services.accounts.overview import Overview, totals
from core.services.reporting.snapshot import Reports
from core.services.safety.levels import Levels
from db.store import Store
from tests.pages.samples.snapshot import sample_snapshot
from tests.services.conftest import DEMO, PAPER

BINANCE = Account("paper-binance", "Paper Binance", Exchange.BINANCE, Environment.PAPER, "", "")


@pytest.fixture
def overview(store: Store, clock: SteppedClock) -> Overview:
    for account in (BINANCE, DEMO):
        store.accounts.save(account, None)
    return Overview(store.equity, Levels(store, clock, "here"), Reports(store, clock), clock)


def seen(store: Store, clock: SteppedClock, account: Account, **money: Decimal) -> None:
    sample = sample_snapshot()
    assert sample.money is not None
    seen_now = {"account": account.id, "as_of": clock.now(), "money": replace(sample.money, **money)}
    store.snapshots.put(replace(sample, **seen_now))


def test_each_account_has_its_own_numbers_and_one_that_was_not_seen_has_none(overview, store, clock):
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    seen(store, clock, PAPER, equity=Decimal("10000"), floating_pnl=Decimal("-5"))
    seen(store, clock, BINANCE, equity=Decimal("99000"), floating_pnl=Decimal("7"))
    store.equity.add(BINANCE.id, midnight - timedelta(seconds=1), Decimal(1))
    store.equity.add(BINANCE.id, midnight + timedelta(seconds=1), Decimal(100_000))
    okx, binance, demo = overview.lines([PAPER, BINANCE, DEMO])
    assert (okx.money.equity, okx.daily_pnl) == (10_000, None)
    assert (binance.money.equity, binance.daily_pnl) == (99_000, -1000)
    assert (demo.snapshot, demo.money, demo.daily_pnl, demo.status.parts) == (None, None, None, 0)


def test_sums_are_made_within_one_environment_and_real_money_comes_first(overview, store, clock):
    live = replace(DEMO, id="live-okx", name="OKX live", environment=Environment.LIVE)
    store.accounts.save(live, None)
    seen(store, clock, PAPER, equity=Decimal("10000"), margin_used=Decimal("100"), floating_pnl=Decimal("-5.5"))
    seen(store, clock, BINANCE, equity=Decimal("99000"), margin_used=Decimal("50"), floating_pnl=Decimal("7"))
    seen(store, clock, live, equity=Decimal("3"), margin_used=Decimal("1"), floating_pnl=Decimal("0"))
    real, demo, paper = totals(overview.lines([PAPER, BINANCE, DEMO, live]))
    assert (real.environment, real.equity, real.accounts, real.unseen) == (Environment.LIVE, 3, 1, 0)
    assert (demo.environment, demo.equity, demo.accounts, demo.unseen) == (Environment.DEMO, 0, 1, 1)
    assert (paper.equity, paper.margin_used, paper.floating_pnl) == (109_000, 150, Decimal("1.5"))
    assert (paper.protected, paper.parts, paper.accounts) == (2, 4, 2)


def test_all_bots_are_started_and_stopped_and_one_that_cannot_be_keeps_no_other(overview, store):
    store.leases.acquire(PAPER.id, "here/1", 60)
    found = overview.start_all([PAPER, BINANCE], "operator")
    assert found["Paper OKX"] is None
    assert "No bot process looks after this account" in str(found["Paper Binance"])
    assert (store.bots.get(PAPER.id).running, store.bots.get(BINANCE.id).running) == (True, False)
    assert overview.start_all([PAPER], "operator") == {}
    assert overview.stop_all([PAPER, BINANCE], "operator") == {"Paper OKX": None}
    assert store.bots.get(PAPER.id).manually_stopped
