"""One life of a part from its entry to its end, flow by flow, with one fault struck in each flow and calm after it.

A flow begins with what the trader or the market does, and has a goal. Whatever was struck, the goal is reached in
fair weather without another click, and then the promises of `truth` hold: nothing more than was asked for, nothing
bare, doubled or left behind, money to the cent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, ClassVar
from unittest.mock import patch

from core.alerts import Alerts
from core.domain.account import Exchange
from core.domain.errors import PerpdeckError
from core.domain.ids import meaning, same_step
from core.domain.instrument import Side
from core.domain.intent import ExitReason, RecoveryChoice, ReopenChoice, Target
from core.domain.order import Purpose
from core.exchange.binance.client import BinanceClient
from core.exchange.binance.stream.stream import BinanceStream, Upkeep
from core.exchange.okx import paging
from core.exchange.okx.stream.stream import OKXStream
from core.exchange.stream_thread import Stream
from core.exchange.throttle import Throttle
from core.monitor import history
from core.monitor.guard import AccountGuard
from core.wiring import build_guard
from db.store import Store
from tests.eventually import eventually
from tests.faults.harness.flows import ALONE, FLOWS, NAMED, OWN, Steps
from tests.faults.harness.invariants import INSTRUMENTS, Died, Weathered
from tests.faults.harness.wire_tap import Strike, Tap, Tapped
from tests.faults.harness.wires import WIRES
from tests.simulator.binance.client import BinanceClient as BinancePerson
from tests.simulator_process import SimulatorProcess
from tests.stack import BTC, UNHURRIED, Deaf

PATIENCE = timedelta(minutes=5)  #: simulated; an entry that was refused is tried again after a while
QUIET = timedelta(seconds=6)
STRUCK_WITHIN = 30.0  #: seconds from the beginning of a flow; what shows late is waited for from then on
LONGEST_STEP, SHORTEST_STEP = 3.0, 0.35
#: seconds in which more may be held than the stops cover: until the next look; where a position is shared, until a
#: restart has amended what guards the whole
BARE_ALONE, BARE_SHARED = 1.0, 5.0
#: where the stop is an order of its own and its answer is lost: alone, another follows after 5 s; on a shared position
#: it must be certain that it never arrives (6 s until the request is void, 10 s to settle)
LEGS_ALONE, LEGS_SHARED = 10.0, 25.0
#: in which order and by which addresses Binance pushes: nobody promises one
FORMS = {
    "binance_legacy_streams": ("mixed", "deliver"),
    "binance_flavour": ("live", "demo"),
    "binance_child_first": (False, True),
    "binance_account_first": (True, False),
    "binance_trade_lite_first": (True, False),
    "binance_open_algos": ("waiting", "unended"),
}


@dataclass(slots=True)
class Passed:
    """One flow that reached its goal."""

    flow: str
    strike: Strike | None
    struck: bool
    looks: int
    bare_seconds: float
    steps: dict[str, Any] = field(default_factory=dict)
    recorded: Counter[str] = field(default_factory=Counter)


class Voyage(Weathered):
    """A part alone on its position, or beside a sibling that nobody touches; with streams, or without."""

    flows: ClassVar[tuple[str, ...]] = FLOWS
    named: ClassVar[Steps] = NAMED
    own: ClassVar[Mapping[Exchange, Steps]] = OWN
    alone: ClassVar[Mapping[Exchange, Steps]] = ALONE
    every_death = False  #: the process dies at each occurrence of a step and not only at one of them
    pieces = 1  #: in which a flow is worked, each of which may be bare for a moment

    def __init__(
        self,
        store: Store,
        simulator: SimulatorProcess,
        seed: int,
        exchange: Exchange = Exchange.OKX,
        *,
        shared: bool = False,
        heard: bool = False,
        hedge: bool = True,
    ) -> None:
        self.dice = Random(seed)
        self.shared, self.side = shared, self.dice.choice((Side.LONG, Side.SHORT))
        self.tap: Tap | None = None
        self.stream: Stream | None = None
        self.rings = 0
        self.looks, self.bare = 0, 0.0
        super().__init__(store, simulator, exchange)
        if not hedge:
            self.one_way()
        if exchange is Exchange.BINANCE:
            self.simulator.switches(**{name: self.dice.choice(values) for name, values in FORMS.items()})
        self.tap = Tap(WIRES[exchange](self.client), simulator, self._kill_key)
        if heard:
            self._listen()
        self.crash()
        self.part_name = self.sibling = ""
        self.look()
        if shared:
            self.sibling = self.opened(self.draft(side=self.side, tp=500, sl=-300))

    def another_bot(self, holder: str = "") -> AccountGuard:
        store: Any = self.store if self.tap is None else Tapped(self.store, self.tap)
        stream = self.stream or Deaf()
        holder = holder or next(self._holders)
        return build_guard(self.account, self.client, stream, store, Alerts([]), self.clock, holder)

    def close(self) -> None:
        """End the streams and the client."""
        if self.stream is not None:
            self.stream.stop()
        self.client.close()

    def hear(self, symbol: str = BTC) -> None:
        """The trader's own look at the price is no step of the bot's."""
        if self.tap is None:
            super().hear(symbol)
            return
        with self.tap.aside():
            super().hear(symbol)

    # -- the streams -----------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        connect_limit, url = Throttle({}, otherwise=UNHURRIED), self.simulator.ws_url
        if isinstance(self.client, BinanceClient):
            upkeep = Upkeep(watch=0.05)
            self.stream = BinanceStream(
                self.client, url, now=self.clock.now, connect_limit=connect_limit, upkeep=upkeep
            )
        else:
            self.stream = OKXStream(self.credentials, url, now=self.clock.now, connect_limit=connect_limit)
        self.stream.start(self._ring)
        eventually(lambda: self.stream and self.stream.connected, 20, "the streams are up")

    def _kill_key(self) -> None:
        """Somebody else ends the listen key; the exchange tells nobody."""
        with BinancePerson(self.simulator.base_url, self.simulator.binance) as person:
            assert person.delete("v1/listenKey").ok == {}

    def _ring(self, push: Any) -> None:
        self.rings += 1
        self.guard.on_push(push)

    # -- a flow ----------------------------------------------------------------------------------------------------

    def sail(self, strikes: Mapping[str, Strike]) -> Iterator[Passed]:
        """All flows in order; AssertionError names the flow in which a promise was broken."""
        for flow in self.flows:
            strike = strikes.get(flow)
            try:
                yield self._pass(flow, strike)
            except AssertionError as broken:
                where = str(strike) if strike else "calm"
                raise AssertionError(f"{flow}, {where}: {broken}") from broken

    def _pass(self, flow: str, strike: Strike | None) -> Passed:
        assert self.tap is not None
        begin, reached, work = self._flow(flow, strike)
        self.looks, self.bare = 0, 0.0
        self.tap.begin(strike)
        try:
            begin()
            self._until(reached, work, self._shown_after(strike))
        finally:
            self.tap.end()
        if self.stream is not None:
            eventually(lambda: self.stream and self.stream.connected, 20, "the streams are up again")
        self._check_what_rests()
        self._check_counts()
        alone, shared = (BARE_ALONE, BARE_SHARED) if self.client.facts.native_oco else (LEGS_ALONE, LEGS_SHARED)
        allowed = shared if self.shared else alone
        allowed += (self.pieces - 1) * LONGEST_STEP + (strike.kind.pause if strike is not None else 0.0)
        assert self.bare <= allowed, f"bare for {self.bare} s\n{self.story()}"
        return Passed(
            flow, strike, self.tap.struck, self.looks, self.bare, dict(self.tap.steps), self.tap.recorded.copy()
        )

    @staticmethod
    def _shown_after(strike: Strike | None) -> float:
        """Seconds until the exchange shows all that it has accepted."""
        return strike.kind.shows_after + STRUCK_WITHIN if strike is not None and strike.kind.shows_after else 0.0

    def _flow(
        self, flow: str, strike: Strike | None
    ) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
        """What begins it, when its goal is reached, and what is done again and again until then."""
        one = self.look_through
        return {
            "entry": (self._enter, lambda: self._entered() and self.at_rest(self.part_name) and self._whole(), one),
            "edit": (lambda: self._edit(strike), lambda: self.at_rest(self.part_name) and self._edited(), one),
            "recovery": (self._lose, lambda: self.at_rest(self.part_name) and self._recovered(), one),
            "partial close": (self._halve, lambda: self.at_rest(self.part_name) and self._halved(), one),
            "target reached": (self._win, lambda: self._ended(ExitReason.TAKE_PROFIT), one),
            "reopen": (lambda: self.step(60), lambda: self.at_rest(self.part_name) and self._again(), one),
            "close": (self._close, lambda: self._ended(ExitReason.CLOSED_BY_US), one),
            "history": (lambda: None, self._synced, self._sync),
        }[flow]

    def _until(self, reached: Callable[[], object], work: Callable[[], object], at_least: float) -> None:
        """Work until the goal is reached and has stayed so for a while; not before so many seconds have passed."""
        began, quiet_since = self.clock.now(), None
        while self.clock.now() - began < PATIENCE:
            self._hear()
            again = work()
            wait = again.total_seconds() if isinstance(again, timedelta) else LONGEST_STEP
            unseen = self.guard.reconciler.last_look is None or not self.looked
            if unseen or self._busy() or not reached():
                quiet_since = None
            elif quiet_since is None:
                quiet_since = self.clock.now()
            elif self.clock.now() - quiet_since >= QUIET and self.clock.now() - began > timedelta(seconds=at_least):
                return
            self._pass_time(min(max(wait, SHORTEST_STEP), LONGEST_STEP))
        raise AssertionError(f"its goal was not reached within {PATIENCE}\n{self.story()}")

    def look_through(self) -> timedelta | None:
        """One look that may end in a death or a failed read, as the loop has them."""
        self.looks += 1
        return self._look_or_die()

    def _sync(self) -> None:
        self.look_through()
        if self._synced():
            return
        try:
            history.bring_home(self.guard)
        except Died:
            self._rise_again()
        except PerpdeckError:
            pass  # the next round of the schedule goes on from the cursor

    def _hear(self) -> None:
        """Let what was pushed so far arrive: until nothing has come for a moment."""
        if self.stream is None:
            return
        heard = -1
        while heard != self.rings:
            heard = self.rings
            self.simulator.clock()  # one round through the simulator's own queue

    def _pass_time(self, seconds: float) -> None:
        if self._bare():
            self.bare += seconds
        self.step(seconds)

    def _bare(self) -> bool:
        """More is held at the exchange than the stops there would close."""
        exchange = self.exchange()
        held = sum((Decimal(row["pos"]) for row in exchange["positions"]), Decimal(0))
        stops = [row for row in exchange["algos"] if row["state"] == "live" and row["slTriggerPx"]]
        return held > sum((Decimal(row["sz"]) for row in stops), Decimal(0))

    # -- what begins the flows -------------------------------------------------------------------------------------

    def _enter(self) -> None:
        recovery = RecoveryChoice(True, Decimal(-15), Decimal(300), max_steps=1)
        reopen = ReopenChoice(True, delay=timedelta(minutes=1))
        draft = replace(self.draft(side=self.side), recovery=recovery, reopen=reopen)
        self.part_name = self.open(draft)

    def _edit(self, strike: Strike | None) -> None:
        """One leg, the other, or both; both where one of them by itself is to be struck."""
        profit, loss = self.dice.choice(((70, -100), (50, -70), (70, -70)))
        if strike is not None and ("stop loss" in strike.step or "take profit" in strike.step):
            profit, loss = 70, -70
        self.edited = Target(pnl_usdt=Decimal(profit)), Target(pnl_usdt=Decimal(loss))
        self.positions.edit_targets(self.part_name, *self.edited, self.token(), "trader")

    def _lose(self) -> None:
        self._walk(Decimal("-0.02"))

    def _halve(self) -> None:
        part = self.part(self.part_name)
        self.half = part.instrument.round_quantity(part.size / 2)
        self.left = part.size - self.half
        self.positions.close(self.part_name, self.token(), "trader", contracts=self.half)

    def _win(self) -> None:
        (target,) = [
            row["tpTriggerPx"] for row in self.resting() if row["tpTriggerPx"] and self._mine(row["algoClOrdId"])
        ]
        self._walk(Decimal(target) / self._last() - 1, beyond=True)

    def _close(self) -> None:
        self.positions.close(self.part_name, self.token(), "trader")

    def _last(self) -> Decimal:
        return Decimal(self.exchange()["prices"][INSTRUMENTS[BTC]]["last"])

    def _walk(self, share: Decimal, *, beyond: bool = False) -> None:
        """Move the price: by this share in the part's favour, or a little beyond a price."""
        assert self.tap is not None
        sign = self.side.sign
        factor = (1 + share) * (1 + sign * Decimal("0.0005")) if beyond else 1 + sign * share
        price = f"{self._last() * factor:.1f}"
        self.tap.market(lambda: self.price(price))

    # -- the goals -------------------------------------------------------------------------------------------------

    def _whole(self) -> bool:
        part = self.part(self.part_name)
        return part.size == part.intent.contracts

    def _edited(self) -> bool:
        return self.part(self.part_name).targets == self.edited

    def _recovered(self) -> bool:
        part = self.part(self.part_name)
        return len(part.steps) == 1 and part.targets == (Target(pnl_usdt=Decimal(50)), Target(pnl_usdt=Decimal(-100)))

    def _halved(self) -> bool:
        return self.part(self.part_name).size == self.left

    def _entered(self) -> bool:
        """An entry that the exchange refused for good is over; then the trader asks for another."""
        refused = self._ended(ExitReason.NOT_ENTERED)
        if refused:
            self._enter()
        return not refused

    def _ended(self, reason: ExitReason) -> bool:
        cycles = self.store.history.cycles(self.name, self.part_name)
        return bool(cycles) and cycles[0].reason is reason

    def _again(self) -> bool:
        """A cycle that was refused counts, and the next one follows."""
        return self.part(self.part_name).intent.cycle > 1 and self._whole()

    def _synced(self) -> bool:
        state = self.store.history.sync_state(self.name)
        return state.ended_at is not None and state.done == state.of and not state.trouble

    # -- the truth -------------------------------------------------------------------------------------------------

    def _mine(self, client_order_id: str) -> bool:
        said = meaning(client_order_id)
        return said is not None and said.part == self.part_name

    def _check_counts(self) -> None:
        """What filled of each cycle is what was asked for, once; and no exit closed more than was entered."""
        filled: Counter[tuple[str, int, Purpose]] = Counter()
        steps: dict[tuple[str, int], set[int]] = defaultdict(set)
        exited: Counter[tuple[str, int]] = Counter()
        for row in self.exchange()["orders"]:
            said, size = meaning(row["clOrdId"]) or meaning(row.get("algoClOrdId", "")), Decimal(row["accFillSz"] or 0)
            if said is None or not size:
                continue
            cycle = said.part, said.cycle
            if said.purpose.adds_risk:
                filled[*cycle, said.purpose] += size  # type: ignore[assignment]
                steps[cycle] |= {same_step(row["clOrdId"])} if said.purpose is Purpose.RECOVERY else set()
            else:
                exited[cycle] += size  # type: ignore[assignment]
        for cycle, out in exited.items():
            entered = filled[*cycle, Purpose.ENTRY] + filled[*cycle, Purpose.RECOVERY]
            assert out <= entered, f"{cycle} exited {out} of {entered}\n{self.story()}"
        assert max(map(len, steps.values()), default=0) <= 1, f"recovery steps {dict(steps)}\n{self.story()}"

    def check_history(self) -> None:
        """Each fill and each life of the exchange is in our ledger, and nothing else."""
        exchange = self.exchange()
        theirs = sorted((row["instId"], row["tradeId"]) for row in exchange["fills"])
        ours = self.store.fills.find(self.name, limit=10_000)
        assert len(ours) == len(theirs), f"{len(ours)} fills of {len(theirs)}"
        assert len(self.store.history.lives(self.name)) == len(exchange["lives"]), "lives of positions"


@contextmanager
def small_pages(of: int = 2) -> Iterator[None]:
    """Lists of the exchange come in pages of so many rows, so that a short history has several."""
    with patch.object(paging, "PAGE_ROWS", of):
        yield
