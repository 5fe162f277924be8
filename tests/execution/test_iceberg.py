"""Iceberg: a part is shown, the next follows when it has filled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.execution.base import Complete, Progress, Wait, Withdraw
from core.execution.iceberg import IcebergExecution
from tests.builders import COIN, D, after, contracts, price
from tests.execution.builders import ended, live, place, progress, told

#: three of ten contracts are shown, at our side of the book, and looked at every 30 s
THIRD = ExecutionStyle(
    ExecutionKind.ICEBERG,
    timeout=timedelta(seconds=90),
    visible=Decimal("0.3"),
    refresh=timedelta(seconds=30),
)
AT_990 = replace(THIRD, price=price(990))
AT_MARKET = replace(THIRD, at_end=AtEnd.MARKET)
LARGE = replace(COIN, min_quantity=contracts("0.5"))
SMALL = replace(COIN, max_limit_quantity=contracts(2))


@pytest.mark.parametrize(
    ("story", "now", "seconds", "expected"),
    [
        ("the first part", progress(THIRD, near=price(995)), 0, place(3, 995)),
        ("no fresh price", progress(THIRD), 0, (Wait, after(90))),
        ("at its own price", progress(AT_990, near=price(995)), 0, place(3, 990)),
        ("no larger than one order may be", progress(AT_990, instrument=SMALL), 0, place(2, 990)),
        ("no smaller either", progress(replace(AT_990, visible=D("0.01")), planned=5), 0, place("0.1", 990)),
        ("the last one takes the tail", progress(AT_990, instrument=LARGE, filled="6.6"), 0, place("3.4", 990)),
        ("it rests", live(THIRD, 995, near=price(997)), 29, (Wait, after(30))),
        ("the market stands still", live(THIRD, 995, near=price(995)), 30, (Wait, after(60))),
        ("the market has moved", live(THIRD, 995, near=price(997)), 30, (Withdraw,)),
        ("its own price does not move", live(AT_990, near=price(997)), 30, (Wait, after(60))),
        (
            "without a refresh time it stays",
            live(replace(THIRD, refresh=None), 995, near=price(997)),
            80,
            (Wait, after(90)),
        ),
        ("moved often enough", live(THIRD, 995, near=price(997), orders=500), 40, (Wait, after(90))),
        ("placed anew", ended(THIRD, at=30, filled=1, of=3, near=price(997)), 30, place(3, 997)),
        ("it has filled: the next", ended(THIRD, at=5, filled=3, of=3, near=price(996)), 5, place(3, 996)),
        ("the last", ended(THIRD, at=5, filled=9, of=9, near=price(996)), 5, place(1, 996)),
        ("all there", ended(THIRD, at=5, filled=10, of=10, near=price(996)), 5, (Complete,)),
        ("cancelled by a person", ended(THIRD, at=5, filled=1, of=3, near=price(996)), 6, (Complete,)),
        ("which stays so", ended(THIRD, at=5, filled=1, of=3, near=price(996)), 80, (Complete,)),
        ("refused", progress(THIRD, near=price(995), refusal="too far"), 1, (Complete,)),
        ("its time is over", live(THIRD, 995), 90, (Withdraw,)),
        ("and what is missing is left", ended(THIRD, at=90, filled=1, of=3), 90, (Complete,)),
        ("or goes at market", ended(AT_MARKET, at=90, filled=1, of=3), 90, place(9)),
        ("taken back", live(THIRD, 995, withdrawn=True), 5, (Withdraw,)),
        ("hurried", ended(THIRD, at=5, filled=1, of=3, hurried=True), 6, place(9)),
    ],
)
def test_iceberg(story: str, now: Progress, seconds: float, expected: tuple[object, ...]) -> None:
    assert told(IcebergExecution().next_order(now, after(seconds))) == expected, story
