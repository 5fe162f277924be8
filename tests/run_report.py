"""What a whole run shows at its end: tables put together from what each test process has counted.

A test keeps what it has counted under the name of a section; whoever prints a section gets all of it at once.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

FOLDER = "TOLD_FOLDER"
_numbers = count(1)


def keep(section: str, told: Mapping[str, Any]) -> None:
    """Put what one test has counted where the end of the run finds it."""
    folder = os.environ.get(FOLDER)
    if folder is not None:
        path = Path(folder) / section
        path.mkdir(exist_ok=True)
        (path / f"{os.getpid()}-{next(_numbers):04}.json").write_text(json.dumps(told))


def begin(config: Any) -> None:
    """One folder for all test processes, made by the first of them."""
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="told-")


def show(reporter: Any, sections: Mapping[str, Callable[[list[dict[str, Any]]], list[str]]]) -> None:
    """Print every section about which something was kept."""
    folder = os.environ.get(FOLDER)
    for section, lines in sections.items():
        found = sorted((Path(folder) / section).glob("*.json")) if folder is not None else []
        if found:
            reporter.section(section)
            for line in lines([json.loads(path.read_text()) for path in found]):
                reporter.write_line(line)


def end(config: Any) -> None:
    if not hasattr(config, "workerinput") and FOLDER in os.environ:
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)
