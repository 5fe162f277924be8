"""The property table as it is printed at the end of a run: what storms were played, and what they came to.

A row is one kind of exchange with so many parts on a position. `both filled`: pairs of which both legs filled; the
window is the time from the first fill of one leg to the end of the other, in which that can happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests import run_report

SECTION = "property table"
HEAD = ("seeds", "turns", "violations", "both filled", "overshoots", "longest bare", "window p50", "p99", "max")
WIDTHS = (36, 7, 8, 12, 13, 12, 14, 12, 9, 9)


@dataclass(slots=True)
class Row:
    """What the storms of one kind came to. Times in simulated seconds; `unit` where it is something else."""

    where: str  #: "plan, two legs", "Binance, one-way"
    parts: str  #: on one position, at most
    seeds: int = 0
    turns: int = 0
    violations: int = 0
    both_filled: int = 0
    overshoots: int = 0  #: storms in which exits closed more than their part
    bare: float = 0.0  #: the longest time in which a part had size and no stop rested
    windows: list[float] = field(default_factory=list)
    unit: str = "s"

    def keep(self) -> None:
        run_report.keep(SECTION, asdict(self))


def keep_all(rows: Iterable[Row]) -> None:
    for row in rows:
        row.keep()


def lines(kept: list[dict[str, Any]]) -> list[str]:
    """The table, its rows in order; rows of one kind from several test processes are one."""
    rows: dict[tuple[str, str, str], Row] = {}
    for one in sorted((Row(**each) for each in kept), key=lambda row: (row.unit != "s", row.where, row.parts)):
        key = one.where, one.parts, one.unit
        rows[key] = _together(rows[key], one) if key in rows else one
    head = _line(("", *HEAD))
    return [head, *(_line(_cells(row)) for row in rows.values())]


def _together(one: Row, other: Row) -> Row:
    counts = ("seeds", "turns", "violations", "both_filled", "overshoots")
    sums = {name: getattr(one, name) + getattr(other, name) for name in counts}
    bare, windows = max(one.bare, other.bare), one.windows + other.windows
    return Row(one.where, one.parts, **sums, bare=bare, windows=windows, unit=one.unit)


def _cells(row: Row) -> tuple[str, ...]:
    windows = sorted(row.windows)
    times = tuple(_told(_at(windows, share), row.unit) if windows else "-" for share in (0.5, 0.99, 1.0))
    numbers = (row.seeds, row.turns, row.violations, row.both_filled, row.overshoots)
    parts = f"{row.parts} part{'s' if row.parts != '1' else ''}" if row.parts else ""
    return (
        f"{row.where}, {parts}".rstrip(", "),
        *(str(one) for one in numbers),
        f"{row.bare:.1f} s" if row.unit == "s" else "-",
        *times,
    )


def _told(value: float, unit: str) -> str:
    return f"{value:.1f} s" if unit == "s" else f"{value:.0f} {unit}"


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _line(cells: Iterable[str]) -> str:
    first, *others = zip(cells, WIDTHS, strict=True)
    return f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in others)
