"""From nothing to the first page, and from a restart with 1,000 open parts to the first thing done for them."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.dashboard import Dashboard, Process, eventually, tabs_on
from benchmarks.harness.frame import Line, Section, median, timed
from benchmarks.harness.wire_tap import Tap, behind
from benchmarks.harness.world import World, populate
from tests.browser.product import REPOSITORY
from tests.stack import ACCOUNT

PARTS = 1000
DELAY_MS = 100
STARTS = 3
GOAL_RESTART_SECONDS = 5.0
GOAL_MEGABYTES = 150
IMPORTS = "import streamlit.web.cli, pandas, pyarrow, sqlalchemy, psycopg2, apscheduler, okx.Trade, websockets"


def measure() -> tuple[Section, Section]:
    imports = [sys.executable, "-c", IMPORTS]
    floor = median([timed(lambda: subprocess.run(imports, cwd=REPOSITORY, check=True)) for _ in range(STARTS)])
    with World(empty=True) as world:
        first = _first_page(world)
        again = median([_first_page(world) for _ in range(STARTS)])
    lines = (
        Line("first page, the very first start (makes the database)", f"{first:.1f} s", f"{floor:.1f} s", "", None),
        Line("first page, any later start", f"{again:.1f} s", f"{floor:.1f} s", "", None),
    )
    words = (
        "From the command of `make run`, everything installed, to the first page drawn. Floor: a Python process that "
        "imports the same libraries."
    )
    return Section("Starting", words, lines), _restart(floor)


def _first_page(world: World) -> float:
    began = time.perf_counter()
    dashboard = Dashboard(world.home)
    try:
        dashboard.wait_until_up()
        with tabs_on(dashboard, "", 1):
            return time.perf_counter() - began
    finally:
        dashboard.stop()


def _restart(floor: float) -> Section:
    with World() as world:
        with world.stack() as stack:
            populate(stack, PARTS)
            bare = stack.part(max(intent.part for intent in stack.store.parts.intents(ACCOUNT)))
            stack.simulator.intervene("cancel", algoClOrdId=bare.protection[0].client_order_id, instId="BTC-USDT-SWAP")
        with world.simulator("real", DELAY_MS) as simulator, behind(world.home, simulator, Tap) as tap:
            simulator.market("hold")
            began = time.perf_counter()
            bot = Process(world.home, ["-m", "core.monitor"])
            try:
                started, protected = _until_protected(world, bot, tap, bare.name)
                held = bot.megabytes()
            finally:
                bot.stop()
    took = protected - began
    return Section(
        "Restart with 1,000 open parts",
        f"The bot alone, {DELAY_MS} ms of wire. One part has lost its stop while the bot was away; the clock runs from "
        "the start of the process to the request that places the stop anew. Start is pressed as soon as the bot has "
        "taken the account. Floor: importing the libraries, and four waves of answers over the wire.",
        (
            Line(
                "first protective action",
                f"{took:.2f} s (Start pressed after {started - began:.2f} s)",
                f"{floor + 4 * DELAY_MS / 1000:.2f} s",
                f"<= {GOAL_RESTART_SECONDS:g} s",
                took <= GOAL_RESTART_SECONDS,
            ),
            Line(
                "memory of the bot, 1,000 parts",
                f"{held:.0f} MB",
                "",
                f"<= {GOAL_MEGABYTES} MB",
                held <= GOAL_MEGABYTES,
            ),
        ),
    )


def _until_protected(world: World, bot: Process, tap: Tap, part: str) -> tuple[float, float]:
    """When Start could be pressed, and when the part's protection was asked for."""
    eventually(lambda: bot.lives() and world.store.bots.get(ACCOUNT).changed_by == "restart", "the bot has the account")
    started = time.perf_counter()
    world.store.bots.set_running(ACCOUNT, True, by="benchmark", why="", manually=False)
    eventually(lambda: bot.lives() and part in tap.protected, "the bare part is protected")
    return started, tap.protected[part]
