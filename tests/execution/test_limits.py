"""Which styles are accepted: every field by its name, with its range."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle
from core.execution.limits import problems_of
from tests.builders import COIN, D, contracts, price

LIMIT = ExecutionStyle(ExecutionKind.LIMIT, price(990))
ICEBERG = ExecutionStyle(ExecutionKind.ICEBERG, visible=D("0.1"))
TWAP = ExecutionStyle(ExecutionKind.TWAP, duration=timedelta(minutes=10), slices=20)
NONSENSE = ExecutionStyle(
    price=price(-1), timeout=timedelta(), reprice=timedelta(), follow=D(9), randomness=D(9), visible=D(9), slices=0
)  #: of a style at market, which asks for none of it


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    "style",
    [
        NONSENSE,
        LIMIT,
        replace(LIMIT, price=None),
        replace(LIMIT, timeout=seconds(1), reprice=seconds(1), follow=D(0), at_end=AtEnd.MARKET),
        replace(LIMIT, timeout=timedelta(days=30), reprice=timedelta(hours=1), follow=D("0.05")),
        replace(LIMIT, follow=D(9)),  # only asked for where it is repriced
        ICEBERG,
        replace(ICEBERG, visible=D(1), refresh=seconds(1), price=price("990.5")),
        replace(ICEBERG, visible=D("0.01"), refresh=timedelta(hours=1)),
        TWAP,
        replace(TWAP, duration=seconds(10), slices=10, randomness=D("0.5"), passive=True),
        replace(TWAP, duration=timedelta(hours=24), slices=500),
    ],
)
def test_accepted(style: ExecutionStyle) -> None:
    assert problems_of(style, COIN, D(1000), price(1000)) == ()


@pytest.mark.parametrize(
    ("style", "problems"),
    [
        (replace(LIMIT, price=price(0)), ["limit price must be above 0, not 0"]),
        (replace(LIMIT, price=price("990.3")), ["limit price must be a multiple of 0.5, not 990.3"]),
        (replace(LIMIT, timeout=seconds(0.5)), ["time-out must be 1 s to 30 d, not 0.5 s"]),
        (replace(LIMIT, at_end=AtEnd.MARKET), ["time-out must be given where the rest goes at market then"]),
        (replace(LIMIT, reprice=seconds(0)), ["reprice time must be 1 s to 30 d, not 0 s"]),
        (replace(LIMIT, reprice=seconds(5), follow=D("0.06")), ["give-way must be 0 to 0.05, not 0.06"]),
        (replace(ICEBERG, visible=None), ["visible share must be given, 0.01 to 1"]),
        (replace(ICEBERG, visible=D("0.001")), ["visible share must be 0.01 to 1, not 0.001"]),
        (replace(ICEBERG, visible=Decimal("NaN")), ["visible share must be 0.01 to 1, not NaN"]),
        (replace(ICEBERG, refresh=timedelta(hours=2)), ["refresh time must be 1 s to 1 h, not 2 h"]),
        (
            ExecutionStyle(ExecutionKind.TWAP),
            ["duration must be given, 10 s to 1 d", "slices must be given, 2 to 500"],
        ),
        (replace(TWAP, duration=seconds(9)), ["duration must be 10 s to 1 d, not 9 s"]),
        (replace(TWAP, slices=1), ["slices must be 2 to 500, not 1"]),
        (replace(TWAP, slices=501), ["slices must be 2 to 500, not 501"]),
        (replace(TWAP, duration=seconds(10)), ["slices must be 10 or fewer in 10 s: one a second at most"]),
        (replace(TWAP, randomness=D("0.6")), ["randomness must be 0 to 0.5, not 0.6"]),
        (replace(TWAP, randomness=D("-0.1")), ["randomness must be 0 to 0.5, not -0.1"]),
    ],
)
def test_refused(style: ExecutionStyle, problems: list[str]) -> None:
    assert list(map(str, problems_of(style, COIN, D(1000), price(1000)))) == problems


def test_a_slice_must_fit_in_one_order() -> None:
    small = replace(COIN, max_market_quantity=contracts(40), max_limit_quantity=contracts(80))
    style = replace(TWAP, slices=2, randomness=D("0.5"))
    assert tuple(map(str, problems_of(style, small, D(10_000), price(1000)))) == (
        "slices must be at least 4: one order takes at most 40 contracts",
    )
    assert problems_of(replace(style, passive=True), small, D(10_000), price(1000)) == ()
    assert problems_of(style, small, D(10_000)) == (), "without a price nothing is known of its size"
