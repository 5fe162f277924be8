"""The whole bot of one account without pages: real database, real client, real simulator; one clock for all.

Time stands still unless `step` lets it pass, on both sides of the wire. Streams are not connected: what a push
would tell, the next look finds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.alerts import Alerts
from core.clock import SteppedClock
from core.domain.account import Account, Environment, Exchange
from core.domain.action import describe
from core.domain.instrument import Side
from core.domain.intent import ExecutionStyle, Target
from core.domain.part import Part
from core.exchange.binance.client import BinanceClient
from core.exchange.okx.client import OKXClient
from core.exchange.port import Credentials, OnPush
from core.exchange.throttle import Limit, Throttle
from core.monitor.guard import AccountGuard
from core.services.trading.positions import PositionManager
from core.services.trading.requests import Draft
from core.venues import Client
from core.wiring import build_guard
from db.records import CycleRecord
from db.store import Store
from tests.simulator.binance.client import BinanceClient as BinancePerson
from tests.simulator.okx.client import OkxClient
from tests.simulator_process import SimulatorProcess

ACCOUNT = "paper-okx"
BINANCE = "paper-binance"
SWAP = "BTC-USDT-SWAP"
BTC = "BTC-USDT-PERP"
UNHURRIED = Limit(1_000_000, 1.0)  #: a budget per real second says nothing where time stands still
NO_LIMIT = 10**9  #: weight per minute, for the same reason
COIN = {Exchange.OKX: Decimal(100), Exchange.BINANCE: Decimal(1)}  #: contracts that hold one bitcoin


class Deaf:
    """A stream that is never connected."""

    connected = False
    last_heard: datetime | None = None

    def start(self, on_push: OnPush) -> None: ...

    def watch(self, symbols: frozenset[str]) -> None: ...

    def stop(self) -> None: ...


class Stack:
    """A trader's account under guard. `crash` forgets everything that is not in the database.

    `until` is how a story waits: looks and steps until something has come true, and tells the story where it does not.
    """

    def __init__(
        self, store: Store, simulator: SimulatorProcess, exchange: Exchange = Exchange.OKX, *, hedge: bool = True
    ) -> None:
        self.store, self.simulator, self.wire = store, simulator, exchange
        self.clock = SteppedClock(datetime.fromisoformat(simulator.clock()))
        keys = simulator.ready[exchange]
        self.credentials = Credentials(keys["api_key"], keys["secret"], keys.get("passphrase", ""))
        self.name = ACCOUNT if exchange is Exchange.OKX else BINANCE
        self.whole = COIN[exchange]
        self.account = Account(
            self.name, "Paper", exchange, Environment.PAPER, simulator.base_url, simulator.ready["ws_url"]
        )
        self.positions = PositionManager(store, self.clock)
        self._tokens = (f"click-{number}" for number in itertools.count(1))
        self._holders = (f"test-{number}" for number in itertools.count(1))
        simulator.switches(rate_limits=False, binance_weight_limit=NO_LIMIT)
        store.accounts.save(self.account, None)
        store.settings.set_all(
            {"recovery_enabled": False, "reopen_enabled": False}, "test"
        )  # on where a story wants them
        self.client = self._client()
        self.held_side = "long" if hedge else "net"  #: as the exchange names what a long is held in
        if hedge:
            self.client.set_hedge_mode()
        self.build()

    def one_way(self) -> Stack:
        """The same account, which holds long and short in one position."""
        if self.wire is Exchange.OKX:
            with OkxClient(self.simulator.base_url, self.simulator.okx) as person:
                assert person.post("account/set-position-mode", {"posMode": "net_mode"}).code == "0"
        else:
            with BinancePerson(self.simulator.base_url, self.simulator.binance) as person:
                assert person.post("v1/positionSide/dual", dualSidePosition="false").ok
        self.client.close()
        self.client, self.held_side = self._client(), "net"
        self.guard.lease.release()
        self.build()
        self.look()
        return self

    def _client(self) -> Client:
        if self.wire is Exchange.BINANCE:
            return BinanceClient(
                self.credentials,
                rest_url=self.simulator.base_url,
                now=self.clock.now,
                monotonic=self.clock.monotonic,
                sleep=self.step,
            )
        return OKXClient(
            self.credentials,
            rest_url=self.simulator.base_url,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            sleep=self.step,
            throttle=Throttle({}, otherwise=UNHURRIED),
        )

    def build(self) -> None:
        """A bot that has just been started by its trader."""
        self.guard = self.another_bot()
        assert self.guard.lease.acquire()
        self.store.bots.set_running(self.name, True, by="test", why="", manually=False)
        self.guard.running = True

    def another_bot(self, holder: str = "") -> AccountGuard:
        """A bot on the same account that has not even asked for the lease yet."""
        holder = holder or next(self._holders)
        return build_guard(self.account, self.client, Deaf(), self.store, Alerts([]), self.clock, holder)

    def crash(self) -> None:
        """The process dies; another one takes over."""
        self.guard.lease.release()
        self.build()

    # -- the trader ------------------------------------------------------------------------------------------

    def draft(
        self,
        value: object = 1000,
        *,
        side: Side = Side.LONG,
        symbol: str = BTC,
        tp: object = 50,
        sl: object = -100,
        leverage: object = 10,
        entry: ExecutionStyle | None = None,
    ) -> Draft:
        return Draft(
            account=self.name,
            symbol=symbol,
            side=side,
            position_value=Decimal(str(value)),
            leverage=Decimal(str(leverage)),
            take_profit=None if tp is None else Target(pnl_usdt=Decimal(str(tp))),
            stop_loss=None if sl is None else Target(pnl_usdt=Decimal(str(sl))),
            entry=entry or ExecutionStyle(),
        )

    def open(self, draft: Draft | None = None) -> str:
        """Ask for a position as the page does, with the newest price before the trader; returns its part."""
        draft = draft or self.draft()
        self.hear(draft.symbol)
        return self.positions.open(draft, self.token(), "trader", again=True).part

    def hear(self, symbol: str = BTC) -> None:
        """What the price stream would have told by now, put before the trader."""
        self.guard.tracker.note_ticker(self.client.ticker(symbol))
        self.guard.publish()

    def token(self) -> str:
        return next(self._tokens)

    # -- time ------------------------------------------------------------------------------------------------

    def step(self, seconds: float) -> None:
        """Let time pass on both sides."""
        self.clock.advance(seconds)
        self.simulator.clock(seconds)

    def look(self) -> timedelta | None:
        """One pass of the bot over everything; returns when it wants the next. Raises what the pass raises."""
        if not self.guard.lease.renew():  # the database's own clock goes on while a slow machine works
            self.guard.lease.acquire()
        return self.guard.work_once(set(), everything=True)

    def settle(self, rounds: int = 12, seconds: float = 1.0) -> None:
        """Look and step in turn."""
        for _ in range(rounds):
            self.look()
            self.step(seconds)

    def until(self, reached: Callable[[], object], seconds: float = 30.0, each: float = 1.0) -> None:
        """Look and step until this is so. AssertionError with the whole story where it never is."""
        for _ in range(int(seconds / each)):
            self.look()
            if reached():
                return
            self.step(each)
        raise AssertionError(f"not within {seconds} s:\n{self.story()}")

    def opened(self, draft: Draft | None = None) -> str:
        """Open a position and look until its own protection is in place; returns its part."""
        name = self.open(draft)
        self.until(lambda: self.at_rest(name))
        return name

    def at_rest(self, name: str) -> bool:
        """Held, protected by an order of its own, and nothing left to do."""
        part = next((part for part in self.parts() if part.name == name), None)
        return part is not None and bool(part.size) and part.protected and not self.acts()

    def acts(self) -> list[str]:
        """What the last pass wanted to do."""
        return [
            str(describe(action)) for result in self.guard.reconciler.results.values() for action in result.plan.actions
        ]

    def ended(self, name: str) -> CycleRecord:
        """Look until the part's cycle has ended; returns it."""
        self.until(lambda: self.store.history.cycles(self.name, name), seconds=120)
        return self.store.history.cycles(self.name, name)[0]

    def by_hand(self, do: str, **what: Any) -> None:
        """A person's, or the exchange's own, hand in this account."""
        account = {"account": "binance"} if self.wire is Exchange.BINANCE else {}
        self.simulator.intervene(do, **account, **what)

    # -- the truth -------------------------------------------------------------------------------------------

    def parts(self) -> list[Part]:
        """All parts as the last pass saw them."""
        return [part for result in self.guard.reconciler.results.values() for part in result.parts]

    def part(self, name: str) -> Part:
        """A part as the last pass saw it."""
        return next(part for part in self.parts() if part.name == name)

    def story(self) -> str:
        """Everything that was explained so far, oldest first."""
        return "\n".join(
            f"{event.at:%H:%M:%S} {event.part or '-'} {event.rule}: {event.because} [{event.action}] {event.outcome}"
            for event in reversed(self.store.events.find(limit=400))
        )

    def alarms(self) -> list[str]:
        """Subjects of the open alarms."""
        return [alarm.subject for alarm in self.store.alarms.open(self.name)]

    def price(self, last: object, mark: object | None = None, symbol: str = "BTC-USDT-SWAP") -> None:
        """Walk the exchange's price there."""
        self.simulator.price(symbol, str(last), None if mark is None else str(mark))

    def exchange(self) -> dict[str, Any]:
        """Everything the exchange holds of this account, in the same words whichever exchange it is."""
        state = self.simulator.state()
        if self.wire is Exchange.OKX:
            return state
        own = state["binance"]
        shared = {name: state[name] for name in ("prices", "requests")}
        return {**own, **shared, "algos": [_leg(row) for row in own["algos"]]}

    def held(self, side: str = "long", symbol: str = SWAP) -> Decimal:
        """Contracts that the exchange itself holds."""
        rows = self.exchange()["positions"]
        return sum(
            (Decimal(row["pos"]) for row in rows if (row["instId"], row["posSide"]) == (symbol, side)), Decimal(0)
        )

    def resting(self) -> list[dict[str, Any]]:
        """Live conditional orders at the exchange itself, ours and foreign."""
        return [row for row in self.exchange()["algos"] if row["state"] == "live"]

    def working(self) -> list[dict[str, Any]]:
        """Live ordinary orders at the exchange itself."""
        return [row for row in self.exchange()["orders"] if row["state"] in ("live", "partially_filled")]

    def money(self) -> dict[str, Decimal]:
        """PnL, fees (paid: negative) and funding of the whole account, as the exchange's ledger adds them up."""
        bills = [row for row in self.exchange()["ledger"] if row["instId"]]
        funding = [row for row in bills if row["type"] == "8"]
        return {
            "pnl": _sum(row["pnl"] for row in bills if row not in funding),
            "fees": _sum(row["fee"] for row in bills),
            "funding": _sum(row["balChg"] for row in funding),
            "all": _sum(row["balChg"] for row in bills),
        }


def _leg(row: dict[str, Any]) -> dict[str, Any]:
    """A conditional order of Binance in the words of an OCO that has one leg only."""
    level = str(row["trigger"] or "")
    profits = row["kind"].startswith("TAKE_PROFIT")
    return row | {
        "algoId": row["algo_id"],
        "algoClOrdId": row["client_id"],
        "instId": row["instrument"],
        "posSide": row["position_side"],
        "sz": row["size"],
        "state": "live" if row["state"] == "NEW" else row["state"].lower(),
        "tpTriggerPx": level if profits else "",
        "slTriggerPx": "" if profits else level,
    }


def _sum(numbers: Iterable[str]) -> Decimal:
    return sum((Decimal(number) for number in numbers), Decimal(0))


@contextmanager
def stack_on(store: Store, exchange: Exchange = Exchange.OKX, **simulator: Any) -> Iterator[Stack]:
    """A stack on a fresh simulator with a stepped clock."""
    with SimulatorProcess(clock="stepped", **simulator) as process:
        yield Stack(store, process, exchange)
