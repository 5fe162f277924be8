"""How many parts a second `plan` decides, and that twice the parts take twice the time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial

from benchmarks.harness.frame import ROUNDS, Line, Section, cpu, median
from core.decision.plan import plan
from core.decision.view import skip
from core.domain.action import Rule
from core.domain.ids import part_name
from core.domain.intent import Desired
from core.domain.observation import Seen
from core.domain.reason import Reason
from tests.builders import NOON, begun, command, desired, entry, oco, seen

GOAL_PER_SECOND = 50_000
SIZES = (1, 100, 1000, 4000)
PARTS_A_ROUND = 8000
STRAIGHT = 1.5  #: the most that a part may cost among 4,000, measured by its cost among 100


def guarded_parts(count: int) -> tuple[Desired, Seen]:
    """So many open parts of one position, each with its stop and target in place."""
    names = [part_name(number) for number in range(count)]
    orders = [order for name in names for order in (entry(part=name), oco(part=name))]
    commands = tuple(command(f"op{name}01{letter}01") for name in names for letter in "EP")
    return desired(*(begun(name) for name in names)), seen(*orders, held=10 * count, commands=commands)


def measure() -> Section:
    lines, cost = [], {}
    for size in SIZES:
        wanted, there = guarded_parts(size)
        gc.collect()
        gc.freeze()  # as the product does once it is up
        cost[size] = median([_per_part(size, partial(plan, wanted, there, NOON)) for _ in range(ROUNDS)])
        floor = median([_per_part(size, partial(_bare_answer, there)) for _ in range(ROUNDS)])
        lines.append(
            Line(
                f"`plan`, {size:,} parts of one position",
                f"{1 / cost[size]:,.0f} parts/s ({cost[size] * 1e6:.1f} us each)",
                f"{1 / floor:,.0f} parts/s",
                f">= {GOAL_PER_SECOND:,} parts/s" if size == 1000 else "",
                cost[size] <= 1 / GOAL_PER_SECOND if size == 1000 else None,
            )
        )
        gc.unfreeze()
    ratio = cost[SIZES[-1]] / cost[100]
    words = f"{ratio:.2f} times the cost of one among 100"
    lines.append(Line(f"one part among {SIZES[-1]:,}", words, "1.00", f"<= {STRAIGHT} times", ratio <= STRAIGHT))
    return Section(
        "Deciding",
        "Processor time of `plan` over parts that are open and protected, nothing to do. Floor: the same answer, one "
        "sentence for each part, made without looking at anything.",
        tuple(lines),
    )


def _per_part(size: int, work: Callable[[], object]) -> float:
    times = max(1, PARTS_A_ROUND // size)

    def often() -> None:
        for _ in range(times):
            work()

    return cpu(often) / (times * size)


def _bare_answer(there: Seen) -> list[object]:
    return [skip(None, Rule.PROTECT, Reason("protection.surplus")) for order in there.orders[::2]]
