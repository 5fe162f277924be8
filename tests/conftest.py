"""What the whole run shows at its end."""

from typing import Any

from tests import told
from tests.decision import table as properties
from tests.faults import table as faults

SECTIONS = {properties.SECTION: properties.lines, faults.SECTION: faults.lines}


def pytest_configure(config: Any) -> None:
    told.begin(config)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    told.show(terminalreporter, SECTIONS)


def pytest_unconfigure(config: Any) -> None:
    told.end(config)
