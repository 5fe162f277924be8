"""The minimum holding time and the level *reduce only*: what they hold back, and what they never do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.decision.plan import plan
from core.domain.account import Level
from core.domain.intent import Intent, Limits, Wanted
from core.domain.observation import Seen
from core.domain.order import OrderStatus
from tests.builders import NOON, D, because, begun, contracts, desired, entry, in_words, oco, seen

HELD = seen(entry(), oco(), held=10)
BARE = seen(entry(), held=10)
HOUR = Limits(min_holding_seconds=D(3600))


def begun_ago(seconds: float, **changes: object) -> Intent:
    return begun(cycle_started_at=NOON - timedelta(seconds=seconds), **changes)


@pytest.mark.parametrize(
    ("story", "asked", "level", "look", "actions"),
    [
        ("to be opened again: it waits", begun_ago(60, wanted=Wanted.RENEWED), Level.RUN, HELD, []),
        ("half of it: it waits", begun_ago(60, reduce_to=contracts(5)), Level.RUN, HELD, []),
        ("time is over", begun_ago(3600, wanted=Wanted.RENEWED), Level.RUN, HELD, ["place close 10"]),
        ("for good: at once", begun_ago(60, wanted=Wanted.CLOSED), Level.RUN, HELD, ["place close 10"]),
        ("flatten: at once", begun_ago(60), Level.FLATTEN, HELD, ["place close 10"]),
        ("a missing stop: at once", begun_ago(60), Level.RUN, BARE, ["place oco 10 tp 1050 sl 900"]),
        (
            "and while a close waits",
            begun_ago(60, wanted=Wanted.RENEWED),
            Level.RUN,
            BARE,
            ["place oco 10 tp 1050 sl 900"],
        ),
    ],
)
def test_minimum_holding(story: str, asked: Intent, level: Level, look: Seen, actions: list[str]) -> None:
    found = plan(desired(asked, level=level, limits=HOUR), look, NOON)
    assert in_words(found) == actions, story
    if not actions:
        assert "held for 60.0 s of at least 3600 s" in because(found, "close"), story


def test_what_risks_too_much_is_reduced_at_once() -> None:
    risky = Limits(min_holding_seconds=D(3600), reduce_oversized_risk=True, risk_per_trade_cap=D(50))
    assert in_words(plan(desired(begun_ago(60), limits=risky), HELD, NOON)) == ["reduce to 4.9"]
    asked = begun_ago(60, reduce_to=contracts("4.9"))
    assert in_words(plan(desired(asked, limits=risky), HELD, NOON)) == ["place close 5.1"]


def test_reduce_only_withdraws_resting_entries_and_keeps_what_is_held_guarded() -> None:
    resting = seen(entry(4, status=OrderStatus.WORKING), oco(4), held=4)
    for level, actions in ((Level.NO_ADDED_RISK, []), (Level.REDUCE_ONLY, ["cancel E01"])):
        assert in_words(plan(desired(begun(), level=level), resting, NOON)) == actions
