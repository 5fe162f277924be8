"""Recovery and reopen on the real stack: the same record goes on, guarded at every moment, to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import Level
from core.domain.intent import ExitReason, RecoveryChoice, ReopenChoice, Target
from tests.monitor.test_lost_answers import ORDER, lose
from tests.monitor.truth import agrees, nothing_left, same
from tests.stack import ACCOUNT, Stack

HELD = Decimal("0.99")
TO_RECOVERY = "94800"  #: 0.99 contracts from 100,000 have lost 51 USDT here


@pytest.fixture(autouse=True)
def on(stack: Stack) -> None:
    stack.store.set_setting("recovery_enabled", True, "test")
    stack.store.set_setting("reopen_enabled", True, "test")


def recovered(stack: Stack, part: str, steps: int = 1) -> None:
    stack.until(lambda: len(stack.part(part).steps) == steps and stack.at_rest(part), seconds=60)


def test_a_losing_part_is_averaged_down_and_aims_at_the_recovery_targets(stack: Stack) -> None:
    part = stack.opened()
    stack.price(TO_RECOVERY)
    recovered(stack, part)
    now = stack.part(part)
    (step,) = now.steps
    assert now.size == HELD + step.filled == stack.held()
    assert 90 < step.filled * Decimal("0.01") * (step.average_price or 0) < 101
    (oco,) = stack.resting()
    assert (oco["sz"], oco["tpTriggerPx"]) == (str(now.size), str(now.take_profit_price()))
    coins = now.size * Decimal("0.01")
    assert abs((Decimal(oco["tpTriggerPx"]) - now.average_entry) * coins - 50) < Decimal("0.01")
    assert abs((Decimal(oco["slTriggerPx"]) - now.average_entry) * coins + 100) < Decimal("0.01")
    stack.price("106000")
    cycle = stack.ended(part)
    assert cycle.reason is ExitReason.TAKE_PROFIT
    assert 48 < cycle.realised_pnl < 52
    agrees(stack, part)


def test_one_step_at_a_time_with_a_pause_between_two(stack: Stack) -> None:
    part = stack.opened()
    stack.price(TO_RECOVERY)
    recovered(stack, part)
    stack.settle(8)
    assert len(stack.part(part).steps) == 1
    assert "15.0 s lie between two" in stack.story()
    recovered(stack, part, steps=2)


@pytest.mark.parametrize("kind", ["lost_after", "lost_before", "late"])
def test_a_step_without_an_answer_is_one_step(stack: Stack, kind: str) -> None:
    stack.store.set_setting("recovery_max_steps", 1, "test")
    part = stack.opened()
    stack.simulator.faults(lose(kind, ORDER, **({"seconds": 2} if kind == "late" else {})))
    stack.price(TO_RECOVERY)
    stack.until(lambda: len(stack.part(part).steps) == 1 and stack.at_rest(part), seconds=90)
    stack.settle(20)
    assert stack.held() == stack.part(part).size
    assert len(stack.part(part).steps) == 1
    assert "1 of at most 1 steps are taken" in stack.story()


def test_a_death_in_the_middle_of_a_step_doubles_nothing(stack: Stack) -> None:
    stack.store.set_setting("recovery_max_steps", 1, "test")
    part = stack.opened()
    stack.price(TO_RECOVERY)
    stack.look()
    stack.crash()
    stack.until(lambda: len(stack.part(part).steps) == 1 and stack.at_rest(part), seconds=60)
    stack.settle(20)
    assert len(stack.part(part).steps) == 1
    assert stack.held() == stack.part(part).size


def test_a_part_chooses_for_itself(stack: Stack) -> None:
    part = stack.opened()
    own = RecoveryChoice(add_notional=Decimal(300), tp_usdt=Decimal(20), sl_usdt=Decimal(150))
    stack.positions.choose(part, own, ReopenChoice(), stack.token(), "trader")
    stack.price(TO_RECOVERY)
    recovered(stack, part)
    now = stack.part(part)
    assert now.steps[0].filled == Decimal("0.31")
    assert now.targets == (Target(pnl_usdt=Decimal(20)), Target(pnl_usdt=Decimal(-150)))


def test_an_ended_part_is_opened_again_in_its_own_row(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    stack.until(lambda: "opens again in" in stack.story())
    assert stack.held() == 0
    stack.step(300)
    stack.until(lambda: stack.at_rest(part))
    again = stack.part(part)
    assert (again.intent.cycle, again.size) == (2, Decimal("0.94"))
    assert again.targets == (Target(pnl_usdt=Decimal(50)), Target(pnl_usdt=Decimal(-100)))
    assert len(stack.store.intents(ACCOUNT)) == 1


def test_it_goes_on_without_end_and_the_ledger_agrees(stack: Stack) -> None:
    part = stack.opened()
    for cycle in range(2, 8):
        up = cycle % 2 == 0
        mark = stack.part(part).average_entry or Decimal(0)
        stack.price(str((mark * (Decimal("1.06") if up else Decimal("0.88"))).quantize(Decimal("0.1"))))
        stack.until(lambda cycle=cycle: len(stack.store.cycles(ACCOUNT)) == cycle - 1, seconds=120)
        stack.step(300)
        stack.until(lambda cycle=cycle: stack.part(part).intent.cycle == cycle and stack.at_rest(part), seconds=60)
    stack.positions.close(part, stack.token(), "trader")
    stack.until(lambda: len(stack.store.cycles(ACCOUNT)) == 7)
    assert same(sum((one.net for one in stack.store.cycles(ACCOUNT)), Decimal(0)), stack.money()["all"])
    nothing_left(stack)


def test_a_restart_in_the_delay_loses_nothing(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    stack.crash()
    stack.step(300)
    stack.until(lambda: stack.at_rest(part))
    assert stack.part(part).intent.cycle == 2


def test_closed_for_good_stays_closed_and_closed_for_later_comes_back(stack: Stack) -> None:
    part = stack.opened()
    stack.positions.close(part, stack.token(), "trader", reopen=True)
    stack.ended(part)
    stack.step(300)
    stack.until(lambda: stack.at_rest(part))
    stack.positions.close(part, stack.token(), "trader")
    stack.until(lambda: len(stack.store.cycles(ACCOUNT)) == 2)
    stack.step(600)
    stack.settle(5)
    nothing_left(stack)


def test_now_means_now_and_cancelled_means_never(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    stack.hear()
    stack.positions.reopen_now(part, stack.token(), "trader")
    stack.until(lambda: stack.at_rest(part))
    stack.price("112500")
    stack.until(lambda: len(stack.store.cycles(ACCOUNT)) == 2)
    stack.positions.cancel_reopen(part, stack.token(), "trader")
    stack.step(600)
    stack.settle(5)
    nothing_left(stack)


def test_a_reopen_that_cannot_be_stays_due_with_its_reason(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    stack.store.set_level(ACCOUNT, Level.NO_ADDED_RISK, by="trader", why="wait")
    stack.step(300)
    stack.settle(40)
    assert stack.held() == 0
    assert "due to open again and waits: the level is no_added_risk" in stack.story()
    stack.store.set_level(ACCOUNT, Level.RUN, by="trader", why="go on")
    stack.until(lambda: stack.at_rest(part))


def test_a_hand_that_closes_is_answered_by_the_rule(stack: Stack) -> None:
    part = stack.opened()
    stack.positions.choose(part, RecoveryChoice(), ReopenChoice(delay=timedelta(minutes=1)), stack.token(), "trader")
    stack.simulator.intervene("close", instId="BTC-USDT-SWAP", posSide="long")
    assert stack.ended(part).reason is ExitReason.CLOSED_BY_HAND
    stack.step(60)
    stack.until(lambda: stack.at_rest(part))
    assert stack.part(part).intent.cycle == 2
