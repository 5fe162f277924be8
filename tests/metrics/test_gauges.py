"""What a snapshot tells, where the loop would put it right before anybody could see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.domain.reason import text
from core.domain.snapshot import (
    AccountSnapshot,
    HealthSnapshot,
    OrderSnapshot,
    PartSnapshot,
    ReopenSnapshot,
    RuntimeMetrics,
)
from core.services.metrics.gauges import told_by
from core.services.metrics.series import Bounded, Samples
from tests.builders import NOON
from tests.metrics.conftest import Station
from tests.pages.samples.snapshot import empty_snapshot, order, part, reopen

WHERE = ("paper-okx", "okx")
UNHEARD = HealthSnapshot(None, False, text("not connected"), None, {})
NOTHING = empty_snapshot(as_of=NOON, health=UNHEARD)


def told(snapshot: AccountSnapshot) -> Samples:
    into = Samples()
    told_by(snapshot, WHERE, NOON, into, Bounded())
    return into


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def flat(name: str = "000001", **more: Any) -> PartSnapshot:
    """A part that holds nothing."""
    none = {"state": "none", "take_profit": None, "stop_loss": None}
    return part(name, **{"size": "0", "reopen": None, "pair": none, **more})


def resting(**more: Any) -> OrderSnapshot:
    return order("op00000101P01", **{"part": "000001", "created_at": ago(90), **more})


@pytest.mark.parametrize(
    ("story", "parts", "orders", "left", "age"),
    [
        ("it guards what is held", [flat(size="1")], [resting()], 0, 0),
        ("its part is flat", [flat()], [resting()], 1, 90),
        ("its part is not known here", [], [resting(), resting(created_at=ago(5))], 2, 90),
        ("an entry waits for its price", [flat()], [resting(kind="limit")], 0, 0),
        ("somebody else's", [], [resting(part=None)], 0, 0),
        ("its age is not known", [], [resting(created_at=None)], 1, 0),
    ],
)
def test_targets_and_stops_that_are_left_over(
    story: str, parts: list[Any], orders: list[Any], left: int, age: float
) -> None:
    found = told(replace(NOTHING, parts=tuple(parts), orders=tuple(orders))).numbers
    assert found["perpdeck_orphan_orders"][WHERE] == left, story
    assert found["perpdeck_orphan_orders_age_seconds"][WHERE] == age, story


@pytest.mark.parametrize(
    ("story", "wish", "overdue", "seconds"),
    [
        ("it chose not to", None, 0, 0),
        ("nothing is due", reopen(None), 0, 0),
        ("it waits", reopen(ago(-60)), 0, 0),
        ("it is late", reopen(ago(60)), 1, 60),
    ],
)
def test_reopenings_that_do_not_come(story: str, wish: ReopenSnapshot | None, overdue: int, seconds: float) -> None:
    found = told(replace(NOTHING, parts=(flat(reopen=wish),))).numbers
    assert found["perpdeck_reopens_overdue"][WHERE] == overdue, story
    assert found["perpdeck_reopen_overdue_seconds"][WHERE] == seconds, story


def test_what_is_not_known_is_not_told() -> None:
    found = told(NOTHING)
    for name in ("equity_usdt", "stream_age_seconds", "conditional_orders_used", "conditional_orders_limit"):
        assert f"perpdeck_{name}" not in found.numbers
    assert found.numbers["perpdeck_stream_connected"][WHERE] == 0


def test_a_bare_part_goes_on_being_bare_when_no_new_snapshot_comes() -> None:
    found = told(replace(NOTHING, runtime=RuntimeMetrics((1,) * 11, 1.5, 3, ago(40))))
    assert found.numbers["perpdeck_unprotected_seconds"][WHERE] == 40
    assert found.numbers["perpdeck_loop_failures_total"][WHERE] == 3
    assert found.spreads["perpdeck_loop_seconds"][WHERE].cumulative()[-1] == 11


def test_a_position_that_no_part_explains_has_no_pair(station: Station) -> None:
    stack = station.stack
    held = {"instId": "BTC-USDT-SWAP", "posSide": "long", "side": "buy", "ordType": "market", "sz": "0.5"}
    stack.by_hand("place", **held)
    stack.look()
    told = station.scrape()
    assert told.value("tradeengine_active_oco_pairs_per_position", symbol="BTC-USDT-PERP") == 0
    assert told.value("perpdeck_parts_per_position", symbol="BTC-USDT-PERP") == 0
    assert told.value("perpdeck_residual_contracts", symbol="BTC-USDT-PERP") == 0.5
