"""What raises the level by itself: a table of the decision, and its stories on the real stack."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.alerts import Alerts
from core.domain.account import Level
from core.domain.errors import Misconfigured, Unavailable
from core.domain.settings.guards import Guards
from core.monitor.kill_switch import Facts, armed, watch
from tests.stack import ACCOUNT, Stack

OFF = Guards(max_daily_loss=None)
CALM = Facts(Decimal(10000), Decimal(10000), Decimal(10000), 0, timedelta(seconds=1), "", False)


def known(**changes: object) -> Facts:
    values = {name: getattr(CALM, name) for name in Facts.__dataclass_fields__}
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("story", "guards", "facts", "set_off"),
    [
        ("all is calm", Guards(), CALM, ()),
        ("nothing is known yet", Guards(), known(equity=None, day_start=None, peak=None, silence=None), ()),
        ("everything is off", OFF, known(equity=Decimal(1), stop_losses=99, silence=timedelta(days=1)), ()),
        (
            "a tenth of the day's equity is lost",
            Guards(),
            known(equity=Decimal(9000)),
            (
                (
                    "daily-loss",
                    Level.NO_ADDED_RISK,
                    "daily loss: 10.0% of the day's 10,000.00 USDT are lost, the limit is 10.0%",
                ),
            ),
        ),
        ("a little less is not enough", Guards(), known(equity=Decimal("9000.01")), ()),
        ("a gain is no loss", Guards(), known(equity=Decimal(20000)), ()),
        (
            "a fall from the peak flattens where the trader wants it so",
            Guards(max_daily_loss=None, max_drawdown=Decimal("0.2"), guard_level=Level.FLATTEN),
            known(peak=Decimal(12500)),
            (
                (
                    "drawdown",
                    Level.FLATTEN,
                    "drawdown: equity 10,000.00 USDT is 20.0% under its peak of 12,500.00, the limit is 20.0%",
                ),
            ),
        ),
        (
            "three stop-losses in half an hour",
            Guards(max_stop_losses=3, stop_loss_minutes=30),
            known(stop_losses=3),
            (("stop-losses", Level.NO_ADDED_RISK, "stop-losses: 3 in 30 min, the limit is 3"),),
        ),
        (
            "nothing was seen for a minute, and losses would flatten",
            Guards(stale_guard_seconds=60, guard_level=Level.FLATTEN),
            known(silence=timedelta(seconds=61)),
            (("stale", Level.NO_ADDED_RISK, "stale data: the last complete look was 61 s ago, the limit is 60 s"),),
        ),
        (
            "banned for long enough",
            Guards(exchange_guard_seconds=20),
            known(silence=timedelta(seconds=25), barred="positions: API key is frozen (50100)"),
            (
                (
                    "exchange",
                    Level.NO_ADDED_RISK,
                    "the exchange has turned us away for 25 s: positions: API key is frozen (50100)",
                ),
            ),
        ),
        ("turned away once", Guards(exchange_guard_seconds=20), known(barred="busy (50013)"), ()),
        (
            "maintenance counts at once",
            Guards(exchange_guard_seconds=20),
            known(maintenance=True),
            (("exchange", Level.NO_ADDED_RISK, "the exchange is under maintenance"),),
        ),
    ],
)
def test_armed(story: str, guards: Guards, facts: Facts, set_off: tuple[tuple[str, Level, str], ...]) -> None:
    found = tuple((one.subject, one.level, str(one.why)) for one in armed(guards, facts))
    assert found == set_off, story


# -- stories -----------------------------------------------------------------------------------------------------


class ConnectionListener:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def send(self, account: str, subject: str, words: str) -> None:
        self.heard.append(subject)


def guard_once(stack: Stack, ear: ConnectionListener) -> tuple[str, ...]:
    """What PositionMonitor's jobs do: a sample of the equity, the snapshot, and the guards."""
    state = stack.guard.refresh_account()
    stack.store.equity.add(ACCOUNT, state.as_of, state.equity)
    stack.guard.publish()
    return tuple(one.subject for one in watch(stack.store, ACCOUNT, Alerts([ear]), stack.clock.now()))


def test_a_lost_day_pauses_what_adds_risk_and_only_a_person_takes_it_back(stack: Stack) -> None:
    ear = ConnectionListener()
    stack.store.settings.set_all({"risk_per_trade_pct": None, "risk_per_trade_cap": None}, "test")
    part = stack.opened(stack.draft(value=20000, sl=-3000, tp=3000))
    assert guard_once(stack, ear) == ()
    stack.price("94000")
    stack.until(lambda: stack.at_rest(part))
    assert guard_once(stack, ear) == ("daily-loss",)
    row = stack.store.bots.get(ACCOUNT)
    assert (row.level, row.level_by) == (Level.NO_ADDED_RISK, "guard")
    assert "the limit is 10.0%" in str(row.level_why)
    assert ear.heard == ["guard/daily-loss"]

    with pytest.raises(Misconfigured, match=r"account has lost 12\.0 % of the day's"):
        stack.open()
    stack.settle(4)
    assert stack.at_rest(part), "what is held stays guarded"
    assert "guard/daily-loss" in stack.alarms(), "the loop leaves it alone"

    stack.price("100000")
    stack.settle(2)
    assert guard_once(stack, ear) == ()
    assert stack.store.bots.get(ACCOUNT).level is Level.NO_ADDED_RISK, "it never disarms by itself"
    assert stack.alarms() == ["guard/daily-loss"]

    stack.price("94000")
    stack.settle(2)
    stack.store.bots.set_level(ACCOUNT, Level.RUN, by="trader", why="seen")
    assert stack.store.bots.get(ACCOUNT).level_lowered_at is not None
    with stack.store.transaction() as connection:  # by the story's clock
        connection.execute(text("UPDATE bots SET level_lowered_at = :now"), {"now": stack.clock.now()})
    stack.step(61)
    stack.look()
    assert guard_once(stack, ear) == (), "measured anew from here"
    assert stack.alarms() == []


def test_the_guard_never_lowers_what_a_person_has_set(stack: Stack) -> None:
    stack.store.settings.set("stale_guard_seconds", 30, "trader")
    stack.store.bots.set_level(ACCOUNT, Level.REDUCE_ONLY, by="trader", why="holidays")
    stack.look()
    stack.step(45)
    assert [one.subject for one in watch(stack.store, ACCOUNT, Alerts([]), stack.clock.now())] == ["stale"]
    row = stack.store.bots.get(ACCOUNT)
    assert (row.level, row.level_by, str(row.level_why)) == (Level.REDUCE_ONLY, "trader", "holidays")


def test_an_exchange_that_turns_us_away(stack: Stack) -> None:
    stack.store.settings.set("exchange_guard_seconds", 10, "trader")
    stack.simulator.faults({"kind": "code", "code": "50100", "match": {"path": "account/positions"}})
    with pytest.raises(Unavailable) as refused:
        stack.look()
    stack.guard._failed(refused.value, 1.0)
    stack.step(12)
    (found,) = watch(stack.store, ACCOUNT, Alerts([]), stack.clock.now())
    assert found.subject == "exchange"
    assert "50100" in str(stack.store.bots.get(ACCOUNT).level_why)
    stack.simulator.faults()
    stack.look()
    stack.guard.publish()
    assert watch(stack.store, ACCOUNT, Alerts([]), stack.clock.now()) == ()
