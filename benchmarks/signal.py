"""From a signal to the exchange's acknowledgement: what a strategy's message costs on its way to an order."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from benchmarks.dashboard import Dashboard, eventually
from benchmarks.harness.frame import Line, Section, median, ms, percentile, timed
from benchmarks.harness.wire_tap import Note, Tap, behind
from benchmarks.harness.world import PART_USDT, World
from core.clock import RealClock
from core.domain.token import Scope
from core.services.access.tokens import Tokens
from tests.simulator.okx.client import OkxClient
from tests.simulator_process import SimulatorProcess
from tests.stack import ACCOUNT, BTC, SWAP

ENTRY = re.compile(rb'"clOrdId":\s*"op([0-9a-z]{6})\d\dE\d\d"')
SIGNALS = {0: 20, 20: 20, 100: 6}  #: delay of the wire in ms: how many
ROUND_TRIPS = 20
#: Without a request for the wire to count as idle. A signal costs two looks, and OKX gives five in a second: signals
#: that follow each other faster would measure how its window moves on.
CALM_SECONDS = 0.5
STREAM_SECONDS = 60.0
#: delay of the wire in ms: bare round trips at the most, at p50 and p99. A signal cannot be one: it is written down,
#: the bot is woken, looks with three reads, makes sure of the leverage, writes the command down, and sends the order.
GOALS = {0: (30.0, 90.0), 20: (9.0, 18.0), 100: (8.0, 12.0)}
GOAL_REQUESTS = 6  #: three reads, the leverage read and set, the order


WISH: dict[str, Any] = {
    "action": "open",
    "account": ACCOUNT,
    "symbol": BTC,
    "side": "long",
    "position_value": PART_USDT,
    "leverage": 10,
    "take_profit": {"pnl_usdt": 50},
    "stop_loss": {"pnl_usdt": -50},
}


class SignalTap(Tap):
    """Notes when the answer to the entry of a part passed towards the bot."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.acknowledged: dict[str, float] = {}
        self.asked: dict[str, int] = {}  #: part: the number of its entry among all requests
        self.requests = 0

    def _notes(self) -> tuple[Note, Note]:
        sent: list[bytes] = []  # of this connection, which carries one request at a time

        def request(data: bytes) -> None:
            self._request(data)
            self.requests += data.count(b" /api/v5/")
            for part in ENTRY.findall(data):
                sent.append(part)
                self.asked.setdefault(part.decode(), self.requests)

        def push(data: bytes) -> None:
            now = time.perf_counter()
            while sent:
                self.acknowledged.setdefault(sent.pop().decode(), now)

        return request, push


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds from the first byte of a signal."""

    answered: float  #: until the sender has its 201
    acknowledged: float  #: until the exchange has answered the order
    requests: int  #: to the exchange from then on, the order's included


class Sender:
    """Strategies that open one part after the other."""

    def __init__(self, world: World, dashboard: Dashboard, tap: SignalTap) -> None:
        self.store, self.tap = world.store, tap
        secret = (
            Tokens(world.store.api_tokens, world.store.events, RealClock(), lambda: b"")
            .create("bench", Scope.TRADE, None, "bench")
            .secret
        )
        self.http = httpx.Client(
            base_url=dashboard.url,
            headers={"authorization": f"Bearer {secret}"},
            trust_env=False,
            verify=False,
            timeout=30,
        )
        self._numbers = itertools.count(1)

    def sample(self) -> Sample:
        eventually(lambda: self.tap.idle(CALM_SECONDS), "the wire is idle")
        began, before = time.perf_counter(), self.tap.requests
        part = self._send()
        answered = time.perf_counter() - began
        eventually(lambda: part in self.tap.acknowledged, f"the entry of {part} is acknowledged")
        acknowledged = self.tap.acknowledged[part] - began
        eventually(lambda: self._protected(part), f"part {part} is protected")
        return Sample(answered, acknowledged, self.tap.asked[part] - before)

    def _send(self) -> str:
        name = f"bench-{next(self._numbers)}"
        said = {**WISH, "id": name, "strategy": name, "time": datetime.now(UTC).isoformat()}
        answer = self.http.post("/api/v1/signals", json=said)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["parts"][0])

    def _protected(self, part: str) -> bool:
        found = self.store.snapshots.latest(ACCOUNT)
        return any(one.name == part and one.protected for one in (found.parts if found else ()))


def measure() -> Section:
    lines: list[Line] = []
    asked: list[int] = []
    with (
        World() as world,
        world.simulator("real") as simulator,
        behind(world.home, simulator, SignalTap) as tap,
        _dashboard(world) as dashboard,
    ):
        simulator.market("hold")
        sender = Sender(world, dashboard, tap)
        sender.sample()  # the first opens connections
        for delay, goals in GOALS.items():
            simulator.delay(delay)
            floor = round_trips(simulator, tap.port)
            samples = [sender.sample() for _ in range(SIGNALS[delay])]
            lines += _lines(delay, samples, floor, goals)
            asked += [one.requests for one in samples]
        simulator.delay(0)
        sender.http.close()
        needed = int(median(asked))
        met = needed <= GOAL_REQUESTS
        lines.append(Line("requests until the order", str(needed), "1", f"<= {GOAL_REQUESTS}", met))
    return Section(
        "From a signal to the exchange",
        "The dashboard runs as always. A signal is posted to `/api/v1/signals`; a tap on the wire notes when the "
        "exchange's answer to the entry passes towards the bot. Given in bare round trips: one POST of an order by a "
        "bare HTTP client through the same tap. The wire has been idle for half a second before each. "
        "In between lie the recorded wish, the bot's look at the account, the "
        "leverage and the recorded command.",
        tuple(lines),
    )


def round_trips(simulator: SimulatorProcess, port: int) -> list[float]:
    """Seconds of somebody else's orders that are placed far from the market."""
    order = {"instId": SWAP, "tdMode": "cross", "side": "sell", "posSide": "short", "ordType": "limit", "sz": "0.01"}
    took: list[float] = []
    with OkxClient(f"http://127.0.0.1:{port}", simulator.okx) as person:
        for number in range(ROUND_TRIPS + 1):
            identity = f"somebody{number}"
            took.append(timed(lambda: person.post("trade/order", {**order, "px": "101900", "clOrdId": identity})))  # noqa: B023
            assert person.post("trade/cancel-order", {"instId": SWAP, "clOrdId": identity}).code == "0"
    return took[1:]


def _lines(delay: int, samples: list[Sample], floor: list[float], goals: tuple[float, float]) -> Iterator[Line]:
    trip, where = median(floor), f"{delay} ms of wire"
    for percent, goal in zip((50, 99), goals, strict=True):
        seconds = percentile([one.acknowledged for one in samples], percent)
        yield Line(
            f"signal to acknowledged order, {where}: p{percent}",
            f"{ms(seconds)} = {seconds / trip:.1f} round trips (of {len(samples)})",
            f"{ms(trip)} (p99 {ms(percentile(floor, 99))})",
            f"<= {goal:g} round trips",
            seconds / trip <= goal,
        )
    answered = median([one.answered for one in samples])
    yield Line(f"signal to its 201, {where}: p50", ms(answered), "", "", None)


@contextmanager
def _dashboard(world: World) -> Iterator[Dashboard]:
    """The dashboard, its bot started and its streams up; nothing is added to or opened again."""
    world.store.settings.set_all({"recovery_enabled": False, "reopen_enabled": False}, "benchmark")
    dashboard = Dashboard(world.home)
    try:
        dashboard.wait_until_up()
        eventually(lambda: dashboard.lives() and _looked(world), "the bot has looked", STREAM_SECONDS)
        world.store.bots.set_running(ACCOUNT, True, by="benchmark", why="", manually=False)
        yield dashboard
    finally:
        dashboard.stop()


def _looked(world: World) -> bool:
    found = world.store.snapshots.latest(ACCOUNT)
    return bool(found and found.health.stream_connected and BTC in found.tickers)
