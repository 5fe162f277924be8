"""`make bench`: measure everything, print it, write README.md.

`python -m benchmarks NAME...` prints those alone; with `--keep` before the names they take their place in README.md.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks import (
    climbing,
    cycle,
    cycle_binance,
    deciding,
    legs,
    pages,
    placing,
    protecting,
    reads,
    scrape,
    signal,
    starting,
    weeks,
)
from benchmarks.harness.frame import Section, readme, with_newer, yardstick
from benchmarks.harness.world import World

REPORT = Path(__file__).parent / "README.md"


def _with_world(measure: Callable[[World], Section]) -> Iterable[Section]:
    with World() as world:
        return [measure(world)]


SUBJECTS: dict[str, Callable[[], Iterable[Section]]] = {
    "protecting": lambda: [protecting.measure()],
    "legs": lambda: [legs.measure()],
    "placing": lambda: _with_world(placing.measure),
    "cycle": lambda: _with_world(cycle.measure),
    "binance": lambda: _with_world(cycle_binance.measure),
    "deciding": lambda: [deciding.measure()],
    "climbing": lambda: [climbing.measure()],
    "pages": lambda: [pages.measure()],
    "scrape": lambda: _with_world(scrape.measure),
    "signal": lambda: [signal.measure()],
    "reads": lambda: [reads.measure()],
    "starting": starting.measure,
    "weeks": lambda: _with_world(weeks.measure),
}


def main(names: list[str]) -> int:
    """Measure the subjects with these names, all of them where none is given."""
    keep, names = "--keep" in names, [name for name in names if name != "--keep"]
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
    elif keep:
        REPORT.write_text(with_newer(REPORT.read_text(), sections, weather))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
