"""What one look over everything costs: requests to the exchange, and our own computing."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import httpx
import orjson

from benchmarks.harness.frame import ROUNDS, Line, Section, cpu, median, ms
from benchmarks.harness.world import World, calm, hear_price, populate
from tests.stack import Stack

REQUESTS = {1: 3, 10: 3, 100: 3, 1000: 12}  #: parts: requests of one cycle on OKX, not one more
GOAL_CPU_SECONDS = 0.150  #: per 1,000 parts


def cycle(stack: Stack) -> None:
    """One calm cycle: the price is known, and money is not due to be read."""
    stack.guard.work_once(set(), everything=True)


def ready(stack: Stack) -> None:
    """Let a second pass and the price stream speak, so that the next cycle is an ordinary one."""
    stack.step(1)
    hear_price(stack)
    stack.guard.lease.renew()
    stack.guard.refresh_account()
    stack.guard._account_wanted = False
    stack.simulator.control("POST", "requests/reset")


def requests_of_a_cycle(stack: Stack) -> dict[str, int]:
    ready(stack)
    cycle(stack)
    return stack.simulator.requests()


def measure(world: World) -> Section:
    lines = []
    with world.stack() as stack:
        for parts, allowed in REQUESTS.items():
            populate(stack, parts)
            gc.collect()
            gc.freeze()
            asked = sum(requests_of_a_cycle(stack).values())
            lines.append(
                Line(f"requests, {parts:,} parts", str(asked), str(_pages(parts)), f"<= {allowed}", asked <= allowed)
            )
        spent, floor = [], []
        for _ in range(ROUNDS):
            ready(stack)
            with _recorded(stack) as answers:
                spent.append(cpu(lambda: cycle(stack)))
            floor.append(_bare_read(stack, answers))
        gc.unfreeze()
        calm(stack)
    lines.append(
        Line(
            "computing, 1,000 parts",
            ms(median(spent)),
            ms(median(floor)),
            f"<= {ms(GOAL_CPU_SECONDS)}",
            median(spent) <= GOAL_CPU_SECONDS,
        )
    )
    return Section(
        "One cycle",
        "A look over everything with nothing to do: read, compare, decide, put the picture on the board. The floor of "
        "the requests is one for the positions and one for each hundred resting orders of both kinds; that of the "
        "computing is to ask for the same pages with a bare HTTP client, to decode them, and to read the same rows.",
        tuple(lines),
    )


def _pages(parts: int) -> int:
    return 1 + 1 + -(-parts // 100)


class _recorded:
    """The signed requests of one cycle, to be asked once more by somebody else."""

    def __init__(self, stack: Stack) -> None:
        client: Any = stack.client
        self._session = client._session
        self._asked: list[tuple[str, str, Any]] = []
        self._request: Callable[..., Any] = self._session.request

    def __enter__(self) -> list[tuple[str, str, Any]]:
        def request(method: str, path: str, **more: Any) -> Any:
            self._asked.append((method, path, more))
            return self._request(method, path, **more)

        self._session.request = request
        return self._asked

    def __exit__(self, *error: object) -> None:
        del self._session.request


def _bare_read(stack: Stack, asked: list[tuple[str, str, Any]]) -> float:
    def work() -> None:
        for method, path, more in asked:
            orjson.loads(http.request(method, path, **more).content)
        with stack.store.engine.connect() as connection:
            for table in ("positions", "orders", "commands"):
                connection.exec_driver_sql(f"SELECT * FROM {table}").all()

    with httpx.Client(base_url=stack.simulator.base_url, trust_env=False, verify=False) as http:
        http.get("/api/v5/public/time")
        return cpu(work)
