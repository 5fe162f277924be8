"""The fault table: every step of every flow by every kind of fault, dealt out to voyages and counted.

A calm voyage tells which steps there are. Each step meets each kind that can strike it; a voyage carries one strike
in each of its flows. The same seed deals the same cells in the same order; the first voyages of it are a sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from random import Random

from core.domain.account import Exchange
from db.store import Store
from tests.faults.harness.fault_scenario import Passed, Voyage, small_pages
from tests.faults.harness.invariants import empty_store
from tests.faults.harness.kinds import BY_LABEL, KINDS, Kind, Where
from tests.faults.harness.wire_tap import Strike
from tests.postgres import Postgres
from tests.simulator.conftest import fresh
from tests.simulator_process import SimulatorProcess

SEED = int(os.environ.get("SEED", "1"))
ONE_WAY_EVERY = 4  #: of the voyages on an exchange whose accounts begin one-way
WORDS = "book: reasons kept"  #: many, and what is lost with them is told again
ONE = os.environ.get("VOYAGE")  #: the number of the only voyage to be made, to see a failure again


@dataclass(frozen=True, slots=True)
class Cell:
    """One step of one flow meets one kind."""

    exchange: Exchange
    flow: str
    step: str
    kind: str


@dataclass(frozen=True, slots=True)
class Run:
    """A cell that was run, and what came of it."""

    cell: Cell
    seed: int
    struck: bool
    bare_seconds: float = 0.0
    broken: str = ""


class Matrix:
    """All cells of one setting: a part alone on its position, or one that shares it."""

    def __init__(
        self,
        postgres: Postgres,
        simulator: SimulatorProcess,
        exchange: Exchange = Exchange.OKX,
        *,
        shared: bool,
        sailing: type[Voyage] = Voyage,
    ) -> None:
        self.postgres, self.simulator, self.exchange, self.shared = postgres, simulator, exchange, shared
        self.sailing, self.flows = sailing, sailing.flows
        self.by_label = BY_LABEL[exchange]
        self.steps = {passed.flow: passed for passed in self._sail(SEED, {}, heard=False)}
        self.cells = [
            Cell(exchange, flow, step, kind.label)
            for flow, passed in self.steps.items()
            for step, where in passed.steps.items()
            for kind in KINDS[exchange]
            if where in kind.where and flow in kind.flows(self.flows)
        ]

    def unmet(self) -> list[str]:
        """Steps that a flow cannot do without and that calm weather did not show."""
        sailing, exchange = self.sailing, self.exchange
        told = [sailing.named, sailing.own[exchange], {} if self.shared else sailing.alone[exchange]]
        return [
            f"{flow}: {step}"
            for flow in self.flows
            for step in sorted({step for one in told for step in one.get(flow, ())} - set(self.steps[flow].recorded))
        ]

    # -- dealing ---------------------------------------------------------------------------------------------------

    def deal(self, seed: int) -> list[tuple[int, bool, dict[str, Strike]]]:
        """Voyages in which each cell is struck at least once: number, whether the streams are up, one strike a flow."""
        dice = Random(f"{seed} {self.shared} {self.exchange}")
        dealt: list[tuple[bool, dict[str, Strike]]] = []
        for heard in (False, True):
            cells = {flow: self._cells(flow, heard=heard) for flow in self.flows}
            longest = max(sum(len(self._strikes(cell, Random(0))) for cell in own) for own in cells.values())
            for hand in zip_longest(*(self._pile(cells[flow], longest, dice) for flow in self.flows)):
                strikes = {flow: strike for flow, strike in zip(self.flows, hand, strict=True) if strike is not None}
                dealt.append((heard, strikes))
        return [(number, heard, strikes) for number, (heard, strikes) in enumerate(_woven(dealt))]

    def _cells(self, flow: str, *, heard: bool) -> list[Cell]:
        return [cell for cell in self.cells if cell.flow == flow and self.by_label[cell.kind].heard is heard]

    def _pile(self, cells: list[Cell], high: int, dice: Random) -> list[Strike]:
        """All strikes of one flow in an order of the dice; again from the first, at other moments, until it is high."""
        pile: list[Strike] = []
        while cells and len(pile) < high:
            strikes = [strike for cell in cells for strike in self._strikes(cell, dice)]
            pile += dice.sample(strikes, len(strikes))
        return pile[:high]

    def _strikes(self, cell: Cell, dice: Random) -> list[Strike]:
        """One, at an occurrence of the dice; where pieces are worked, a death before and after each of them."""
        passed, kind = self.steps[cell.flow], self.by_label[cell.kind]
        where, there = passed.steps[cell.step], passed.recorded[cell.step]
        each = self.sailing.every_death and kind.death and where is not Where.READ and cell.step != WORDS
        occurrences = range(1, there + 1) if each else (dice.randint(1, there),)
        return [Strike(cell.step, number, kind, self._tries(where, kind, dice)) for number in occurrences]

    def _tries(self, where: Where, kind: Kind, dice: Random) -> int:
        return dice.choice((1, 3)) if where is Where.READ and kind.timeout is None else 1

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, seed: int, most: int | None = None) -> list[Run]:
        """Sail what was dealt, `most` voyages of it; what broke is in the runs and nothing is raised."""
        dealt = self.deal(seed)
        if ONE is not None:
            dealt = [one for one in dealt if one[0] == int(ONE)]
        runs: list[Run] = []
        for number, heard, strikes in dealt[:most]:
            runs += self._one(seed, number, strikes, heard=heard)
        return runs

    def _one(self, seed: int, number: int, strikes: dict[str, Strike], *, heard: bool) -> list[Run]:
        runs: list[Run] = []
        try:
            for passed in self._sail(seed * 10_000 + number, strikes, heard=heard):
                if passed.strike is not None:
                    cell = Cell(self.exchange, passed.flow, passed.strike.step, passed.strike.kind.label)
                    runs.append(Run(cell, seed, passed.struck, passed.bare_seconds))
        except AssertionError as broken:
            flow = str(broken).partition(",")[0]
            strike = strikes.get(flow)
            last = Cell(self.exchange, self.flows[-1], "the end", "")
            cell = Cell(self.exchange, flow, strike.step, strike.kind.label) if strike else last
            where = f"{self.exchange} SEED={seed} VOYAGE={number} {'shared' if self.shared else 'alone'}"
            runs.append(Run(cell, seed, True, broken=f"{where}: {broken}"))
        return runs

    def _sail(self, seed: int, strikes: dict[str, Strike], *, heard: bool) -> Iterator[Passed]:
        with empty_store(self.postgres) as store:
            yield from self._sail_on(store, seed, strikes, heard=heard)

    def _sail_on(self, store: Store, seed: int, strikes: dict[str, Strike], *, heard: bool) -> Iterator[Passed]:
        hedge = self.exchange is Exchange.OKX or seed % ONE_WAY_EVERY > 0
        where = fresh(self.simulator)
        voyage = self.sailing(store, where, seed, self.exchange, shared=self.shared, heard=heard, hedge=hedge)
        try:
            with small_pages():
                yield from voyage.sail(strikes)
            voyage.check_history()
            voyage.close_everything()
        finally:
            voyage.close()


def _woven(dealt: Iterable[tuple[bool, dict[str, Strike]]]) -> list[tuple[bool, dict[str, Strike]]]:
    """Voyages with streams spread evenly among those without, so that the first ones are a fair sample."""
    deaf, heard = ([one for one in dealt if one[0] is ears] for ears in (False, True))
    every = max(1, len(deaf) // max(1, len(heard)))
    woven: list[tuple[bool, dict[str, Strike]]] = []
    for number, one in enumerate(deaf):
        woven.append(one)
        if number % every == every - 1 and heard:
            woven.append(heard.pop(0))
    return woven + heard
