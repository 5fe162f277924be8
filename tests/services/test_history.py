"""Our cycles held against the exchange's lives, by the life and to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.history.position_history import ClosedPosition, LastClose
from core.domain.instrument import Side
from core.domain.money import Contracts
from core.services.reporting.history import Agreement, History, Only, match
from tests.db.repositories.test_history import ended
from tests.services.conftest import PAPER
from tests.services.test_performance import MONDAY, D, cycle

THEIRS = ClosedPosition(
    "BTC-USDT-PERP", Side.LONG, "7", MONDAY, MONDAY + timedelta(hours=1), LastClose.FULL, Contracts(D(1)),
    Contracts(D(1)), None, None, D("9.5"), D(-1), D("-0.5"), D(0), D(8), D(10),
)  # fmt: skip
NAMED = {"life": THEIRS.life}


@pytest.mark.parametrize(("story", "theirs", "ours", "agreement", "difference"), [
    ("equal to the cent", THEIRS, [cycle(8, **NAMED)], Agreement.AGREES, "0"),
    ("an average without a last digit", THEIRS, [cycle("8.0000003", **NAMED)], Agreement.AGREES, "0.0000003"),
    ("a cent less", THEIRS, [cycle("7.99", **NAMED)], Agreement.DIFFERS, "-0.01"),
    ("two parts shared it", THEIRS,
     [cycle(5, fees=D(0), funding=D(0), realised_pnl=D(5), **NAMED),
      cycle(3, part="000002", realised_pnl=D("4.5"), **NAMED)], Agreement.AGREES, "0"),
    ("fees and funding exchanged", THEIRS,
     [cycle(8, fees=D("-0.5"), funding=D(-1), **NAMED)], Agreement.DIFFERS, "0.0"),
    ("a penalty that we have not booked", replace(THEIRS, penalty=D(-2), realised=D(6)),
     [cycle(8, **NAMED)], Agreement.DIFFERS, "2"),
    ("still held", replace(THEIRS, last_close=LastClose.PARTIAL), [], Agreement.HELD, None),
    ("held on, while one of its parts has ended", replace(THEIRS, last_close=LastClose.PARTIAL),
     [cycle(3, **NAMED)], Agreement.HELD, None),
    ("somebody else's", THEIRS, [], Agreement.NOT_OURS, None),
    ("the exchange has not told of it", None, [cycle(8, **NAMED)], Agreement.NOT_TOLD, None),
])  # fmt: skip
def test_match(story, theirs, ours, agreement, difference):
    (one,) = match([theirs] if theirs else [], ours)
    assert one.agreement is agreement, story
    assert one.difference == (None if difference is None else D(difference)), story


def test_a_cycle_that_entered_nothing_has_no_life_and_is_left_out():
    assert match([], [cycle(0, life="")]) == []


def test_lives_are_told_newest_first():
    later = replace(THEIRS, position_id="8", updated_at=MONDAY + timedelta(days=1))
    assert [one.life for one in match([THEIRS, later], [])] == [later.life, THEIRS.life]


def test_what_the_exchange_cannot_have_told_yet_is_not_held_against_it(store, clock):
    history = History(store.history, store.fills, clock)
    assert history.matched(PAPER.id, Only(), 9) == []
    assert history.performance(PAPER.id, Only()).whole.cycles == 0
    assert history.equity(PAPER.id, Only()).curve == ()


def test_what_is_not_of_every_cycle_says_from_when_on(store, clock, monkeypatch):
    monkeypatch.setattr("core.services.reporting.history.MOST_CYCLES", 2)
    history = History(store.history, store.fills, clock)
    for hours, token in enumerate("abc"):
        ended(store, token, MONDAY + timedelta(hours=hours))
        found = history.performance(PAPER.id, Only())
        since = None if hours < 2 else MONDAY + timedelta(hours=1)
        assert (found.whole.cycles, found.since) == (min(hours + 1, 2), since)
    assert history.performance(PAPER.id, Only(until=MONDAY + timedelta(hours=1))).since is None


def test_the_equity_curve_and_its_fall(store, clock):
    for minutes, equity in ((30, 1000), (20, 1200), (10, 900)):
        store.equity.add(PAPER.id, clock.now() - timedelta(minutes=minutes), Decimal(equity))
    history = History(store.history, store.fills, clock)
    found = history.equity(PAPER.id, Only(since=clock.now() - timedelta(hours=1)))
    assert [equity for _, equity in found.curve] == [1000, 1200, 900]
    assert found.drawdown is not None
    assert (found.drawdown.amount, found.drawdown.percent) == (300, 25)


def test_sync_now_is_one_wish_for_two_clicks(store, clock, heard):
    history = History(store.history, store.fills, clock)
    assert history.sync_now(PAPER.id, "click", "operator").new
    assert not history.sync_now(PAPER.id, "click", "operator").new
    assert heard({"sync": PAPER.id})
    assert history.sync_state(PAPER.id).waiting
