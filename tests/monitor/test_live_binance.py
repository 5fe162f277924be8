"""The whole bot on Binance with nothing held still: two legs instead of an OCO, and the pushes that tie them together.

A leg that the price sets off leaves its sibling behind. The push lets it go, before the next look where one is not due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from core.alerts import Alerts
from core.clock import RealClock
from core.domain.account import Account, Environment, Exchange
from core.domain.instrument import Side
from core.domain.intent import ExitReason, Target
from core.domain.money import plain
from core.domain.pair import PairState
from core.domain.snapshot import AccountSnapshot, PartSnapshot
from core.exchange.binance.client import BinanceClient
from core.exchange.binance.stream.stream import BinanceStream
from core.exchange.port import Credentials
from core.monitor.guard import AccountGuard
from core.monitor.lease import holder_name
from core.monitor.position_monitor import PositionMonitor
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Draft
from core.wiring import build_guard
from db.records import CycleRecord
from db.store import Store
from tests.contract.binance import PACE
from tests.eventually import eventually
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess
from tests.stack import BINANCE, BTC, SWAP, Stack

PATIENCE = 20.0  #: seconds; a busy machine may take its time, a working bot needs two
HOUR = 3600


@dataclass
class Live:
    store: Store
    simulator: SimulatorProcess
    guard: AccountGuard
    positions: PositionManager

    def snapshot(self) -> AccountSnapshot | None:
        return self.store.snapshots.latest(BINANCE)

    def hears_prices(self) -> bool:
        found = self.snapshot()
        return found is not None and BTC in found.tickers

    def runs(self) -> bool:
        found = self.snapshot()
        return found is not None and found.bot.running

    def equity(self) -> Decimal | None:
        found = self.snapshot()
        return found.money.equity if found and found.money else None

    def part(self, name: str) -> PartSnapshot | None:
        found = self.snapshot()
        return found.part(name) if found else None

    def resting(self) -> set[str]:
        """Conditional orders that rest at the exchange, by our ids."""
        return {row["client_id"] for row in self.simulator.state()["binance"]["algos"] if row["state"] == "NEW"}

    def wait(self, reached: Callable[[], object], words: str = "") -> None:
        eventually(reached, PATIENCE, words, every=0.05)

    def opened(self, tp: int = 50, strategy: str = "manual") -> str:
        """A part whose two legs rest."""
        draft = Draft(
            BINANCE, BTC, Side.LONG, Decimal(1000), Decimal(10), Target(pnl_usdt=Decimal(tp)),
            Target(pnl_usdt=Decimal(-100)), strategy=strategy,
        )  # fmt: skip
        part = self.positions.open(draft, f"click-{strategy}", "trader").part
        self.wait(lambda: (seen := self.part(part)) and seen.pair.state is PairState.WORKING, "its pair rests")
        assert self.resting() >= {f"op{part}01S01", f"op{part}01T01"}
        return part

    def ended(self, part: str) -> CycleRecord:
        self.wait(lambda: self.store.history.cycles(part=part), "the cycle has ended")
        return self.store.history.cycles(part=part)[0]

    def nothing_is_left(self) -> None:
        truth = self.simulator.state()["binance"]
        assert (truth["positions"], self.resting()) == ([], set())
        account = truth["accounts"]["binance"]
        net = sum((cycle.net for cycle in self.store.history.cycles()), Decimal(0))
        assert plain(net) == plain(Decimal(account["balance"]) - Decimal(account["deposits"]))
        self.wait(lambda: self.equity() == Decimal(account["balance"]))


@pytest.fixture
def live(store: Store) -> Iterator[Live]:
    """A bot that has been started and hears prices; the trader wants no recovery and no reopening."""
    clock = RealClock()
    with SimulatorProcess(clock="real") as simulator:
        simulator.market("hold")
        simulator.price(SWAP, "100000")
        keys = Credentials(simulator.binance["api_key"], simulator.binance["secret"], "")
        account = Account(
            BINANCE, "Paper Binance", Exchange.BINANCE, Environment.PAPER, simulator.base_url, simulator.ws_url
        )  # fmt: skip
        store.accounts.save(account, None)
        store.settings.set_all({"recovery_enabled": False, "reopen_enabled": False}, "test")
        client = BinanceClient(keys, rest_url=simulator.base_url)
        client.set_hedge_mode()
        monitor = PositionMonitor(store, Alerts([]), clock, lambda: None)
        guard = build_guard(
            account, client, BinanceStream(client, simulator.ws_url), store, Alerts([]), clock, holder_name()
        )  # fmt: skip
        monitor.add(guard)
        monitor.start()
        made = Live(store, simulator, guard, PositionManager(store, clock))
        try:
            made.wait(made.hears_prices, "the stream has told a price")
            store.bots.set_running(BINANCE, True, by="trader", why="", manually=False)
            made.wait(made.runs, "the bot has heard it")
            yield made
        finally:
            monitor.stop()
            client.close()


def test_from_the_entry_to_the_take_profit(live: Live) -> None:
    part = live.opened()
    live.simulator.price(SWAP, "106000")
    cycle = live.ended(part)
    assert cycle.reason is ExitReason.TAKE_PROFIT
    live.nothing_is_left()
    assert live.store.alarms.open(BINANCE) == []


def test_the_push_alone_lets_the_other_leg_go(live: Live) -> None:
    """No look gets through any more, and still the stop goes when the take-profit has filled."""
    part = live.opened()
    passes = live.guard.passes
    live.simulator.faults({"match": {"exchange": "binance", "path": "v3/positionRisk"}, "kind": "html_502"})
    live.simulator.price(SWAP, "106000")
    live.wait(lambda: live.resting() == set(), "the stop has gone")
    assert live.store.history.cycles(part=part) == []
    assert live.guard.passes <= passes + 1  # the one that may have been under way
    live.simulator.faults()
    assert live.ended(part).reason is ExitReason.TAKE_PROFIT
    live.nothing_is_left()


def test_two_strategies_each_lose_only_their_own_leg(live: Live) -> None:
    near, far = live.opened(20, "near"), live.opened(80, "far")
    live.simulator.price(SWAP, "103000")
    assert live.ended(near).reason is ExitReason.TAKE_PROFIT
    live.wait(lambda: live.resting() == {f"op{far}01S01", f"op{far}01T01"})
    live.simulator.price(SWAP, "88000")
    assert live.ended(far).reason is ExitReason.STOP_LOSS
    live.nothing_is_left()


def test_a_listen_key_that_expires_in_between(store: Store, exchange: SimulatorProcess) -> None:
    """An hour later the key is gone and a new one is there; what the price sets off then is answered on the push."""
    stack = Stack(store, fresh(exchange), Exchange.BINANCE)
    stream = BinanceStream(stack.client, exchange.ws_url, now=stack.clock.now, pace=PACE)
    guard = build_guard(stack.account, stack.client, stream, store, Alerts([]), stack.clock, "listens")
    stack.guard.lease.release()
    stack.guard = guard

    def goes_on(reached: Callable[[], object]) -> bool:
        """Time passes, also for the lease, and everything is looked at."""
        if not guard.lease.renew():
            guard.lease.acquire()
        stack.step(0.5)
        guard.wake()
        return bool(reached())

    def hears_prices() -> bool:
        found = store.snapshots.latest(BINANCE)
        return found is not None and BTC in found.tickers

    def seen_since(then: datetime) -> bool:
        look = guard.reconciler.last_look
        return look is not None and look.at > then

    assert guard.lease.acquire()
    guard.running = True
    guard.start(lambda _: None)
    try:
        eventually(lambda: stream.connected, PATIENCE)
        eventually(lambda: goes_on(hears_prices), PATIENCE, every=0.05)
        part = stack.positions.open(stack.draft(), stack.token(), "trader").part
        eventually(lambda: goes_on(lambda: stack.at_rest(part)), PATIENCE, every=0.05)
        asked = stack.simulator.requests()["POST /fapi/v1/listenKey"]
        stack.step(HOUR + 60)
        eventually(lambda: stack.simulator.requests()["POST /fapi/v1/listenKey"] > asked and stream.connected, PATIENCE)
        later = stack.clock.now()
        eventually(lambda: goes_on(lambda: seen_since(later) and stack.at_rest(part)), PATIENCE, every=0.05)

        stack.simulator.faults({"match": {"exchange": "binance", "path": "v3/positionRisk"}, "kind": "html_502"})
        stack.price("106000")
        eventually(lambda: stack.resting() == [], PATIENCE, "the stop has gone on the push alone", every=0.05)
        stack.simulator.faults()
        eventually(lambda: goes_on(lambda: store.history.cycles(part=part)), PATIENCE, every=0.05)
        assert store.history.cycles(part=part)[0].reason is ExitReason.TAKE_PROFIT
    finally:
        guard.stop()


@pytest.mark.parametrize("channel", ["ORDER_TRADE_UPDATE", "ALGO_UPDATE"])
def test_a_stream_that_is_cut_at_the_take_profit(live: Live, channel: str) -> None:
    """The event itself ends the connection, so that nobody is told; the look after the reconnection finds it."""
    part = live.opened()
    live.simulator.faults(
        {"match": {"exchange": "binance", "channel": channel}, "kind": "stream_cut", "count": 2}
    )  # fmt: skip
    live.simulator.price(SWAP, "106000")
    assert live.ended(part).reason is ExitReason.TAKE_PROFIT
    live.simulator.faults()
    live.wait(lambda: live.guard.stream.connected, "connected again")
    live.nothing_is_left()
