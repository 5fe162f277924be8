"""What a measurement is, and how the measurements become README.md.

Every number stands beside its floor: the least that the same work could cost, measured in the same run. Times are
medians of rounds; percentiles are taken over the samples of all rounds.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the report, in words."""

    what: str
    measured: str
    floor: str
    goal: str
    met: bool | None  #: None: told, and held to nothing


@dataclass(frozen=True, slots=True)
class Section:
    """One subject: how it was measured, and what came out."""

    title: str
    how: str
    lines: tuple[Line, ...]


def timed(work: Callable[[], object]) -> float:
    """Seconds by the clock on the wall."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu(work: Callable[[], object]) -> float:
    """Seconds of this process's own computing."""
    began = time.process_time()
    work()
    return time.process_time() - began


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def percentile(samples: Sequence[float], percent: int) -> float:
    """The smallest sample that so many percent of all do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1))]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def yardstick() -> float:
    """Seconds for a fixed piece of exact arithmetic: tells how fast this machine was just then."""
    price = Decimal("100000.1")

    def work() -> None:
        for number in range(100_000):
            price * number

    return min(timed(work) for _ in range(3))


def weather(began: tuple[float, float]) -> str:
    """How busy the machine was, before (load and yardstick) and now."""
    load, stick = began
    return (
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after, and the yardstick (100,000 exact multiplications) "
        f"took {ms(stick)} before and {ms(yardstick())} after"
    )


def in_words(section: Section) -> str:
    """One subject as Markdown."""
    marks = {True: "met", False: "**missed**", None: ""}
    head = [f"## {section.title}", "", section.how, "", "| What | Measured | Floor | Goal | |", "|---|---|---|---|---|"]
    rows = [f"| {n.what} | {n.measured} | {n.floor} | {n.goal} | {marks[n.met]} |" for n in section.lines]
    return "\n".join([*head, *rows]) + "\n"


def with_newer(earlier: str, sections: Sequence[Section], began: tuple[float, float]) -> str:
    """An earlier report with these subjects measured anew, each saying so; the goals are counted again."""
    head, *kept = earlier.rstrip().split("\n## ")
    bodies = {one.partition("\n")[0]: f"## {one.rstrip()}\n" for one in kept}
    for section in sections:
        when = f"Measured anew on its own, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {weather(began)}."
        bodies[section.title] = in_words(replace(section, how=f"{section.how} {when}"))
    rows = [line.split(" | ") for body in bodies.values() for line in body.splitlines() if line.startswith("| ")]
    held = [row for row in rows if row[-1] in ("met |", "**missed** |")]
    opening = head.split("\n\n")
    goals = goals_words([(row[0].removeprefix("| "), row[-1] == "met |") for row in held])
    opening = [goals if "goals met" in one else one for one in opening]
    return "\n\n".join(opening).rstrip() + "\n\n" + "\n".join(bodies.values())


def goals_words(held: Sequence[tuple[str, bool]]) -> str:
    """How many goals are met, and which are not."""
    missed = [what for what, met in held if not met]
    told = f" Missed: {'; '.join(missed)}." if missed else ""
    return f"**{len(held) - len(missed)} of {len(held)} goals met.**{told}"


def readme(sections: Sequence[Section], seconds: float, began: tuple[float, float]) -> str:
    """The report. `began`: load and yardstick before the first measurement."""
    held = [(line.what, line.met) for section in sections for line in section.lines if line.met is not None]
    pieces = [
        "# Benchmarks",
        "",
        "Written by `make bench`; never edited by hand. Each number stands beside its floor, the least that the same "
        "work could cost, measured in the same run. Times are medians of five rounds.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} processors ({platform.machine()}), "
        f"Python {platform.python_version()}; the run took {seconds:.0f} s. Others may have used the machine: "
        f"{weather(began)}. Where the load is above the number of processors or the two yardsticks differ, the times "
        "are too long: believe the counts and the ratios.",
        "",
        goals_words(held),
    ]
    return "\n".join([*pieces, "", "\n".join(map(in_words, sections))])
