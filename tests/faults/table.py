"""The fault table as it is printed at the end of a run, put together from what each test process has counted.

A number says how often a cell was run, `!` that a promise was broken in it, a dot that it can be run and was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from string import ascii_letters, digits
from typing import Any

from tests import run_report
from tests.faults.harness.kinds import ALL

SECTION = "fault table"
WIDTH, EXCHANGE = 34, 8
LETTERS = dict(zip(ALL, ascii_letters + digits, strict=False))


def keep(cells: Iterable[tuple[str, str, str, str]], runs: Iterable[Mapping[str, Any]], seed: int) -> None:
    """Put what one test has run where the end of the run finds it."""
    run_report.keep(SECTION, {"cells": list(cells), "runs": list(runs), "seed": seed})


def lines(kept: list[dict[str, Any]]) -> list[str]:
    """The table of all settings together, its legend above it and the sums under it."""
    there = list(dict.fromkeys(tuple(cell) for one in kept for cell in one["cells"]))
    rows = list(dict.fromkeys((flow, step, exchange) for exchange, flow, step, _ in there))
    flows = list(dict.fromkeys(flow for flow, _, _ in rows))
    known = set(there)
    run, broken, bare = Counter[tuple[str, ...]](), Counter[tuple[str, ...]](), Counter[str]()
    missed = 0
    for one in (one for each in kept for one in each["runs"]):
        cell = one["exchange"], one["flow"], one["step"], one["kind"]
        run[cell] += one["struck"]
        missed += not one["struck"]
        broken[cell] += bool(one["broken"])
        shown = f"{one['exchange']} {one['kind']}"
        bare[shown] = max(bare[shown], one["bare"])
    labels = [label for label in ALL if any(cell[-1] == label for cell in there)]
    legend = [f"{LETTERS[label]} {ALL[label].words} ({label})" for label in labels]
    half = (len(legend) + 1) // 2
    made = [f"{left:<64}{right}" for left, right in zip_longest(legend[:half], legend[half:], fillvalue="")]
    head = "".join(f"{LETTERS[label]:>3}" for label in labels)
    for flow in flows:
        made += ["", f"{flow.upper():<{WIDTH}}{'':<{EXCHANGE}}{head}"]
        for step, exchange in sorted((step, exchange) for of, step, exchange in rows if of == flow):
            counts = (_shown((exchange, flow, step, label), known, run, broken) for label in labels)
            made.append(f"{step:<{WIDTH}}{exchange:<{EXCHANGE}}" + "".join(f"{one:>3}" for one in counts))
    seeds = ", ".join(sorted({str(one["seed"]) for one in kept}))
    done = sum(1 for cell in there if run[cell])
    worst = ", ".join(f"{label} {seconds:.1f}" for label, seconds in bare.most_common() if seconds) or "none"
    made += [
        "",
        f"{done} of {len(there)} cells, {sum(run.values())} runs, {sum(broken.values())} violations, "
        f"{missed} strikes came too late to meet their step; seed {seeds}",
        f"longest time bare in a cell, in simulated seconds: {worst}",
    ]
    return made


def _shown(
    cell: tuple[str, str, str, str],
    there: set[tuple[Any, ...]],
    run: Mapping[tuple[str, ...], int],
    broken: Mapping[tuple[str, ...], int],
) -> str:
    if cell not in there:
        return ""
    if broken[cell]:
        return f"{run[cell]}!"
    return str(run[cell]) if run[cell] else "·"
