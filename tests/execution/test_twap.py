"""TWAP: slices over time, what becomes of those that were missed, and a schedule that everybody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.execution import twap
from core.execution.base import Complete, Place, Progress, Wait, Withdraw
from core.execution.pieces import MOST_ORDERS
from core.execution.twap import Schedule, TWAPExecution, schedule
from tests.builders import COIN, NOON, D, after, contracts, price
from tests.execution.builders import live, place, progress, told

#: five slices of two contracts in 100 s: at 0, 20, 40, 60 and 80 s; what is missed is left
STOPS = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(seconds=100), slices=5)
CATCHES_UP = replace(STOPS, at_end=AtEnd.MARKET)
RESTING = replace(STOPS, passive=True)
RESTING_CATCHES_UP = replace(RESTING, at_end=AtEnd.MARKET)
SMALL = replace(COIN, max_market_quantity=contracts("1.5"), max_limit_quantity=contracts("1.5"))


def sent(style: ExecutionStyle, at: float, filled: object, **more: Any) -> Progress:
    """Its newest order was sent so many seconds after noon, and nothing works now."""
    return progress(style, filled=filled, **{"orders": 1, "sent_at": after(at), "ended_at": after(at), **more})


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("the first slice at once", progress(STOPS), 0, place(2)),
        ("it is filling", progress(STOPS, working=True, orders=1, sent_at=NOON), 1, (Wait, None)),
        ("until the second", sent(STOPS, 0, 2), 1, (Wait, after(20))),
        ("the second", sent(STOPS, 0, 2), 20, place(2)),
        ("the first was refused", progress(STOPS, refusal="no margin", sent_at=NOON), 1, (Wait, after(20))),
        ("and is left", progress(STOPS, refusal="no margin", sent_at=NOON), 20, place(2)),
        ("cut short, and left", sent(STOPS, 0, 1, unfilled=contracts(1)), 5, (Wait, after(20))),
        ("the next has its own size", sent(STOPS, 0, 1, unfilled=contracts(1)), 20, place(2)),
        ("nobody was there for three slices", sent(STOPS, 0, 2), 65, place(2)),
        ("the last", sent(STOPS, 60, 8), 80, place(2)),
        ("all slices are through", sent(STOPS, 80, 9, unfilled=contracts(1)), 81, (Complete,)),
        ("nobody was there until the end", sent(STOPS, 0, 2), 100, (Complete,)),
        ("all there", sent(STOPS, 80, 10), 81, (Complete,)),
        ("taken back", sent(STOPS, 0, 2, withdrawn=True), 1, (Complete,)),
        ("hurried", sent(STOPS, 0, 2, hurried=True), 1, place(8)),
        ("before its start", progress(STOPS), -5, (Wait, NOON)),
    ],
)
def test_slices_that_stop_at_the_end(story: str, now: Progress, seconds: float, expected: tuple[object, ...]) -> None:
    assert told(TWAPExecution().next_order(now, after(seconds))) == expected, story


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("the first slice at once", progress(CATCHES_UP), 0, place(2)),
        ("until the second", sent(CATCHES_UP, 0, 2), 1, (Wait, after(20))),
        ("the first was refused", progress(CATCHES_UP, refusal="no margin", sent_at=NOON), 1, (Wait, after(20))),
        ("and is made up for", progress(CATCHES_UP, refusal="no margin", sent_at=NOON), 20, place(4)),
        ("cut short: the next makes up for it", sent(CATCHES_UP, 0, 1, unfilled=contracts(1)), 20, place(3)),
        ("nobody was there for three slices", sent(CATCHES_UP, 0, 2), 65, place(6)),
        ("larger than one order may be", progress(CATCHES_UP, instrument=SMALL), 0, place("1.5")),
        ("so another follows", sent(CATCHES_UP, 0, "1.5", instrument=SMALL), 1, place("0.5")),
        ("more has filled than is due", sent(CATCHES_UP, 0, 5), 20, (Wait, after(40))),
        ("the last was cut short", sent(CATCHES_UP, 80, 9, unfilled=contracts(1)), 81, (Wait, after(100))),
        ("the end makes up for it", sent(CATCHES_UP, 80, 9, unfilled=contracts(1)), 100, place(1)),
        ("nobody was there at all", progress(CATCHES_UP), 100, place(10)),
        ("refused before the end", progress(CATCHES_UP, refusal="no margin", sent_at=after(80)), 100, place(10)),
        ("refused at the end", progress(CATCHES_UP, refusal="no margin", sent_at=after(100)), 101, (Complete,)),
        ("cut short too often", sent(CATCHES_UP, 100, 5, market_orders=5 + MOST_ORDERS), 101, (Complete,)),
        (
            "hurried after a refusal",
            sent(CATCHES_UP, 20, 2, refusal="no margin", hurried=True, hurried_at=after(25)),
            26,
            place(8),
        ),
        (
            "refused after it was hurried",
            sent(CATCHES_UP, 26, 2, refusal="no margin", hurried=True, hurried_at=after(25)),
            27,
            (Complete,),
        ),
    ],
)
def test_slices_that_catch_up(story: str, now: Progress, seconds: float, expected: tuple[object, ...]) -> None:
    assert told(TWAPExecution().next_order(now, after(seconds))) == expected, story


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("at our side of the book", progress(RESTING, near=price(995)), 0, place(2, 995)),
        ("no fresh price", progress(RESTING), 0, (Wait, None)),
        ("it rests until the next slice", live(RESTING, 995), 19, (Wait, after(20))),
        ("and is withdrawn for it", live(RESTING, 995, filled=1), 20, (Withdraw,)),
        ("its rest joins", sent(RESTING, 0, 1, unfilled=contracts(1), near=price(993)), 20, place(3, 993)),
        ("what nobody placed is left", sent(RESTING, 0, 2, near=price(993)), 65, place(2, 993)),
        ("cancelled by a person", sent(RESTING, 0, 1, unfilled=contracts(1), near=price(993)), 5, (Wait, after(20))),
        ("the last rests until the end", live(RESTING, 995, filled=8, sent_at=after(80)), 90, (Wait, after(100))),
        ("and not longer", live(RESTING, 995, filled=8, sent_at=after(80)), 100, (Withdraw,)),
        ("the end", sent(RESTING, 80, 9, unfilled=contracts(1)), 100, (Complete,)),
        ("it catches up", sent(RESTING_CATCHES_UP, 0, 2, near=price(993)), 65, place(6, 993)),
        ("the end catches up at market", sent(RESTING_CATCHES_UP, 80, 7, unfilled=contracts(3)), 100, place(3)),
        ("hurried while it rests", live(RESTING, 995, hurried=True), 5, (Withdraw,)),
    ],
)
def test_slices_that_rest(story: str, now: Progress, seconds: float, expected: tuple[object, ...]) -> None:
    assert told(TWAPExecution().next_order(now, after(seconds))) == expected, story


@pytest.mark.parametrize(
    ("story", "planned", "changes", "sizes"),
    [
        ("even", 10, {}, ["2", "2", "2", "2", "2"]),
        ("in whole steps, the last makes it whole", "1.2", {}, ["0.2", "0.2", "0.3", "0.2", "0.3"]),
        ("too small for five", 10, {"min_quantity": contracts(3)}, ["3.3", "3.3", "3.4"]),
        ("too small for two", 10, {"min_quantity": contracts(6)}, ["10"]),
        ("worth too little for five", 10, {"min_notional": D(250)}, ["2.5", "2.5", "2.5", "2.5"]),
    ],
)
def test_how_the_whole_is_sliced(story: str, planned: object, changes: dict[str, Any], sizes: list[str]) -> None:
    now = progress(STOPS, planned=planned, instrument=replace(COIN, **changes), near=price(1000))
    assert slices(schedule(now)) == [D(size) for size in sizes], story


SIZES = ["2.1", "1.9", "1.3", "2.7", "2.0"]
MOMENTS = [0.0, 19.59196, 42.7965, 53.30948, 83.57286]


def test_a_drawn_schedule_is_the_same_for_ever() -> None:
    """Written by hand from one run: a release that draws otherwise would change executions under way."""
    drawn = schedule(progress(replace(STOPS, randomness=D("0.5")), name="00a7k2/3E"))
    assert [str(size) for size in slices(drawn)] == SIZES
    assert [moment.total_seconds() for moment in drawn.moments] == MOMENTS


def slices(plan: Schedule) -> list[Decimal]:
    return [after - before for before, after in zip([Decimal(0), *plan.amounts], plan.amounts, strict=False)]


@given(
    name=some.text(min_size=1, max_size=8),
    planned=some.integers(1, 5000),
    asked=some.integers(2, 500),
    randomness=some.decimals(0, Decimal("0.5"), places=3),
    least=some.integers(1, 40),
    seconds=some.integers(10, 86_400),
)
def test_every_schedule_is_in_order_and_whole(
    name: str, planned: int, asked: int, randomness: Decimal, least: int, seconds: int
) -> None:
    rules = replace(COIN, min_quantity=contracts(least * COIN.quantity_step))
    style = replace(STOPS, slices=asked, randomness=randomness, duration=timedelta(seconds=seconds))
    whole = planned * COIN.quantity_step
    plan = schedule(progress(style, planned=whole, instrument=rules, name=name))
    assert plan.amounts[-1] == whole
    assert len(plan.moments) == len(plan.amounts) <= asked
    assert plan.moments[0] == timedelta()
    assert plan.moments[-1] < timedelta(seconds=seconds)
    assert list(plan.moments) == sorted(plan.moments)
    sizes, even = slices(plan), whole / len(plan.amounts)
    if len(sizes) > 1:
        assert min(sizes) >= rules.min_quantity
        assert all(abs(size - even) <= even * randomness + COIN.quantity_step for size in sizes)
    distance = timedelta(seconds=seconds) / len(sizes)
    for number, moment in enumerate(plan.moments):
        assert abs(moment - distance * number) <= distance * float(randomness) + timedelta(milliseconds=1)


def test_nothing_but_progress_is_needed_to_go_on() -> None:
    """Every slice is decided by another process that knows nothing: none is doubled, none is forgotten."""
    style, now, seconds, orders = replace(CATCHES_UP, randomness=D("0.4")), progress(CATCHES_UP), 0.0, []
    now = replace(now, style=style)
    while not isinstance(step := TWAPExecution().next_order(now, after(seconds)), Complete):
        twap._sums.cache_clear()
        twap._moments.cache_clear()
        if isinstance(step, Place):
            orders.append((seconds, step.quantity))
            filled = contracts(now.filled + step.quantity)
            now = replace(now, filled=filled, orders=len(orders), sent_at=after(seconds), ended_at=after(seconds))
        else:
            assert isinstance(step, Wait)
            assert step.until is not None
            assert step.until > after(seconds)
            seconds = (step.until - NOON).total_seconds()
    plan = schedule(now)
    assert orders == list(zip([one.total_seconds() for one in plan.moments], slices(plan), strict=True))
    assert len(orders) == 5


def test_a_price_that_moves_does_not_move_the_schedule() -> None:
    """250 USDT are the least of an order: 2.5 contracts at 1,000, so four slices, also when the price has halved."""
    rules = replace(COIN, min_notional=D(250))
    begun = sent(STOPS, 0, "2.5", instrument=rules, first_price=price(1000), near=price(500))
    assert len(schedule(begun).moments) == 4
    assert told(TWAPExecution().next_order(begun, after(25))) == place("7.5"), "with its tail"
    gone = replace(begun, near=None)
    assert schedule(gone) == schedule(begun)


def test_its_words() -> None:
    def words(now: Progress, seconds: float) -> str:
        return str(TWAPExecution().next_order(now, after(seconds)).because)

    assert words(progress(STOPS), 0) == "slice 1 of 5: buys 2 contracts at market"
    assert words(sent(STOPS, 0, 2), 5) == "waits for slice 2 of 5"
    assert words(progress(STOPS, refusal="no margin", sent_at=NOON), 1) == (
        "waits for slice 2 of 5, the newest request was refused: no margin"
    )
    assert words(live(RESTING, 995, buys=False), 5) == "slice 1 of 5 rests at 995"
    assert words(progress(CATCHES_UP), 100) == "buys the missing 10 contracts at market, the time of the slices is over"
