"""What a program waits for when it reads over the API while the bot guards 100 parts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import httpx

from benchmarks.dashboard import Dashboard, eventually
from benchmarks.harness.frame import ROUNDS, Line, Section, median, ms, percentile, timed
from benchmarks.harness.world import World, populate
from core.clock import RealClock
from core.domain.token import Scope
from core.services.access.tokens import Tokens
from tests.stack import ACCOUNT

PARTS = 100
READS = 20  #: of each address in a round
TOKENS = 8  #: each may ask 20 times a second
PAUSE_SECONDS = 0.01
GOAL_P99 = 0.250
ADDRESSES = {
    "parts": "/parts",
    "positions": "/trading/positions",
    "live orders": "/trading/orders/active",
    "orders of all cycles": "/trading/orders",
    "executions": "/trading/trades",
    "performance": "/trading/performance",
    "events": "/trading/events",
    "bot": "/bot",
}


def measure() -> Section:
    with World() as world:
        with world.stack() as stack:
            populate(stack, PARTS)
        with world.simulator("real") as simulator:
            dashboard = Dashboard(world.home)
            try:
                dashboard.wait_until_up()
                eventually(lambda: dashboard.lives() and _shown(world) == PARTS, "the parts are on the board")
                world.store.bots.set_running(ACCOUNT, True, by="benchmark", why="", manually=False)
                simulator.market("walk", volatility=0.00002)
                before, began = _passes(world), time.monotonic()
                lines = list(_lines(dashboard, _secrets(world)))
                looks = (_passes(world) - before) / (time.monotonic() - began)
            finally:
                dashboard.stop()
    return Section(
        "Reading over the API",
        f"The dashboard with {PARTS} open parts, the bot started and the price walking: it put up {looks:.1f} pictures "
        "a second meanwhile. Each address is asked in turn over HTTP with a token. Floor: `/healthz` of the same "
        "process, asked in between.",
        tuple(lines),
    )


def _lines(dashboard: Dashboard, secrets: list[str]) -> Iterator[Line]:
    took: dict[str, list[float]] = {what: [] for what in ADDRESSES}
    floor: list[float] = []
    tokens = itertools.cycle(secrets)
    with httpx.Client(base_url=dashboard.url, trust_env=False, verify=False, timeout=30) as http:

        def read(path: str) -> None:
            headers = {"authorization": f"Bearer {next(tokens)}"}
            answer = http.get(f"/api/v1{path}", params={"account": ACCOUNT}, headers=headers)
            assert answer.status_code == 200, f"{path}: {answer.text}"

        for path in ADDRESSES.values():
            read(path)
        for _ in range(ROUNDS * READS):
            for what, path in ADDRESSES.items():
                took[what].append(timed(lambda: read(path)))  # noqa: B023
                time.sleep(PAUSE_SECONDS)
            floor.append(timed(lambda: http.get("/healthz")))
    for what, samples in took.items():
        p99 = percentile(samples, 99)
        yield Line(
            f"{what}: p99",
            f"{ms(p99)} (p50 {ms(median(samples))}, of {len(samples)})",
            f"{ms(percentile(floor, 99))} (p50 {ms(median(floor))})",
            f"<= {ms(GOAL_P99)}",
            p99 <= GOAL_P99,
        )


def _secrets(world: World) -> list[str]:
    tokens = Tokens(world.store.api_tokens, world.store.events, RealClock(), lambda: b"")
    return [tokens.create(f"bench {number}", Scope.READ, None, "bench").secret for number in range(TOKENS)]


def _shown(world: World) -> int:
    found = world.store.snapshots.latest(ACCOUNT)
    return len(found.parts) if found and found.health.stream_connected else 0


def _passes(world: World) -> int:
    """Snapshots that the bot has stored so far, as the database counts the writes of their row."""
    with world.store.one_statement() as connection:
        written = "SELECT n_tup_upd + n_tup_ins FROM pg_stat_user_tables WHERE relname = 'board'"
        return int(connection.exec_driver_sql(written).scalar_one())
