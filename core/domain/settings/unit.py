"""The units of settings, and the ranges of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from core.domain.reason import Reason
from core.domain.sentences import SENTENCES


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a setting; its word stands in the catalogue of sentences as `unit.<code>`."""

    code: str
    share: Decimal = Decimal(1)  #: what one unit is to a rule: 0.01 of a percentage
    span: timedelta | None = None  #: of a unit of time

    def __str__(self) -> str:
        return SENTENCES[f"unit.{self.code}"] if self.code else ""

    @property
    def word(self) -> Reason:
        return Reason(f"unit.{self.code}")

    def range(self, low: str | int, high: str | int) -> Range:
        """Return the range from `low` to `high`, both allowed, in this unit."""
        return Range(self, Decimal(low), Decimal(high))


@dataclass(frozen=True, slots=True)
class Range:
    """The allowed range of a number."""

    unit: Unit
    low: Decimal
    high: Decimal

    @property
    def words(self) -> Reason:
        """Return the range in words: 1 to 60 s is allowed."""
        if self.unit == NO_UNIT:
            return Reason("allowed.range", low=self.low, high=self.high)
        return Reason("allowed.range_unit", low=self.low, high=self.high, unit=self.unit.word)

    def problem(self, name: Reason, number: Decimal | int) -> Reason | None:
        """Return what is wrong with a number that is not in it; None for one that is."""
        if Decimal(number).is_finite() and self.low <= number <= self.high:
            return None
        if self.unit == NO_UNIT:
            return Reason("range.outside", field=name, value=number, allowed=self.words)
        return Reason("range.outside_unit", field=name, value=number, unit=self.unit.word, allowed=self.words)


NO_UNIT, USDT, CONTRACTS, PARTS, TIMES = map(Unit, ("", "usdt", "contracts", "parts", "times"))
PERCENT, PERCENT_OF_EQUITY = Unit("percent", Decimal("0.01")), Unit("percent_of_equity", Decimal("0.01"))
SECONDS, MINUTES = Unit("s", span=timedelta(seconds=1)), Unit("minutes", span=timedelta(minutes=1))
DAYS = Unit("days", span=timedelta(days=1))
