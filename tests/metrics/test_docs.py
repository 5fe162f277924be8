"""docs/metrics.md names every series as it is, and every alert."""

from __future__ import annotations

import re
from dataclasses import replace

import yaml

from core.services.metrics.series import ALL, BY_NAME, MOST
from tests.browser.product import REPOSITORY
from tests.metrics.conftest import Station
from tests.metrics.promethean import DEPLOY

TEXT = (REPOSITORY / "docs" / "metrics.md").read_text()


def test_the_table_is_the_list_of_series() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \| (.+?) \| (.+) \|$", TEXT, re.MULTILINE)
    assert rows == [(one.name, str(one.kind), ", ".join(one.labels) or "-", one.unit, one.words) for one in ALL]


def test_what_is_exposed_is_what_the_table_says(station: Station) -> None:
    station.stack.opened(replace(station.stack.draft(), strategy="breakout"))
    told = station.scrape()
    for family in told.families.values():
        name = family.name if family.type != "counter" else f"{family.name}_total"
        if family.name.startswith("process_"):
            continue
        series = BY_NAME[name]
        assert family.type == series.kind
        assert family.documentation == f"{series.words}. {series.unit}."
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(series.labels), sample.name
    assert {family.name for family in told.families.values()} >= {
        one.name.removesuffix("_total") if one.kind == "counter" else one.name for one in ALL
    }


def test_every_alert_is_named_there() -> None:
    groups = yaml.safe_load((DEPLOY / "rules" / "perpdeck.yml").read_text())["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        assert re.search(rf"\b{rule['alert']}\b", TEXT), rule["alert"]


def test_the_bounds_that_are_told_are_those_that_hold() -> None:
    for label, words in (("strategy_id", "strategies"), ("symbol", "contracts"), ("code", "refusal codes")):
        assert f"{MOST[label]} {words}" in TEXT
