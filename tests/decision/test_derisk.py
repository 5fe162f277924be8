"""The rule *derisk*: what has come to risk more than one trade may is closed in part, once, and never whole."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from core.decision.plan import plan
from core.decision.preview.sizing import loss_at
from core.domain.account import Level
from core.domain.action import OutcomeKind, Plan, Reduce
from core.domain.intent import Limits, Target, TargetEdit, Wanted
from core.domain.order import OrderStatus
from tests.builders import (
    COIN,
    NOON,
    D,
    after,
    because,
    begun,
    command,
    contracts,
    desired,
    entry,
    in_words,
    oco,
    price,
    seen,
)

ON = Limits(reduce_oversized_risk=True, risk_per_trade_cap=D(50))
HELD = seen(entry(), oco(), held=10)  #: its stop would lose 100 USDT and 0.95 of fees


def decided(asked: Any = None, look: Any = HELD, limits: Limits = ON, level: Level = Level.RUN) -> Plan:
    return plan(desired(asked or begun(), limits=limits, level=level), look, NOON)


@pytest.mark.parametrize(
    ("story", "asked", "look", "limits", "level", "actions"),
    [
        ("it fits", begun(), HELD, Limits(reduce_oversized_risk=True), Level.RUN, []),
        ("too much, and switched off", begun(), HELD, replace(ON, reduce_oversized_risk=False), Level.RUN, []),
        ("too much", begun(), HELD, ON, Level.RUN, ["reduce to 4.9"]),
        ("of the equity too", begun(), replace(HELD, equity=D(200)), Limits(reduce_oversized_risk=True), Level.RUN,
         ["reduce to 5.9"]),
        ("at a level that only reduces", begun(), HELD, ON, Level.REDUCE_ONLY, ["reduce to 4.9"]),
        ("nothing limits it", begun(), HELD, replace(ON, risk_per_trade_cap=None), Level.RUN, []),
        ("without a stop nothing can be measured", begun(stop_loss=None), seen(entry(), oco(sl=None), held=10), ON,
         Level.RUN, []),
        ("a close of the trader's comes first", begun(wanted=Wanted.CLOSED), HELD, ON, Level.RUN, ["place close 10"]),
        ("a partial close too", begun(reduce_to=contracts(9)), HELD, ON, Level.RUN, ["place close 1"]),
        ("nothing fits: the smallest order stays", begun(), HELD, replace(ON, risk_per_trade_cap=D("0.01")), Level.RUN,
         ["reduce to 0.1"]),
        ("by less than the smallest order", begun(), HELD, replace(ON, risk_per_trade_cap=D("100.94")), Level.RUN,
         ["reduce to 9.9"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_derisk(story: str, asked: Any, look: Any, limits: Limits, level: Level, actions: list[str]) -> None:
    assert in_words(decided(asked, look, limits, level)) == actions, story


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (replace(HELD, commands=(command("op00000101P02", outcome=OutcomeKind.UNKNOWN, ago=1),)), "has no answer yet"),
        (replace(HELD, commands=(command("op00000101C01", 1, ago=29),)), "at most one reduction in 30 s"),
        (replace(HELD, settled=False), "smaller than our parts"),
        (seen(entry(), oco(4), held=10), "its stop-loss is put right first"),
        (seen(entry(9, quantity=10, status=OrderStatus.WORKING), oco(9), held=9), "it is still being entered"),
    ],
)
def test_what_has_to_be_over_first(look: Any, words: str) -> None:
    found = decided(look=look)
    assert not any(isinstance(action, Reduce) for action in found.actions)
    assert words in because(found, "derisk")


def test_half_a_minute_after_the_last_it_may_again() -> None:
    assert in_words(decided(look=replace(HELD, commands=(command("op00000101C01", 1, ago=31),)))) == ["reduce to 4.9"]


def test_what_cannot_be_split_is_left_to_its_stop() -> None:
    look = seen(entry("0.1", "0.1"), oco("0.1", 1500, 1), held="0.1")
    asked = begun(contracts=contracts("0.1"), stop_loss=Target(pnl_usdt=D("-9.99")), take_profit=Target(pnl_usdt=D(5)))
    found = decided(asked, look, replace(ON, risk_per_trade_cap=D(1)))
    assert not any(isinstance(action, Reduce) for action in found.actions)
    assert "0.1 contracts cannot be split, and are left to their stop" in because(found, "derisk")


def test_a_stop_that_was_moved_away_counts() -> None:
    moved = begun(edit=TargetEdit(None, Target(price=price(800)), 0))
    look = seen(entry(), oco(10, None, 800), held=10)
    assert in_words(decided(moved, look, replace(ON, risk_per_trade_cap=D(150)))) == ["reduce to 7.4"]
    assert "the stop would lose 200.90 USDT with fees, one trade may lose 150.00: reduced from 10 to 7.4 contracts" in (
        because(decided(moved, look, replace(ON, risk_per_trade_cap=D(150))), "derisk")
    )


@pytest.mark.parametrize("chunk", range(4))
def test_it_closes_no_more_than_it_must_and_never_all(chunk: int) -> None:
    """Whatever was entered and whatever may be lost: on the grid, at least the smallest order on both sides."""
    least = COIN.min_quantity
    for seed in range(chunk * 250, chunk * 250 + 250):
        draw = random.Random(seed)
        size = contracts(D(draw.randint(1, 200)) / 10)
        stop = D(draw.randint(200, 1990)) / 2
        most = D(draw.randint(1, 40_000)) / 100
        asked = begun(
            contracts=size,
            stop_loss=Target(price=price(stop)),
            take_profit=None,
            cycle_started_at=after(-600),
        )
        look = seen(entry(size, size), oco(size, None, stop), held=size)
        found = decided(asked, look, replace(ON, risk_per_trade_cap=most))
        lost = loss_at(COIN, asked.key.side, size, D(1000), stop)
        reduced = [action for action in found.actions if isinstance(action, Reduce)]
        if lost <= most or size < 2 * least:
            assert not reduced, f"{seed=}"
            continue
        (reduce,) = reduced
        assert least <= reduce.to <= size - least, f"{seed=}"
        assert reduce.to % COIN.quantity_step == 0, f"{seed=}"
        then = loss_at(COIN, asked.key.side, reduce.to, D(1000), stop)
        assert then <= most or reduce.to == least, f"{seed=}"
        one_more = loss_at(COIN, asked.key.side, reduce.to + COIN.quantity_step, D(1000), stop)
        assert one_more > most or size - reduce.to == least, f"{seed=}"
