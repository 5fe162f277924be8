"""Twenty days over the wire: the ledger is the exchange's to the cent, nothing bare, nothing orphaned, one row a part.

`make soak SEEDS=n` lives many more such weeks, and among them some in which take-profit and stop-loss lie so close
that thousands of cycles pass. SEED=n plays one again.
"""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

from core.domain.account import Exchange
from core.domain.intent import ExitReason
from db.store import Store
from tests.scenario.days import Weather
from tests.scenario.run import Told, run

DAYS, FEW_DAYS = 20, 3
SEED = int(os.environ.get("SEED", "1"))
SOAK = max(int(os.environ.get("SEEDS", "2000")) // 500, 1)  #: one of these weeks costs as much as thousands of storms
WIDE, NARROW = Decimal("2.2"), Decimal("0.5")
FAIRER = Weather(storms=0.03, hands=0.02)  #: chances are per event, and there are many of them


def test_twenty_days(store: Store, quiet_log: None) -> None:
    told = live(store, SEED, WIDE)
    ended = {cycle.reason for cycle in told.cycles}
    assert ended >= {ExitReason.TAKE_PROFIT, ExitReason.STOP_LOSS, ExitReason.CLOSED_BY_US}
    assert len(told.cycles) > 60
    assert told.recoveries > 30
    assert told.funding_payments > 300
    assert min(told.report.restarts, told.report.deaths, told.report.hands) > 0
    assert sum(told.report.struck.values()) > 10


def test_a_few_days_where_the_legs_are_two_orders(store: Store, quiet_log: None) -> None:
    told = live(store, SEED, WIDE, days=FEW_DAYS, exchange=Exchange.BINANCE)
    assert {cycle.reason for cycle in told.cycles} >= {ExitReason.TAKE_PROFIT, ExitReason.CLOSED_BY_US}
    assert told.funding_payments > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 2 + SOAK))
@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_many_weeks(store: Store, quiet_log: None, exchange: Exchange, seed: int) -> None:
    live(store, seed, WIDE, exchange=exchange)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 1 + max(SOAK // 4, 1)))
@pytest.mark.parametrize("exchange", [Exchange.OKX, Exchange.BINANCE])
def test_thousands_of_cycles(store: Store, quiet_log: None, exchange: Exchange, seed: int) -> None:
    assert len(live(store, seed, NARROW, FAIRER, exchange=exchange).cycles) > 2000


def live(
    store: Store,
    seed: int,
    width: Decimal,
    weather: Weather = Weather(),
    *,
    days: int = DAYS,
    exchange: Exchange = Exchange.OKX,
) -> Told:
    told = run(store, seed, days, width, weather, exchange)
    print(told)
    return told
