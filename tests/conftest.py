"""What the whole run shows at its end."""

from typing import Any

from tests import run_report
from tests.decision.stress import table as properties
from tests.faults import table as faults

SECTIONS = {properties.SECTION: properties.lines, faults.SECTION: faults.lines}


def pytest_configure(config: Any) -> None:
    run_report.begin(config)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    run_report.show(terminalreporter, SECTIONS)


def pytest_unconfigure(config: Any) -> None:
    run_report.end(config)
