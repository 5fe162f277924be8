"""The dashboards and alerts that ship, before a real Prometheus that scrapes a bot through a day."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from core.services.metrics.series import BY_NAME
from scripts import boards
from tests.eventually import eventually
from tests.metrics.conftest import Station
from tests.metrics.day import beat, hours, morning
from tests.metrics.promethean import Prometheus

CHOSEN = {
    "$account": ".*",
    "$strategy": ".*",
    "$symbol": ".*",
    "$__rate_interval": "1m",
    "$__range": "10m",
}
BORROWED = {"process_cpu_seconds_total", "process_resident_memory_bytes", "ALERTS"}


def shipped(name: str) -> dict[str, Any]:
    return dict(json.loads((boards.FOLDER / f"{name}.json").read_text()))


def asked(name: str) -> list[tuple[str, str]]:
    """Title and query of everything on a board, with all variables chosen."""
    found = []
    for panel in shipped(name)["panels"]:
        for target in panel["targets"]:
            query = target["expr"]
            for variable, value in CHOSEN.items():
                query = query.replace(variable, value)
            assert "$" not in query, query
            found.append((panel["title"], query))
    return found


@pytest.mark.parametrize("name", boards.BOARDS)
def test_what_lies_there_is_what_the_script_makes(name: str) -> None:
    assert (boards.FOLDER / f"{name}.json").read_text() == boards.text(name)
    assert sorted(path.stem for path in boards.FOLDER.glob("*.json")) == sorted(boards.BOARDS)


@pytest.mark.parametrize("name", boards.BOARDS)
def test_a_board_asks_for_series_that_there_are(name: str) -> None:
    for title, query in asked(name):
        for series in re.findall(r"\b(?:perpdeck|tradeengine|process)_[a-z_]+\b", query):
            plain = re.sub(r"_(bucket|count|sum)$", "", series)
            assert series in BORROWED or series in BY_NAME or plain in BY_NAME, f"{title}: {series}"


def test_the_strategy_board_can_be_narrowed_by_strategy_and_contract() -> None:
    for title, query in [(p["title"], t["expr"]) for p in shipped("strategies")["panels"] for t in p["targets"]]:
        for variable in ("$account", "$strategy", "$symbol"):
            assert variable in query, title


def test_every_panel_has_data_after_a_day_and_the_alerts_ring(station: Station, prometheus_programs: Path) -> None:
    stack = station.stack
    with Prometheus(prometheus_programs, station.url) as prometheus:
        morning(station)
        hours(station)
        prometheus.scraped()
        hours(station)
        prometheus.scraped()
        bare = [
            f"{name}: {title}: {query}"
            for name in boards.BOARDS
            for title, query in asked(name)
            if not _told(prometheus.query(query))
        ]
        assert bare == []
        assert {name: rule["health"] for name, rule in prometheus.rules().items() if rule["health"] != "ok"} == {}
        assert prometheus.number('sum(tradeengine_strategy_tp_triggered_total{strategy_id="breakout"})') == 2
        assert prometheus.number('sum(tradeengine_strategy_sl_triggered_total{strategy_id="breakout"})') == 2
        assert prometheus.number("sum(perpdeck_orders_refused_total)") == 2
        assert not _rings(prometheus, "SomethingBare", stack.name)

        stack.guard.running = False  # somebody takes the stop away while the bot only looks
        for row in stack.resting():
            stack.by_hand("cancel", algoId=row["algoId"], instId=row["instId"])
        beat(stack)
        stack.step(15)
        beat(stack)
        eventually(lambda: _rings(prometheus, "SomethingBare", stack.name), 30, "the alert rings", every=0.2)
        stack.guard.running = True
        stack.settle(3)
        beat(stack)
        eventually(lambda: not _rings(prometheus, "SomethingBare", stack.name), 30, "the alert ends", every=0.2)


def _rings(prometheus: Prometheus, name: str, account: str) -> bool:
    alerts = prometheus.rules()[name]["alerts"]
    return any(one["state"] == "firing" and one["labels"]["account"] == account for one in alerts)


def _told(found: list[dict[str, Any]]) -> bool:
    return any(not math.isnan(float(one["value"][1])) for one in found)
