"""What a picture tells, where the loop would put it right before anybody could see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.services.metrics.gauges import told_by
from core.services.metrics.series import Bounded, Samples
from tests.builders import NOON
from tests.metrics.conftest import Station

WHERE = ("paper-okx", "okx")
NOTHING: dict[str, Any] = {
    "metrics": None,
    "health": {"stream": "not connected", "stream_heard_at": None, "exchange": "ok", "requests": {}},
    "protection": {"bare_seconds_today": "0.0"},
    "conditional": {"used": 0, "most": None},
    "positions": [],
    "parts": [],
    "orders": [],
    "differences": [],
}


def told(picture: dict[str, Any]) -> Samples:
    into = Samples()
    told_by(picture, WHERE, NOON, into, Bounded())
    return into


def ago(seconds: float) -> str:
    return (NOON - timedelta(seconds=seconds)).isoformat()


def part(name: str = "000001", **more: Any) -> dict[str, Any]:
    row = {"part": name, "size": "0", "protected": True, "reopen": None, "symbol": "BTC-USDT-PERP", "side": "long"}
    return row | {"pair": {"state": "none"}} | more


def order(**more: Any) -> dict[str, Any]:
    return {"part": "000001", "kind": "oco", "foreign": False, "created_at": ago(90)} | more


@pytest.mark.parametrize(
    ("story", "parts", "orders", "left", "age"),
    [
        ("it guards what is held", [part(size="1")], [order()], 0, 0),
        ("its part is flat", [part()], [order()], 1, 90),
        ("its part is not known here", [], [order(), order(created_at=ago(5))], 2, 90),
        ("an entry waits for its price", [part()], [order(kind="limit")], 0, 0),
        ("somebody else's", [], [order(foreign=True, part=None)], 0, 0),
        ("its age is not known", [], [order(created_at=None)], 1, 0),
    ],
)
def test_targets_and_stops_that_are_left_over(
    story: str, parts: list[Any], orders: list[Any], left: int, age: float
) -> None:
    found = told({**NOTHING, "parts": parts, "orders": orders}).numbers
    assert found["perpdeck_orphan_orders"][WHERE] == left, story
    assert found["perpdeck_orphan_orders_age_seconds"][WHERE] == age, story


@pytest.mark.parametrize(
    ("story", "reopen", "overdue", "seconds"),
    [
        ("it chose not to", None, 0, 0),
        ("nothing is due", {"after": []}, 0, 0),
        ("it waits", {"due": ago(-60)}, 0, 0),
        ("it is late", {"due": ago(60)}, 1, 60),
    ],
)
def test_reopenings_that_do_not_come(story: str, reopen: Any, overdue: int, seconds: float) -> None:
    found = told({**NOTHING, "parts": [part(reopen=reopen)]}).numbers
    assert found["perpdeck_reopens_overdue"][WHERE] == overdue, story
    assert found["perpdeck_reopen_overdue_seconds"][WHERE] == seconds, story


def test_what_is_not_known_is_not_told() -> None:
    found = told(NOTHING)
    for name in ("equity_usdt", "stream_age_seconds", "conditional_orders_limit"):
        assert f"perpdeck_{name}" not in found.numbers
    assert not found.spreads
    assert found.numbers["perpdeck_stream_connected"][WHERE] == 0


def test_a_bare_part_goes_on_being_bare_when_no_new_picture_comes() -> None:
    vitals = {"loops": [1] * 11, "loop_seconds": 1.5, "failures": 3, "bare_since": ago(40)}
    found = told({**NOTHING, "vitals": vitals})
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
