"""The measures against tables reckoned by hand; each edge says None rather than a number that is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.instrument import Side
from core.domain.intent import ExitReason
from core.domain.money import Contracts
from core.domain.reason import text
from core.services.reporting.performance import (
    Drawdown,
    drawdown,
    measures,
    performance,
    profit_factor,
    sharpe,
    sortino,
    win_rate,
)
from db.records import CycleRecord

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)


def D(number: object) -> Decimal:
    return Decimal(str(number))


def cycle(net: object, day: float = 0, **changes: Any) -> CycleRecord:
    """A cycle that ended so many days after Monday noon; fees of 1 USDT and funding of 0.5 are within `net`."""
    values: dict[str, Any] = {
        "account": "paper",
        "symbol": "BTC-USDT-PERP",
        "side": Side.LONG,
        "part": "000001",
        "number": 1,
        "started": MONDAY + timedelta(days=day, hours=-1),
        "ended": MONDAY + timedelta(days=day),
        "contracts": Contracts(D(1)),
        "average_entry": None,
        "average_exit": None,
        "realised_pnl": D(net) + D("1.5"),
        "fees": D(-1),
        "funding": D("-0.5"),
        "reason": ExitReason.TAKE_PROFIT if D(net) > 0 else ExitReason.STOP_LOSS,
        "words": text(""),
    }
    return CycleRecord(**{**values, **changes})


FIVE = [cycle(50, 0), cycle(-100, 1), cycle(50, 1, symbol="ETH-USDT-PERP"), cycle(0, 3), cycle(40, 3, recoveries=2)]


def test_sums_and_means_of_five_cycles():
    whole = performance(FIVE).whole
    assert (whole.cycles, whole.won, whole.net) == (5, 3, D(40))
    assert (whole.gross, whole.fees, whole.funding) == (D("47.5"), D(-5), D("-2.5"))
    assert (whole.win_rate, whole.profit_factor, whole.expectancy) == (D("0.6"), D("1.4"), D(8))
    assert (round(whole.average_win or D(0), 4), whole.average_loss) == (D("46.6667"), D(-100))


def test_the_curve_and_its_deepest_fall():
    found = performance(FIVE)
    assert [total for _, total in found.curve] == [D(50), D(-50), D(0), D(0), D(40)]
    assert found.drawdown == Drawdown(D(100), D(200), MONDAY, MONDAY + timedelta(days=1))


def test_daily_ratios():
    """Days of +50, -50, 0 and +40: their mean is 10, their sample variance (40² + 60² + 10² + 30²) / 3."""
    days = [D(50), D(-50), D(0), D(40)]
    assert performance(FIVE).sharpe == sharpe(days)
    assert round(sharpe(days) or D(0), 4) == D("4.2025")  # 10 / 45.4606 x 19.1050
    assert round(sortino(days) or D(0), 4) == D("7.6420")  # 10 / root(2500 / 4) x 19.1050


@pytest.mark.parametrize(("story", "days", "by_all", "by_losses"), [
    ("one day tells nothing", ["5"], None, None),
    ("days that are all alike do not deviate", ["5", "5"], None, None),
    ("no losing day, no downside", ["5", "7"], "81.0555", None),
    ("losses only", ["-5", "-7"], "-81.0555", "-18.8450"),
    ("nothing at all", [], None, None),
])  # fmt: skip
def test_ratios_at_their_edges(story, days, by_all, by_losses):
    results = [D(day) for day in days]
    for ratio, wanted in ((sharpe(results), by_all), (sortino(results), by_losses)):
        assert (None if ratio is None else round(ratio, 4)) == (None if wanted is None else D(wanted)), story


@pytest.mark.parametrize(("story", "nets", "factor", "rate"), [
    ("no losses: nothing to divide by", ["10", "20"], None, "1"),
    ("no wins", ["-10"], "0", "0"),
    ("two to one", ["20", "-10"], "2", "0.5"),
    ("a zero is neither won nor lost", ["0"], None, "0"),
    ("nothing", [], None, None),
])  # fmt: skip
def test_factor_and_rate_at_their_edges(story, nets, factor, rate):
    numbers = [D(net) for net in nets]
    assert profit_factor(numbers) == (None if factor is None else D(factor)), story
    assert win_rate(numbers) == (None if rate is None else D(rate)), story


def test_one_cycle():
    found = performance([cycle(25)])
    assert (found.sharpe, found.sortino, found.whole.expectancy) == (None, None, D(25))
    assert found.drawdown is not None
    assert found.drawdown.amount == 0


def test_no_cycle_and_a_cycle_that_entered_nothing():
    for cycles in ([], [cycle(0, contracts=Contracts(D(0)), reason=ExitReason.NOT_ENTERED)]):
        found = performance(cycles)
        assert (found.whole, found.curve, found.drawdown) == (measures([]), (), None)
        assert all(groups == {} for groups in found.groups.values())


def test_groups_add_up_to_the_whole():
    found = performance(FIVE)
    for groups in found.groups.values():
        assert sum((group.net for group in groups.values()), D(0)) == found.whole.net
        assert sum(group.cycles for group in groups.values()) == found.whole.cycles
    assert {name: group.net for name, group in found.groups["recovery"].items()} == {"with": D(40), "without": D(0)}
    assert {name: group.net for name, group in found.groups["symbol"].items()} == {
        "BTC-USDT-PERP": D(-10), "ETH-USDT-PERP": D(50),
    }  # fmt: skip
    assert found.groups["reason"]["take_profit"].profit_factor is None


def test_a_loss_from_the_very_start_has_no_percentage():
    assert performance([cycle(-10)]).drawdown == Drawdown(D(10), None, MONDAY - timedelta(hours=1), MONDAY)


def test_the_deepest_fall_of_an_equity_curve():
    points = [(MONDAY + timedelta(hours=hour), D(value)) for hour, value in enumerate([1000, 1200, 900, 1300, 1040])]
    assert drawdown(points) == Drawdown(D(300), D(25), points[1][0], points[2][0])
    assert drawdown([]) is None


def test_each_strategy_has_its_own_ratios_and_its_own_fall():
    """Breakout: +50, then -20, then +60 on three days, from its first to its last; trend ended on one day only."""
    cycles = [
        cycle(50, 0, strategy="breakout"),
        cycle(-500, 0, strategy="trend"),
        cycle(-20, 1, strategy="breakout"),
        cycle(60, 2, strategy="breakout"),
    ]
    groups = performance(cycles).groups["strategy"]
    breakout, trend = groups["breakout"], groups["trend"]
    assert (breakout.sharpe, breakout.sortino) == (sharpe([D(50), D(-20), D(60)]), sortino([D(50), D(-20), D(60)]))
    assert round(breakout.sharpe or D(0), 4) == D("13.1489")  # 30 / 43.5890 x 19.1050
    assert breakout.drawdown == Drawdown(D(20), D(40), MONDAY, MONDAY + timedelta(days=1))
    assert (breakout.fees, breakout.funding, breakout.net) == (D(-3), D("-1.5"), D(90))
    assert (trend.sharpe, trend.sortino) == (None, None)
    assert trend.drawdown == Drawdown(D(500), None, MONDAY - timedelta(hours=1), MONDAY)
    assert performance(cycles).drawdown == performance(cycles).whole.drawdown
