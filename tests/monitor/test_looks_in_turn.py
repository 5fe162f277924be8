"""How looks follow each other: a wish and a fill at once, everything else spread over the exchange's window."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from itertools import pairwise

import pytest

from core.domain.account import PositionKey
from core.domain.instrument import Side
from core.monitor.guard import LONGEST_GAP, SMALLEST_GAP, AccountGuard
from tests.stack import ACCOUNT, BTC, Stack

KEY = PositionKey(ACCOUNT, BTC, Side.LONG)
WINDOW, LOOKS = 2.0, 10  #: seconds in which OKX gives so many reads of the positions


def at_once(guard: AccountGuard) -> bool:
    """Whether the next look begins while the clock stands still."""
    with ThreadPoolExecutor(1) as beside:
        try:
            return beside.submit(guard._next).result(0.2) is not None
        except TimeoutError:
            guard.ask_to_stop()
            return False


def test_a_wish_is_looked_at_once_though_a_look_has_just_begun(stack: Stack) -> None:
    for wish in (None, KEY, KEY):
        stack.guard.wake(wish)
        assert at_once(stack.guard)


def test_what_nobody_waits_for_keeps_the_gap(stack: Stack) -> None:
    stack.guard.wake()
    assert at_once(stack.guard)
    stack.guard.wake()
    assert not at_once(stack.guard)


@pytest.mark.parametrize("wishes", [(), (0.5,), (0.1, 0.2, 0.3)], ids=["none", "one", "three"])
def test_no_window_is_used_up_by_what_nobody_waits_for(stack: Stack, wishes: Iterable[float]) -> None:
    """Looks are wanted all the time, and now and then one by a person, who never finds the window full."""
    guard, start, begun = stack.guard, stack.clock.monotonic(), list[float]()
    for _ in range(60):
        now = stack.clock.monotonic() - start
        if any(abs(now % WINDOW - at) < 0.05 for at in wishes):
            guard.wake(KEY)
        else:
            guard.wake()
        if guard._wishes.urgent or stack.clock.monotonic() >= guard._not_before:
            assert guard._next() is not None
            begun.append(now)
        stack.step(0.1)
    busiest = max(sum(at <= one < at + WINDOW for one in begun) for at in begun)
    assert busiest <= LOOKS, begun
    assert max(b - a for a, b in pairwise(begun)) <= LONGEST_GAP + 0.11
    assert SMALLEST_GAP * LOOKS > WINDOW
