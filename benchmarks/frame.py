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
from dataclasses import dataclass
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


def readme(sections: Sequence[Section], seconds: float, began: tuple[float, float]) -> str:
    """The report. `began`: load and yardstick before the first measurement."""
    load, stick = began
    held = [line for section in sections for line in section.lines if line.met is not None]
    missed = [line for line in held if not line.met]
    pieces = [
        "# Benchmarks",
        "",
        "Written by `make bench`; never edited by hand. Each number stands beside its floor, the least that the same "
        "work could cost, measured in the same run. Times are medians of five rounds.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} processors ({platform.machine()}), "
        f"Python {platform.python_version()}; the run took {seconds:.0f} s. Others may have used the machine: load "
        f"{load:.1f} before and {os.getloadavg()[0]:.1f} after, and the yardstick (100,000 exact multiplications) took "
        f"{ms(stick)} before and {ms(yardstick())} after. Where the load is above the number of processors or the two "
        "yardsticks differ, the times are too long: believe the counts and the ratios.",
        "",
        f"**{len(held) - len(missed)} of {len(held)} goals met.**"
        + (" Missed: " + "; ".join(line.what for line in missed) + "." if missed else ""),
    ]
    for section in sections:
        pieces += ["", f"## {section.title}", "", section.how, ""]
        pieces += ["| What | Measured | Floor | Goal | |", "|---|---|---|---|---|"]
        marks = {True: "met", False: "**missed**", None: ""}
        pieces += [f"| {n.what} | {n.measured} | {n.floor} | {n.goal} | {marks[n.met]} |" for n in section.lines]
    return "\n".join(pieces) + "\n"
