"""The exchange's clock: ours plus a measured difference. Signatures and deadlines go by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta


class ExchangeClock:
    """Tells the exchange's time without asking; measured now and then by whoever asks the exchange."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ahead = timedelta(0)
        self.measured_at: float | None = None  #: monotonic seconds

    def now(self) -> datetime:
        return self._now() + self._ahead

    def of(self, ours: datetime) -> datetime:
        """Return one of our own times, as the exchange's clock shows it."""
        return ours + self._ahead

    def measured(self, asked: datetime, told: datetime, at: float) -> None:
        """Measure the difference: the exchange told this time between `asked` and now."""
        answered = self._now()
        self._ahead = told - (asked + (answered - asked) / 2)
        self.measured_at = at

    def local(self) -> datetime:
        return self._now()
