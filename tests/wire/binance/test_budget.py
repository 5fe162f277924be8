"""The weight of a minute: what may be asked when it runs short, so that the bot never goes blind for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.exchange.binance.limits import SHARE_PERCENT, USUAL_WEIGHT, Budget
from core.exchange.rest import Priority

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOOK = (5, 1, 1)  #: positions, and both books of one contract


class Minute:
    """A budget whose time passes by hand, and an exchange that counts what was sent in the last sixty seconds."""

    def __init__(self, used: int, *, second: float = 30) -> None:
        self.now = NOON + timedelta(seconds=second)
        self.sent = [(self.now, used)]
        self.budget = Budget(sleep=self._pass)
        self.budget.answered(0, used, self.now)

    def _pass(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def counted(self) -> int:
        return sum(weight for at, weight in self.sent if self.now - at < timedelta(minutes=1))

    def asks(self, weight: int, priority: Priority = Priority.LOOK) -> bool:
        if self.budget.take(weight, priority, lambda: self.now) > 0:
            return False
        self.sent.append((self.now, weight))
        self.budget.answered(weight, self.counted, self.now)
        return True

    def looks(self, seconds: int) -> list[bool]:
        """Whether a whole look gets through, one try every second."""
        found = []
        for _ in range(seconds):
            found.append(all(self.asks(weight) for weight in LOOK))
            self._pass(1)
        return found


def longest_blindness(found: list[bool]) -> int:
    return max(len(run) for run in "".join(" x"[not one] for one in found).split(" "))


def test_looks_go_on_slowly_when_their_share_is_used_up() -> None:
    minute = Minute(USUAL_WEIGHT * SHARE_PERCENT[Priority.LOOK] // 100)
    found = minute.looks(300)
    assert longest_blindness(found[:30]) <= 10
    assert all(found[90:])


def test_a_count_that_does_not_begin_anew_with_the_minute_makes_nobody_blind() -> None:
    minute = Minute(USUAL_WEIGHT * SHARE_PERCENT[Priority.LOOK] // 100, second=55)
    assert longest_blindness(minute.looks(300)) <= 10


def test_what_is_kept_for_orders_is_never_used_up_by_looks() -> None:
    minute = Minute(USUAL_WEIGHT * SHARE_PERCENT[Priority.LOOK] // 100, second=0)
    minute.looks(59)
    assert minute.counted <= USUAL_WEIGHT * 92 // 100
    assert minute.asks(1, Priority.WRITE)


def test_history_waits_for_the_next_minute() -> None:
    minute = Minute(USUAL_WEIGHT * SHARE_PERCENT[Priority.HISTORY] // 100)
    assert not minute.asks(30, Priority.HISTORY)
    assert minute.asks(30)


def test_a_ban_is_kept_by_looks_too() -> None:
    minute = Minute(0)
    minute.budget.stop(minute.now + timedelta(seconds=20))
    assert minute.looks(17) == [False] * 17
    assert minute.looks(4)[-1]
