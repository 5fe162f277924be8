"""Each style of entering answers one question: what should be working right now?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.intent import EntryKind, EntryStyle
from core.domain.order import OrderKind
from core.execution import EXECUTION_STRATEGIES
from core.execution.base import Complete, Place, Progress, Step, Wait, Withdraw, execution_for
from core.execution.limit import LimitExecution
from core.execution.market import MOST_ORDERS, MarketExecution
from tests.builders import COIN, NOON, after, contracts, price

SMALL = replace(COIN, max_market_quantity=contracts(4), max_limit_quantity=contracts(4))
AT_990 = EntryStyle(EntryKind.LIMIT, price(990), timedelta(seconds=90))


def progress(style: EntryStyle | None = None, **changes: Any) -> Progress:
    """Ten contracts wanted, nothing done, begun at noon."""
    return replace(Progress(style or EntryStyle(), COIN, contracts(10), contracts(0), False, 0, "", NOON), **changes)


def place(quantity: object, at: object = None) -> tuple[object, ...]:
    return Place, contracts(quantity), None if at is None else price(at)


def told(step: Step) -> tuple[object, ...]:
    match step:
        case Place():
            return Place, step.quantity, step.price
        case Wait():
            return Wait, step.until
    return (type(step),)


@pytest.mark.parametrize(
    ("story", "now", "expected"),
    [
        ("nothing yet", progress(), place(10)),
        ("filling", progress(working=True), (Wait, None)),
        ("cut short", progress(filled=contracts(4), orders=1), place(6)),
        ("all there", progress(filled=contracts(10), orders=1), (Complete,)),
        ("less than one step is missing", progress(filled=contracts("9.95"), orders=1), (Complete,)),
        ("refused", progress(refusal="no margin"), (Complete,)),
        ("in slices", progress(instrument=SMALL), place(4)),
        ("the last slice", progress(instrument=SMALL, filled=contracts(8), orders=2), place(2)),
        ("cut short for ever", progress(filled=contracts(1), orders=MOST_ORDERS), (Complete,)),
    ],
)
def test_market(story: str, now: Progress, expected: tuple[object, ...]) -> None:
    assert told(MarketExecution().next_order(now, NOON)) == expected, story


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("nothing yet", progress(AT_990), 0, place(10, 990)),
        ("it rests", progress(AT_990, working=True, orders=1), 89, (Wait, after(90))),
        ("it rests without end", progress(replace(AT_990, timeout=None), working=True), 9999, (Wait, None)),
        ("its time is over", progress(AT_990, working=True, orders=1), 90, (Withdraw,)),
        ("withdrawn, some was filled", progress(AT_990, filled=contracts(4), orders=1), 90, (Complete,)),
        ("taken away by a person", progress(AT_990, filled=contracts(4), orders=1), 10, (Complete,)),
        ("taken back, still resting", progress(AT_990, working=True, orders=1, withdrawn=True), 10, (Withdraw,)),
        ("taken back before it was sent", progress(AT_990, withdrawn=True), 0, (Complete,)),
        ("all there", progress(AT_990, filled=contracts(10), orders=1), 10, (Complete,)),
        ("refused", progress(AT_990, refusal="price too far"), 0, (Complete,)),
        ("in slices", progress(AT_990, instrument=SMALL), 0, place(4, 990)),
        ("the last slice", progress(AT_990, instrument=SMALL, filled=contracts(8), orders=2), 1, place(2, 990)),
    ],
)
def test_limit(story: str, now: Progress, seconds: float, expected: tuple[object, ...]) -> None:
    assert told(LimitExecution().next_order(now, after(seconds))) == expected, story


def test_a_limit_order_carries_its_kind_and_reason() -> None:
    step = LimitExecution().next_order(progress(AT_990), NOON)
    assert step == Place(OrderKind.LIMIT, contracts(10), price(990), "enters 10.0 contracts at 990")


def test_a_refusal_is_told_in_the_words_of_the_exchange() -> None:
    assert MarketExecution().next_order(progress(refusal="no margin"), NOON) == Complete("no margin")


def test_styles_by_name() -> None:
    assert isinstance(execution_for(EntryKind.MARKET, EXECUTION_STRATEGIES), MarketExecution)
    assert isinstance(execution_for(EntryKind.LIMIT, EXECUTION_STRATEGIES), LimitExecution)
    with pytest.raises(ValueError, match="twap is not offered; one of: limit, market"):
        execution_for(EntryKind.TWAP, EXECUTION_STRATEGIES)
