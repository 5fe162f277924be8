"""Opening again in the same record: due after a delay, never on a doubtful reading, and a reason whenever it waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.decision.plan import plan
from core.domain.account import Level
from core.domain.action import Decision, LetGo, Plan, Rule, StartCycle
from core.domain.intent import ExitReason, Intent, ReopenRule, Wanted
from tests.builders import COIN, NOON, PART, D, after, begun, desired, entry, oco, seen

RULE = ReopenRule()


def ended(ago_minutes: float = 6, **changes: Any) -> Intent:
    """A part that took its profit six minutes ago."""
    facts = {
        "cycle_ended_at": after(-60 * ago_minutes),
        "exit_reason": ExitReason.TAKE_PROFIT,
        "reopen": RULE,
    }
    return begun(**{**facts, **changes})


def planned(intent: Intent, *, level: Level = Level.RUN, **look: Any) -> Plan:
    orders = look.pop("orders", ())
    return plan(desired(intent, level=level), seen(*orders, **look), NOON)


def told(intent: Intent, **look: Any) -> Decision:
    (decision,) = [one for one in planned(intent, **look).decisions if one.rule is Rule.REOPEN]
    return decision


def test_the_next_cycle_begins_after_the_delay_at_the_price_of_now() -> None:
    decision = told(ended(), mark=2000)
    assert isinstance(decision.action, StartCycle)
    assert (decision.action.part, decision.action.cycle) == (PART, 2)
    assert decision.action.contracts == D("4.9"), "1,000 USDT at 2,000.5 in steps of 0.1 contracts of 0.1 coin"


def test_until_then_it_counts_down_and_looks_again_in_time() -> None:
    plan_ = planned(ended(ago_minutes=0.8))
    assert str(told(ended(ago_minutes=0.8)).because) == "opens again in 4:12 (after take-profit)"
    assert plan_.look_again == timedelta(seconds=252)


@pytest.mark.parametrize(
    ("reason", "look"),
    [
        ("the level is no added risk", {"level": Level.NO_ADDED_RISK}),
        ("a second look that agrees", {"confirmed": False}),
        ("a second look that agrees", {"settled": False}),
        ("the exchange is not healthy", {"healthy": False}),
        ("no fresh price", {"ticker": None}),
        ("USDT of margin and fee: 5.00 USDT is free", {"available": D(5)}),
        ("older orders of ours are being removed first", {"orders": (entry(), oco())}),
    ],
)
def test_due_it_waits_and_says_why_and_stays_due(reason: str, look: dict[str, Any]) -> None:
    decision = told(ended(), **look)
    assert decision.action is None
    assert reason in str(decision.because)


def test_a_cycle_below_the_smallest_value_is_not_begun() -> None:
    """It would end as not entered and be begun again every thirty seconds."""
    decision = told(ended(position_value=D(140)), instrument=replace(COIN, min_notional=D(150)))
    assert decision.action is None
    assert "140 USDT is less than the smallest order of 1.5 contracts" in str(decision.because)


def test_a_due_one_that_is_held_back_is_tried_every_thirty_seconds() -> None:
    assert planned(ended(), available=D(5)).look_again == timedelta(seconds=30)


def test_pausing_entries_does_not_pause_it() -> None:
    assert told(ended(), level=Level.NO_NEW_ENTRIES).action is not None


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("reopening is off for it", {"reopen": None}),
        ("it ended by liquidated", {"exit_reason": ExitReason.LIQUIDATED}),
        ("it ended by not known", {"exit_reason": ExitReason.NOT_KNOWN}),
        ("it ended by closed by us", {"exit_reason": ExitReason.CLOSED_BY_US}),
        ("it was never entered", {"exit_reason": ExitReason.NOT_ENTERED}),
        ("all of its 1 cycles are done", {"reopen": ReopenRule(max_cycles=1)}),
        ("have lost 120.00 of at most 100.00", {"reopen": ReopenRule(loss_budget=D(100)), "earned": D(-120)}),
    ],
)
def test_what_is_not_opened_again_is_let_go_with_a_reason(words: str, changes: dict[str, Any]) -> None:
    decision = told(ended(**changes))
    assert decision.action == LetGo(PART, 1)
    assert words in str(decision.because)


def test_a_reopen_that_was_not_entered_is_tried_again_soon() -> None:
    failed = ended(cycle=7, exit_reason=ExitReason.NOT_ENTERED, cycle_ended_at=after(-31))
    assert isinstance(told(failed).action, StartCycle)
    assert "opens again in 0:10" in str(told(failed.but(cycle_ended_at=after(-20))).because)


def test_closed_for_good_is_for_good() -> None:
    assert [one for one in planned(ended(wanted=Wanted.CLOSED)).decisions if one.rule is Rule.REOPEN] == []


def test_asked_for_by_name_it_comes_whatever_the_rule_says() -> None:
    now = ended(ago_minutes=0.1, reopen=None, reopen_at=NOON)
    assert isinstance(told(now).action, StartCycle)
    renewed = ended(wanted=Wanted.RENEWED, exit_reason=ExitReason.CLOSED_BY_US)
    assert isinstance(told(renewed).action, StartCycle)


def test_a_renewed_part_is_closed_first() -> None:
    decided = plan(desired(begun(wanted=Wanted.RENEWED)), seen(entry(), oco(), held=10), NOON)
    assert [decision.rule for decision in decided.decisions if decision.action] == [Rule.CLOSE]
