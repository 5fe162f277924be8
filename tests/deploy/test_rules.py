"""The rules that wake an operator, as `promtool` reads and tries them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.services.metrics.series import BY_NAME
from tests.metrics.promethean import DEPLOY, prometheus_programs

__all__ = ["prometheus_programs"]

RULES, TESTS = DEPLOY / "rules" / "perpdeck.yml", DEPLOY / "tests" / "perpdeck.yml"
WANTED = {
    "TakeProfitsRarelyHit",
    "NoPairsOnPosition",
    "TooManyPartsOnPosition",
    "SomethingBare",
    "LeaseLost",
    "StaleStream",
    "StalePicture",
    "BotStoppedWithPositions",
    "CommandUnresolved",
}


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def promtool(programs: Path, *words: object) -> str:
    ran = subprocess.run(
        [programs / "promtool", *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_the_configuration_and_the_rules_can_be_read(prometheus_programs: Path) -> None:
    assert "SUCCESS" in promtool(prometheus_programs, "check", "config", DEPLOY / "prometheus.yml")
    assert f"SUCCESS: {len(alerts())} rules found" in promtool(prometheus_programs, "check", "rules", RULES)


def test_each_alert_rings_when_it_should_and_not_before(prometheus_programs: Path) -> None:
    assert "SUCCESS" in promtool(prometheus_programs, "test", "rules", TESTS)


def test_a_test_of_a_rule_fails_where_the_rule_is_wrong(prometheus_programs: Path, tmp_path: Path) -> None:
    for folder, file in (("rules", RULES), ("tests", TESTS)):
        (tmp_path / folder).mkdir()
        text = file.read_text().replace("perpdeck_unprotected_seconds > 10", "perpdeck_unprotected_seconds > 15")
        (tmp_path / folder / file.name).write_text(text)
    with pytest.raises(AssertionError, match="SomethingBare"):
        promtool(prometheus_programs, "test", "rules", tmp_path / "tests" / TESTS.name)


def test_every_alert_is_tried_and_says_what_to_do() -> None:
    tried = yaml.safe_load(TESTS.read_text())["tests"]
    rung = {one["alertname"] for test in tried for one in test["alert_rule_test"] if one.get("exp_alerts")}
    assert rung == {rule["alert"] for rule in alerts()}
    assert rung >= WANTED
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_series_that_there_are(rule: dict[str, Any]) -> None:
    asked = re.findall(r"\b(?:perpdeck|tradeengine)_[a-z_]+\b", rule["expr"].replace('job="perpdeck"', ""))
    assert set(asked) <= BY_NAME.keys()
