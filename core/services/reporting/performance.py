"""Performance measures of trading: pure functions over ended cycles and equity samples.

Money in USDT, net of fees and funding unless said otherwise. A measure that cannot be told from what is there is
None, never zero or infinity. Cycles that entered nothing count nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.domain.money import ZERO
from db.records import CycleRecord

DAYS_A_YEAR = Decimal(365)  #: these markets never close
Point = tuple[datetime, Decimal]


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from an earlier peak of a curve."""

    amount: Decimal  #: USDT, zero or positive
    percent: Decimal | None  #: of the peak; None where the peak was not above zero
    peak_at: datetime
    bottom_at: datetime


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one group of cycles."""

    cycles: int
    won: int  #: those with a net result above zero
    net: Decimal
    gross: Decimal  #: PnL before fees and funding
    fees: Decimal
    funding: Decimal
    win_rate: Decimal | None
    profit_factor: Decimal | None
    expectancy: Decimal | None
    average_win: Decimal | None
    average_loss: Decimal | None  #: zero or negative
    sharpe: Decimal | None
    sortino: Decimal | None
    drawdown: Drawdown | None  #: of the running total of its own net results


@dataclass(frozen=True, slots=True)
class Performance:
    """The measures of all cycles and of groups of them, for the performance page."""

    whole: Measures
    curve: tuple[Point, ...]  #: running total of the cycles' net results
    groups: Mapping[str, Mapping[str, Measures]]  #: by kind of group, then by its name
    since: datetime | None = None  #: the end of the first that was measured, where older ones were left out

    @property
    def sharpe(self) -> Decimal | None:
        return self.whole.sharpe

    @property
    def sortino(self) -> Decimal | None:
        return self.whole.sortino

    @property
    def drawdown(self) -> Drawdown | None:
        return self.whole.drawdown


def performance(cycles: Iterable[CycleRecord]) -> Performance:
    """Return all measures of these cycles, whatever order they come in."""
    counted = sorted(filter(entered, cycles), key=lambda cycle: (cycle.ended, cycle.part, cycle.number))
    groups = {kind: _grouped(counted, key) for kind, key in GROUPS.items()}
    return Performance(measures(counted), running_total(counted), groups)


def entered(cycle: CycleRecord) -> bool:
    """Return whether anything was held at all in this cycle."""
    return cycle.contracts > 0


def measures(cycles: Sequence[CycleRecord]) -> Measures:
    """Return sums, means and ratios of these cycles, in the order of their ends.

    Ratios are of the group's own days, from the first on which a cycle of it ended to the last.
    """
    nets = [cycle.net for cycle in cycles]
    daily = daily_results(cycles)
    wins, losses = [net for net in nets if net > 0], [net for net in nets if net < 0]
    return Measures(
        cycles=len(nets),
        won=len(wins),
        net=sum(nets, ZERO),
        gross=sum((cycle.realised_pnl for cycle in cycles), ZERO),
        fees=sum((cycle.fees for cycle in cycles), ZERO),
        funding=sum((cycle.funding for cycle in cycles), ZERO),
        win_rate=win_rate(nets),
        profit_factor=profit_factor(nets),
        expectancy=expectancy(nets),
        average_win=expectancy(wins),
        average_loss=expectancy(losses),
        sharpe=sharpe(daily),
        sortino=sortino(daily),
        drawdown=drawdown([(cycles[0].started, ZERO), *running_total(cycles)]) if cycles else None,
    )


def win_rate(nets: Sequence[Decimal]) -> Decimal | None:
    """Return the share of results above zero, 0 to 1; a result of exactly zero is not won. None without any result."""
    return Decimal(sum(net > 0 for net in nets)) / len(nets) if nets else None


def profit_factor(nets: Sequence[Decimal]) -> Decimal | None:
    """Return gross profit over gross loss, both positive: 2 means two USDT won for each lost.

    None where nothing was lost: there is nothing to divide by. Zero where nothing was won.
    """
    lost = -sum((net for net in nets if net < 0), ZERO)
    return sum((net for net in nets if net > 0), ZERO) / lost if lost else None


def expectancy(nets: Sequence[Decimal]) -> Decimal | None:
    """Return the mean result of one cycle, USDT. None without any."""
    return sum(nets, ZERO) / len(nets) if nets else None


def daily_results(cycles: Iterable[CycleRecord]) -> list[Decimal]:
    """Return net results by the UTC day on which the cycles ended, from the first such day to the last.

    A day in between on which none ended counts as zero.
    """
    by_day: dict[date, Decimal] = defaultdict(Decimal)
    for cycle in cycles:
        by_day[cycle.ended.date()] += cycle.net
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    return [by_day.get(first + timedelta(days=number), ZERO) for number in range((last - first).days + 1)]


def sharpe(daily: Sequence[Decimal]) -> Decimal | None:
    """Return the annual Sharpe ratio: mean over standard deviation of the daily results, times the root of 365; no
    unit.

    The deviation is that of a sample (n - 1); the riskless rate is taken as zero; results are in USDT on a capital
    taken as constant, which cancels out. None for fewer than two days or where no two days differ.
    """
    if len(daily) < 2:
        return None
    mean = sum(daily, ZERO) / len(daily)
    variance = sum(((day - mean) ** 2 for day in daily), ZERO) / (len(daily) - 1)
    return mean / variance.sqrt() * DAYS_A_YEAR.sqrt() if variance else None


def sortino(daily: Sequence[Decimal]) -> Decimal | None:
    """Return the annual Sortino ratio: as `sharpe`, but with the root mean square of the days below zero over all days.

    None for fewer than two days or where no day lost.
    """
    if len(daily) < 2:
        return None
    downside = sum((day**2 for day in daily if day < 0), ZERO) / len(daily)
    return sum(daily, ZERO) / len(daily) / downside.sqrt() * DAYS_A_YEAR.sqrt() if downside else None


def running_total(cycles: Iterable[CycleRecord]) -> tuple[Point, ...]:
    """Return the sum of the net results after each cycle, in their order."""
    total, points = ZERO, []
    for cycle in cycles:
        total += cycle.net
        points.append((cycle.ended, total))
    return tuple(points)


def drawdown(curve: Iterable[Point]) -> Drawdown | None:
    """Return the deepest fall of a curve from an earlier peak; of two equally deep the first. None for an empty curve.

    A curve that only rises has a drawdown of zero, at its first point.
    """
    peak: Point | None = None
    deepest: Drawdown | None = None
    for point in curve:
        if peak is None or point[1] > peak[1]:
            peak = point
        fall = peak[1] - point[1]
        if deepest is None or fall > deepest.amount:
            percent = fall / peak[1] * 100 if peak[1] > 0 else None
            deepest = Drawdown(fall, percent, peak[0], point[0])
    return deepest


GROUPS: Mapping[str, Callable[[CycleRecord], str]] = {
    "symbol": lambda cycle: cycle.symbol,
    "side": lambda cycle: str(cycle.side),
    "strategy": lambda cycle: cycle.strategy,
    "reason": lambda cycle: str(cycle.reason),
    "recovery": lambda cycle: "with" if cycle.recoveries else "without",
}


def _grouped(cycles: Iterable[CycleRecord], key: Callable[[CycleRecord], str]) -> dict[str, Measures]:
    groups: dict[str, list[CycleRecord]] = defaultdict(list)
    for cycle in cycles:
        groups[key(cycle)].append(cycle)
    return {name: measures(groups[name]) for name in sorted(groups)}
