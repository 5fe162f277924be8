"""From the push that tells of a fill without protection to the request that protects it, in the real dashboard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal

from benchmarks.dashboard import Dashboard, eventually, tabs_on
from benchmarks.harness.echo import round_trips
from benchmarks.harness.frame import ROUNDS, Line, Section, median, ms, percentile
from benchmarks.harness.wire_tap import Tap, behind
from benchmarks.harness.world import World
from core.clock import RealClock
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind, ExecutionStyle, Target
from core.domain.money import Price
from core.domain.order import OrderStatus
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Draft
from tests.simulator_process import SimulatorProcess
from tests.stack import ACCOUNT, BTC

CONTRACT = "BTC-USDT-SWAP"
MARKET = Decimal(100_000)
STEP = Decimal(10)  #: USDT between two waiting entries
CALM_SECONDS = 0.15  #: without a request, beside the time on the wire, for the wire to count as idle
STREAM_SECONDS = 60.0
SHORTEST_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Case:
    """One weather on the wire. Goals in seconds."""

    words: str
    delay_ms: int
    tabs: int
    fills: int  #: in one round
    goal_p50: float | None
    goal_p99: float


CASES = (
    Case("wire idle", 0, 0, 8, 0.002, 0.010),
    Case("wire idle", 20, 0, 6, 0.002, 0.010),
    Case("wire idle", 100, 0, 4, 0.002, 0.010),
    Case("ten tabs at 2 s", 20, 10, 6, None, 0.040),
)


class Desk:
    """A trader whose entries wait below the market, and who can let the price fall to each of them."""

    def __init__(self, world: World, simulator: SimulatorProcess, tap: Tap) -> None:
        self.world, self.simulator, self.tap = world, simulator, tap
        self.positions = PositionManager(world.store, RealClock())
        self._tokens = (f"benchmark-{number}" for number in itertools.count(1))
        self.reset()

    def reset(self) -> None:
        """The price is back, and nothing is held or remembered."""
        self.simulator.market("hold")
        if self.simulator.state()["positions"]:
            self.simulator.intervene("close", instId=CONTRACT, posSide="long")
        with self.world.store.transaction() as connection:
            for table in ("positions", "orders", "commands"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        self.simulator.price(CONTRACT, MARKET)
        self.price = MARKET
        eventually(self._empty, "the bot has forgotten everything")

    def _empty(self) -> bool:
        found = self.world.store.snapshots.latest(ACCOUNT)
        return found is not None and not found.parts

    def wait_below(self, count: int) -> list[tuple[str, Decimal]]:
        """Entries that rest at the exchange, the highest first: part and price."""
        prices = [self.price - STEP * number for number in range(1, count + 1)]
        parts = [self.positions.open(_draft(price), next(self._tokens), "trader", again=True).part for price in prices]
        eventually(lambda: self._resting() >= set(parts), "the entries rest at the exchange")
        return list(zip(parts, prices, strict=True))

    def _resting(self) -> set[str | None]:
        orders = self.world.store.orders.of_interest(ACCOUNT)
        return {order.part for order in orders if order.status is OrderStatus.WORKING and order.exchange_order_id}

    def fill(self, part: str, price: Decimal, delay_ms: int) -> float:
        """Let the price fall to one entry while the wire is idle; seconds from the push to the protection."""
        eventually(lambda: self.tap.idle(CALM_SECONDS + 2 * delay_ms / 1000), "the wire is idle")
        self.simulator.price(CONTRACT, price)
        self.price = price
        return eventually(lambda: self.tap.seconds(part), f"part {part} is protected") or 0.0


def measure() -> Section:
    lines: list[Line] = []
    with (
        World() as world,
        world.simulator("real") as simulator,
        behind(world.home, simulator, Tap) as tap,
        _dashboard(world) as dashboard,
    ):
        desk = Desk(world, simulator, tap)
        for case in CASES:
            simulator.delay(case.delay_ms)
            with tabs_on(dashboard, "", case.tabs) if case.tabs else nullcontext():
                samples, floor = _samples(desk, case)
            simulator.delay(0)
            lines += _lines(case, samples, floor)
            desk.reset()
    return Section(
        "From a fill without protection to its stop",
        "The dashboard runs as always, against an exchange at which TP and SL cannot travel with an entry. A limit "
        "entry rests, the price falls to it, and a tap on the wire notes when the push of the fill passes towards "
        "the bot and when the request with its stop and target passes towards the exchange. Floor: a process that "
        "answers each message on a socket with another, at the same time on the same machine.",
        tuple(lines),
    )


def _samples(desk: Desk, case: Case) -> tuple[list[list[float]], list[float]]:
    rounds, floor = [], []
    for _ in range(ROUNDS):
        rounds.append([desk.fill(part, price, case.delay_ms) for part, price in desk.wait_below(case.fills)])
        floor += round_trips(20)
    return rounds, floor


def _lines(case: Case, rounds: list[list[float]], floor: list[float]) -> Iterator[Line]:
    every = [sample for one in rounds for sample in one]
    where = f"{case.words}, {case.delay_ms} ms of wire"
    p50, p99 = median([median(one) for one in rounds]), percentile(every, 99)
    goal = f"<= {ms(case.goal_p50)}" if case.goal_p50 else ""
    met = p50 <= case.goal_p50 if case.goal_p50 else None
    yield Line(f"{where}: p50", ms(p50), ms(median(floor)), goal, met)
    words = f"{ms(p99)} (of {len(every)} fills)"
    yield Line(f"{where}: p99", words, ms(percentile(floor, 99)), f"<= {ms(case.goal_p99)}", p99 <= case.goal_p99)


@contextmanager
def _dashboard(world: World) -> Iterator[Dashboard]:
    """The dashboard, its bot started and its streams up."""
    dashboard = Dashboard(world.home, bare_entries=True)
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


def _draft(price: Decimal) -> Draft:
    return Draft(
        account=ACCOUNT,
        symbol=BTC,
        side=Side.LONG,
        position_value=Decimal(100),
        leverage=Decimal(10),
        take_profit=Target(pnl_usdt=Decimal(5)),
        stop_loss=Target(pnl_usdt=Decimal(-10)),
        entry=ExecutionStyle(ExecutionKind.LIMIT, price=Price(price)),
    )
