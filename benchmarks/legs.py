"""Binance, where TP and SL are orders of their own: how soon a fill gets its stop, and how soon the other leg goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from benchmarks.dashboard import Dashboard, eventually
from benchmarks.harness.frame import Line, Section, median, ms, percentile, timed
from benchmarks.harness.wire_tap import BinanceTap, behind
from benchmarks.harness.world import PART_USDT, World
from core.clock import RealClock
from core.domain.instrument import Side
from core.domain.intent import ExecutionKind, ExecutionStyle, Target
from core.domain.money import Price
from core.domain.order import OrderStatus
from core.domain.pair import PairState
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Draft
from tests.simulator.binance.client import BTCUSDT, BinanceClient
from tests.simulator_process import SimulatorProcess
from tests.stack import BINANCE, BTC, SWAP

MARKET = Decimal(100_000)
BELOW, ABOVE = Decimal(10), Decimal(20)  #: USDT from the market to an entry that waits, and to its take-profit
PARTS = (1, 10, 100)  #: on the account while it is measured
FILLS = 8  #: with each number of parts
ROUND_TRIPS = 40
CALM_SECONDS = 0.15  #: without a request for the wire to count as idle
STREAM_SECONDS = 60.0
GOAL_P50, GOAL_P99 = 4.0, 12.0  #: bare round trips, to the acknowledgement of the cancel
SENT_P50, SENT_P99 = 3.0, 10.0  #: and to the request with the stop


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds, of one part."""

    guarded: float  #: from the push of the entry's fill to the request with its stop
    let_go: float  #: from the push of the take-profit's fill to the acknowledged cancel of the stop


class Desk:
    """A trader with parts whose targets are far away, and one after the other whose targets are near."""

    def __init__(self, world: World, simulator: SimulatorProcess, tap: BinanceTap) -> None:
        self.store, self.simulator, self.tap = world.store, simulator, tap
        self.positions = PositionManager(world.store, RealClock())
        self._tokens = (f"legs-{number}" for number in itertools.count(1))
        self._standing = 0

    def stand(self, parts: int) -> None:
        """So many parts whose targets are not reached."""
        far = Target(pnl_usdt=Decimal(50)), Target(pnl_usdt=Decimal(-50))
        for _ in range(parts - self._standing):
            self._open(ExecutionStyle(), *far)
        self._standing = parts
        eventually(lambda: self._protected() == parts, f"{parts} parts stand protected")

    def sample(self) -> Sample:
        """A part that enters, wins and is gone."""
        eventually(lambda: self._used() == 2 * self._standing, "nothing is left of the part before")
        entry = ExecutionStyle(ExecutionKind.LIMIT, price=Price(MARKET - BELOW))
        part = self._open(entry, Target(price=Price(MARKET + ABOVE)), Target(price=Price(MARKET - 5000)))
        eventually(lambda: part in self._resting(), "the entry rests at the exchange")
        self._move(MARKET - BELOW - 1)
        guarded = eventually(lambda: self.tap.seconds(part), f"part {part} has its stop") or 0.0
        eventually(lambda: self._protected() == self._standing + 1, f"both legs of {part} rest")
        self._move(MARKET + ABOVE + 1)
        let_go = eventually(lambda: self.tap.seconds_to_let_go(part), f"the stop of part {part} has gone") or 0.0
        eventually(lambda: self.store.history.cycles(part=part), f"the cycle of {part} has ended")
        self._move(MARKET)
        return Sample(guarded, let_go)

    def _open(self, entry: ExecutionStyle, target: Target, stop: Target) -> str:
        draft = Draft(BINANCE, BTC, Side.LONG, Decimal(PART_USDT), Decimal(10), target, stop, entry)
        return self.positions.open(draft, next(self._tokens), "trader", again=True).part

    def _move(self, price: Decimal) -> None:
        eventually(lambda: self.tap.idle(CALM_SECONDS), "the wire is idle")
        self.simulator.price(SWAP, price)

    def _protected(self) -> int:
        found = self.store.snapshots.latest(BINANCE)
        return sum(part.pair.state is PairState.WORKING for part in (found.parts if found else ()))

    def _used(self) -> int:
        """Conditional orders that rest, as the bot counts them."""
        found = self.store.snapshots.latest(BINANCE)
        return found.conditional.used if found and found.conditional else -1

    def _resting(self) -> set[str | None]:
        orders = self.store.orders.of_interest(BINANCE)
        return {order.part for order in orders if order.status is OrderStatus.WORKING and order.exchange_order_id}


def measure() -> Section:
    lines: list[Line] = []
    with (
        World() as world,
        world.simulator("real") as simulator,
        behind(world.home, simulator, BinanceTap) as tap,
        _dashboard(world, simulator),
    ):
        simulator.market("hold")
        simulator.price(SWAP, MARKET)
        desk = Desk(world, simulator, tap)
        for parts in PARTS:
            floor = round_trips(simulator, tap.port)
            desk.stand(parts - 1)
            lines += _lines(parts, [desk.sample() for _ in range(FILLS)], floor)
    return Section(
        "Two legs on Binance",
        "The dashboard runs as always. A limit entry is filled: from its push to the request with its stop. Then its "
        "take-profit is filled by the price: from that push to the acknowledged cancel of its stop. Both as a tap on "
        "the wire sees them, with so many parts on the account, and in bare round trips. Floor: one such trip, the "
        "cancel of a conditional order by a bare HTTP client through the same tap.",
        tuple(lines),
    )


def round_trips(simulator: SimulatorProcess, port: int) -> list[float]:
    """Seconds of bare cancels of somebody else's conditional orders."""
    stop = {"symbol": BTCUSDT, "side": "BUY", "algoType": "CONDITIONAL", "type": "STOP_MARKET", "quantity": "0.001"}
    took: list[float] = []
    with BinanceClient(f"http://127.0.0.1:{port}", simulator.binance) as person:
        hedged = person.get("v1/positionSide/dual").ok["dualSidePosition"]
        for number in range(ROUND_TRIPS):
            side = {"positionSide": "SHORT"} if hedged else {}
            identity = f"somebody-{number}"
            person.post("v1/algoOrder", **stop, **side, triggerPrice="190000", clientAlgoId=identity).ok  # noqa: B018
            took.append(timed(lambda: person.delete("v1/algoOrder", clientAlgoId=identity).ok))  # noqa: B023
    return took


def _lines(parts: int, samples: list[Sample], floor: list[float]) -> Iterator[Line]:
    trip = median(floor)
    for words, every, goals in (
        ("entry filled, to its stop's request", [one.guarded for one in samples], (SENT_P50, SENT_P99)),
        ("TP filled, to the stop's cancel acknowledged", [one.let_go for one in samples], (GOAL_P50, GOAL_P99)),
    ):
        for percent, goal in zip((50, 99), goals, strict=True):
            seconds = percentile(every, percent)
            yield Line(
                f"{words}, {parts} parts: p{percent}",
                f"{ms(seconds)} = {seconds / trip:.1f} round trips",
                f"{ms(trip)} (p99 {ms(percentile(floor, 99))})",
                f"<= {goal:g} round trips",
                seconds / trip <= goal,
            )


@contextmanager
def _dashboard(world: World, simulator: SimulatorProcess) -> Iterator[Dashboard]:
    """The dashboard, its bot on Binance started and its stream up; nothing is added to or opened again.

    Weight is not scarce: what is measured in a minute here takes a trader days.
    """
    simulator.switches(binance_weight_limit=10**9)
    world.store.settings.set_all({"recovery_enabled": False, "reopen_enabled": False}, "benchmark")
    dashboard = Dashboard(world.home)
    try:
        dashboard.wait_until_up()
        eventually(lambda: dashboard.lives() and _looked(world), "the bot has looked", STREAM_SECONDS)
        world.store.bots.set_running(BINANCE, True, by="benchmark", why="", manually=False)
        yield dashboard
    finally:
        dashboard.stop()


def _looked(world: World) -> bool:
    found = world.store.snapshots.latest(BINANCE)
    return bool(found and found.health.stream_connected and BTC in found.tickers)
