"""Twelve minutes of a made-up market with one that falls by a tenth: every stop does what it must, and is explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain.instrument import TriggerBy
from db.store import Store
from scripts.candle_story import story
from tests.monitor.invariants import same
from tests.replay import SLOTS, Exit, Run, replay
from tests.simulator.make_candles import FIRST_MS, VIOLENT, candles

FILE = Path(__file__).parents[1] / "data" / "ETHUSDT-1m-synthetic.csv"
BEGIN = datetime.fromtimestamp(FIRST_MS / 1000, UTC) + timedelta(minutes=VIOLENT - 6)
STEP = Decimal("0.0006")  #: a price walks in steps of 0.05 %, so nothing is found later than that
SPREAD = Decimal("0.02")


@pytest.fixture
def run(store: Store) -> Run:
    return replay(store, FILE, "ETH", BEGIN, minutes=12)


def test_a_minute_that_falls_by_a_tenth(run: Run) -> None:
    """One replay, and everything that must be true of it: it is too dear to be played for each claim."""
    assert run.low < run.high * Decimal("0.92"), "the violent minute was played"
    assert {slot.name for slot in run.slots.values()} == {slot.name for slot in SLOTS}
    assert run.refusals == []

    assert run.bare_seconds == 0, "no contract was ever without a stop-loss at the exchange"
    assert run.orphan_seconds <= 6, "what rests beside no position is gone at the next look"
    assert run.left == []

    for name, ours in run.ours.items():
        assert same(ours, run.ledger[name]), name
    assert len(run.cycles) == len(run.slots), "every part has ended once"

    assert len(run.stops) >= 3
    assert {exit_.by for exit_ in run.stops} == {TriggerBy.MARK, TriggerBy.LAST}
    for exit_ in run.exits:
        explained(exit_)
    report = story(run, "ETH", 12)
    assert report.count("long, stop by mark |") == sum(exit_.slot is SLOTS[0] for exit_ in run.exits)


def explained(exit_: Exit) -> None:
    """Set off at its level and not before, filled in a price of that minute, and every USDT of the gap has a name."""
    past = exit_.overshoot if exit_.is_stop else -exit_.overshoot
    assert -SPREAD <= past <= exit_.level * STEP + SPREAD, exit_
    _, _, high, low, _, _ = next(row for row in candles() if row[0] <= exit_.at.timestamp() * 1000 < row[0] + 60_000)
    assert low - SPREAD <= exit_.price <= high + SPREAD, exit_
    beyond = exit_.overshoot + (exit_.behind if exit_.by is TriggerBy.MARK else 0)
    coins = exit_.cycle.contracts / 10
    assert same(exit_.gap, beyond * coins), exit_
