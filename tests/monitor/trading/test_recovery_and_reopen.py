"""Recovery and reopen on the real stack: the same record goes on, guarded at every moment, to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.account import Exchange, Level
from core.domain.intent import ExitReason, RecoveryChoice, ReopenChoice, Target
from tests.monitor.invariants import agrees, nothing_left, same
from tests.monitor.safety.test_lost_answers import ORDER, lose
from tests.stack import ACCOUNT, Stack

HELD = Decimal("0.99")
TO_RECOVERY = "94400"  #: 0.009 BTC from 100,000 have lost 50.4 USDT here


@pytest.fixture(autouse=True)
def on(request: pytest.FixtureRequest) -> None:
    stack: Stack = request.getfixturevalue("either" if "either" in request.fixturenames else "stack")
    stack.store.settings.set("recovery_enabled", True, "test")
    stack.store.settings.set("reopen_enabled", True, "test")


def recovered(stack: Stack, part: str, steps: int = 1) -> None:
    stack.until(lambda: len(stack.part(part).steps) == steps and stack.at_rest(part), seconds=60)


def test_a_losing_part_is_averaged_down_and_aims_at_the_recovery_targets(either: Stack) -> None:
    part = either.opened()
    held = either.part(part).size
    either.price(TO_RECOVERY)
    recovered(either, part)
    now = either.part(part)
    (step,) = now.steps
    assert now.size == held + step.filled == either.held()
    assert 90 < step.filled / either.whole * (step.average_price or 0) < 101
    rest = either.resting()
    assert {Decimal(row["sz"]) for row in rest} == {now.size}
    coins = now.size / either.whole
    for leg, usdt in (("tpTriggerPx", 50), ("slTriggerPx", -100)):
        (level,) = [Decimal(row[leg]) for row in rest if row[leg]]
        assert abs((level - now.average_entry) * coins - usdt) < Decimal("0.01")
    either.price("106000")
    cycle = either.ended(part)
    assert cycle.reason is ExitReason.TAKE_PROFIT
    assert 48 < cycle.realised_pnl < 52
    agrees(either, part)


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
    stack.store.settings.set("recovery_max_steps", 1, "test")
    part = stack.opened()
    stack.simulator.faults(lose(kind, ORDER, **({"seconds": 2} if kind == "late" else {})))
    stack.price(TO_RECOVERY)
    stack.until(lambda: len(stack.part(part).steps) == 1 and stack.at_rest(part), seconds=90)
    stack.settle(20)
    assert stack.held() == stack.part(part).size
    assert len(stack.part(part).steps) == 1
    assert "1 of at most 1 steps are taken" in stack.story()


def test_a_death_in_the_middle_of_a_step_doubles_nothing(either: Stack) -> None:
    either.store.settings.set("recovery_max_steps", 1, "test")
    part = either.opened()
    either.price(TO_RECOVERY)
    either.look()
    either.crash()
    either.until(lambda: len(either.part(part).steps) == 1 and either.at_rest(part), seconds=60)
    either.settle(20)
    assert len(either.part(part).steps) == 1
    assert either.held() == either.part(part).size


def test_a_part_chooses_for_itself(stack: Stack) -> None:
    part = stack.opened()
    own = RecoveryChoice(add_notional=Decimal(300), tp_usdt=Decimal(20), sl_usdt=Decimal(150))
    stack.positions.choose(part, own, ReopenChoice(), stack.token(), "trader")
    stack.price(TO_RECOVERY)
    recovered(stack, part)
    now = stack.part(part)
    assert now.steps[0].filled == Decimal("0.31")
    assert now.targets == (Target(pnl_usdt=Decimal(20)), Target(pnl_usdt=Decimal(-150)))


def test_an_ended_part_is_opened_again_in_its_own_row(either: Stack) -> None:
    part = either.opened()
    either.price("106000")
    either.ended(part)
    either.until(lambda: "opens again in" in either.story())
    assert either.held() == 0
    either.step(300)
    either.until(lambda: either.at_rest(part))
    again = either.part(part)
    size = {Exchange.OKX: "0.94", Exchange.BINANCE: "0.009"}[either.wire]
    assert (again.intent.cycle, again.size) == (2, Decimal(size))
    assert again.targets == (Target(pnl_usdt=Decimal(50)), Target(pnl_usdt=Decimal(-100)))
    assert len(either.store.parts.intents(either.name)) == 1


def test_it_goes_on_without_end_and_the_ledger_agrees(either: Stack) -> None:
    part = either.opened()
    for cycle in range(2, 8):
        up = cycle % 2 == 0
        mark = either.part(part).average_entry or Decimal(0)
        either.price(str((mark * (Decimal("1.06") if up else Decimal("0.88"))).quantize(Decimal("0.1"))))
        either.until(lambda cycle=cycle: len(either.store.history.cycles(either.name)) == cycle - 1, seconds=120)
        either.step(300)
        either.until(lambda cycle=cycle: either.part(part).intent.cycle == cycle and either.at_rest(part), seconds=60)
    either.positions.close(part, either.token(), "trader")
    either.until(lambda: len(either.store.history.cycles(either.name)) == 7)
    assert same(sum((one.net for one in either.store.history.cycles(either.name)), Decimal(0)), either.money()["all"])
    nothing_left(either)


def test_a_restart_in_the_delay_loses_nothing(either: Stack) -> None:
    part = either.opened()
    either.price("106000")
    either.ended(part)
    either.crash()
    either.step(300)
    either.until(lambda: either.at_rest(part))
    assert either.part(part).intent.cycle == 2


def test_closed_for_good_stays_closed_and_closed_for_later_comes_back(either: Stack) -> None:
    part = either.opened()
    either.positions.close(part, either.token(), "trader", reopen=True)
    either.ended(part)
    either.step(300)
    either.until(lambda: either.at_rest(part))
    either.positions.close(part, either.token(), "trader")
    either.until(lambda: len(either.store.history.cycles(either.name)) == 2)
    either.step(600)
    either.settle(5)
    nothing_left(either)


def test_now_means_now_and_cancelled_means_never(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    stack.hear()
    stack.positions.reopen_now(part, stack.token(), "trader")
    stack.until(lambda: stack.at_rest(part))
    stack.price("112500")
    stack.until(lambda: len(stack.store.history.cycles(ACCOUNT)) == 2)
    stack.positions.cancel_reopen(part, stack.token(), "trader")
    stack.step(600)
    stack.settle(5)
    nothing_left(stack)


def test_a_reopen_that_cannot_be_stays_due_with_its_reason(stack: Stack) -> None:
    part = stack.opened()
    stack.price("106000")
    stack.ended(part)
    stack.store.bots.set_level(ACCOUNT, Level.NO_ADDED_RISK, by="trader", why="wait")
    stack.step(300)
    stack.settle(40)
    assert stack.held() == 0
    assert "due to open again and waits: the level is no added risk" in stack.story()
    stack.store.bots.set_level(ACCOUNT, Level.RUN, by="trader", why="go on")
    stack.until(lambda: stack.at_rest(part))


def test_a_hand_that_closes_is_answered_by_the_rule(either: Stack) -> None:
    part = either.opened()
    either.positions.choose(part, RecoveryChoice(), ReopenChoice(delay=timedelta(minutes=1)), either.token(), "trader")
    either.by_hand("close", instId="BTC-USDT-SWAP", posSide="long")
    assert either.ended(part).reason is ExitReason.CLOSED_BY_HAND
    either.step(60)
    either.until(lambda: either.at_rest(part))
    assert either.part(part).intent.cycle == 2
