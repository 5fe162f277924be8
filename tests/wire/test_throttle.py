"""The request budget: sliding windows, a reserve for protection, bounded waits, and numbers for the page."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.exchange.okx.limits import LIMITS
from core.exchange.throttle import Limit, Throttle

POSITIONS = "GET account/positions"


@dataclass
class Time:
    """A clock that moves only when slept on or told."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def throttle(time: Time) -> Throttle:
    return Throttle({POSITIONS: Limit(10, 2)}, monotonic=time.monotonic, sleep=time.sleep)


def taken(throttle: Throttle, times: int, *, protection: bool = False, patience_seconds: float = 0) -> int:
    return sum(throttle.take(POSITIONS, protection=protection, patience_seconds=patience_seconds) for _ in range(times))


def test_ordinary_requests_leave_the_reserve_to_protection(throttle: Any) -> None:
    assert taken(throttle, 20) == 7
    assert taken(throttle, 20, protection=True) == 3


def test_protection_alone_may_use_the_whole_window_and_no_more(throttle: Any) -> None:
    assert taken(throttle, 20, protection=True) == 10


def test_protection_counts_against_the_others(throttle: Any) -> None:
    assert taken(throttle, 6, protection=True) == 6
    assert taken(throttle, 20) == 1


def test_a_full_window_is_waited_for_exactly(throttle: Any, time: Any) -> None:
    assert taken(throttle, 4) == 4
    time.now += 0.5
    assert taken(throttle, 3) == 3
    assert throttle.take(POSITIONS)
    assert time.slept == [1.5]
    assert taken(throttle, 20) == 3  # the other three of the first four came free at the same moment


def test_after_protection_took_the_reserve_the_others_wait_until_it_is_whole_again(throttle: Any, time: Any) -> None:
    for _ in range(10):
        assert throttle.take(POSITIONS, protection=True)
        time.now += 0.1
    assert throttle.take(POSITIONS)
    assert time.slept == [1.3]  # at 101.0: four of the ten must pass, the fourth was sent at 100.3


def test_nobody_waits_longer_than_the_patience(throttle: Any, time: Any) -> None:
    taken(throttle, 7)
    assert not throttle.take(POSITIONS, patience_seconds=1.9)
    assert time.slept == []
    assert throttle.take(POSITIONS, patience_seconds=2.0)


def test_never_more_than_the_limit_in_any_window(throttle: Any, time: Any) -> None:
    sent = []
    for number in range(100):
        if throttle.take(POSITIONS, protection=number % 3 == 0, patience_seconds=5):
            sent.append(time.now)
        time.now += 0.07
    assert len(sent) == 100
    assert all(sum(start <= at < start + 2 for at in sent) <= 10 for start in sent)


def test_endpoints_have_windows_of_their_own(throttle: Any) -> None:
    taken(throttle, 7)
    assert throttle.take("GET market/ticker", patience_seconds=0)


def test_an_endpoint_without_a_limit_of_its_own_gets_the_strict_one(throttle: Any) -> None:
    results = [throttle.take("GET asset/currencies", patience_seconds=0) for _ in range(5)]
    assert results == [True, True, True, False, False]


def test_one_request_in_five_seconds_still_lets_an_ordinary_one_through() -> None:
    assert Limit(1, 5).ordinary == 1


def test_usage_shows_the_present_window_and_counts_show_all(throttle: Any, time: Any) -> None:
    taken(throttle, 5)
    assert throttle.usage() == {POSITIONS: (5, 10)}
    time.now += 2
    taken(throttle, 1)
    assert throttle.usage() == {POSITIONS: (1, 10)}
    assert throttle.counts() == {POSITIONS: 6}


def test_a_request_that_was_not_let_through_is_not_counted(throttle: Any) -> None:
    taken(throttle, 9)
    assert throttle.counts() == {POSITIONS: 7}


def test_many_threads_never_overdraw(throttle: Any) -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(taken(throttle, 5))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 7


@pytest.mark.parametrize(("endpoint", "limit"), [
    ("POST trade/order", Limit(60, 2)),
    ("POST trade/order-algo", Limit(20, 2)),
    ("GET account/positions", Limit(10, 2)),
    ("GET trade/orders-algo-pending", Limit(20, 2)),
    ("GET system/status", Limit(1, 5)),
])  # fmt: skip
def test_limits_of_okx(endpoint: Any, limit: Any) -> None:
    assert LIMITS[endpoint] == limit
