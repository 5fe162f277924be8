"""Market and limit: what should be working right now?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.domain.order import OrderKind
from core.domain.reason import Reason, text
from core.execution import EXECUTION_STRATEGIES
from core.execution.base import Complete, Place, Progress, Wait, Withdraw, execution_for
from core.execution.limit import LimitExecution
from core.execution.market import MarketExecution
from core.execution.pieces import MOST_ORDERS
from tests.builders import COIN, NOON, D, after, contracts, price
from tests.execution.builders import ended, live, place, progress, told

SMALL = replace(COIN, max_market_quantity=contracts(4), max_limit_quantity=contracts(4))
WORTH_250 = replace(COIN, min_notional=D(250))  #: at 1,000 USDT an order has three contracts at least
AT_990 = ExecutionStyle(ExecutionKind.LIMIT, price(990), timedelta(seconds=90))
MOVING = replace(AT_990, reprice=timedelta(seconds=30))  #: gives way by 1 %: up to 999.5
THEN_AT_MARKET = replace(AT_990, at_end=AtEnd.MARKET)


@pytest.mark.parametrize(
    ("story", "now", "expected"),
    [
        ("nothing yet", progress(), place(10)),
        ("filling", progress(working=True), (Wait, None)),
        ("cut short", progress(filled=4, orders=1), place(6)),
        ("all there", progress(filled=10, orders=1), (Complete,)),
        ("less than one step is missing", progress(filled="9.95", orders=1), (Complete,)),
        ("refused", progress(refusal="no margin"), (Complete,)),
        ("in slices", progress(instrument=SMALL), place(4)),
        ("the last slice", progress(instrument=SMALL, filled=8, orders=2), place(2)),
        ("cut short for ever", progress(filled=1, orders=MOST_ORDERS), (Complete,)),
        ("taken back before it was sent", progress(withdrawn=True), (Complete,)),
        ("taken back too late", progress(working=True, withdrawn=True), (Wait, None)),
        ("hurried, which it is anyway", progress(hurried=True), place(10)),
        ("worth too little", progress(instrument=WORTH_250, near=price(1000), filled=8, orders=1), (Complete,)),
        ("worth enough", progress(instrument=WORTH_250, near=price(1000), filled=7, orders=1), place(3)),
    ],
)
def test_market(story: str, now: Progress, expected: tuple[object, ...]) -> None:
    assert told(MarketExecution().next_order(now, NOON)) == expected, story


@pytest.mark.parametrize(
    ("story", "most", "planned", "expected"),
    [
        ("the tail of 0.5 has room in the order", 5, "4.5", place("4.5")),
        ("the tail of 0.5 does not, so the order leaves it one contract", 4, "4.5", place("3.5")),
        ("a tail of one contract is an order of its own", 4, 5, place(4)),
    ],
)
def test_no_tail_is_left_that_the_exchange_would_not_take(
    story: str, most: int, planned: object, expected: tuple[object, ...]
) -> None:
    rules = replace(COIN, min_quantity=contracts(1), max_market_quantity=contracts(most))
    now = progress(instrument=rules, planned=planned)
    assert told(MarketExecution().next_order(now, NOON)) == expected, story


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("nothing yet", progress(AT_990), 0, place(10, 990)),
        ("it rests", live(AT_990), 89, (Wait, after(90))),
        ("it rests without end", live(replace(AT_990, timeout=None)), 9999, (Wait, None)),
        ("its time is over", live(AT_990), 90, (Withdraw,)),
        ("withdrawn, some was filled", ended(AT_990, filled=4, at=90), 90, (Complete,)),
        ("the exchange's clock is a second behind", ended(AT_990, filled=4, at=89), 90, (Complete,)),
        ("taken away by a person", ended(AT_990, filled=4, at=10), 10, (Complete,)),
        ("taken back, still resting", live(AT_990, withdrawn=True), 10, (Withdraw,)),
        ("taken back before it was sent", progress(AT_990, withdrawn=True), 0, (Complete,)),
        ("all there", ended(AT_990, filled=10, at=10), 10, (Complete,)),
        ("refused", progress(AT_990, refusal="price too far"), 0, (Complete,)),
        ("in slices", progress(AT_990, instrument=SMALL), 0, place(4, 990)),
        ("the last slice", progress(AT_990, instrument=SMALL, filled=8, orders=2), 1, place(2, 990)),
        ("hurried while it rests", live(AT_990, hurried=True), 10, (Withdraw,)),
        ("hurried and withdrawn", ended(AT_990, filled=4, at=10, hurried=True), 10, place(6)),
        ("no price of its own", progress(replace(AT_990, price=None), near=price(985)), 0, place(10, 985)),
        ("no price at all", progress(replace(AT_990, price=None)), 0, (Wait, after(90))),
    ],
)
def test_limit(story: str, now: Progress, seconds: float, expected: tuple[object, ...]) -> None:
    assert told(LimitExecution().next_order(now, after(seconds))) == expected, story


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("at its own price first", progress(MOVING, near=price(993)), 0, place(10, 990)),
        ("placed late, still at its own price", progress(MOVING, near=price(993)), 40, place(10, 990)),
        ("not yet", live(MOVING, near=price(993)), 29, (Wait, after(30))),
        ("the market has moved away", live(MOVING, near=price(993)), 30, (Withdraw,)),
        ("the market stands where it rests", live(MOVING, near=price(990)), 30, (Wait, after(60))),
        ("no fresh price", live(MOVING), 45, (Wait, after(60))),
        ("the time-out comes first", live(MOVING, near=price(990), sent_at=after(65)), 70, (Wait, after(90))),
        ("placed anew", ended(MOVING, filled=4, at=30, near=price(993)), 30, place(6, 993)),
        ("placed anew, the exchange's clock behind", ended(MOVING, at=29, near=price(993)), 31, place(10, 993)),
        ("no fresh price to place it at", ended(MOVING, at=30), 30, (Wait, after(90))),
        ("no further than it may give way", ended(MOVING, at=30, near=price(1200)), 30, place(10, "999.5")),
        ("it rests where it may go at most", live(MOVING, 999.5, near=price(1200)), 50, (Wait, after(60))),
        ("back with the market", live(MOVING, 999.5, near=price(995)), 50, (Withdraw,)),
        ("better than its own price", ended(MOVING, at=30, near=price(980)), 30, place(10, 980)),
        ("taken away before it was time", ended(MOVING, at=10, near=price(993)), 50, (Complete,)),
        (
            "a seller gives way downwards",
            ended(MOVING, at=30, near=price(900), buys=False),
            30,
            place(10, "980.5"),
        ),
        (
            "without a price of its own it gives way from where it began",
            ended(replace(MOVING, price=None), at=30, near=price(1200), first_price=price(1000)),
            30,
            place(10, 1010),
        ),
    ],
)
def test_a_limit_order_that_follows_the_market(
    story: str, now: Progress, seconds: float, expected: tuple[object, ...]
) -> None:
    assert told(LimitExecution().next_order(now, after(seconds))) == expected, story


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("it rests", live(THEN_AT_MARKET), 89, (Wait, after(90))),
        ("its time is over", live(THEN_AT_MARKET), 90, (Withdraw,)),
        ("the rest at market", ended(THEN_AT_MARKET, filled=4, at=90), 90, place(6)),
        ("cut short, once more", ended(THEN_AT_MARKET, filled=6, at=91, market_orders=1), 92, place(4)),
        ("cut short too often", ended(THEN_AT_MARKET, filled=6, at=91, market_orders=MOST_ORDERS), 92, (Complete,)),
        ("nothing was ever placed", progress(THEN_AT_MARKET), 500, place(10)),
        ("taken away by a person, long ago", ended(THEN_AT_MARKET, at=10), 500, (Complete,)),
        ("refused as a limit order", progress(THEN_AT_MARKET, refusal="too far"), 500, (Complete,)),
    ],
)
def test_a_limit_order_whose_rest_goes_at_market(
    story: str, now: Progress, seconds: float, expected: tuple[object, ...]
) -> None:
    assert told(LimitExecution().next_order(now, after(seconds))) == expected, story


def test_a_limit_order_carries_its_kind_and_reason() -> None:
    step = LimitExecution().next_order(progress(AT_990), NOON)
    assert step == Place(
        OrderKind.LIMIT,
        contracts(10),
        price(990),
        Reason("execution.buys_at", quantity=contracts(10), price=price(990)),
    )


def test_a_refusal_is_told_in_the_words_of_the_exchange() -> None:
    assert MarketExecution().next_order(progress(refusal="no margin"), NOON) == Complete(text("no margin"))


def test_styles_by_name() -> None:
    assert {kind: type(execution_for(kind, EXECUTION_STRATEGIES)).__name__ for kind in ExecutionKind} == {
        ExecutionKind.MARKET: "MarketExecution",
        ExecutionKind.LIMIT: "LimitExecution",
        ExecutionKind.TWAP: "TWAPExecution",
        ExecutionKind.ICEBERG: "IcebergExecution",
    }
    with pytest.raises(ValueError, match="twap is not offered; one of: limit"):
        execution_for(ExecutionKind.TWAP, {ExecutionKind.LIMIT: LimitExecution()})
