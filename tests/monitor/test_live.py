"""The whole bot with nothing held still: scheduler, lease keeper, listener, worker, streams, and clocks that run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from core.alerts import Alerts
from core.clock import RealClock
from core.domain.account import Account, Environment, Exchange
from core.domain.instrument import Side
from core.domain.intent import ExitReason, Target
from core.domain.money import plain
from core.domain.pair import PairState
from core.domain.snapshot import AccountSnapshot, PartSnapshot
from core.exchange.okx.client import OKXClient
from core.exchange.okx.stream.stream import OKXStream
from core.exchange.port import Credentials
from core.monitor.lease import holder_name
from core.monitor.position_monitor import PositionMonitor
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Draft
from core.wiring import build_guard
from db.store import Store
from tests.eventually import eventually
from tests.simulator_process import SimulatorProcess
from tests.stack import ACCOUNT, BTC

PATIENCE = 20.0  #: seconds; a busy machine may take its time, a working bot needs two


@dataclass
class Live:
    store: Store
    simulator: SimulatorProcess
    monitor: PositionMonitor
    positions: PositionManager

    def snapshot(self) -> AccountSnapshot | None:
        return self.store.snapshots.latest(ACCOUNT)

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

    def rests(self, name: str) -> bool:
        """Whether the pair of the part rests at the exchange."""
        seen = self.part(name)
        return seen is not None and seen.pair.state is PairState.WORKING

    def resting(self) -> list[dict[str, Any]]:
        return [row for row in self.simulator.state()["algos"] if row["state"] == "live"]

    def draft(self) -> Draft:
        return Draft(
            ACCOUNT, BTC, Side.LONG, Decimal(1000), Decimal(10), Target(pnl_usdt=Decimal(50)),
            Target(pnl_usdt=Decimal(-100)),
        )  # fmt: skip


@pytest.fixture
def live(store: Store) -> Iterator[Live]:
    clock = RealClock()
    with SimulatorProcess(clock="real") as simulator:
        simulator.market("hold")
        simulator.price("BTC-USDT-SWAP", "100000")
        keys = Credentials(*(simulator.okx[name] for name in ("api_key", "secret", "passphrase")))
        account = Account(
            ACCOUNT, "Paper OKX", Exchange.OKX, Environment.PAPER, simulator.base_url, simulator.ws_url
        )  # fmt: skip
        store.accounts.save(account, None)
        client = OKXClient(keys, rest_url=simulator.base_url)
        monitor = PositionMonitor(store, Alerts([]), clock, lambda: None)
        stream = OKXStream(keys, simulator.ws_url, exchange_now=client.exchange_now)
        monitor.add(build_guard(account, client, stream, store, Alerts([]), clock, holder_name()))
        monitor.start()
        try:
            yield Live(store, simulator, monitor, PositionManager(store, clock))
        finally:
            monitor.stop()
            client.close()


def test_from_the_start_button_to_the_take_profit(live: Live) -> None:
    eventually(live.hears_prices, PATIENCE, "the stream has told a price", every=0.05)
    assert not live.runs()
    live.store.bots.set_running(ACCOUNT, True, by="trader", why="", manually=False)
    eventually(live.runs, PATIENCE, "the bot has heard it", every=0.05)

    part = live.positions.open(live.draft(), "click", "trader").part
    eventually(lambda: live.rests(part), PATIENCE, "its pair rests", every=0.05)
    eventually(lambda: [row["algoClOrdId"] for row in live.resting()] == [f"op{part}01P01"], PATIENCE, every=0.05)

    live.simulator.faults({"kind": "stream_cut", "count": 3})
    live.simulator.price("BTC-USDT-SWAP", "103000")
    eventually(
        lambda: (seen := live.part(part)) and seen.mark_price == 103000,
        PATIENCE,
        "prices, after the streams were cut",
        every=0.05,
    )

    live.simulator.price("BTC-USDT-SWAP", "106000")
    eventually(lambda: live.store.history.cycles(part=part), PATIENCE, "the cycle has ended", every=0.05)
    (cycle,) = live.store.history.cycles(part=part)
    assert cycle.reason is ExitReason.TAKE_PROFIT
    assert live.resting() == []
    truth = live.simulator.state()["accounts"]["live"]
    assert plain(cycle.net) == plain(Decimal(truth["balance"]) - Decimal(truth["deposits"]))
    eventually(lambda: live.equity() == Decimal(truth["balance"]), PATIENCE, every=0.05)
    assert live.monitor.replaced_schedulers == 0


def test_a_wish_for_the_exchanges_history_is_heard_and_carried_out(live: Live) -> None:
    assert live.store.history.ask_for_sync(ACCOUNT, "click", "trader")
    eventually(lambda: live.store.history.sync_state(ACCOUNT).ended_at, 4 * PATIENCE, "the history is here", every=0.1)
    row = live.store.history.sync_state(ACCOUNT)
    assert (row.done, row.of, row.trouble, row.waiting) == (13, 13, None, False)
