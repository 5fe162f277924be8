"""The recovery ladder before a trade: each step by hand, each end with its reason, and the worst of it."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import ClassVar

import pytest

from core.decision.preview.ladder import MOST_STEPS, Ladder, LadderEnd, first_due, ladder
from core.decision.preview.preview import OrderTerms, PreviewContext
from core.domain.instrument import Instrument, Side
from core.domain.intent import ExecutionKind, ExecutionStyle, Limits, Recovery, Target
from core.domain.money import Price
from core.domain.observation import Ticker
from tests.decision.test_preview import BTC, NOW, D

PLENTY = D(10_000)


def ticker(spread: str = "0") -> Ticker:
    bid, ask = (Price(D(100_000) + way * D(spread)) for way in (-1, 1))
    return Ticker(BTC.symbol, Price(D(100_000)), bid, ask, Price(D(100_000)), NOW)


def worked_out(
    rule: Recovery | None,
    *,
    spread: str = "0",
    free: Decimal | None = PLENTY,
    limits: Limits | None = None,
    rules: Instrument = BTC,
    **changes: object,
) -> Ladder:
    """The ladder of a 1,000 USDT 10x position, +50 and -100, BTC at 100,000: one contract of 0.01."""
    terms = {
        "side": Side.LONG,
        "position_value": D(1000) if spread == "0" else D(1001),
        "leverage": D(10),
        "take_profit": Target(pnl_usdt=D(50)),
        "stop_loss": Target(pnl_usdt=D(-100)),
        "entry": ExecutionStyle(),
    }
    asked = OrderTerms(**{**terms, **changes})  # type: ignore[arg-type]
    return ladder(asked, rule, PreviewContext(rules, ticker(spread), free, PLENTY, NOW), limits or Limits())


def test_the_first_step_by_hand() -> None:
    entry, step = worked_out(Recovery(max_steps=1)).rungs
    assert (entry.at, entry.fill, entry.contracts, entry.average) == (100_000, 100_000, 1, 100_000)
    assert (entry.take_profit, entry.stop_loss) == (105_000, 90_000)
    assert entry.loss == D("-100.95"), "the stop, 0.50 to open and 0.45 to close"
    # PnL is -50 at 95,000 and under it one tick lower, where 100 USDT are 0.105 contracts: 0.10
    assert (step.at, step.fill, step.added, step.contracts) == (D("94999.9"), D("94999.9"), D("0.10"), D("1.10"))
    assert step.average == (D(100_000) + D("0.10") * D("94999.9")) / D("1.10")
    # 50 and 100 USDT over 0.011 BTC are 4,545.455 above and 9,090.909 below 99,545.445, rounded up to the tick
    assert (step.take_profit, step.stop_loss) == (D("104090.9"), D("90454.6"))
    assert step.margin == D("1.10") * D("0.01") * D("94999.9") / 10
    assert step.loss is not None
    assert round(step.loss, 2) == D("-101.04"), "the stop a tick better than 100, 0.50 + 0.05 to open, 0.50 to close"


def test_a_short_mirrors_it() -> None:
    step = worked_out(Recovery(max_steps=1), side=Side.SHORT).rungs[1]
    assert (step.at, step.added) == (D("105000.1"), D("0.09"))
    assert step.stop_loss is not None
    assert step.stop_loss > step.at > (step.take_profit or 0)


def test_a_step_leaves_the_pnl_where_it_was_so_the_next_is_due_at_the_same_price() -> None:
    found = worked_out(Recovery(max_steps=4))
    assert {rung.at for rung in found.rungs[1:]} == {D("94999.9")}
    assert found.standing
    assert not worked_out(Recovery(max_steps=1)).standing


def test_the_spread_is_paid_both_ways() -> None:
    entry = worked_out(None, spread="10").rungs[0]
    assert entry.fill == 100_010
    assert (entry.at, entry.stop_loss) == (100_000, 90_010)
    # bought ten above the mark, sold ten below the stop: 0.10 USDT more than the 100 of the stop
    assert entry.loss is not None
    assert entry.loss - entry.fees == D("-100.10")


@pytest.mark.parametrize(
    ("end", "steps", "rule", "changes"),
    [
        (LadderEnd.OFF, 0, None, {}),
        (LadderEnd.MAX_STEPS, 3, Recovery(max_steps=3), {}),
        (LadderEnd.CUT, MOST_STEPS, Recovery(), {}),
        (LadderEnd.STOP_FIRST, 0, Recovery(), {"stop_loss": Target(pnl_usdt=D(-40))}),
        (LadderEnd.STOP_FIRST, 1, Recovery(sl_usdt=D(45)), {}),
        (LadderEnd.MAX_LOSS, 0, Recovery(max_loss=D(50)), {}),
        (LadderEnd.TOO_SMALL, 0, Recovery(add_notional=D(9)), {}),
        (LadderEnd.MARGIN, 0, Recovery(), {"free": D(150)}),
        (LadderEnd.MARGIN, 4, Recovery(), {"free": D(190)}),
        (LadderEnd.LIMITS, 0, Recovery(), {"limits": Limits(min_order_value=D(500))}),
        (LadderEnd.LIMITS, 0, Recovery(add_notional=D(2000)), {"limits": Limits(max_order_value=D(1500))}),
        (LadderEnd.WORTHLESS, 0, Recovery(trigger_pnl=D(-1000)), {"stop_loss": None}),
    ],
)
def test_it_ends_for_a_reason(end: LadderEnd, steps: int, rule: Recovery | None, changes: dict[str, object]) -> None:
    found = worked_out(rule, **changes)  # type: ignore[arg-type]
    assert (found.end, found.steps) == (end, steps)


def test_the_worst_is_the_rung_whose_stop_loses_most() -> None:
    found = worked_out(Recovery(sl_usdt=D(80), max_steps=2))
    assert found.worst == found.rungs[0], "a hundred from the entry is more than eighty from any average"
    found = worked_out(Recovery(sl_usdt=D(300), max_steps=2))
    assert found.worst == found.rungs[2]
    assert found.worst_loss is not None
    assert found.worst_share == found.worst_loss / 100


def test_without_a_stop_the_worst_is_not_known() -> None:
    found = worked_out(Recovery(max_steps=2), stop_loss=None)
    assert found.steps == 2
    assert (found.worst, found.worst_loss, found.worst_share) == (None, None, None)


def test_a_limit_entry_starts_from_its_own_price() -> None:
    found = worked_out(Recovery(max_steps=1), entry=ExecutionStyle(ExecutionKind.LIMIT, Price(D(98_000))))
    assert found.rungs[0].fill == 98_000
    assert found.rungs[1].at < 98_000


@pytest.mark.parametrize("changes", [{"position_value": D(0)}, {"position_value": D(1)}, {"leverage": D(0)}])
def test_bad_numbers_have_no_rungs(changes: dict[str, object]) -> None:
    assert worked_out(Recovery(), **changes).rungs == ()  # type: ignore[arg-type]


def test_a_balance_that_is_not_known_holds_nothing_back() -> None:
    found = worked_out(Recovery(max_steps=2), free=None)
    assert (found.steps, found.rungs[2].liquidation) == (2, None)


@pytest.mark.parametrize(
    ("side", "trigger", "due"),
    [
        (Side.LONG, "-50", "94999.9"),
        (Side.LONG, "-50.0005", "94999.9"),
        (Side.SHORT, "-50", "105000.1"),
        (Side.SHORT, "-50.0005", "105000.1"),
    ],
)
def test_due_is_the_first_tick_under_the_trigger(side: Side, trigger: str, due: str) -> None:
    found = first_due(BTC, side, D(100_000), D(1), D(trigger))
    assert found == D(due)
    assert BTC.pnl(side, D(1), D(100_000), found) < D(trigger)
    assert BTC.pnl(side, D(1), D(100_000), found + side.sign * BTC.price_tick) >= D(trigger)


class Counted(Instrument):
    """The same rules, counting how often they are asked."""

    asked: ClassVar[int] = 0

    def __getattribute__(self, name: str) -> object:
        if name in ("pnl", "notional", "contracts_for", "stop_price", "round_up", "round_down"):
            Counted.asked += 1
        return super().__getattribute__(name)


def test_its_work_grows_with_its_steps_and_with_nothing_else() -> None:
    Counted.asked = 0
    found = worked_out(Recovery(), rules=Counted(**{one.name: getattr(BTC, one.name) for one in fields(BTC)}))
    assert len(found.rungs) == MOST_STEPS + 1
    assert Counted.asked <= 25 * len(found.rungs)
