"""How long a page takes to draw, what ten open tabs cost, and how much memory the processes hold."""

from __future__ import annotations

import time

from benchmarks.dashboard import Dashboard, eventually, tabs_on
from benchmarks.harness.frame import ROUNDS, Line, Section, median, ms
from benchmarks.harness.world import World, populate
from tests.stack import ACCOUNT

PARTS = 100
TABS = 10
WATCH_SECONDS = 8.0
GOAL_DRAW_SECONDS = 0.150
GOAL_CORE = 0.60
GOAL_MEGABYTES = 300
PAGES = {
    "Orders": "orders",
    "Active Positions": "",
    "New Trade": "new-trade",
    "Safety": "safety",
    "Settings": "settings",
    "Paper market": "paper-market",
}
EMPTY_PAGE = "history"


def measure() -> Section:
    with World() as world:
        with world.stack() as stack:
            populate(stack, PARTS)
        with world.simulator("real") as simulator:
            simulator.market("hold")
            dashboard = Dashboard(world.home)
            try:
                dashboard.wait_until_up()
                eventually(lambda: dashboard.lives() and _shown(world) == PARTS, "the parts are on the board")
                lines = _lines(dashboard)
            finally:
                dashboard.stop()
    return Section(
        "Pages",
        f"The dashboard with {PARTS} open parts, each with a resting order, its bot looking at them. A page is drawn "
        "when its script has finished and everything has gone to the tab; the tab reads and does not paint. Floor of a "
        "page: History with nothing in it, in the same process. Floor of the tabs: the same process with none. Active "
        "Positions names every part in its tables and draws the cards of twenty; New Trade lists every part.",
        tuple(lines),
    )


def _shown(world: World) -> int:
    found = world.store.snapshots.latest(ACCOUNT)
    return len(found.parts) if found and found.health.stream_connected else 0


def _lines(dashboard: Dashboard) -> list[Line]:
    lines = []
    floor = _draw(dashboard, EMPTY_PAGE)
    idle = _core(dashboard)
    for title, page in PAGES.items():
        drawn = _draw(dashboard, page)
        what, goal = f"{title}, {PARTS} parts", f"<= {ms(GOAL_DRAW_SECONDS)}"
        lines.append(Line(what, ms(drawn), ms(floor), goal, drawn <= GOAL_DRAW_SECONDS))
    for title, page in PAGES.items():
        with tabs_on(dashboard, page, TABS) as tabs:
            share = _core(dashboard)
            refreshes = tabs.close()
        lines.append(
            Line(
                f"ten tabs on {title}, {PARTS} parts",
                f"{share:.0%} of a core; a refresh {ms(median(refreshes))}",
                f"{idle:.0%}",
                f"<= {GOAL_CORE:.0%} of a core",
                share <= GOAL_CORE,
            )
        )
    held = dashboard.megabytes()
    lines.append(
        Line(
            "memory of the dashboard after them",
            f"{held:.0f} MB",
            "",
            f"<= {GOAL_MEGABYTES} MB",
            held <= GOAL_MEGABYTES,
        )
    )
    return lines


def _draw(dashboard: Dashboard, page: str) -> float:
    """Seconds for the whole page in a tab that has been open for a moment."""
    with tabs_on(dashboard, page, 1, runs=ROUNDS + 2) as tabs:
        return median(tabs.drawn[-ROUNDS:])


def _core(dashboard: Dashboard) -> float:
    """The share of one processor that the process uses."""
    before, began = dashboard.cpu_seconds(), time.monotonic()
    time.sleep(WATCH_SECONDS)
    return (dashboard.cpu_seconds() - before) / (time.monotonic() - began)
