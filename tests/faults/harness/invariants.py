"""The calm after trouble: the loop comes to rest, and what rests is held against the exchange's own truth.

Once calm nothing is bare, doubled, orphaned or unresolved, the loop is silent, and after everything was closed our
ledger is the exchange's to the cent (but for the penalties of liquidations, which no fill tells).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from core.decision.placements import RULES_AGAIN
from core.domain.account import Exchange, Level
from core.domain.errors import PerpdeckError
from core.domain.ids import meaning
from core.domain.instrument import Side
from core.domain.intent import Wanted
from core.domain.order import Purpose
from core.domain.part import Part
from core.monitor import sentinel
from core.services.reporting.executions import Executions
from db.store import Store
from tests.postgres import Postgres
from tests.simulator_process import SimulatorProcess
from tests.stack import BTC, Stack

ETH = "ETH-USDT-PERP"
INSTRUMENTS = {BTC: "BTC-USDT-SWAP", ETH: "ETH-USDT-SWAP"}
CALM_TURNS = 300
QUIET_TURNS = 3
QUIET = timedelta(seconds=11)
CENT = Decimal("0.01")


@contextmanager
def empty_store(postgres: Postgres) -> Iterator[Store]:
    """The database with nothing in it, and nobody else connected to it."""
    postgres.empty()
    store = Store.open(postgres.url)
    try:
        yield store
    finally:
        store.close()


class Died(BaseException):
    """The process is gone at this very point."""


@dataclass(slots=True)
class Report:
    """What one storm was like."""

    looks: int = 0
    deaths: int = 0
    bare_seconds: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)  #: to contracts that were not ours
    worked: Counter[str] = field(default_factory=Counter)  #: entries and recovery steps, by their style
    ledger_compared: bool = False
    shot_over: bool = False  #: exits of a part closed more than the part
    both_filled: int = 0  #: pairs of which both legs filled
    windows: list[float] = field(default_factory=list)  #: seconds from the fill of a leg to the end of the other


class Weathered(Stack):
    """A stack that has been through trouble and is held to its promises."""

    symbols: tuple[str, ...] = (BTC,)
    added_by_hand = False  #: contracts that no part explains may be left

    def __init__(self, store: Store, simulator: SimulatorProcess, exchange: Exchange = Exchange.OKX) -> None:
        self.report = Report()
        self.chance_of_death = 0.0
        self.looked = False  #: the last look saw everything
        super().__init__(store, simulator, exchange)

    # -- through the trouble -------------------------------------------------------------------------------------

    def _look_or_die(self) -> timedelta | None:
        self.report.looks += 1
        self.looked = False
        try:
            if not self.guard.lease.renew():
                self.guard.lease.acquire()
            again = self.guard.work_once(set(), everything=True)
            self.looked = True
            return again
        except Died:
            self._rise_again()
        except PerpdeckError:
            pass  # the loop's own answer to these is to look again later, and so do we
        return None

    def _rise_again(self) -> None:
        self.report.deaths += 1
        self.report.bare_seconds += sum(self.guard.bare_seconds.values())
        chance, self.chance_of_death = self.chance_of_death, 0.0
        self.crash()
        self.chance_of_death = chance

    def _wanted(self) -> list[Any]:
        return [one for one in self.store.parts.intents(self.name) if one.living]

    def held_on(self, side: Side, symbol: str) -> Decimal:
        """Contracts that the exchange holds on this side, however the account names it."""
        if self.held_side != "net":
            return self.held(side, symbol)
        return max(self.held("net", symbol) * side.sign, Decimal(0))

    # -- the calm ------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Fair weather: the loop comes to rest, and what rests is right."""
        self.simulator.faults()
        self.chance_of_death = 0.0
        self._rise_again()
        self.store.bots.set_level(self.name, Level.RUN, "trader", "test")
        self._until_silent()
        if any("-refused/" in alarm for alarm in self.alarms()):  # by the contract's rules, twice: again after a while
            self.step(RULES_AGAIN.total_seconds())
            self._until_silent()
        self._check_what_rests()

    def close_everything(self) -> None:
        """The trader goes home; then our ledger is laid beside the exchange's."""
        for one in self.store.parts.intents(self.name):
            if one.wanted is not Wanted.CLOSED:
                at_market = {"wanted": Wanted.CLOSED, "reduce_to": None, "closing": None, "told": None}
                self.store.parts.change(one.part, self.token(), "trader", "gone home", **at_market)
        self._until_silent()
        assert not self._wanted(), f"not closed: {[one.part for one in self._wanted()]}\n{self.story()}"
        left = [row for row in self.resting() if meaning(row["algoClOrdId"])]
        assert not left, f"left behind: {left}"
        self._check_executions()
        self._check_money()
        self._measure_pairs()
        self.report.bare_seconds += sum(self.guard.bare_seconds.values())

    def _until_silent(self) -> None:
        quiet, since = 0, self.clock.now()
        for _ in range(CALM_TURNS):
            again = self._look_or_die()
            if not self.looked or self._busy():
                quiet, since = 0, self.clock.now()
            quiet += 1
            if quiet > QUIET_TURNS and self.clock.now() - since > QUIET:
                return
            self.step(min(max((again or timedelta(seconds=5)).total_seconds(), 0.25), 5.0))
        raise AssertionError(f"not silent after {CALM_TURNS} looks\n{self.story()}")

    def _busy(self) -> bool:
        acts = [action for action in self.acts() if not action.startswith("raise alarm")]
        results = self.guard.reconciler.results.values()
        missing = any(sum(part.size for part in result.parts) > result.seen.contracts for result in results)
        unsettled = any(not result.seen.settled or not result.seen.confirmed for result in results)
        waiting = any(command.unresolved for command in self.store.orders.commands(self.name))
        return bool(acts or missing or unsettled or waiting)

    # -- the truth -----------------------------------------------------------------------------------------------

    def _check_what_rests(self) -> None:
        parts = {part.name: part for part in self.parts() if part.intent.living}
        entered: dict[tuple[str, int], Decimal] = {}
        for row in self.exchange()["orders"]:
            said = meaning(row["clOrdId"])
            if said is not None and said.purpose is Purpose.ENTRY:
                entered[said.part, said.cycle] = entered.get((said.part, said.cycle), Decimal(0)) + Decimal(
                    row["accFillSz"] or 0
                )
        for one in self.store.parts.intents(self.name):
            filled = entered.get((one.part, one.cycle), Decimal(0))
            assert filled <= (one.contracts or 0), f"{one.part} entered {filled} of {one.contracts}\n{self.story()}"
        stops: dict[str, list[dict[str, Any]]] = {}
        for row in self.resting():
            said = meaning(row["algoClOrdId"])
            if said is not None:
                assert said.part in parts, f"orphan {row['algoClOrdId']}\n{self.story()}"
                stops.setdefault(said.part, []).append(row)
        for part in parts.values():
            if part.size:
                self._check_guarded(part, stops.get(part.name, []))
        for symbol, side in product(self.symbols, Side):
            mine = [part for part in parts.values() if (part.intent.key.symbol, part.side) == (symbol, side)]
            ours, held = sum((part.size for part in mine), Decimal(0)), self.held_on(side, INSTRUMENTS[symbol])
            assert ours <= held if self.added_by_hand else ours == held, f"{ours} of {held} {side}\n{self.story()}"

        alarms = [alarm for alarm in self.alarms() if alarm.startswith("residual")]
        found = [str(words) for _, words in sentinel.findings(self.guard)]
        assert self.added_by_hand or not (alarms or found), f"{alarms} {found}\n{self.story()}"

    def _check_guarded(self, part: Part, rows: list[dict[str, Any]]) -> None:
        stop, target = part.stop_price(), part.take_profit_price()
        if stop is None and target is None:
            return
        native = self.client.facts.native_oco
        legs = 1 if native else sum(level is not None for level in (stop, target))
        assert len(rows) == legs, f"{part.name} holds {part.size} and has {len(rows)} protections\n{self.story()}"
        for row in rows:
            assert Decimal(row["sz"]) == part.size, f"{row['algoClOrdId']}: {row['sz']} for {part.size}\n{self.story()}"
        if stop is not None:
            assert any(row["slTriggerPx"] for row in rows), f"{part.name} is bare\n{self.story()}"

    def _check_executions(self) -> None:
        """However it was worked, an entry or a recovery step has never brought more than was planned."""
        for one in Executions(self.store.executions).reports(self.name, limit=500).items:
            if one.purpose.adds_risk:
                brought = f"{one.part} {one.run} {one.kind} brought {one.filled} of {one.planned}"
                assert one.filled <= one.planned, f"{brought}\n{self.story()}"
                self.report.worked[one.kind] += 1

    def _check_money(self) -> None:
        exchange = self.exchange()
        bills = sum((Decimal(row["balChg"]) for row in exchange["ledger"]), Decimal(0))
        (account,) = [one for one in exchange["accounts"].values() if Decimal(one["deposits"])]
        balance, deposits = Decimal(account["balance"]), Decimal(account["deposits"])
        assert balance - deposits in (bills, bills - deposits), f"{balance} of {deposits} with {bills}"
        untraced = any("booked at the mark" in str(event.because) for event in self.store.events.find(limit=1000))
        if self.added_by_hand or untraced or self._shot_over():
            return
        ours = sum((cycle.net for cycle in self.store.history.cycles(self.name)), Decimal(0))
        theirs = self.money()["all"] + Decimal(account["penalties"])
        self.report.ledger_compared = True
        assert abs(ours - theirs) < CENT, f"our ledger says {ours}, the exchange's {theirs}\n{self.story()}"

    def _measure_pairs(self) -> None:
        """Where the legs are two orders: how long one of them stood after the other had begun to fill."""
        exchange = self.exchange()
        filled: dict[str, int] = {}
        for row in exchange["fills"]:
            filled[row["ordId"]] = min(int(row["ts"]), filled.get(row["ordId"], int(row["ts"])))
        pairs = defaultdict[tuple[str, int], list[dict[str, Any]]](list)
        for row in exchange["algos"]:
            said = meaning(row["algoClOrdId"])
            if said is not None and "order_id" in row:
                pairs[said.part, said.cycle].append(row)
        for legs in pairs.values():
            struck = [row for row in legs if row["order_id"] in filled]
            if not struck:
                continue
            self.report.both_filled += len({bool(row["slTriggerPx"]) for row in struck}) > 1
            first = min(struck, key=lambda row: filled[row["order_id"]])
            begun = filled[first["order_id"]]
            self.report.windows += [
                (row["updated"] - begun) / 1000
                for row in legs
                if bool(row["slTriggerPx"]) != bool(first["slTriggerPx"]) and row["created"] <= begun <= row["updated"]
            ]

    def _shot_over(self) -> bool:
        """An OCO closed more than its part (`tests.decision.stress.stress`): whose fees those were is not known."""
        entered, exited = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
        for row in self.exchange()["orders"]:
            said = meaning(row["clOrdId"]) or meaning(row.get("algoClOrdId", ""))
            if said is not None:
                side = entered if said.purpose.adds_risk else exited
                side[said.part, said.cycle] += Decimal(row["accFillSz"] or 0)  # type: ignore[assignment]
        self.report.shot_over = any(exited[of] > entered[of] for of in exited)
        return self.report.shot_over
