"""`make bench`: measure everything, print it, write README.md. `python -m benchmarks NAME...` prints those alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks import cycle, deciding, pages, placing, protecting, starting
from benchmarks.frame import Section, readme, yardstick
from benchmarks.world import World

REPORT = Path(__file__).parent / "README.md"


def _with_world(measure: Callable[[World], Section]) -> Iterable[Section]:
    with World() as world:
        return [measure(world)]


SUBJECTS: dict[str, Callable[[], Iterable[Section]]] = {
    "protecting": lambda: [protecting.measure()],
    "placing": lambda: _with_world(placing.measure),
    "cycle": lambda: _with_world(cycle.measure),
    "deciding": lambda: [deciding.measure()],
    "pages": lambda: [pages.measure()],
    "starting": starting.measure,
}


def main(names: list[str]) -> int:
    """Measure the subjects with these names, all of them where none is given."""
    unknown = set(names) - set(SUBJECTS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; one of {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    began, weather = time.monotonic(), (os.getloadavg()[0], yardstick())
    sections: list[Section] = []
    for name in names or SUBJECTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        sections += SUBJECTS[name]()
    report = readme(sections, time.monotonic() - began, weather)
    print(report)
    if not names:
        REPORT.write_text(report)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
