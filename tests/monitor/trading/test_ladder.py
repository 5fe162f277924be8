"""The ladder before a trade against the trade itself, taken down step by step at the paper exchange: to the cent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.decision.preview.ladder import LadderEnd
from core.domain.instrument import Side
from core.domain.intent import ExitReason, RecoveryChoice
from tests.monitor.invariants import agrees
from tests.stack import Stack

CENT = Decimal("0.01")


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_the_ladder_is_what_the_exchange_then_does(stack: Stack, side: Side, stop_after: int) -> None:
    choice = RecoveryChoice(enabled=True, add_notional=Decimal(400), max_steps=stop_after)
    draft = replace(stack.draft(tp=40, sl=-150, side=side), recovery=choice)
    stack.hear()
    foreseen = stack.positions.ladder(draft)
    assert (foreseen.steps, foreseen.end) == (stop_after, LadderEnd.MAX_STEPS)
    part = stack.opened(draft)
    for rung in foreseen.rungs:
        if rung.number:
            just_before = rung.at + side.sign * Decimal("0.1")
            if rung.at != foreseen.rungs[rung.number - 1].at:
                stack.price(just_before)
                stack.settle(20)
                assert len(stack.part(part).steps) == rung.number - 1, "one tick earlier nothing is due"
            stack.price(rung.at)
            stack.until(
                lambda rung=rung: len(stack.part(part).steps) == rung.number and stack.at_rest(part), seconds=60
            )
        now = stack.part(part)
        assert (now.size, stack.held(side)) == (rung.contracts, rung.contracts)
        assert now.average_entry == rung.average
        assert (now.take_profit_price(), now.stop_price()) == (rung.take_profit, rung.stop_loss)
        (oco,) = stack.resting()
        assert (Decimal(oco["tpTriggerPx"]), Decimal(oco["slTriggerPx"])) == (rung.take_profit, rung.stop_loss)
    last = foreseen.rungs[-1]
    assert last.stop_loss is not None
    stack.price(last.stop_loss)
    cycle = stack.ended(part)
    assert cycle.reason is ExitReason.STOP_LOSS
    assert last.loss is not None
    assert abs(cycle.net - last.loss) < CENT
    assert abs(cycle.fees - last.fees) < CENT
    assert abs(stack.money()["all"] - last.loss) < CENT
    assert foreseen.worst is not None
    assert foreseen.worst.loss == min(rung.loss for rung in foreseen.rungs if rung.loss is not None)
    agrees(stack, part)
