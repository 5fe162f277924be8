"""What a scrape of `/metrics` costs, with 100 open parts, without and with thousands of ended lives behind them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import httpx
import psutil
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.harness.frame import ROUNDS, Line, Section, median, ms, percentile, timed
from benchmarks.harness.world import PART_USDT, World, calm, populate
from core.api import metrics
from core.domain.ids import part_name
from core.services.metrics.service import Metrics
from core.wiring import Services
from tests.api.conftest import serve
from tests.stack import Stack

PARTS = 100
LIVES = 5000
BATCH = 500  #: copied in one statement
SCRAPES = 20  #: in a round
EVERY_SECONDS = 15
GOAL_SHARE = 0.01
RENAMED = "'part', name, 'client_order_id', replace(old.client_order_id, old.part, name)"
COPIED = {
    "positions": "'part', name, 'token', name",
    "cycles": "'part', name",
    "orders": f"{RENAMED}, 'exchange_order_id', ''",
    "commands": RENAMED,
    "fills": f"{RENAMED}, 'exchange_fill_id', name || old.exchange_fill_id",
}  #: table: what differs in a copy


def measure(world: World) -> Section:
    with world.stack() as stack:
        ended = _ended_life(stack)
        populate(stack, PARTS)
        lines = list(_measured(world, stack, f"{PARTS} parts"))
        _copied(stack, ended, LIVES)
        lines += _measured(world, stack, f"{PARTS} parts and {LIVES:,} ended lives")
        calm(stack)
    return Section(
        "Metrics",
        f"`/metrics` over HTTP, as Prometheus asks for it every {EVERY_SECONDS} s: everything read from the database "
        "and told. The share of a core is processor time, that of the database and of whoever asks included. Floor: "
        "the same server answers the same bytes from memory.",
        tuple(lines),
    )


def _measured(world: World, stack: Stack, what: str) -> Iterator[Line]:
    read = Metrics(stack.store.metrics, stack.store.snapshots, stack.store.equity, stack.clock)
    gc.collect()
    first = timed(read.read)
    gc.freeze()
    with _served(read) as client:
        body = client.get("/metrics").content
        took, share = _asked(world, lambda: client.get("/metrics"))
        floor, least = _asked(world, lambda: client.post("/same", content=body))
    gc.unfreeze()
    ordinary = f"{ms(median(took))} ({len(body) / 1024:,.0f} KB)"
    slowest = f"{ms(percentile(took, 99))} (of {len(took)})"
    yield Line(f"a scrape, {what}: p50", ordinary, ms(median(floor)), "", None)
    yield Line(f"a scrape, {what}: p99", slowest, ms(percentile(floor, 99)), "", None)
    yield Line(
        f"share of a core, {what}",
        f"{share:.2%}",
        f"{least:.2%}",
        f"< {GOAL_SHARE:.0%} of a core",
        share < GOAL_SHARE,
    )
    yield Line(f"the first read after a start, {what}", ms(first), "", "", None)


def _asked(world: World, ask: Callable[[], object]) -> tuple[list[float], float]:
    """Seconds of each question, and the share of a core that one takes of the time between two scrapes."""
    took, shares = [], []
    for _ in range(ROUNDS):
        before = time.process_time() + _database_seconds(world)
        took += [timed(ask) for _ in range(SCRAPES)]
        shares.append((time.process_time() + _database_seconds(world) - before) / SCRAPES / EVERY_SECONDS)
    return took, median(shares)


def _database_seconds(world: World) -> float:
    """Processor time of everybody who serves a connection to the database."""
    keeper = int((world.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    times = [one.cpu_times() for one in psutil.Process(keeper).children()]
    return float(sum(one.user + one.system for one in times))


@contextmanager
def _served(read: Metrics) -> Iterator[httpx.Client]:
    async def same(request: object) -> Response:
        return Response(await request.body())  # type: ignore[attr-defined]

    made = cast(Services, SimpleNamespace(metrics=read))
    app = Starlette(routes=[metrics.route("bench", lambda: made), Route("/same", same, methods=["POST"])])
    server, thread, url = serve(app)
    try:
        with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(10)


def _ended_life(stack: Stack) -> str:
    """A part that has ended for good by its take-profit."""
    stack.price("100000")
    part = stack.opened(stack.draft(PART_USDT, tp=5, sl=-10))
    stack.price("106000")
    stack.ended(part)
    stack.price("100000")
    calm(stack)
    return part


def _copied(stack: Stack, part: str, lives: int) -> None:
    """The rows of that life once more, under so many new names."""
    for _ in range(lives // BATCH):
        with stack.store.transaction() as connection:
            numbers = connection.execute(
                text("SELECT nextval('part_numbers') FROM generate_series(1, :copies)"), {"copies": BATCH}
            )
            names = [part_name(number) for number in numbers.scalars()]
            for table, changed in COPIED.items():
                connection.execute(
                    text(
                        f"INSERT INTO {table} SELECT (jsonb_populate_record(old, jsonb_build_object({changed}))).* "
                        f"FROM {table} old, unnest(CAST(:names AS text[])) AS name WHERE old.part = :part"
                    ),
                    {"names": names, "part": part},
                )
